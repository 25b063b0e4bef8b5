/**
 * A program whose Workers end in every state, eight at a time; it tells what they have left behind.
 * Run it with the number of Workers, 1,000 by default:
 * `deno run -A test/region/child_worker_ends.ts 1000`.
 *
 * @module
 */

import { regions, sharedMemory, topic } from "../../mod.ts";
import { ranges } from "../../src/os/files.ts";
import { removeAbandoned } from "../../src/region/removal.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { until } from "../os/until.ts";
import type { Ending } from "./worker_ends.ts";

const count = Number(Deno.args[0] ?? 1000);
const name = Deno.args[1] ?? `ends-${Deno.pid}`;
const AT_ONCE = 8;
const SAMPLES = { policy: "dropNewest", subscribers: 64 } as const;
const LIMIT_MS = 45_000; // less than the test waits for this program
const STATES = ["idle", "sync", "async", "holding", "opening", "loading"] as const;
const ENDS = ["terminate", "close", "throw", "terminate"] as const;

/** All that this process has of shared memory, and what others know of it. */
function held(): Record<string, number> {
  return {
    files: countFiles("/dev/shm/") + countFiles("/memfd:vring"),
    mappings: rangesOf("/dev/shm/").length + rangesOf("/memfd:vring (").length,
    sentinels: rangesOf("/memfd:vring-sentinel").length,
    ranges: ranges().mapped,
    subscribers: publisher.peers,
    references: memory.references,
  };
}

/** Starts a Worker and ends it in its state. */
async function live(serial: number): Promise<void> {
  const state = STATES[serial % STATES.length]!;
  const end = ENDS[Math.floor(serial / STATES.length) % ENDS.length]!;
  const worker = new Worker(new URL("./worker_ends.ts", import.meta.url), { type: "module" });
  worker.onerror = (event) => event.preventDefault();
  const said = () => new Promise<MessageEvent>((resolve) => worker.onmessage = resolve);
  if (state === "loading") {
    await pause(80 * Math.random()); // anywhere
  } else {
    await said();
    worker.postMessage({ name, samples: SAMPLES, serial, state, end } satisfies Ending);
    publisher.trySend(new Uint8Array(8));
    if ((await said()).data !== state) throw new Error(`${serial} is not ${state}`);
    if (end === "terminate") await pause(5 * Math.random());
  }
  if (end === "terminate" || state === "loading") worker.terminate();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sweeps the regions of the Workers, and returns the names of those that are left. */
function swept(): string[] {
  const all = regions().filter((region) => region.name.startsWith(`${name}.`));
  return all.filter(({ path }) => !removeAbandoned(path)).map((region) => region.name);
}

const publisher = topic(name, SAMPLES).publisher();
const memory = sharedMemory(name, { size: 2 ** 20 }).open();
const before = held();
for (let serial = 0; serial < count;) {
  const some = Math.min(AT_ONCE, count - serial);
  await Promise.all(Array.from({ length: some }, () => live(serial++)));
  swept(); // a Worker's file stays until then, with its memory
}
const isAsBefore = () => JSON.stringify(held()) === JSON.stringify(before);
try {
  await until("nothing is left", () => isAsBefore() && swept().length === 0, LIMIT_MS);
} catch {
  // told below
}
const { retired, retiredBytes } = ranges();
console.log(JSON.stringify({ before, after: held(), names: swept() }));
console.log(
  `${count} Workers ended; ${retired} ranges of ${retiredBytes / 2 ** 20} MiB are retired`,
);
publisher.close();
memory.close();
Deno.exit();
