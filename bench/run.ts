/**
 * `deno task bench`: runs every benchmark, and prints whether the bars are met.
 *
 * @module
 */

import { allowedCpus } from "./harness/machine.ts";
import { printBars } from "./harness/report.ts";
import { measureBabus } from "./babus.ts";
import { measureIdle } from "./babus_idle.ts";
import { measureCircular } from "./circular.ts";
import { measureMirrorRing } from "./mirror_ring.ts";
import { measureMpsc } from "./mpsc.ts";
import { measurePingPong } from "./ping_pong.ts";
import { measureCalls } from "./calls.ts";
import { measureSpsc } from "./spsc.ts";
import { measureVdds } from "./vdds.ts";

const { code } = new Deno.Command(Deno.execPath(), {
  args: ["bench", "--allow-all", import.meta.dirname!],
  stdout: "inherit",
  stderr: "inherit",
}).outputSync();
if (code !== 0) Deno.exit(code);

console.log(`\nOn ${allowedCpus().length} processors of ${processorName()}, in turn:`);
printBars([
  ...await measureMirrorRing(),
  ...await measurePingPong(),
  ...await measureCircular(),
  ...await measureSpsc(),
  ...await measureMpsc(),
  ...await measureCalls(),
  ...await measureVdds(),
  ...await measureBabus(),
  ...await measureIdle(),
]);

function processorName(): string {
  const text = Deno.readTextFileSync("/proc/cpuinfo");
  return /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? Deno.build.arch;
}
