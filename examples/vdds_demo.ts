/**
 * The whole scene by itself: a publisher and three subscribers, each a process of its own. One
 * subscriber keeps up, one is slow, and one is killed and started again. It ends after some seconds,
 * or by Ctrl-C, and leaves nothing behind.
 *
 *     deno task demo
 *
 * It needs `--allow-run` to start the others, which are vdds_demo_process.ts and have no permission
 * but `--allow-ffi`.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { topic } from "../mod.ts";
import { clock, count, endAfter, wrap } from "./terminal.ts";
import { Child, Stopped } from "./vdds_demo_child.ts";
import type { PublisherReport, SubscriberReport } from "./vdds_demo_process.ts";
import { duration, every, type Received } from "./vdds_meter.ts";
import { Scan } from "./vdds_scan.ts";

const KILL_AFTER_MS = 3000;
const DEAD_FOR_MS = 1500;
const SCENE_MS = 8000;
const AGAIN_FOR_MS = 2000;

const DEPTH = 64;

/** It ends after this at the latest. */
const LIMIT_S = 120;

const NAME = `demo/${Deno.pid}`; // its own, so that two demos do not meet
const terminal = Deno.stdout.isTerminal() && Deno.consoleSize().columns >= 80;
const gap = terminal ? "\n" : ""; // below the table

type Subscribed = Child<SubscriberReport>;

/** The processes, and notes about them. */
class Scene implements AsyncDisposable {
  readonly publisher: Child<PublisherReport>;
  readonly fast: Subscribed;
  readonly slow: Subscribed;
  /** The one that is killed, and then the one that takes its place. */
  third: Subscribed;
  /** When all were there. */
  start = NaN;
  /** Samples that the killed one had received, and samples published by then. */
  killed: { received: Received; published: number } | undefined;
  /** The number of samples published when it was back. */
  back = NaN;
  /** Whether something was left in /dev/shm, and had to be removed. */
  left = false;
  readonly #end: AbortSignal;
  readonly #children: Child<unknown>[] = [];

  constructor(end: AbortSignal) {
    this.#end = end;
    this.publisher = this.#begin("--publisher");
    this.fast = this.#begin();
    this.slow = this.#begin("--slow");
    this.third = this.#begin();
  }

  /** Runs to its end, and calls back after every change; throws if a process fails or it is
   * stopped. */
  async play(changed: () => void): Promise<void> {
    const subscribers = [this.fast, this.slow, this.third];
    await this.#until(() => subscribers.every(hasReceived));
    this.start = clock();
    await this.#until(() => clock() >= this.start + KILL_AFTER_MS);
    this.killed = { received: this.third.last!.all, published: this.publisher.last!.published };
    this.third.kill();
    const died = clock();
    await this.#until(() => this.publisher.last!.subscribers === 2);
    changed();
    await this.#until(() => clock() >= died + DEAD_FOR_MS);
    this.third = this.#begin();
    await this.#until(() => hasReceived(this.third));
    this.back = this.publisher.last!.published;
    changed();
    const end = Math.max(this.start + SCENE_MS, clock() + AGAIN_FOR_MS);
    await this.#until(() => clock() >= end);
  }

  /** Ends the remaining processes and removes files that they left, also after Ctrl-C. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
    this.left = topic(NAME).unlink();
  }

  #begin<Report>(...options: string[]): Child<Report> {
    const child = new Child<Report>("vdds_demo_process.ts", NAME, ...options);
    this.#children.push(child);
    return child;
  }

  /** Waits for a condition, however slow the machine is; Ctrl-C or the end of a child stops it. */
  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#end.aborted) throw new Stopped("Stopped");
      for (const child of this.#children) child.checkAlive();
      await delay(20);
    }
  }
}

function hasReceived(child: Subscribed): boolean {
  return (child.last?.all.samples ?? 0) > 0;
}

async function main(): Promise<void> {
  const stop = new AbortController();
  Deno.addSignalListener("SIGHUP", () => stop.abort()); // the terminal was closed
  const end = AbortSignal.any([stop.signal, endAfter(LIMIT_S)]);
  console.log("One publisher and three subscribers, each a process of its own; Ctrl-C ends all\n");
  const scene = new Scene(end);
  try {
    await using _scene = scene;
    const draw = makeTable(scene);
    using _table = every(terminal ? 250 : 1000, draw);
    await scene.play(draw);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    console.log(`${gap}${error.message}.`);
    Deno.exitCode = error.code;
    return;
  }
  console.log(gap + summary(scene));
}

/** Prints the table: on a terminal over the one before, elsewhere below it. */
function makeTable(scene: Scene): () => void {
  let back = "";
  return () => {
    const lines = table(scene);
    if (!terminal) return console.log(`${lines.join("\n")}\n`);
    console.log(back + lines.map((line) => `${line}\x1b[K`).join("\n"));
    back = `\x1b[${lines.length}A`;
  };
}

function table(scene: Scene): string[] {
  const { publisher, fast, slow, third } = scene;
  const { published = 0, subscribers = 0, inFlight = 0 } = publisher.last ?? {};
  const again = Number.isNaN(scene.back) ? "starts again" : "is back";
  const fate = third.killed ? "was killed" : scene.killed === undefined ? "keeps up" : again;
  const seconds = Number.isNaN(scene.start) ? 0 : (clock() - scene.start) / 1000;
  return [
    `${seconds.toFixed(1).padStart(4)} s  in flight ${inFlight} of ${DEPTH}, ` +
    `subscribers ${subscribers}`,
    row("process", "pid", "", "scans/s", "in all", "lost", "latency", "p99"),
    row(
      "publisher",
      `${publisher.pid}`,
      publisher.last === undefined ? "starts" : "publishes",
      rateOf(publisher.rate((report) => report.published)),
      count(published),
    ),
    subscriberRow("subscriber 1", fast, "keeps up"),
    subscriberRow("subscriber 2", slow, "is slow"),
    subscriberRow("subscriber 3", third, fate),
  ];
}

function subscriberRow(name: string, child: Subscribed, fate: string): string {
  const { last, pid, killed } = child;
  if (last === undefined) return row(name, `${pid}`, "starts");
  const { all, recent } = last;
  return row(
    name,
    `${pid}`,
    fate,
    killed ? "-" : rateOf(child.rate((report) => report.all.samples)),
    count(all.samples),
    count(all.lost),
    duration(killed ? null : recent.p50),
    duration(killed ? null : recent.p99),
  );
}

function rateOf(rate: number | undefined): string {
  return rate === undefined ? "-" : count(rate);
}

function row(name: string, pid: string, fate: string, ...figures: string[]): string {
  const cells = figures.map((figure) => figure.padStart(9));
  // 79 columns: on a terminal of 80, clearing the rest of the line would clear the 80th
  return `${name.padEnd(12)}${pid.padStart(8)}  ${fate.padEnd(12)}${cells.join("")}`.trimEnd();
}

/** The summary, with the figures of this run. */
function summary({ publisher, fast, slow, third, killed, back, left }: Scene): string {
  const { published } = publisher.last!;
  const read = [fast.last!, slow.last!, third.last!].map(({ all }) => all);
  const samples = read.reduce((sum, { samples }) => sum + samples, killed!.received.samples);
  return [
    `Nothing was copied: ${count(published)} scans of ${Math.round(Scan.size / 1024)} KiB ` +
    `(${megabytes(published)}) were written once, and read ${count(samples)} times in place ` +
    `(${megabytes(samples)}).`,
    `Subscriber 1 kept up: it received ${count(read[0]!.samples)}, lost ${count(read[0]!.lost)}, ` +
    `and had half of them within ${latencies(read[0]!)}.`,
    `Subscriber 2 was slow: it received ${count(read[1]!.samples)} and learned that it lost ` +
    `${count(read[1]!.lost)}; nobody waited for it.`,
    `Subscriber 3 was killed after ${count(killed!.received.samples)}: ` +
    `${count(back - killed!.published)} more were published until it was back, and then it ` +
    `received ${count(read[2]!.samples)} and lost ${count(read[2]!.lost)}.`,
    `Left behind in /dev/shm: ${left ? "a file, which was removed" : "nothing"}; all processes ` +
    `have ended.`,
  ].map(wrap).join("\n");
}

function latencies({ p50, p99 }: Received): string {
  return `${duration(p50).trim()} and 99 % within ${duration(p99).trim()}`;
}

function megabytes(scans: number): string {
  return `${count(scans * Scan.size / 1e6)} MB`;
}

await main();
