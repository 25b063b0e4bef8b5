/**
 * Publish and subscribe without a daemon: the turns of a laser scanner, 64 KiB each, are written
 * once, into shared memory, where every subscriber reads them in place.
 *
 * Run it in one terminal and subscribers in as many others as you like, in any order:
 *
 *     deno run --allow-ffi examples/vdds_pub.ts
 *     deno run --allow-ffi examples/vdds_sub.ts
 *     deno run --allow-ffi examples/vdds_sub.ts --slow
 *
 * Ctrl-C ends each of them. Kill any (`kill -9`), or stop it (Ctrl-Z), and see that the others keep
 * running; start the publisher again, and the subscribers continue. `--rate 100` publishes less
 * often, and `--topic /my/scan` uses a topic of your own. `deno task demo` does all of this by
 * itself.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { Publisher, VringError } from "../mod.ts";
import { clock, count, endAfter, options } from "./ticker.ts";
import { endOfParent, every } from "./vdds_meter.ts";
import { Scan, type ScanInput, TOPIC } from "./vdds_scan.ts";

/** After a pause it catches up at most this much. */
const LONGEST_BURST_MS = 10;

async function main(): Promise<void> {
  const { topic, rate, seconds, json } = options({
    topic: "/robot/scan",
    rate: 1000,
    seconds: 3600,
    json: false, // reports to the program that has started it
  });
  const ctrlC = endAfter(seconds);
  const end = json ? AbortSignal.any([ctrlC, endOfParent()]) : ctrlC;
  // dropOldest: it never waits; a subscriber that is too slow loses the oldest scans, and learns
  // how many
  using publisher = Publisher.open(topic, { ...TOPIC, policy: "dropOldest" });
  if (!json) console.log(`Publishing ${count(rate)} scans/s to "${topic}"; Ctrl-C ends it`);
  const first = publisher.sequence;
  using _report = json
    ? every(250, () => console.log(JSON.stringify(reportOf(publisher))))
    : every(1000, makeLines(publisher));
  await publish(publisher, rate, end);
  if (json) console.log(JSON.stringify(reportOf(publisher)));
  else console.log(`Published ${count(publisher.sequence - first)} scans.`);
}

/** Publishes scans until the end. */
async function publish(
  publisher: Publisher<ScanInput>,
  rate: number,
  end: AbortSignal,
): Promise<void> {
  let last = clock();
  for (let due = 0; !end.aborted; await delay(1)) {
    const time = clock();
    due += Math.min(time - last, LONGEST_BURST_MS) * rate / 1000;
    last = time;
    for (; due >= 1; due--) {
      const loan = publisher.tryLoan(); // in shared memory
      if (loan === undefined) continue; // subscribers hold all of them: it counts as lost
      const scan = Scan.view(loan.bytes);
      measure(scan.metres, publisher.sequence);
      scan.time = clock();
      loan.publish(); // hands over a number, not the bytes
    }
  }
}

const WALL = Float32Array.from({ length: 1024 }, (_, i) => 4 + Math.sin(i / 163));

/** The scanner's view: walls, and something that moves in front of them. */
function measure(metres: Float32Array, turn: number): void {
  for (let at = 0; at < metres.length; at += WALL.length) metres.set(WALL, at);
  const direction = 8 * turn % metres.length;
  metres.fill(1 + direction / metres.length, direction, direction + 64);
}

/** Its report to a program. */
export interface PublisherReport {
  /** The number of scans published. */
  published: number;
  /** The number of subscribers. */
  subscribers: number;
  /** The number of scans that some subscriber has, taken or not. */
  inFlight: number;
}

function reportOf(publisher: Publisher<ScanInput>): PublisherReport {
  const { published, inFlight } = publisher.counters;
  return { published, subscribers: publisher.matched, inFlight };
}

/** Prints the line for each second. */
function makeLines(publisher: Publisher<ScanInput>): () => void {
  let seconds = 0;
  let told = publisher.counters;
  return () => {
    const { published, dropped, inFlight } = publisher.counters;
    console.log(
      `${++seconds} s`.padStart(6) + `${count(published - told.published).padStart(8)} scans/s` +
        `  subscribers ${publisher.matched}  in flight ${inFlight} of ${publisher.depth}` +
        `  lost ${count(dropped - told.dropped)}`,
    );
    told = { ...told, published, dropped };
  };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another publisher is alive
  Deno.exitCode = 1;
}
