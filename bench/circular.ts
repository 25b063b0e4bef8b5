/**
 * The overwriting buffer: the time of a write by itself; round trips through two buffers, and
 * messages and frames one way, next to C, ringbuf.js and Deno's own means.
 *
 * One way, the sender waits for the receiver at the end of each block, which the ring can hold: so
 * every message arrives, as the receiver checks.
 *
 * @module
 */

import { circular } from "../src/circular/definition.ts";
import { now } from "../src/os/clock.ts";
import type { PolledMessage } from "../src/circular/polled.ts";
import type { CircularBufferReader } from "../src/circular/reader.ts";
import type { CircularBufferWriter } from "../src/circular/writer.ts";
import { compareAll, type Comparison, RINGS, ROUND_TRIPS } from "./harness/comparison.ts";
import { takePart } from "./harness/peer.ts";
import { type Bar, barsOf } from "./harness/report.ts";
import { type Contender, median, ratio } from "./harness/rounds.ts";
import { compareRuns } from "./harness/settings.ts";
import { inOneThread } from "./harness/machine.ts";
import {
  type Answering,
  type Asking,
  Numbered,
  type Order,
  type Way,
  wayHandlers,
  type Ways,
} from "./harness/traffic.ts";
import { socketHandlers } from "./harness/unix_socket.ts";
import { SPINNING } from "./spsc.ts";

/** One process's end of both directions. */
class Ends implements Asking, Answering, Disposable {
  readonly #answerEvery: number;
  readonly #inPlace: boolean;
  readonly #writer: CircularBufferWriter;
  readonly #reader: CircularBufferReader;
  readonly #out: Numbered;
  readonly #in: Numbered;
  #number = 0;

  private constructor(order: Order, inPlace: boolean, way: { to: string; from: string }) {
    const { name, bytes, capacity, answerEvery, answerBytes } = order;
    const lengths = { there: bytes, back: answerBytes } as Record<string, number>;
    this.#answerEvery = answerEvery;
    this.#inPlace = inPlace;
    this.#writer = circular(`${name}-${way.to}`, { capacity }).writer();
    this.#reader = circular(`${name}-${way.from}`, { capacity }).reader();
    this.#out = new Numbered(lengths[way.to]!);
    this.#in = new Numbered(lengths[way.from]!);
  }

  static way({ inPlace }: { inPlace: boolean }): Way {
    return {
      asking: (order) => new Ends(order, inPlace, { to: "there", from: "back" }),
      answering: (order) => new Ends(order, inPlace, { to: "back", from: "there" }),
    };
  }

  ask(): void {
    for (let i = this.#answerEvery; i > 0; i--) {
      this.#number++;
      this.#write();
    }
    this.#read();
  }

  answer(times: number): void {
    for (; times > 0; times--) {
      if (this.#inPlace) this.#look(this.#answerEvery);
      else this.#copy(this.#answerEvery);
      this.#write();
    }
  }

  #write(): void {
    this.#out.number = this.#number;
    this.#writer.trySend(this.#out.bytes);
  }

  #read(): void {
    while (this.#reader.tryReceiveInto(this.#in.bytes) < 0) {
      if (!this.#reader.waitSync(SPINNING)) throw new Error("The writer has closed");
    }
    if (this.#reader.lost > 0) throw new Error("A message was lost");
    this.#in.expect(this.#number);
  }

  #copy(messages: number): void {
    for (; messages > 0; messages--) {
      this.#number++;
      this.#read();
    }
  }

  #look(messages: number): void {
    while (messages > 0) {
      messages -= this.#reader.poll(this.#check, messages);
      if (this.#reader.lost > 0) throw new Error("A message was lost");
    }
  }

  readonly #check = ({ bytes }: PolledMessage): void => {
    if ((++this.#number & 0xff) !== bytes[0]) throw new Error("That is another message");
  };

  [Symbol.dispose](): void {
    this.#writer.close();
    this.#reader.close();
  }
}

/** The ways; in place, the receiver looks at the messages where they are. */
const WAYS: Ways = {
  "circular buffer": Ends.way({ inPlace: false }),
  "circular buffer, in place": Ends.way({ inPlace: true }),
};

const MIB = 2 ** 20;

const COMPARISONS: Comparison[] = [{
  title: "round trip of 64 B",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 1, answerBytes: 64 },
  ...ROUND_TRIPS,
  ways: { "circular buffer": { near: 1.7, far: 1.2 } },
}, {
  title: "round trip of 1 KB",
  traffic: { bytes: 1024, capacity: MIB, answerEvery: 1, answerBytes: 1024 },
  ...ROUND_TRIPS,
  ways: { "circular buffer": undefined },
}, {
  title: "64 B one way",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 4000, answerBytes: 8 },
  plan: { trips: 0, blocks: 10, blockTrips: 4000 },
  rounds: { rounds: 31, warmUp: 4 },
  slowAnswers: 1,
  ways: { "circular buffer": undefined, "circular buffer, in place": undefined },
}, {
  title: "frames of 6,220,800 B one way",
  traffic: { bytes: 6_220_800, capacity: 32 * MIB, answerEvery: 4, answerBytes: 8 },
  plan: { trips: 0, blocks: 5, blockTrips: 4 },
  rounds: { rounds: 21, warmUp: 2 },
  slowAnswers: 2,
  floor: RINGS,
  ways: { "circular buffer": 1.6, "circular buffer, in place": undefined },
}];

/** Measures, prints the times and returns the bars. */
export async function measureCircular(): Promise<Bar[]> {
  return [...await measureWrite(), ...await compareAll(COMPARISONS, WAYS, import.meta.url)];
}

/** A write by itself, and one that is read at once by the same thread. */
async function measureWrite(): Promise<Bar[]> {
  using c = inOneThread();
  if (c === undefined) return [];
  using writing = new Alone();
  using reading = new Alone();
  const [floor, write] = await compareRuns("Circular buffer, one thread", [
    c.contender,
    contender("trySend 64 B", (count) => writing.write(count)),
    contender("trySend and tryReceiveInto 64 B", (count) => reading.writeAndRead(count)),
  ], { rounds: 41, warmUp: 10 });
  const what = `circular buffer, trySend of 64 B / ${floor.name}`;
  return barsOf(what, 6, () => ratio(floor, write!));
}

let buffers = 0;

/** A buffer that nobody else has open, and the workloads of `circular_bench.ts`. */
export class Alone implements Disposable {
  readonly #writer: CircularBufferWriter;
  readonly #reader: CircularBufferReader;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #target: Uint8Array<ArrayBuffer>;

  constructor(bytes = 64, capacity = MIB) {
    const name = `bench-${Deno.pid}-${buffers++}`;
    this.#writer = circular(name, { capacity }).writer();
    this.#reader = circular(name, { capacity }).reader();
    this.#message = Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
    this.#target = new Uint8Array(bytes);
  }

  write(count: number): void {
    for (let i = 0; i < count; i++) this.#writer.trySend(this.#message);
  }

  writeAndRead(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#writer.trySend(this.#message);
      if (this.#reader.tryReceiveInto(this.#target) < 0) throw new Error("A message is missing");
    }
  }

  writeAndCopy(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#writer.trySend(this.#message);
      if (this.#reader.tryReceive() === undefined) throw new Error("A message is missing");
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
  const ways = wayHandlers(WAYS);
  await takePart({ ...socketHandlers(), ...ways });
  ways.close();
}
