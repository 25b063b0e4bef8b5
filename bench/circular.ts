/**
 * The overwriting buffer: what a write takes by itself; round trips through two buffers, next to C
 * that passes words, C that passes messages through masked rings, and Deno's Unix sockets; and
 * messages and frames one way.
 *
 * Between processes the two main threads run on a processor each. One way, the sender waits for
 * the receiver at the end of each block, which the ring can hold: so every message arrives, as the
 * receiver checks. The first word of a message is its number.
 *
 * The bar of the round trip is a time at the usual floor, as in the other comparisons; so many times
 * the floor it is only where the processors are far apart. To write, copy and check two messages
 * takes 220 ns with every line at hand, which is three times the floor between neighbours.
 *
 * @module
 */

import { now } from "../src/os/clock.ts";
import { CircularBufferReader } from "../src/circular/reader.ts";
import { CircularBufferWriter } from "../src/circular/writer.ts";
import { USUAL_FLOOR_NS } from "./harness/comparison.ts";
import { allowedCpus, CProgram, type Plan, settleOn } from "./harness/machine.ts";
import { Peer, takePart } from "./harness/peer.ts";
import { type Bar, printBars, printRates, printTimes } from "./harness/report.ts";
import {
  atFloor,
  type Contender,
  interleave,
  median,
  type Ratio,
  ratio,
  type Round,
  type Rounds,
  times,
} from "./harness/rounds.ts";
import { onSocket, socketHandlers } from "./harness/unix_socket.ts";

/** Nobody goes to sleep within a round, and nobody waits for ever for a process that is gone. */
const WAIT = { spin: 5e6, timeout: 20e3 };

/** What goes through the rings, and when the sender waits. */
interface Traffic {
  /** The bytes of a message. */
  readonly bytes: number;
  readonly capacity: number;
  /** After how many messages the sender waits for an answer .. */
  readonly answerEvery: number;
  /** .. of how many bytes. */
  readonly answerBytes: number;
}

/** The peer's instructions. */
interface Order extends Traffic {
  /** The names of the buffers begin with this. */
  readonly name: string;
  /** Whether the peer looks at the messages in place. */
  readonly inPlace: boolean;
}

/** One process's end of both directions. */
class Side implements Disposable {
  readonly #writer: CircularBufferWriter;
  readonly #reader: CircularBufferReader;
  readonly #out: Uint8Array<ArrayBuffer>;
  readonly #in: Uint8Array<ArrayBuffer>;
  readonly #outNumber: Uint32Array<ArrayBuffer>;
  readonly #inNumber: Uint32Array<ArrayBuffer>;

  private constructor(
    write: string,
    outBytes: number,
    read: string,
    inBytes: number,
    capacity: number,
  ) {
    this.#writer = CircularBufferWriter.open(write, { capacity });
    this.#reader = CircularBufferReader.open(read, { capacity });
    this.#out = new Uint8Array(outBytes);
    this.#in = new Uint8Array(inBytes);
    this.#outNumber = new Uint32Array(this.#out.buffer, 0, 1);
    this.#inNumber = new Uint32Array(this.#in.buffer, 0, 1);
  }

  static measuring({ name, bytes, answerBytes, capacity }: Order): Side {
    return new Side(`${name}-there`, bytes, `${name}-back`, answerBytes, capacity);
  }

  static answering({ name, bytes, answerBytes, capacity }: Order): Side {
    return new Side(`${name}-back`, answerBytes, `${name}-there`, bytes, capacity);
  }

  /** The side that measures: sends so many messages and then waits for an answer. */
  ping(messages: number): void {
    for (let i = 0; i < messages; i++) {
      this.#outNumber[0]!++;
      this.#writer.write(this.#out);
    }
    this.#receive();
    if (this.#inNumber[0] !== this.#outNumber[0]) throw outOfOrder();
  }

  /** The other side: receives so many messages and answers. */
  pong(messages: number): void {
    for (let i = 0; i < messages; i++) {
      this.#receive();
      if (this.#inNumber[0] !== ++this.#outNumber[0]!) throw outOfOrder();
    }
    this.#writer.write(this.#out);
  }

  /** Answers messages that it reads in place. */
  pongInPlace(messages: number): void {
    for (let left = messages; left > 0;) {
      const { handled, state } = this.#reader.poll(this.#look, left);
      if (state === "lost" || state === "closed") throw new Error(`A message was ${state}`);
      left -= handled;
    }
    this.#writer.write(this.#out);
  }

  readonly #look = (message: Uint8Array): void => {
    if ((++this.#outNumber[0]! & 0xff) !== message[0]) throw outOfOrder();
  };

  #receive(): void {
    const outcome = this.#reader.readSync(this.#in, WAIT);
    if (outcome.state !== "ok") throw new Error(`A message was ${outcome.state}`);
  }

  [Symbol.dispose](): void {
    this.#writer.close();
    this.#reader.close();
  }
}

function outOfOrder(): Error {
  return new Error("A message is not the one that was expected");
}

/** One comparison between processes. */
interface Comparison {
  readonly title: string;
  readonly traffic: Traffic;
  readonly plan: Plan;
  readonly rounds: Rounds;
  /** How many answers to wait for in a round of the socket. */
  readonly socketAnswers: number;
  /** How many times the floor the buffer may take, or how many nanoseconds at the usual floor. */
  readonly limit?: { readonly times: number } | { readonly ns: number };
}

const MIB = 2 ** 20;

/** Blocks are short, as somebody else may want the processors in between. */
const ROUND_TRIPS = {
  plan: { trips: 1000, blocks: 20, blockTrips: 100 },
  rounds: { rounds: 31, warmUp: 4 },
  socketAnswers: 200,
};

const COMPARISONS: Comparison[] = [{
  title: "round trip of 64 B",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 1, answerBytes: 64 },
  ...ROUND_TRIPS,
  limit: { ns: 530 },
}, {
  title: "round trip of 1 KB",
  traffic: { bytes: 1024, capacity: MIB, answerEvery: 1, answerBytes: 1024 },
  ...ROUND_TRIPS,
}, {
  title: "64 B one way",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 4000, answerBytes: 8 },
  plan: { trips: 0, blocks: 10, blockTrips: 4000 },
  rounds: { rounds: 31, warmUp: 4 },
  socketAnswers: 1,
}, {
  title: "frames of 6,220,800 B one way",
  traffic: { bytes: 6_220_800, capacity: 32 * MIB, answerEvery: 4, answerBytes: 8 },
  plan: { trips: 0, blocks: 5, blockTrips: 4 },
  rounds: { rounds: 21, warmUp: 2 },
  socketAnswers: 2,
  limit: { times: 1.6 },
}];

/** Measures, prints the times and gives the bars. */
export async function measureCircular(): Promise<Bar[]> {
  const bars = [await measureWrite()];
  using words = CProgram.compile(`${import.meta.dirname}/c/ping_pong.c`);
  using rings = CProgram.compile(`${import.meta.dirname}/c/masked_ring.c`);
  const allowed = allowedCpus();
  for (const comparison of COMPARISONS) {
    const measured = allowed.length < 2
      ? "there is one processor"
      : await compare(comparison, [allowed[0]!, allowed[1]!], words, rings);
    bars.push(...barOf(comparison, measured));
  }
  settleOn(allowed, Deno.pid);
  return bars;
}

function barOf({ title, limit }: Comparison, measured: Ratio | string): Bar[] {
  if (limit === undefined) return [];
  if ("times" in limit) {
    return [{ what: `circular buffer / C, ${title}`, limit: limit.times, measured }];
  }
  const what = `circular buffer, ${title}, at a floor of ${USUAL_FLOOR_NS} ns`;
  return [{ what, limit: limit.ns, unit: "ns", measured }];
}

/** Measures one comparison; returns the value for its bar, or why it has none. */
async function compare(
  { title, traffic, plan, rounds, socketAnswers, limit }: Comparison,
  cpus: [ours: number, peers: number],
  words: CProgram | undefined,
  rings: CProgram | undefined,
): Promise<Ratio | string> {
  await using peer = new Peer(new URL(import.meta.url), "peer");
  using stack = new DisposableStack();
  const placed = settleOn([cpus[0]], Deno.pid) && settleOn([cpus[1]], peer.pid);
  console.log(`\nCircular buffer and others, between two processes: ${title}`);
  if (!placed) console.log("taskset is missing, so the scheduler chose the processors");

  const isTrip = traffic.answerEvery === 1;
  const contenders = [await ours("circular buffer", false, { traffic, plan, peer, stack })];
  if (!isTrip) {
    contenders.push(await ours("circular buffer, in place", true, { traffic, plan, peer, stack }));
  }
  contenders.push(await onSocket({ ...traffic, answers: socketAnswers }, peer));
  if (words && rings) {
    const places = placed ? cpus : [-1, -1];
    const { bytes, capacity } = traffic;
    const inC = ["pause", "tight"].map((way) => [way, ...places]);
    const messages = inC.map((way) => [isTrip ? "trip" : "stream", ...way, bytes, capacity]);
    contenders.unshift(rings.contender("C, masked rings", messages, plan));
    if (isTrip) contenders.unshift(words.contender("C, words on two lines", inC, plan));
  }
  const runs = await interleave(contenders[0]!, contenders.slice(1), rounds);
  printTimes([runs]);
  if (!isTrip) printRates(traffic.bytes, runs);
  const run = runs.find(({ name }) => name === "circular buffer")!;
  if (!words || !rings) return "there is no C compiler";
  return limit && "ns" in limit ? atFloor(USUAL_FLOOR_NS, runs[0], run) : ratio(runs[0], run);
}

interface Setting {
  readonly traffic: Traffic;
  readonly plan: Plan;
  readonly peer: Peer;
  readonly stack: DisposableStack;
}

let buffers = 0;

/** A contender: two buffers between this process and the peer. */
async function ours(name: string, inPlace: boolean, setting: Setting): Promise<Contender> {
  const { traffic, plan: { trips, blocks, blockTrips }, peer, stack } = setting;
  const { answerEvery } = traffic;
  const order: Order = { ...traffic, name: `bench-${Deno.pid}-${buffers++}`, inPlace };
  const side = stack.use(Side.measuring(order));
  await peer.begin("open", order);
  await peer.end();
  const warmUp = Math.ceil((trips + 1) / 10);
  const blockAnswers = blockTrips / answerEvery;
  const each = new Float64Array(trips);
  const round = async (): Promise<Round> => {
    await peer.begin("answer", [order.name, warmUp + trips + blocks * blockAnswers]);
    for (let i = 0; i < warmUp; i++) side.ping(answerEvery);
    timeEach(each, () => side.ping(answerEvery));
    const times = Array.from({ length: blocks }, () => {
      const before = now();
      for (let i = 0; i < blockAnswers; i++) side.ping(answerEvery);
      return (now() - before) / blockTrips;
    });
    await peer.end();
    return { typical: median(times), ...trips > 0 ? { each: each.slice() } : {} };
  };
  return { name, round };
}

function timeEach(each: Float64Array, work: () => void): void {
  let before = now();
  for (let i = 0; i < each.length; i++) {
    work();
    const after = now();
    each[i] = after - before;
    before = after;
  }
}

/** The other process. */
async function takePartAsPeer(): Promise<void> {
  const sides = new Map<string, [Side, Order]>();
  await takePart({
    ...socketHandlers(),
    open(order: Order): void {
      sides.set(order.name, [Side.answering(order), order]);
    },
    answer([name, answers]: [string, number]): void {
      const [side, { answerEvery, inPlace }] = sides.get(name)!;
      for (let i = 0; i < answers; i++) {
        if (inPlace) side.pongInPlace(answerEvery);
        else side.pong(answerEvery);
      }
    },
  });
  for (const [side] of sides.values()) side[Symbol.dispose]();
}

/** The longest time for a write of 64 B, with or without readers. */
const WRITE_LIMIT_NS = 60;

/** A write by itself, and one that is read at once by the same thread. */
async function measureWrite(): Promise<Bar> {
  using writing = new Alone();
  using reading = new Alone();
  const [write, both] = await interleave(
    contender("write 64 B", (count) => writing.write(count)),
    [contender("write and tryRead 64 B", (count) => reading.writeAndRead(count))],
    { rounds: 41, warmUp: 10 },
  );
  console.log("\nCircular buffer, one thread");
  printTimes([[write, both!]]);
  const what = "circular buffer, write of 64 B";
  return { what, limit: WRITE_LIMIT_NS, unit: "ns", measured: times(write) };
}

/** A buffer that nobody else has open, and the workloads of `circular_bench.ts`. */
export class Alone implements Disposable {
  readonly #writer: CircularBufferWriter;
  readonly #reader: CircularBufferReader;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #target: Uint8Array<ArrayBuffer>;

  constructor(bytes = 64, capacity = MIB) {
    const name = `bench-${Deno.pid}-${buffers++}`;
    this.#writer = CircularBufferWriter.open(name, { capacity });
    this.#reader = CircularBufferReader.open(name);
    this.#message = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    this.#target = new Uint8Array(bytes);
  }

  write(count: number): void {
    for (let i = 0; i < count; i++) this.#writer.write(this.#message);
  }

  writeAndRead(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#writer.write(this.#message);
      if (this.#reader.tryRead(this.#target).state !== "ok") throw outOfOrder();
    }
  }

  writeAndCopy(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#writer.write(this.#message);
      if (this.#reader.tryRead().state !== "ok") throw outOfOrder();
    }
  }

  [Symbol.dispose](): void {
    this.#writer.close();
    this.#reader.close();
  }
}

const BLOCKS = 8;
const BLOCK_WRITES = 2000;

function contender(name: string, work: (count: number) => void): Contender {
  const round = () => {
    const times = Array.from({ length: BLOCKS }, () => {
      const before = now();
      work(BLOCK_WRITES);
      return (now() - before) / BLOCK_WRITES;
    });
    return { typical: median(times) };
  };
  return { name, round };
}

if (import.meta.main) {
  if (Deno.args.length === 0) printBars(await measureCircular());
  else await takePartAsPeer();
}
