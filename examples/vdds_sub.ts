/**
 * A subscriber of the scans that vdds_pub.ts publishes: it reads them in place, where the publisher
 * wrote them, and each second it prints their number, their age, and how many it lost.
 *
 *     deno run --allow-ffi examples/vdds_sub.ts
 *     deno run --allow-ffi examples/vdds_sub.ts --slow
 *
 * The slow one needs some milliseconds for each scan, so it loses most of them. That costs the
 * publisher and the others nothing. `--topic /my/scan` uses a topic of your own.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { Subscriber, VringError } from "../mod.ts";
import { count, endAfter, options } from "./ticker.ts";
import { duration, endOfParent, every, Meter, type Received } from "./vdds_meter.ts";
import { Scan, TOPIC } from "./vdds_scan.ts";

const SLOW_MS = 5;

async function main(): Promise<void> {
  const { topic, seconds, slow, json } = options({
    topic: "/robot/scan",
    seconds: 3600,
    slow: false,
    json: false, // reports to the program that has started it
  });
  const ctrlC = endAfter(seconds);
  const end = json ? AbortSignal.any([ctrlC, endOfParent()]) : ctrlC;
  using subscriber = Subscriber.open(topic, TOPIC);
  if (!json) console.log(`Subscribed to "${topic}"; waiting for scans, Ctrl-C ends it`);
  const meter = new Meter();
  const view = { nearest: "" };
  using _report = json
    ? every(250, () => console.log(JSON.stringify(reportOf(meter))))
    : every(1000, makeLines(meter, view));
  while (!end.aborted) {
    const sample = await next(subscriber, end);
    if (sample === undefined) break;
    using taken = sample; // its bytes do not change while this holds it
    const { time, metres } = Scan.view(taken.bytes);
    meter.note(time, taken.lost);
    view.nearest = nearest(metres);
    if (slow) await delay(SLOW_MS);
  }
  const { samples, lost } = meter.all();
  if (json) console.log(JSON.stringify(reportOf(meter)));
  else console.log(`Received ${count(samples)} scans, lost ${count(lost)}.`);
}

/** Waits for a sample; undefined at the end. */
async function next<T>(subscriber: Subscriber<T>, end: AbortSignal) {
  try {
    const outcome = await subscriber.take({ signal: end });
    return outcome.state === "ok" ? outcome.sample : undefined;
  } catch (error) {
    if (!end.aborted) throw error;
    return undefined;
  }
}

/** The distance of the nearest thing, read in place without a copy. */
function nearest(metres: Float32Array): string {
  return `nearest ${metres.reduce((least, each) => Math.min(least, each)).toFixed(2)} m`;
}

/** Its report to a program. */
export interface SubscriberReport {
  /** Since it began. */
  all: Received;
  /** Since the last report. */
  recent: Received;
}

function reportOf(meter: Meter): SubscriberReport {
  return { all: meter.all(), recent: meter.recent() };
}

/** Prints the line for each second. */
function makeLines(meter: Meter, view: { readonly nearest: string }): () => void {
  let seconds = 0;
  return () => {
    const { samples, lost, p50, p99 } = meter.recent();
    console.log(
      `${++seconds} s`.padStart(6) + `${count(samples).padStart(8)} scans/s` +
        `  latency ${duration(p50)}, p99 ${duration(p99)}  lost ${count(lost).padEnd(6)}` +
        `  ${view.nearest}`,
    );
  };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, all seats of subscribers are taken
  Deno.exitCode = 1;
}
