/**
 * Slots: the time of a write by itself, of reads and of locks; the time until another process has
 * seen a write, there and back, spinning and from sleep; and images, written and read in place.
 * They run next to C and to Deno's own means. `babus_idle.ts` measures listeners without news.
 *
 * @module
 */

import { domain } from "../src/babus/definition.ts";
import type { SlotClaim } from "../src/babus/slot.ts";
import type { Domain } from "../src/babus/domain.ts";
import { Listener } from "../src/babus/listener.ts";
import type { Slot } from "../src/babus/slot.ts";
import { rwLock } from "../src/shared/rw_lock.ts";
import type { WaitOptions } from "../src/wait/until.ts";
import { imageHandlers, IMAGES, measureImages } from "./babus_images.ts";
import { compareAll, type Comparison, ROUND_TRIPS } from "./harness/comparison.ts";
import { CProgram, inOneThread } from "./harness/machine.ts";
import { takePart } from "./harness/peer.ts";
import { type Bar, barsOf } from "./harness/report.ts";
import { compareRuns, settings } from "./harness/settings.ts";
import { type Contender, ratio } from "./harness/rounds.ts";
import type { FixtureOptions } from "./harness/fixture.ts";
import {
  type Answering,
  type Asking,
  measure,
  Numbered,
  type Order,
  type Traffic,
  type Way,
  wayHandlers,
  type Ways,
} from "./harness/traffic.ts";
import { socketHandlers } from "./harness/unix_socket.ts";

const PATIENCE_MS = 20e3;

/** Nobody goes to sleep within a round, and nobody waits for ever for a process that is gone. */
const SPINNING = { spin: 5e6, timeout: PATIENCE_MS };

/** Everybody goes to sleep at once. */
const ASLEEP = { spin: 0, timeout: PATIENCE_MS };

/** Everybody spins for a moment and then goes to sleep. */
const USUAL = { timeout: PATIENCE_MS };

/** Some ten seconds. */
const LOOKS = 1e9;

/** One process's slots: it writes to one, and waits for news of the other. */
class Ends implements Disposable {
  readonly #domain: Domain;
  readonly #to: Slot;
  readonly #from: Slot;
  readonly #listener: Listener;
  readonly #message: Numbered;
  #number = 0;

  constructor({ name, bytes }: Order, to: string, from: string) {
    this.#domain = domain(name).open();
    this.#to = this.#domain.slot(to, { size: bytes });
    this.#from = this.#domain.slot(from, { size: bytes });
    this.#listener = new Listener().add(this.#from);
    this.#message = new Numbered(bytes);
  }

  /** Goes on to the next message. */
  next(): void {
    this.#message.number = ++this.#number;
  }

  write(): void {
    this.#to.writeSync(this.#message.bytes, SPINNING);
  }

  listen(options: WaitOptions): void {
    this.#listener.waitSync(options);
  }

  async listenAsync(options: WaitOptions): Promise<void> {
    await this.#listener.wait(options);
  }

  poll(): void {
    for (let looks = LOOKS; this.#from.sequence < this.#number; looks--) {
      if (looks === 0) throw new Error("The other process of the measurement is silent");
    }
  }

  copy(): void {
    if (this.#isExpected(this.#from.latest()!.value)) return;
    throw new Error("That is another message");
  }

  view(): void {
    const peek = this.#from.peek();
    if (peek !== undefined && this.#isExpected(peek.bytes) && peek.valid) return;
    throw new Error("That is another message");
  }

  #isExpected(bytes: Uint8Array): boolean {
    return bytes[0] === (this.#number & 0xff);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#domain.close();
  }
}

/** How a message is awaited and read. */
type Hearing = (ends: Ends) => void | Promise<void>;

/** A message there and one back. */
class Exchange implements Asking, Answering, Disposable {
  readonly #ends: Ends;
  readonly #hear: Hearing;

  constructor(ends: Ends, hear: Hearing) {
    this.#ends = ends;
    this.#hear = hear;
  }

  static way(hear: Hearing): Way {
    return {
      asking: (order) => new Exchange(new Ends(order, "there", "back"), hear),
      answering: (order) => new Exchange(new Ends(order, "back", "there"), hear),
    };
  }

  ask(): void | Promise<void> {
    this.#ends.next();
    this.#ends.write();
    return this.#hear(this.#ends);
  }

  async answer(times: number): Promise<void> {
    for (; times > 0; times--) {
      this.#ends.next();
      const heard = this.#hear(this.#ends);
      if (heard !== undefined) await heard;
      this.#ends.write();
    }
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

function listening(options: WaitOptions): Way {
  return Exchange.way((ends) => {
    ends.listen(options);
    ends.copy();
  });
}

const LISTENED_IN_PLACE = Exchange.way((ends) => {
  ends.listen(SPINNING);
  ends.view();
});

const PROMISED = Exchange.way(async (ends) => {
  await ends.listenAsync(USUAL);
  ends.copy();
});

const POLLED = Exchange.way((ends) => {
  ends.poll();
  ends.copy();
});

const POLLED_IN_PLACE = Exchange.way((ends) => {
  ends.poll();
  ends.view();
});

const WAYS: Ways = {
  "Babus, listener": listening(SPINNING),
  "Babus, listener, in place": LISTENED_IN_PLACE,
  "Babus, polled": POLLED,
  "Babus, polled, in place": POLLED_IN_PLACE,
  "Babus, promises": PROMISED,
  "Babus, spinning 50 us": listening(USUAL),
  "Babus, asleep at once": listening(ASLEEP),
  ...IMAGES,
};

const SMALL: Traffic = { bytes: 64, capacity: 2 ** 20, answerEvery: 1, answerBytes: 64 };

/** There and back. */
const SEEN_TWICE = { near: 6, far: 3 };

const COMPARISONS: Comparison[] = [{
  title: "round trip of 64 B",
  traffic: SMALL,
  ...ROUND_TRIPS,
  ways: {
    "Babus, listener": undefined, // which copies, into an array of its own
    "Babus, listener, in place": SEEN_TWICE,
    "Babus, polled": SEEN_TWICE,
    "Babus, polled, in place": undefined,
    "Babus, promises": undefined,
  },
}, {
  title: "round trip of 64 B after 1 ms asleep",
  traffic: { ...SMALL, thinkMs: 1 },
  plan: { trips: 50, blocks: 0, blockTrips: 0 },
  rounds: { rounds: 11, warmUp: 1 },
  slowAnswers: 50,
  ways: {
    "Babus, asleep at once": 1.3,
    "Babus, spinning 50 us": undefined,
    "Babus, promises": undefined,
  },
}];

const OPTIONS: FixtureOptions = { title: "Slots", module: import.meta.url, ways: WAYS };

/** Measures, prints the times and returns the bars. */
export async function measureBabus(): Promise<Bar[]> {
  using words = CProgram.compile(`${import.meta.dirname}/c/ping_pong.c`);
  return [
    ...await measureAlone(),
    ...await compareAll(COMPARISONS, WAYS, import.meta.url),
    ...settings.quick ? [] : await measureImages(OPTIONS, words),
  ];
}

/** A slot and a lock that nobody else uses, and the workloads of `babus_bench.ts`. */
export class Alone implements Disposable {
  readonly #domain = domain(`bench-alone-${Deno.pid}`, { slot: { size: 64 } }).open();
  readonly #slot = this.#domain.slots.slot;
  readonly #lock = rwLock(`bench-alone-${Deno.pid}`).open();
  readonly #listener = new Listener().add(this.#slot);
  readonly #message = Uint8Array.from({ length: 64 }, (_, i) => i * 31);

  readonly write = (): void => void this.#slot.writeSync(this.#message);
  readonly writeInPlace = (): void => {
    const claim = this.#slot.claimSync();
    claim.bytes[0] = 1;
    claim.publish();
  };
  readonly writeAndLook = (): void => {
    this.#slot.writeSync(this.#message);
    if (this.#listener.look().length !== 1) throw new Error("There is something new");
  };
  readonly copy = (): void => {
    if (this.#slot.latest() === undefined) throw new Error("There is a message");
  };
  readonly fill = (): void => void this.#slot.tryFill(this.#filling);
  readonly #filling = ({ bytes }: SlotClaim): void => {
    bytes[0] = 1;
  };
  readonly readInto = (): void => {
    if (this.#slot.readInto(this.#message) !== 64) throw new Error("There is a message");
  };
  readonly view = (): void => {
    if (!this.#slot.peek()?.valid) throw new Error("There is a message");
  };
  readonly read = (): void => this.#lock.readSync().release();
  readonly lockToWrite = (): void => this.#lock.writeSync().release();

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#domain.close();
    this.#lock.close();
  }
}

/** The time of each in one thread, which does not depend on the place of the processors. */
async function measureAlone(): Promise<Bar[]> {
  using c = inOneThread();
  if (c === undefined) return [];
  using alone = new Alone();
  const [floor, write] = await compareRuns("Slots, one thread", [
    c.contender,
    contender("write 64 B", alone.write),
    contender("claimSync and publish 64 B", alone.writeInPlace),
    contender("write 64 B and listener.look()", alone.writeAndLook),
    contender("latest() of 64 B", alone.copy),
    contender("view() and valid", alone.view),
    contender("RwLock, readSync and release", alone.read),
    contender("RwLock, writeSync and release", alone.lockToWrite),
  ], ROUND_TRIPS.rounds);
  return barsOf(`slot, write of 64 B / ${floor.name}`, 14, () => ratio(floor, write!));
}

function contender(name: string, ask: () => void): Contender {
  return { name, round: () => measure({ ask }, SMALL, ROUND_TRIPS.plan) };
}

if (import.meta.main) {
  const ways = wayHandlers(WAYS);
  using images = imageHandlers();
  await takePart({ ...socketHandlers(), ...images.handlers, ...ways });
  ways.close();
}
