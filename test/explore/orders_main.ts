/**
 * `deno task explore:orders`: weakens every release and acquire of a word in the sources, one at a
 * time, and searches weak memory. What orders.ts says is found must be found. With `--covered
 * SECONDS` it also searches, for so long each, where orders.ts says that another order covers it:
 * then a defect is a failure.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { firstFinding, replaceFile, SRC } from "./barriers.ts";
import { type Order, ORDERS, weakened } from "./orders.ts";

const AT_ONCE = 2;

/** The scenarios that run a file of src, by the beginning of its name. */
const SCENARIOS: Readonly<Record<string, readonly string[]>> = {
  "babus/": ["babus"],
  "calls/": ["calls"],
  "circular/": ["circular"],
  "lane/": ["spsc", "fan-in", "mpsc", "calls-flow"],
  "mpsc/": ["mpsc"],
  "region/": ["region", "role", "spsc", "mpsc-lane-again"],
  "shared/": ["rw", "semaphore", "region"],
  "spsc/": ["spsc"],
  "vdds/": ["vdds"],
  "wait/": [
    "doorbell",
    "reactor",
    "hearing",
    "wait-any",
    "spsc",
    "calls-flow",
    "vdds-wait",
    "babus",
  ],
};

interface Site {
  readonly file: string;
  readonly key: string;
  readonly order: Order;
}

/** Searches with one access weakened; returns what is wrong with its row, or undefined. */
async function judge({ file, key, order }: Site, seconds: string): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    const source = await Deno.readTextFile(new URL(file, SRC));
    const map = await replaceFile(folder, file, weakened(file, source, key));
    if ("scenario" in order) {
      const finding = await firstFinding(map, [...order.options, order.scenario]);
      return finding === undefined ? `${order.scenario} goes well without it` : undefined;
    }
    const room = Object.keys(SCENARIOS).find((room) => file.startsWith(room))!;
    const finding = await firstFinding(map, ["--short", "--budget", seconds, ...SCENARIOS[room]!]);
    return finding && `${finding.name}: ${finding.kind}, though "${order.covered}"`;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const { values: { covered }, positionals } = parseArgs({
  allowPositionals: true,
  options: { covered: { type: "string" } },
});
const sites = Object.entries(ORDERS).flatMap(([file, rows]) =>
  Object.entries(rows).map(([key, order]): Site => ({ file, key, order }))
).filter(({ file, key, order }) =>
  (covered !== undefined || "scenario" in order) &&
  (positionals.length === 0 || positionals.some((part) => `${file} ${key}`.includes(part)))
);
let wrong = 0;
const left = sites.toReversed();
const work = async () => {
  for (let site; (site = left.pop()) !== undefined;) {
    const problem = await judge(site, covered ?? "0");
    if (problem !== undefined) wrong++;
    const outcome = "scenario" in site.order ? `found by ${site.order.scenario}` : "nothing found";
    console.log(`${site.file}: ${site.key}: ${problem ?? outcome}`);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(`${sites.length} weakened, ${wrong} not as orders.ts says`);
if (wrong > 0) Deno.exitCode = 1;
