/**
 * What the processes and the memory of a run look like at one moment: evidence for a finding. It
 * tells a process that sleeps through news from one that waits for a processor.
 *
 * @module
 */

import { threadsOf, timeOfThread } from "./processor_time.ts";
import { reasonsBetween } from "../../src/cli/commands/why.ts";
import { about } from "../../src/cli/commands/info.ts";
import { SLOT_CONTROL } from "../../src/babus/slot_words.ts";
import { CALLS_CONTROL } from "../../src/calls/calls.ts";
import { CIRCULAR_BUFFER_CONTROL } from "../../src/circular/circular_buffer.ts";
import { VringError } from "../../src/errors.ts";
import { holders } from "../../src/inspect/holders.ts";
import { observerOf, survey } from "../../src/inspect/survey.ts";
import type { AnyLayout } from "../../src/layout/fields.ts";
import { inspect } from "../../src/layout/tools/inspect.ts";
import { MPSC_CONTROL } from "../../src/mpsc/mpsc.ts";
import { sleepSync } from "../../src/os/clock.ts?real";
import { REGION_HEADER } from "../../src/region/header.ts";
import { type RegionInfo, regions } from "../../src/region/list.ts";
import { RW_LOCK_CONTROL } from "../../src/shared/rw_queue.ts";
import { SHARED_MEMORY_CONTROL } from "../../src/shared/shared_memory.ts";
import { SPSC_CONTROL } from "../../src/spsc/spsc.ts";
import { SOURCES_CONTROL } from "../../src/vdds/sources.ts";
import { TOPIC_CONTROL } from "../../src/vdds/vring_layout.ts";

const CONTROLS: readonly AnyLayout[] = [
  SHARED_MEMORY_CONTROL,
  RW_LOCK_CONTROL,
  CIRCULAR_BUFFER_CONTROL,
  SPSC_CONTROL,
  MPSC_CONTROL,
  CALLS_CONTROL,
  TOPIC_CONTROL,
  SOURCES_CONTROL,
  SLOT_CONTROL,
];

/** A process, and its name in complaints. */
export interface Suspect {
  readonly who: string;
  readonly pid: number;
}

/** The time between the two looks by which `vring why` judges. */
const BETWEEN_MS = 200;

/**
 * Returns the state of processes, and of all regions with a text in their names, in words. It must
 * not end a run whose regions a hostile peer has spoiled, so an error is a part of the text.
 */
export function evidenceOf(run: string, suspects: readonly Suspect[]): string {
  const processes = suspects.map(({ who, pid }) => `${who}, process ${pid}:\n${processText(pid)}`);
  const load = read("/proc/loadavg")?.trim();
  let memory: string[];
  try {
    memory = memoryTexts(run);
  } catch (error) {
    memory = [`the regions cannot be examined: ${Deno.inspect(error)}`];
  }
  return [`load ${load}`, ...processes, ...memory].join("\n");
}

/** Describes all regions with a text in their names. */
function memoryTexts(run: string): string[] {
  const all = regions().filter(({ name }) => name.includes(run));
  const before = survey(all);
  if (before.size > 0) sleepSync(BETWEEN_MS);
  const looks = { before, after: survey(all), seconds: BETWEEN_MS / 1000 };
  const locks = holders();
  return reasonsBetween(all, looks).map(({ region, reasons }) =>
    [
      ...about(region, { locks }).lines.filter((line, i) => i === 0 || line.startsWith("  ")),
      ...reasons.map((reason) => `  why: ${reason}`),
      ...wordsOf(region),
    ].join("\n")
  );
}

/** The words of a control block that are not zero. */
function wordsOf(region: RegionInfo): string[] {
  const layout = CONTROLS.find(({ hash }) => hash === region.details?.abiHash);
  using observer = layout && observerOf(region);
  if (layout === undefined || observer === undefined) return [];
  try {
    const bytes = observer.controlBytes(layout);
    return inspect(layout, new DataView(bytes.buffer)).split("\n").slice(1)
      .filter((line) => line !== "" && !/ (0+n?|"")$|^\W*(\d+ )+\S+ +[0 ]*$/.test(line));
  } catch (error) {
    if (error instanceof VringError) return [`  ${error.message}`]; // a peer has changed it
    throw error;
  }
}

// ---- processes ----

/** Reads a file under /proc; undefined if the process is gone, or is not ours to look at. */
function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

/** A line for each thread that is not idle. */
function processText(pid: number): string {
  const threads = threadsOf(pid);
  if (threads.length === 0) return "  it has ended";
  const maps = rangesIn(read(`/proc/${pid}/maps`) ?? "");
  return threads.flatMap((thread) => threadLine(pid, thread, maps) ?? []).join("\n");
}

/** Describes a thread; undefined for one of the engine that sleeps on memory of its own. */
function threadLine(pid: number, thread: number, maps: readonly Range[]): string | undefined {
  const folder = `/proc/${pid}/task/${thread}`;
  const stat = read(`${folder}/stat`);
  const times = timeOfThread(pid, thread);
  if (stat === undefined || times === undefined) return undefined;
  const state = stat.slice(stat.lastIndexOf(")") + 2)[0]!;
  const call = (read(`${folder}/syscall`) ?? "?").trim().split(" ");
  const sleeps = sleepsOf(pid, call, maps);
  if (thread !== pid && state === "S" && sleeps.length === 0) return undefined;
  const place = (read(`${folder}/wchan`) ?? "?").replace(/^0$/, "running");
  return `  ${thread} ${state} in ${place}, ${times.used.toFixed(1)} ms of a processor, waited ` +
    `${times.awaited.toFixed(1)} ms for one${sleeps.map((text) => `\n    ${text}`).join("")}`;
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly inode: number;
}

/** The ranges of a process that are shared. */
function rangesIn(maps: string): Range[] {
  return [...maps.matchAll(/^(\w+)-(\w+) ..\Ss (\w+) \S+ (\d+)/gm)]
    .map(([, start, end, offset, inode]) => ({
      start: parseInt(start!, 16),
      end: parseInt(end!, 16),
      offset: parseInt(offset!, 16),
      inode: Number(inode),
    }));
}

const FUTEX = 202;
const FUTEX_WAITV = 449;
/** An entry of futex_waitv: its value, its address, flags. */
const WAITER_BYTES = 24;

/** Describes the words of regions on which a thread sleeps in this system call. */
function sleepsOf(pid: number, call: readonly string[], maps: readonly Range[]): string[] {
  const [number, first, second, third] = call.map(Number);
  if (number === FUTEX) return sleepText(pid, first!, third!, maps);
  if (number !== FUTEX_WAITV) return [];
  const waiters = memoryOf(pid, first!, second! * WAITER_BYTES);
  if (waiters === undefined) return ["it sleeps on several words"];
  return Array.from({ length: second! }, (_, i) => {
    const value = Number(waiters.getBigUint64(i * WAITER_BYTES, true));
    const address = Number(waiters.getBigUint64(i * WAITER_BYTES + 8, true));
    return sleepText(pid, address, value, maps);
  }).flat();
}

function sleepText(pid: number, address: number, value: number, maps: readonly Range[]): string[] {
  const range = maps.find(({ start, end }) => start <= address && address < end);
  if (range === undefined) return [];
  const now = memoryOf(pid, address, 4)?.getUint32(0, true);
  const offset = address - range.start + range.offset;
  const word = nameOf(range.inode, offset);
  const verdict = now === value >>> 0
    ? "and it is"
    : `but it is ${now}: A WAKE-UP WAS MISSED, unless the thread has just been woken`;
  return [`sleeps on ${word} while that is ${value >>> 0}, ${verdict}`];
}

/** Names a word of a region's file. */
function nameOf(inode: number, offset: number): string {
  const region = regions().find(({ path }) => inodeOf(path) === inode);
  if (region === undefined) return `the word at ${offset} of inode ${inode}, which has no name`;
  const layout = CONTROLS.find(({ hash }) => hash === region.details?.abiHash);
  const within = offset - REGION_HEADER.size;
  const lines = layout && inspect(layout, new DataView(new ArrayBuffer(layout.size))).split("\n");
  const [, , name] = lines?.map((line) => line.split(/ +/))
    .find(([, at]) => Number(at) === within) ?? [];
  return `${name ?? `the word at ${offset}`} of ${region.kind} ${region.name}`;
}

function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.statSync(path).ino;
  } catch {
    return undefined; // it is gone
  }
}

/** Copies memory of a process; undefined without the right to. */
function memoryOf(pid: number, address: number, length: number): DataView | undefined {
  const bytes = new Uint8Array(length);
  try {
    using file = Deno.openSync(`/proc/${pid}/mem`);
    file.seekSync(address, Deno.SeekMode.Start);
    return file.readSync(bytes) === length ? new DataView(bytes.buffer) : undefined;
  } catch {
    return undefined;
  }
}
