/**
 * `deno task bench`: measures, and prints whether the bars are met.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { compareFiles } from "./harness/compare.ts";
import { allowedCpus } from "./harness/machine.ts";
import { type Bar, printBars } from "./harness/report.ts";
import { recorded, settings } from "./harness/settings.ts";
import { measureBabus } from "./babus.ts";
import { measureIdle } from "./babus_idle.ts";
import { measureCalls } from "./calls.ts";
import { measureCircular } from "./circular.ts";
import { measureLeapfrogRing } from "./leapfrog_ring.ts";
import { measureMirrorRing } from "./mirror_ring.ts";
import { measureMpsc } from "./mpsc.ts";
import { measurePingPong } from "./ping_pong.ts";
import { measureSpsc } from "./spsc.ts";
import { measureScale } from "./scale.ts";
import { measureStartup } from "./startup.ts";
import { measureVdds } from "./vdds.ts";

const BENCHES: Record<string, () => Promise<Bar[]>> = {
  ping_pong: measurePingPong,
  spsc: measureSpsc,
  circular: measureCircular,
  mpsc: measureMpsc,
  calls: measureCalls,
  vdds: measureVdds,
  babus: measureBabus,
  mirror_ring: measureMirrorRing,
  leapfrog_ring: measureLeapfrogRing,
  idle: measureIdle,
  startup: measureStartup,
};

/** What takes too long for a quick run. */
const SLOW = ["idle", "mirror_ring", "leapfrog_ring", "startup"];

const HELP = `deno task bench [NAME...] [--quick] [--json FILE]
    Measures all benches, or those of these names: ${Object.keys(BENCHES).join(", ")}.
    --quick: few rounds, only this package and C, within a minute.
    --json FILE: writes the times of all rounds, and the bars.
deno task bench compare A.json B.json
    Tells which times differ between two runs. With several on each side (A1.json,A2.json
    B1.json,B2.json) it finds smaller differences.
deno task bench scale [NAME...]
    Measures curves of cost against size.
deno bench --allow-all bench
    Measures single operations in one thread.`;

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

const [first, ...others] = positionals;
if (values.help) console.log(HELP);
else if (first === "compare") compareFiles(others[0]!, others[1]!);
else if (first === "scale") await measureScale(others);
else await measure();

async function measure(): Promise<void> {
  settings.quick = values.quick;
  const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown !== undefined) {
    throw new Error(`Cannot run the bench "${unknown}": it does not exist\n${HELP}`);
  }
  const usual = Object.keys(BENCHES).filter((name) => !values.quick || !SLOW.includes(name));
  const names = positionals.length > 0 ? positionals : usual;
  console.log(`On ${allowedCpus().length} processors of ${processorName()}, in turn:`);
  const bars: Bar[] = [];
  const begin = performance.now();
  for (const name of names) {
    settings.bench = name;
    bars.push(...await BENCHES[name]!());
  }
  printBars(bars);
  console.log(`\nMeasured in ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  if (values.json === undefined) return;
  const { deno } = Deno.version;
  const report = { deno, processor: processorName(), quick: values.quick, runs: recorded, bars };
  Deno.writeTextFileSync(values.json, JSON.stringify(report));
}

function processorName(): string {
  const text = Deno.readTextFileSync("/proc/cpuinfo");
  return /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? Deno.build.arch;
}
