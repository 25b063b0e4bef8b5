/**
 * Subscribes to the scans that vdds_pub.ts publishes, and reads them in place. Each second it prints
 * their number, their age, and how many it lost.
 *
 *     deno run --allow-ffi examples/vdds_sub.ts
 *     deno run --allow-ffi examples/vdds_sub.ts --slow
 *
 * The slow one needs some milliseconds for each scan, so it loses most of them. That costs the
 * publisher and the others nothing.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { count, endAfter } from "./terminal.ts";
import { duration, every, Meter } from "./vdds_meter.ts";
import { scans } from "./vdds_scan.ts";

const isSlow = Deno.args.includes("--slow");
const end = endAfter(3600);
using subscriber = scans.subscriber();
console.log(`Subscribed to "${scans.name}"; waiting for scans, Ctrl-C ends it`);

const meter = new Meter();
let nearest = NaN;
using _lines = every(1000, () => {
  const { samples, lost, p50, p99 } = meter.recent();
  console.log(
    `${count(samples)} scans, latency ${duration(p50)}, p99 ${duration(p99)}, ` +
      `lost ${count(lost)}, nearest ${meter.all().samples > 0 ? nearest.toFixed(2) : "-"} m`,
  );
});

for await (const { view, time, lost } of subscriber.samples({ until: end })) {
  meter.note(time, lost);
  nearest = view.metres.reduce((least, each) => Math.min(least, each)); // read in place
  if (isSlow) await delay(5); // the scan does not change meanwhile
}
const { samples, lost } = meter.all();
console.log(`Received ${count(samples)} scans, lost ${count(lost)}.`);
