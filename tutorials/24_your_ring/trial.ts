/**
 * Your ring in real processes: killed at random moments, or measured beside the library's.
 *
 *     deno run --allow-ffi --allow-run=deno --allow-read tutorials/24_your_ring/trial.ts torture
 *     deno run --allow-ffi --allow-run=deno --allow-read tutorials/24_your_ring/trial.ts bench
 *
 * It takes tutorials/mine/ring.ts, or the file that you pass behind the word.
 *
 * @module
 */

import { spsc } from "../../mod.ts";
import { ownName } from "../check.ts";
import { killableProducer } from "./kills.ts";
import type { RingWork } from "./memory.ts";
import { closeRing, makeRing, messageOf, numberOf, RealMemory } from "./real.ts";

const ROOT = new URL("../../", import.meta.url);
const MINE = "tutorials/mine/ring.ts";
const TORTURE_MS = 10_000;
const BENCH_MS = 1000;
const ROUNDS = 5;

async function main([way, path = MINE, ...rest]: readonly string[]): Promise<number> {
  if (rest.length > 0 || way !== "torture" && way !== "bench") {
    console.error("Pass torture or bench, and perhaps a file with a ring.");
    return 2;
  }
  const file = new URL(path, ROOT).href;
  const work: RingWork = await import(file);
  if (work.mapRing === undefined || work.Ring === undefined) {
    console.error(`Cannot run ${path}: it must export mapRing and Ring.`);
    return 2;
  }
  return way === "torture" ? await torture(work, file) : await bench(work, file);
}

/** Kills one producer after another at random moments; counts what arrives. */
async function torture({ mapRing, Ring }: RingWork, file: string): Promise<number> {
  const fd = makeRing();
  using memory = new RealMemory(mapRing!, fd);
  const ring = new Ring!(memory);
  let [next, kills] = [0, 0];
  /** Receives all; returns whether each message is the next one. */
  const receiveAll = () => {
    for (let message = ring.tryReceive(); message !== undefined; message = ring.tryReceive()) {
      const number = numberOf(message);
      if (number === next) next++;
      else {
        console.error(`Message ${next} comes next, and ${number ?? "bytes of no message"} came.`);
        return false;
      }
    }
    return true;
  };
  const end = performance.now() + TORTURE_MS;
  while (performance.now() < end) {
    const before = next;
    const producer = killableProducer({ file, fd, from: next, role: "produce" });
    const life = Math.random() * 20;
    let killAt = Infinity;
    while (performance.now() < killAt) {
      if (!receiveAll()) return 1;
      if (next > before) killAt = Math.min(killAt, performance.now() + life);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    producer.kill("SIGKILL");
    await producer.status;
    kills++;
    if (!receiveAll()) return 1;
  }
  closeRing(fd);
  console.log(`${kills} producers were killed, and ${next} messages arrived, each once, in order.`);
  return 0;
}

/** One way to pass messages between two processes. */
interface Way {
  readonly name: string;
  /** Starts a producer, receives for a while, and returns the nanoseconds for each message. */
  readonly measure: () => Promise<number>;
}

/** Measures your ring and the library's in turn, and prints the medians and the spread. */
async function bench(work: RingWork, file: string): Promise<number> {
  const ways: readonly Way[] = [
    { name: "your ring", measure: () => measureYours(work, file) },
    { name: "the library's", measure: measureLibrary },
  ];
  const times = ways.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, way] of ways.entries()) times[i]!.push(await way.measure());
  }
  console.log(`A message of 64 bytes from process to process, ${ROUNDS} rounds of a second:\n`);
  for (const [i, { name }] of ways.entries()) {
    const [least, , median, , most] = times[i]!.sort((a, b) => a - b).map((ns) => Math.round(ns));
    console.log(`  ${name.padEnd(14)} ${median} ns (${least} to ${most})`);
  }
  console.log("\nBoth sides spin. On a busy machine you measure its scheduler: run it again.");
  return 0;
}

const SIZE = 64;

async function measureYours({ mapRing, Ring }: RingWork, file: string): Promise<number> {
  const fd = makeRing();
  using memory = new RealMemory(mapRing!, fd, { size: SIZE });
  const ring = new Ring!(memory);
  const producer = killableProducer({ file, fd, from: 0, role: "flood", size: SIZE });
  const ns = await nsEach(() => ring.tryReceive() !== undefined);
  producer.kill("SIGKILL");
  await producer.status;
  closeRing(fd);
  return ns;
}

async function measureLibrary(): Promise<number> {
  const name = ownName("library");
  using ring = spsc(name, { capacity: 4096 }).consumer();
  const producer = producerOf(name);
  const target = new Uint8Array(SIZE);
  const ns = await nsEach(() => ring.tryReceiveInto(target) >= 0);
  producer.kill("SIGKILL");
  await producer.status;
  return ns;
}

function producerOf(name: string): Deno.ChildProcess {
  const args = ["run", "--quiet", "--no-check", "--allow-ffi", import.meta.filename!];
  return new Deno.Command("deno", { args: [...args, "produce", name] }).spawn();
}

/** Waits for the first message, and then measures. */
async function nsEach(receive: () => boolean): Promise<number> {
  while (!receive()) await new Promise((resolve) => setTimeout(resolve, 1));
  const start = performance.now();
  let messages = 0;
  while (performance.now() < start + BENCH_MS) {
    for (let i = 0; i < 100; i++) if (receive()) messages++;
  }
  return (performance.now() - start) * 1e6 / messages;
}

/** The library's producer, until it is killed. */
function produce(name: string): never {
  using ring = spsc(name, { capacity: 4096 }).producer();
  const message = messageOf(0, SIZE);
  for (;;) while (!ring.trySend(message));
}

if (import.meta.main) {
  const [way, name] = Deno.args;
  if (way === "produce") produce(name!);
  Deno.exit(await main(Deno.args));
}
