/**
 * `deno task soak`: two processes at a steady load through every product. Each minute the memory,
 * the descriptors and the latencies become a line of a table, which is drawn at the end.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { drawing } from "./drawing.ts";

const HELP = `Keeps two processes at a steady load, and notes memory, descriptors and latencies.

Usage: deno task soak [--minutes n] [--every s] [--table file] [--drawing file]

  --minutes  how long; 5 by default
  --every    the seconds from one line to the next; 60 by default
  --table    adds the lines to this file; soak.csv by default. A later run goes on with it
  --drawing  draws all lines of the table into this SVG file; soak.svg by default
  --help     this text

Exit code: 0 if memory and descriptors stayed level, 1 if they grew or a process failed.
`;

/** One line of the table. */
export interface Line {
  readonly minute: number;
  readonly [column: string]: number;
}

const ROLES = ["echo", "ask"] as const;

/** Starts one of the two processes. */
function start(role: string, run: string, everyMs: number) {
  const child = new URL("./soak_child.ts", import.meta.url).pathname;
  const flags = ["--no-config", "--no-lock", "--quiet", "--allow-all"];
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, child, role, run, `${everyMs}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  return { role, process, latest: "{}" };
}

type Party = ReturnType<typeof start>;

async function follow(party: Party): Promise<void> {
  let rest = "";
  for await (const text of party.process.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    if (lines.length > 0) party.latest = lines.at(-1)!;
  }
}

function memoryOf(pid: number): { rss: number; anonymous: number } {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  const mebibytes = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) / 1024;
  return { rss: mebibytes("VmRSS"), anonymous: mebibytes("RssAnon") };
}

function sharedBytes(run: string): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync("/dev/shm")) {
    if (name.includes(run)) sum += Deno.statSync(`/dev/shm/${name}`).blocks! * 512;
  }
  return sum;
}

function measure(minute: number, run: string, parties: readonly Party[]): Line {
  const line: Record<string, number> & { minute: number } = { minute };
  for (const { role, process } of parties) {
    const { rss, anonymous } = memoryOf(process.pid);
    line[`${role} memory MiB`] = rss;
    line[`${role} heap MiB`] = anonymous;
    line[`${role} descriptors`] = [...Deno.readDirSync(`/proc/${process.pid}/fd`)].length;
    const maps = Deno.readTextFileSync(`/proc/${process.pid}/maps`).split("\n");
    line[`${role} mappings`] = maps.filter((each) => each.includes("/dev/shm/")).length;
  }
  line["shared MiB"] = sharedBytes(run) / 2 ** 20;
  type Times = Record<string, { count: number; p50?: number; p99?: number; most?: number }>;
  for (const [what, times] of Object.entries(JSON.parse(parties[1]!.latest) as Times)) {
    line[`${what} count`] = times.count;
    for (const quantile of ["p50", "p99", "most"] as const) {
      line[`${what} ${quantile} ms`] = times[quantile] ?? NaN;
    }
  }
  return line;
}

/** Reads a table that an earlier run has left. */
export function readTable(file: string): Line[] {
  try {
    const [head, ...rows] = Deno.readTextFileSync(file).trim().split("\n");
    const names = head!.split(",");
    return rows.map((row) => {
      const cells = row.split(",").map(Number);
      return Object.fromEntries(names.map((name, i) => [name, cells[i]!])) as unknown as Line;
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function writeTable(file: string, lines: readonly Line[]): void {
  const names = Object.keys(lines.at(-1)!);
  const rows = lines.map((line) =>
    names.map((name) => Number((line[name] ?? NaN).toFixed(3))).join(",")
  );
  Deno.writeTextFileSync(file, [names.join(","), ...rows, ""].join("\n"));
}

/** What grew from the second third of a run to its last one, by more than it may. */
function growthIn(lines: readonly Line[]): string[] {
  const third = Math.floor(lines.length / 3); // the first one fills caches and heaps
  if (third === 0) return [];
  const mean = (some: readonly Line[], name: string) =>
    some.reduce((sum, line) => sum + line[name]!, 0) / some.length;
  const limits = { descriptors: 0.5, mappings: 0.5, "heap MiB": 30 };
  return Object.entries(limits).flatMap(([column, most]) =>
    ROLES.flatMap((role) => {
      const name = `${role} ${column}`;
      const [first, last] = [
        mean(lines.slice(third, -third), name),
        mean(lines.slice(-third), name),
      ];
      const grew = last - first > most;
      return grew ? [`${name} grew from ${first.toFixed(1)} to ${last.toFixed(1)}`] : [];
    })
  );
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "5" },
      every: { type: "string", default: "60" },
      table: { type: "string", default: "soak.csv" },
      drawing: { type: "string", default: "soak.svg" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [minutes, every] = [Number(values.minutes), Number(values.every)];
  if (!(minutes > 0) || !(every > 0)) {
    console.error("Pass numbers above 0");
    return 2;
  }
  const run = `soak${Deno.pid}`;
  const before = readTable(values.table);
  const from = before.at(-1)?.minute ?? 0;
  const lines: Line[] = [];
  const parties = ROLES.map((role) => start(role, run, every * 1000));
  const following = Promise.all(parties.map(follow));
  let failed = false;
  for (const { process } of parties) process.status.then(({ success }) => failed ||= !success);
  const end = performance.now() + minutes * 60_000;
  const startTime = performance.now();
  while (performance.now() < end && !failed) {
    await new Promise((resolve) => setTimeout(resolve, every * 1000));
    if (failed) break;
    const minute = from + (performance.now() - startTime) / 60_000;
    lines.push(measure(minute, run, parties));
    writeTable(values.table, [...before, ...lines]);
    const { "ring p50 ms": ring, "call p99 ms": call } = lines.at(-1)!;
    console.log(
      `${minute.toFixed(1)} min: ring ${ring?.toFixed(2)} ms, call p99 ${call?.toFixed(2)} ms, ` +
        ROLES.map((role) => {
          const line = lines.at(-1)!;
          return `${role} ${line[`${role} heap MiB`]!.toFixed(0)} MiB, ${
            line[`${role} descriptors`]
          } descriptors`;
        }).join("; "),
    );
  }
  for (const { process } of parties) await process.stdin.close().catch(() => {});
  await Promise.all(parties.map(({ process }) => process.status));
  await following;
  Deno.writeTextFileSync(values.drawing, drawing([...before, ...lines]));
  const left = sharedBytes(run);
  const problems = [...growthIn(lines), ...(failed ? ["a process failed"] : [])];
  if (left > 0) problems.push(`${left} bytes are left in /dev/shm`);
  for (const problem of problems) console.log(`! ${problem}`);
  if (problems.length === 0) console.log("Memory, descriptors and mappings stayed level.");
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
