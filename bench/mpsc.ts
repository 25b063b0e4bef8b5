/**
 * Rings from many producers to one consumer: three producers, each a process, share a processor,
 * and their consumer has the other one. Next to one producer, and to C that passes messages through
 * a masked ring.
 *
 * The clock starts once all producers send; by then their lanes have less than a hundredth of all
 * messages.
 *
 * @module
 */

import { now } from "../src/os/clock.ts";
import type { MpscConsumer } from "../src/mpsc/consumer.ts";
import { mpsc } from "../src/mpsc/definition.ts";
import { FLOOR_PLAN, WORDS } from "./harness/comparison.ts";
import { allowedCpus, CProgram, settleOn } from "./harness/machine.ts";
import { Peer, takePart } from "./harness/peer.ts";
import { type Bar, barsOf, printRates, unmeasured } from "./harness/report.ts";
import { type Contender, ratio } from "./harness/rounds.ts";
import { compareRuns } from "./harness/settings.ts";
import { Numbered } from "./harness/traffic.ts";

const BYTES = 64;
const CAPACITY = 65536;
const MESSAGES = 120_000; // in a round, of all producers together
const PRODUCERS = 3;
const BATCH = 100;
const LIMIT = 2.5;
const IN_C = "C, masked ring, 1 producer";
const WAIT = { timeout: 20e3 };

/** Measures, prints the times and returns the bars. */
export async function measureMpsc(): Promise<Bar[]> {
  const what = `MPSC / ${IN_C}, ${BYTES} B from ${PRODUCERS} producers`;
  if (allowedCpus().length < 2) return unmeasured(what, LIMIT, "there is one processor");
  using words = CProgram.compile(`${import.meta.dirname}/c/ping_pong.c`);
  using ring = CProgram.compile(`${import.meta.dirname}/c/masked_ring.c`);
  await using stack = new AsyncDisposableStack();
  const allowed = allowedCpus();
  const [our, other] = allowed as [number, number];
  const contenders: Contender[] = [];
  for (const way of ["send", "sendBatch"]) {
    for (const producers of [1, PRODUCERS]) {
      contenders.push(await ours(way, producers, other, stack));
    }
  }
  const placed = settleOn([our], Deno.pid);
  stack.defer(() => void settleOn(allowed, Deno.pid));
  if (!placed) console.log("taskset is missing, so the scheduler chose the processors");
  if (words && ring) {
    const inC = ["pause", "tight"].map((way) => [way, ...placed ? [our, other] : [-1, -1]]);
    const messages = inC.map((way) => ["stream", ...way, BYTES, CAPACITY]);
    const plan = { trips: 0, blocks: 10, blockTrips: 4000 };
    contenders.unshift(
      words.contender(WORDS, inC, FLOOR_PLAN),
      ring.contender(IN_C, messages, plan),
    );
  }
  const title = `Many producers, one consumer, between processes: ${BYTES} B one way`;
  const runs = await compareRuns(title, contenders as [Contender, ...Contender[]], {
    rounds: 31,
    warmUp: 2,
  });
  printRates(BYTES, runs.filter(({ name }) => name !== WORDS));
  if (!words || !ring) return unmeasured(what, LIMIT, "there is no C compiler");
  const named = (wanted: string) => runs.find(({ name }) => name === wanted)!;
  const many = named(nameOf("send", PRODUCERS));
  return barsOf(what, LIMIT, () => ratio(runs[0], many, named(IN_C)));
}

function nameOf(way: string, producers: number): string {
  const batches = way === "send" ? "" : ", batches";
  return `MPSC, ${producers} producer${producers === 1 ? "" : "s"}${batches}`;
}

let rings = 0;

/** A contender: this process receives, and so many others send. */
async function ours(
  way: string,
  producers: number,
  cpu: number,
  stack: AsyncDisposableStack,
): Promise<Contender> {
  const name = `bench-mpsc-${Deno.pid}-${rings++}`;
  const inbox = stack.use(new Inbox(name, producers));
  const peers = Array.from(
    { length: producers },
    () => stack.use(new Peer(new URL(import.meta.url), name, `${producers}`)),
  );
  for (const peer of peers) {
    await peer.begin("hello");
    await peer.end();
    settleOn([cpu], peer.pid); // not before: a program that sees a single processor never spins
  }
  const round = async () => {
    for (const peer of peers) await peer.begin(way, MESSAGES / producers);
    const before = now();
    inbox.receive(MESSAGES);
    const typical = (now() - before) / MESSAGES;
    for (const peer of peers) await peer.end();
    return { typical };
  };
  return { name: nameOf(way, producers), round };
}

function ringOf(name: string, producers: number) {
  return mpsc(name, { producers, capacity: CAPACITY });
}

/** The consumer, which knows the number of each producer's last message. */
class Inbox implements Disposable {
  readonly #consumer: MpscConsumer;
  readonly #last: number[];

  constructor(name: string, producers: number) {
    this.#consumer = ringOf(name, producers).consumer({ open: "create" });
    this.#last = Array.from({ length: producers }, () => 0);
  }

  receive(messages: number): void {
    for (let left = messages; left > 0;) {
      const count = this.#consumer.poll(this.#look, left);
      if (count === 0) this.#consumer.waitSync(WAIT);
      left -= count;
    }
  }

  readonly #look = ({ bytes, producer }: { bytes: Uint8Array; producer: number }): void => {
    const expected = ++this.#last[producer]! & 0xff;
    if (bytes[0] !== expected) throw new Error(`Producer ${producer} sent another message`);
  };

  [Symbol.dispose](): void {
    this.#consumer.close();
  }
}

/** One of the other processes. */
async function takePartAsPeer(name: string, producers: number): Promise<void> {
  using producer = ringOf(name, producers).producer();
  const batch = Array.from({ length: BATCH }, () => new Numbered(BYTES));
  const messages = batch.map(({ bytes }) => bytes);
  const [first] = batch as [Numbered];
  let number = 0;
  await takePart({
    hello() {},
    send(count: number): void {
      for (; count > 0; count--) {
        first.number = ++number;
        producer.sendSync(first.bytes, WAIT);
      }
    },
    sendBatch(count: number): void {
      for (; count > 0; count -= BATCH) {
        for (const message of batch) message.number = ++number;
        producer.sendBatchSync(messages, WAIT);
      }
    },
  });
}

if (import.meta.main) {
  const [name, producers] = Deno.args;
  await takePartAsPeer(name!, Number(producers));
}
