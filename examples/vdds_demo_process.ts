/**
 * A process of the demo: a publisher or a subscriber of scans that reports as JSON what it does.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { clock, endAfter } from "./terminal.ts";
import { endOfParent, every, Meter, type Received } from "./vdds_meter.ts";
import { measure, scans } from "./vdds_scan.ts";

/** Scans for each millisecond; after a pause, it catches up at most a few. */
const RATE = 1;
const LONGEST_BURST_MS = 10;

/** How long the slow subscriber looks at a scan. */
const SLOW_MS = 5;

/** How often a process reports. */
const REPORT_MS = 250;

/** The report of the publisher. */
export interface PublisherReport {
  /** The number of scans published. */
  published: number;
  /** The number of subscribers. */
  subscribers: number;
  /** The number of scans that some subscriber has, taken or not. */
  inFlight: number;
}

/** The report of a subscriber. */
export interface SubscriberReport {
  /** Since it began. */
  all: Received;
  /** Since the last report. */
  recent: Received;
}

/** Publishes scans until the end. */
async function publish(end: AbortSignal): Promise<void> {
  using publisher = scans.publisher();
  const report = (): PublisherReport => {
    const { published, inFlight } = publisher.counters;
    return { published, subscribers: publisher.peers, inFlight };
  };
  using _reports = reporting(report);
  let last = clock();
  for (let due = 0; !end.aborted; await delay(1)) {
    const time = clock();
    due += Math.min(time - last, LONGEST_BURST_MS) * RATE;
    last = time;
    for (; due >= 1; due--) {
      using loan = publisher.tryLoan();
      if (loan === undefined) continue; // subscribers hold all of them: it counts as lost
      measure(loan.view.metres, publisher.sequence);
      loan.publish();
    }
  }
}

/** Receives scans until the end. */
async function subscribe(end: AbortSignal, isSlow: boolean): Promise<void> {
  using subscriber = scans.subscriber();
  const meter = new Meter();
  const report = (): SubscriberReport => ({ all: meter.all(), recent: meter.recent() });
  using _reports = reporting(report);
  for await (const { time, lost } of subscriber.samples({ until: end })) {
    meter.note(time, lost);
    if (isSlow) await delay(SLOW_MS);
  }
}

/** Prints reports now and then, and once more at the end. */
function reporting(report: () => unknown): Disposable {
  const print = () => console.log(JSON.stringify(report()));
  const reports = every(REPORT_MS, print);
  return {
    [Symbol.dispose]() {
      reports[Symbol.dispose]();
      print();
    },
  };
}

if (import.meta.main) {
  const end = AbortSignal.any([endAfter(3600), endOfParent()]);
  if (Deno.args.includes("--publisher")) await publish(end);
  else await subscribe(end, Deno.args.includes("--slow"));
}
