/**
 * Many publishers that count what they do to shared memory and ask of the native library. For
 * each line that is typed, each publishes 32 samples, a millisecond apart; then it prints the counts.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { takeCounts } from "../cost/counter.ts";

const ROUNDS = 32;

namespace(Deno.args[0]!);
const Sample = struct("sample", { round: "f64", topic: "u32" });
const publishers = Array.from(
  { length: Number(Deno.args[1]) },
  (_, i) => topic(`many/${i}`, { type: Sample, depth: 16, policy: "dropOldest" }).publisher(),
);
console.log("ready");
let round = 0;
for await (const _ of Deno.stdin.readable) {
  takeCounts();
  for (let i = 0; i < ROUNDS; i++) {
    round++;
    publishers.forEach((publisher, topic) => publisher.trySend({ round, topic }));
    await delay(1);
  }
  console.log(`counts ${JSON.stringify(takeCounts())} after ${round}`);
}
