/**
 * Rings from one producer to one consumer: round trips through two of them, copied in and out;
 * messages one way, one by one and in batches; and round trips after a pause in which both sides
 * fell asleep. They run next to C, ringbuf.js and Deno's own means.
 *
 * @module
 */

import type { SpscConsumer } from "../src/spsc/consumer.ts";
import { spsc } from "../src/spsc/definition.ts";
import type { SpscProducer } from "../src/spsc/producer.ts";
import type { WaitOptions } from "../src/wait/until.ts";
import { compareAll, type Comparison, ROUND_TRIPS } from "./harness/comparison.ts";
import { takePart } from "./harness/peer.ts";
import type { Bar } from "./harness/report.ts";
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

const PATIENCE_MS = 20e3;

/** Nobody goes to sleep within a round, and nobody waits for ever for a process that is gone. */
export const SPINNING = { spin: 5e6, timeout: PATIENCE_MS };

/** Everybody goes to sleep at once. */
const ASLEEP = { spin: 0, timeout: PATIENCE_MS };

/** Everybody spins for a moment and then goes to sleep. */
export const USUAL = { timeout: PATIENCE_MS };

/** The two rings of one process, and its messages. */
class Ends implements Disposable {
  readonly wait: WaitOptions;
  readonly answerEvery: number;
  readonly producer: SpscProducer;
  readonly consumer: SpscConsumer;
  readonly out: Numbered;
  readonly in: Numbered;
  number = 0;

  private constructor(order: Order, wait: WaitOptions, way: { to: string; from: string }) {
    const { name, bytes, capacity, answerEvery, answerBytes } = order;
    const lengths = { there: bytes, back: answerBytes } as Record<string, number>;
    this.wait = wait;
    this.answerEvery = answerEvery;
    this.producer = spsc(`${name}-${way.to}`, { capacity }).producer();
    this.consumer = spsc(`${name}-${way.from}`, { capacity }).consumer();
    this.out = new Numbered(lengths[way.to]!);
    this.in = new Numbered(lengths[way.from]!);
  }

  static asking(order: Order, wait: WaitOptions): Ends {
    return new Ends(order, wait, { to: "there", from: "back" });
  }

  static answering(order: Order, wait: WaitOptions): Ends {
    return new Ends(order, wait, { to: "back", from: "there" });
  }

  send(): void {
    this.out.number = this.number;
    this.producer.sendSync(this.out.bytes, this.wait);
  }

  receive(): void {
    while (this.consumer.tryReceiveInto(this.in.bytes) < 0) this.consumer.waitSync(this.wait);
    this.in.expect(this.number);
  }

  async sendAsync(): Promise<void> {
    this.out.number = this.number;
    await this.producer.send(this.out.bytes, this.wait);
  }

  async receiveAsync(): Promise<void> {
    const message = await this.consumer.receive(this.wait);
    if (message === undefined) throw new Error("The other process has closed its ring");
    if (message.value[0] !== (this.number & 0xff)) throw new Error("That is another message");
  }

  [Symbol.dispose](): void {
    this.producer.close();
    this.consumer.close();
  }
}

/** One message after the other, each copied in and out. */
class OneByOne implements Asking, Answering, Disposable {
  readonly #ends: Ends;

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  static way(wait: WaitOptions): Way {
    return {
      asking: (order) => new OneByOne(Ends.asking(order, wait)),
      answering: (order) => new OneByOne(Ends.answering(order, wait)),
    };
  }

  ask(): void {
    const ends = this.#ends;
    for (let i = ends.answerEvery; i > 0; i--) {
      ends.number++;
      ends.send();
    }
    ends.receive();
  }

  answer(times: number): void {
    const ends = this.#ends;
    for (; times > 0; times--) {
      for (let i = ends.answerEvery; i > 0; i--) {
        ends.number++;
        ends.receive();
      }
      ends.send();
    }
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

/** Sends and answers with promises. */
class Promised implements Asking, Answering, Disposable {
  readonly #ends: Ends;

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  static way(wait: WaitOptions): Way {
    return {
      asking: (order) => new Promised(Ends.asking(order, wait)),
      answering: (order) => new Promised(Ends.answering(order, wait)),
    };
  }

  async ask(): Promise<void> {
    const ends = this.#ends;
    for (let i = ends.answerEvery; i > 0; i--) {
      ends.number++;
      await ends.sendAsync();
    }
    await ends.receiveAsync();
  }

  async answer(times: number): Promise<void> {
    const ends = this.#ends;
    for (; times > 0; times--) {
      for (let i = ends.answerEvery; i > 0; i--) {
        ends.number++;
        await ends.receiveAsync();
      }
      await ends.sendAsync();
    }
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

const BATCH = 100;

/** Many messages at a time, which the receiver reads in place. */
class Batches implements Asking, Answering, Disposable {
  readonly #ends: Ends;
  readonly #batch: Numbered[];
  readonly #messages: Uint8Array[];

  constructor(ends: Ends) {
    this.#ends = ends;
    const length = Math.min(BATCH, ends.answerEvery);
    this.#batch = Array.from({ length }, () => new Numbered(ends.out.bytes.length));
    this.#messages = this.#batch.map(({ bytes }) => bytes);
  }

  static way(wait: WaitOptions): Way {
    return {
      asking: (order) => new Batches(Ends.asking(order, wait)),
      answering: (order) => new Batches(Ends.answering(order, wait)),
    };
  }

  ask(): void {
    const ends = this.#ends;
    for (let left = ends.answerEvery; left > 0; left -= this.#batch.length) {
      for (const message of this.#batch) message.number = ++ends.number;
      ends.producer.sendBatchSync(this.#messages, ends.wait);
    }
    ends.receive();
  }

  answer(times: number): void {
    const ends = this.#ends;
    for (; times > 0; times--) {
      for (let left = ends.answerEvery; left > 0;) {
        const count = ends.consumer.poll(this.#look, left);
        if (count === 0) ends.consumer.waitSync(ends.wait);
        left -= count;
      }
      ends.send();
    }
  }

  readonly #look = ({ bytes }: { bytes: Uint8Array }): void => {
    if ((++this.#ends.number & 0xff) !== bytes[0]) throw new Error("That is another message");
  };

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

/** The same batches, each copied out at once. */
class Blocks extends Batches {
  readonly #ends: Ends;
  readonly #target = new Uint8Array(2 ** 16);
  readonly #numbers = new Uint32Array(this.#target.buffer);
  readonly #places = new Uint32Array(2 * BATCH);

  constructor(ends: Ends) {
    super(ends);
    this.#ends = ends;
  }

  static override way(wait: WaitOptions): Way {
    return {
      asking: (order) => new Blocks(Ends.asking(order, wait)),
      answering: (order) => new Blocks(Ends.answering(order, wait)),
    };
  }

  override answer(times: number): void {
    const ends = this.#ends;
    for (; times > 0; times--) {
      for (let left = ends.answerEvery; left > 0;) {
        const count = ends.consumer.tryReceiveBatchInto(this.#target, this.#places);
        if (count === 0) ends.consumer.waitSync(ends.wait);
        this.#check(count);
        left -= count;
      }
      ends.send();
    }
  }

  #check(count: number): void {
    for (let i = 0; i < count; i++) {
      const number = this.#numbers[this.#places[2 * i]! >>> 2];
      if (++this.#ends.number >>> 0 !== number) throw new Error("That is another message");
    }
  }
}

/** The ways. */
export const SPSC_WAYS: Ways = {
  "SPSC": OneByOne.way(SPINNING),
  "SPSC, batches": Batches.way(SPINNING),
  "SPSC, batches copied": Blocks.way(SPINNING),
  "SPSC, promises": Promised.way(USUAL),
  "SPSC, spinning 50 us": OneByOne.way(USUAL),
  "SPSC, asleep at once": OneByOne.way(ASLEEP),
};

const MIB = 2 ** 20;

const COMPARISONS: Comparison[] = [{
  title: "round trip of 64 B",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 1, answerBytes: 64 },
  ...ROUND_TRIPS,
  ways: { "SPSC": { near: 1.6, far: 1.3 }, "SPSC, promises": { near: 15, far: 5 } },
}, {
  title: "round trip of 1 KB",
  traffic: { bytes: 1024, capacity: MIB, answerEvery: 1, answerBytes: 1024 },
  ...ROUND_TRIPS,
  ways: { "SPSC": { near: 1.5, far: 1.2 }, "SPSC, promises": undefined },
}, {
  title: "64 B one way",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 4000, answerBytes: 8 },
  plan: { trips: 0, blocks: 10, blockTrips: 4000 },
  rounds: { rounds: 31, warmUp: 4 },
  slowAnswers: 1,
  ways: { "SPSC": 3, "SPSC, batches": 1.5, "SPSC, batches copied": 1.5 },
}, {
  title: "1 KB one way",
  traffic: { bytes: 1024, capacity: MIB, answerEvery: 2000, answerBytes: 8 },
  plan: { trips: 0, blocks: 10, blockTrips: 2000 },
  rounds: { rounds: 31, warmUp: 4 },
  slowAnswers: 1,
  ways: { "SPSC": 1.5, "SPSC, batches": undefined, "SPSC, batches copied": undefined },
}, {
  title: "64 KB one way",
  traffic: { bytes: 65536, capacity: 4 * MIB, answerEvery: 100, answerBytes: 8 },
  plan: { trips: 0, blocks: 10, blockTrips: 100 },
  rounds: { rounds: 31, warmUp: 4 },
  slowAnswers: 1,
  ways: { "SPSC": 1, "SPSC, batches": undefined },
}, {
  title: "round trip of 64 B after 1 ms asleep",
  traffic: { bytes: 64, capacity: MIB, answerEvery: 1, answerBytes: 64, thinkMs: 1 },
  plan: { trips: 50, blocks: 0, blockTrips: 0 },
  rounds: { rounds: 11, warmUp: 1 },
  slowAnswers: 50,
  ways: {
    "SPSC, asleep at once": 1.3,
    "SPSC, spinning 50 us": undefined,
    "SPSC, promises": undefined,
  },
}];

/** Measures, prints the times and returns the bars. */
export function measureSpsc(): Promise<Bar[]> {
  return compareAll(COMPARISONS, SPSC_WAYS, import.meta.url);
}

if (import.meta.main) {
  const ways = wayHandlers(SPSC_WAYS);
  await takePart({ ...socketHandlers(), ...ways });
  ways.close();
}
