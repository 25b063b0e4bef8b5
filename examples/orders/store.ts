/**
 * Stores orders in SQLite. It acknowledges a batch only after its commit: a kill, or a commit that
 * fails, loses nothing, and the batch comes again. The key of an order keeps it from being stored
 * twice.
 *
 *     deno run --allow-ffi --allow-read --allow-write examples/orders/store.ts orders.db
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { orders } from "./orders.ts";

// A program that reads the table delays a commit: wait for it.
using database = new DatabaseSync(Deno.args[0] ?? "orders.db", { timeout: 1000 });
database.exec("CREATE TABLE IF NOT EXISTS orders (key TEXT PRIMARY KEY, item TEXT, cents INTEGER)");
const insert = database.prepare("INSERT OR IGNORE INTO orders VALUES (?, ?, ?)");

using consumer = await orders.nextConsumer({ onPeerGone: "wait" });
console.log("Waiting for orders; Ctrl-C ends it");
for await (const batch of consumer.batches({ limit: 500 })) { // the next turn acknowledges it
  database.exec("BEGIN");
  for (const { value } of batch) insert.run(value.key, value.item, value.cents);
  database.exec("COMMIT");
  console.log(`${batch.length} orders stored`);
}
