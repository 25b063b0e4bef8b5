/**
 * One of six shops, which sends orders. Start it again after a kill, with the number of orders that
 * the table has of it already.
 *
 *     deno run --allow-ffi examples/orders/shop.ts 0 1000
 *
 * @module
 */

import { orders } from "./orders.ts";

const [shop, count, from = 0] = Deno.args.map(Number);
using producer = await orders.nextProducer({ id: shop, onPeerGone: "wait" });
for (let number = from; number < count!; number++) {
  await producer.send({ key: `${shop}/${number}`, item: "tea", cents: 100 + number });
}
await producer.flush();
console.log(`Shop ${shop} has sent ${count! - from} orders, and all are stored`);
