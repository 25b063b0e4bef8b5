/**
 * Publishes the turns of a laser scanner, some hundred a second. Each is written once, into shared
 * memory, where all subscribers read it in place. Run it in one terminal, and subscribers in as many
 * others as you like, in any order:
 *
 *     deno run --allow-ffi examples/vdds_pub.ts
 *     deno run --allow-ffi examples/vdds_sub.ts
 *     deno run --allow-ffi examples/vdds_sub.ts --slow
 *
 * Ctrl-C ends each of them. Kill any (`kill -9`), or stop it (Ctrl-Z): the others keep running.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { count, endAfter } from "./terminal.ts";
import { every } from "./vdds_meter.ts";
import { measure, scans } from "./vdds_scan.ts";

const end = endAfter(3600);
using publisher = scans.publisher();
const first = publisher.sequence;
console.log(`Publishing to "${scans.name}"; Ctrl-C ends it`);

using _lines = every(1000, () => {
  const { published, inFlight } = publisher.counters;
  console.log(
    `${count(published)} scans, ${publisher.peers} subscribers, ` +
      `${inFlight} of ${publisher.depth} samples in use`,
  );
});

while (!end.aborted) {
  using loan = await publisher.loan(); // in shared memory
  measure(loan.view.metres, publisher.sequence);
  loan.publish(); // hands over a number, not the bytes
  await delay(1);
}
console.log(`Published ${count(publisher.sequence - first)} scans.`);
