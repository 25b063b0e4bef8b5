/**
 * A server that counts primes. Start several, and kill any.
 *
 *     deno run --allow-ffi examples/compute/server.ts
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { primes } from "./primes.ts";

using server = primes.server();
console.log("Counting primes; Ctrl-C ends it");
await server.serve(async ({ from, to }, caller) => {
  let count = 0;
  for (let number = Math.max(from, 2); number <= to; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor > 0) divisor++;
    if (divisor * divisor > number) count++;
    if (number % 10_000 > 0) continue;
    await delay(0); // other calls have their turn
    caller.signal.throwIfAborted(); // nobody waits for it any more
  }
  return count;
});
