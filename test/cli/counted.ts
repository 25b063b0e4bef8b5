/**
 * Publishes to every kind of region, a round for each line of input, and prints what that took: the
 * accesses to shared memory, and the native calls. Run it with test/cost/import_map.json.
 *
 * @module
 */

import { domain } from "../../src/babus/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import { takeCounts } from "../cost/counter.ts";

/** The name that all regions begin with. */
const [prefix] = Deno.args as [string];

/** The messages of a round: some work is done once in every `depth` samples. */
const ROUND = 320;

using samples = topic(`${prefix}/samples`, { type: "f64", depth: 8, policy: "dropOldest" })
  .publisher();
using ring = spsc(`${prefix}.ring`, { type: "f64", capacity: 2 ** 20 }).producer();
using many = mpsc(`${prefix}.many`, { type: "f64", capacity: 2 ** 20 }).producer();
using log = circular(`${prefix}.log`, { type: "f64", capacity: 2 ** 20 }).writer();
using body = domain(prefix, { speed: { type: "f64" } }).open();

/** Publishes a round. */
function publish(): void {
  for (let i = 0; i < ROUND; i++) {
    samples.trySend(i);
    ring.trySend(i);
    many.trySend(i);
    log.trySend(i);
    body.slots.speed.writeSync(i);
  }
}

publish(); // hints settle, and the engine compiles
console.log("ready");
for await (const _ of Deno.stdin.readable) {
  takeCounts();
  publish();
  console.log(JSON.stringify(takeCounts()));
}
