/**
 * One of six shops, which sends orders: its number, how many, and how many the table has already after
 * a kill.
 *
 *     deno run --allow-ffi examples/orders/shop.ts 0 1000 0
 *
 * @module
 */

import { orders } from "./orders.ts";

const [shop = 0, count = 1000, from = 0] = Deno.args.map(Number);
using producer = await orders.nextProducer({ id: shop, onPeerGone: "wait" });
for (let number = from; number < count; number++) {
  await producer.send({ key: `${shop}/${number}`, item: "tea", cents: 100 + number });
}
await producer.flush();
console.log(`Shop ${shop} has sent ${count - from} orders, and all are stored`);
