/**
 * Topics: samples handed over and back, with one byte written and read, so that their size must not
 * matter; samples one way, copied in and filled in place; one publisher and four subscribers; and
 * whole frames, filled and read. They run next to C and to Deno's own means.
 *
 * @module
 */

import { now } from "../src/os/clock.ts";
import { waitAnySync } from "../src/wait/any.ts";
import { topic } from "../src/vdds/definition.ts";
import type { Publisher } from "../src/vdds/publisher.ts";
import type { PolledSample } from "../src/vdds/sample.ts";
import type { Subscriber } from "../src/vdds/subscriber.ts";
import { ROUND_TRIPS } from "./harness/comparison.ts";
import { allowedCpus, CProgram } from "./harness/machine.ts";
import { type Peer, takePart } from "./harness/peer.ts";
import { type Bar, barsOf, printRates } from "./harness/report.ts";
import { settings } from "./harness/settings.ts";
import { type Contender, ratio, type Run } from "./harness/rounds.ts";
import { Fixture } from "./harness/fixture.ts";
import {
  type Answering,
  type Asking,
  Numbered,
  type Order,
  type Traffic,
  type Way,
  wayHandlers,
  type Ways,
} from "./harness/traffic.ts";
import { onSocket, socketHandlers } from "./harness/unix_socket.ts";
import {
  FRAME_BYTES,
  frameHandlers,
  Frames,
  onFilledPostMessage,
  onFilledSocket,
} from "./vdds_frames.ts";

/** Nobody goes to sleep within a round, and nobody waits for ever for a process that is gone. */
const SPINNING = { spin: 5e6, timeout: 20e3 };

/** Everybody spins for a moment and then goes to sleep. */
const USUAL = { timeout: 20e3 };

const DEPTH = 64;
const FRAMES = 2;
const READERS = 4;

/** The traffic through a topic. */
interface Shape {
  readonly depth: number;
  readonly bytes: number;
}

/** One process's ends of two topics, one there and one back. */
class Ends implements Disposable {
  readonly answerEvery: number;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly message: Numbered;
  sent = 0;
  received = 0;

  constructor({ name, answerEvery }: Order, { depth, bytes }: Shape, to: string, from: string) {
    const options = { depth, size: bytes };
    this.answerEvery = answerEvery;
    this.publisher = topic(`${name}/${to}`, options).publisher();
    this.subscriber = topic(`${name}/${from}`, options).subscriber();
    this.message = new Numbered(bytes);
  }

  send(): void {
    this.message.number = ++this.sent;
    this.publisher.sendSync(this.message.bytes, SPINNING);
  }

  handOver(): void {
    const loan = this.publisher.loanSync(SPINNING);
    loan.bytes[0] = ++this.sent;
    loan.publish();
  }

  take(): void {
    const sample = this.subscriber.takeSync(SPINNING)!;
    this.look(sample);
    sample[Symbol.dispose](); // `using` does the same, and takes 130 ns
  }

  takeAll(samples: number): void {
    for (let left = samples; left > 0;) {
      left -= this.subscriber.poll(this.look, left);
      if (left === 0) return;
      this.take();
      left--;
    }
  }

  readonly look = ({ bytes }: PolledSample): void => {
    if (bytes[0] !== (++this.received & 0xff)) throw new Error("That is another sample");
  };

  [Symbol.dispose](): void {
    this.publisher.close();
    this.subscriber.close();
  }
}

/** Samples there, and one back. */
class Exchange implements Asking, Answering, Disposable {
  readonly #ends: Ends;
  readonly #send: () => void;

  constructor(ends: Ends, inPlace: boolean) {
    this.#ends = ends;
    this.#send = inPlace ? () => ends.handOver() : () => ends.send();
  }

  static way(shape: Shape, { inPlace }: { inPlace: boolean }): Way {
    const side = (to: string, from: string) => (order: Order) =>
      new Exchange(new Ends(order, shape, to, from), inPlace);
    return { asking: side("there", "back"), answering: side("back", "there") };
  }

  ask(): void {
    for (let i = this.#ends.answerEvery; i > 0; i--) this.#send();
    this.#ends.take();
  }

  answer(times: number): void {
    for (; times > 0; times--) {
      this.#ends.takeAll(this.#ends.answerEvery);
      this.#send();
    }
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

/** The subscribers of a topic in one process. */
class Audience implements Disposable {
  readonly #subscribers: Subscriber[];
  readonly #received: number[];

  constructor(name: string, count: number, shape = TINY) {
    const tiny = topic(name, shape);
    this.#subscribers = Array.from({ length: count }, () => tiny.subscriber());
    this.#received = this.#subscribers.map(() => 0);
  }

  /** Receives so many samples at each subscriber. */
  hear(samples: number): void {
    const left = this.#subscribers.map(() => samples);
    while (left.some((count) => count > 0)) {
      let heard = 0;
      for (const [i, subscriber] of this.#subscribers.entries()) {
        const look = ({ bytes }: PolledSample) => {
          if (bytes[0] !== (++this.#received[i]! & 0xff)) throw new Error("Another sample");
        };
        const count = subscriber.poll(look, left[i]);
        left[i]! -= count;
        heard += count;
      }
      if (heard === 0) waitAnySync(this.#subscribers, USUAL);
    }
  }

  [Symbol.dispose](): void {
    for (const subscriber of this.#subscribers) subscriber.close();
  }
}

const TINY: { depth: number; size: number; subscribers?: number } = { depth: DEPTH, size: 64 };
const HAND_OFF = "VDDS, hand-off of 64 B";
const FRAME_HAND_OFF = "VDDS, hand-off of 6,220,800 B";
const COPIED = "VDDS, 64 B copied in";
const FILLED = "VDDS, filled and read in place";

const WAYS: Ways = {
  [HAND_OFF]: Exchange.way({ depth: DEPTH, bytes: 64 }, { inPlace: true }),
  [FRAME_HAND_OFF]: Exchange.way({ depth: FRAMES, bytes: FRAME_BYTES }, { inPlace: true }),
  [COPIED]: Exchange.way({ depth: DEPTH, bytes: 64 }, { inPlace: false }),
  [FILLED]: Frames.way(FRAMES),
};

const SMALL_TRIPS: Traffic = { bytes: 64, capacity: 0, answerEvery: 1, answerBytes: 64 };
const SMALL_STREAM: Traffic = { bytes: 64, capacity: 0, answerEvery: 640, answerBytes: 64 };
const FRAME_STREAM: Traffic = {
  ...SMALL_TRIPS,
  bytes: FRAME_BYTES,
  answerEvery: 4,
  answerBytes: 8,
};

/** Short blocks, because a topic of 64 samples stops while either process is off its processor. */
const SMALL_STREAM_PLAN = { trips: 0, blocks: 40, blockTrips: 640 };
const FRAME_PLAN = { trips: 0, blocks: 5, blockTrips: 4 };

/** Two processes. */
function makeFixture(): Fixture {
  return new Fixture({ title: "Topics, between processes", module: import.meta.url, ways: WAYS });
}

const TRIP_ROUNDS = ROUND_TRIPS.rounds;
const SLOW_TRIPS = ROUND_TRIPS.slowAnswers;
const FEW_ROUNDS = { rounds: 15, warmUp: 2 };

/** Measures, prints the times and returns the bars. */
export async function measureVdds(): Promise<Bar[]> {
  if (allowedCpus().length < 2) {
    console.log("\nTopics between processes: there is one processor, so nothing is measured");
    return [];
  }
  using words = CProgram.compile(`${import.meta.dirname}/c/ping_pong.c`);
  const frames = settings.quick ? [] : [...await filledFrames(), ...await frameHandOffs()];
  const bars = [...await sizes(), ...frames];
  if (words === undefined) {
    console.log("\nTopics of small samples: there is no C compiler, so nothing is measured");
    return bars;
  }
  return [await roundTrips(words), await oneWay(words), await audiences(words), ...bars].flat();
}

async function roundTrips(words: CProgram): Promise<Bar[]> {
  await using fixture = makeFixture();
  const { plan } = ROUND_TRIPS;
  const slow = { ...SMALL_TRIPS, answers: SLOW_TRIPS };
  const runs = await fixture.compare("round trip of 64 B", [
    fixture.words(words),
    await fixture.way(HAND_OFF, SMALL_TRIPS, plan),
    await fixture.way(COPIED, SMALL_TRIPS, plan),
    ...fixture.peers(SMALL_TRIPS, plan),
    ...settings.quick ? [] : [await onSocket(slow, fixture.peer), await fixture.postMessage(slow)],
  ], TRIP_ROUNDS);
  const what = `${HAND_OFF} / C, words, round trip`;
  return barsOf(what, { near: 20, far: 6 }, (at) => ratio(runs[0]!, runs[1]!, runs[0], at));
}

async function sizes(): Promise<Bar[]> {
  await using fixture = makeFixture();
  const { plan } = ROUND_TRIPS;
  const [small, frame] = await fixture.compare("the size of what is handed over", [
    await fixture.way(HAND_OFF, SMALL_TRIPS, plan),
    await fixture.way(FRAME_HAND_OFF, SMALL_TRIPS, plan),
  ], TRIP_ROUNDS) as [Run, Run];
  const what = "VDDS, hand-off of 6,220,800 B / 64 B";
  return barsOf(what, 1.5, () => ratio(small, frame));
}

async function oneWay(words: CProgram): Promise<Bar[]> {
  await using fixture = makeFixture();
  const runs = await fixture.compare(`64 B one way, depth ${DEPTH}`, [
    fixture.words(words),
    await fixture.way(COPIED, SMALL_STREAM, SMALL_STREAM_PLAN),
    await fixture.way(HAND_OFF, SMALL_STREAM, SMALL_STREAM_PLAN),
    ...settings.quick ? [] : [await onSocket({ ...SMALL_STREAM, answers: 4 }, fixture.peer)],
  ], TRIP_ROUNDS);
  printRates(SMALL_STREAM.bytes, runs.slice(1));
  const what = "VDDS / C, words there and back, 64 B one way";
  return barsOf(what, { near: 5, far: 1.5 }, (at) => ratio(runs[0]!, runs[1]!, runs[0], at));
}

/** One publisher, and subscribers in one process or in as many; no bar was set. */
async function audiences(words: CProgram): Promise<Bar[]> {
  await using fixture = makeFixture();
  await using stack = new AsyncDisposableStack();
  const { peer } = fixture;
  const others = Array.from({ length: READERS }, () => fixture.another());
  const runs = await fixture.compare(`64 B to each of several subscribers, depth ${DEPTH}`, [
    fixture.words(words),
    await toAudience("1 subscriber", [peer], 1, stack),
    await toAudience(`${READERS} subscribers, one process`, [peer], READERS, stack),
    await toAudience(`${READERS} subscribers, as many processes`, others, 1, stack),
  ], { ...FEW_ROUNDS, peers: [peer, ...others] });
  printRates(64, runs.slice(1));
  return [];
}

const HEARD = 6400;
let audienceNumber = 0;

/** A contender: the time of a sample that all of these receive. */
async function toAudience(
  name: string,
  peers: Peer[],
  count: number,
  stack: AsyncDisposableStack,
): Promise<Contender> {
  const audience = `bench-audience-${Deno.pid}-${audienceNumber++}`;
  const publisher = stack.use(topic(audience, TINY).publisher());
  for (const peer of peers) {
    await peer.begin("attend", { audience, count });
    await peer.end();
  }
  const message = new Numbered(64);
  const round = async () => {
    for (const peer of peers) await peer.begin("hear", [audience, HEARD]);
    const before = now();
    for (let i = 0; i < HEARD; i++) {
      message.number++;
      publisher.sendSync(message.bytes, USUAL);
    }
    const typical = (now() - before) / HEARD; // all but the last 64 have been received by then
    for (const peer of peers) await peer.end();
    return { typical };
  };
  return { name, round };
}

async function filledFrames(): Promise<Bar[]> {
  await using fixture = makeFixture();
  const slow = { ...FRAME_STREAM, answers: 2 };
  const [socket, ours, post] = await fixture.compare("6,220,800 B, filled and read", [
    await onFilledSocket(slow, fixture.peer),
    await fixture.way(FILLED, FRAME_STREAM, FRAME_PLAN),
    await fixture.postMessage(slow, onFilledPostMessage),
  ], TRIP_ROUNDS) as [Run, Run, Run];
  printRates(FRAME_BYTES, [socket, ours, post]);
  const what = "VDDS / Unix socket, frames filled and read";
  return barsOf(what, 1 / 5, () => ratio(socket, ours));
}

async function frameHandOffs(): Promise<Bar[]> {
  await using fixture = makeFixture();
  const { round } = await fixture.way(FRAME_HAND_OFF, SMALL_STREAM, SMALL_STREAM_PLAN);
  const thousand = async () => ({ typical: 1000 * (await round()).typical });
  const slow = { ...FRAME_STREAM, answers: 2 };
  const [socket, ours] = await fixture.compare("6,220,800 B one way, untouched", [
    await onSocket(slow, fixture.peer),
    { name: "VDDS, 1000 hand-offs", round: thousand },
    await fixture.postMessage(slow),
  ], TRIP_ROUNDS) as [Run, Run, Run];
  const what = "VDDS, 1000 hand-offs of 6,220,800 B / 1 by Unix socket";
  return barsOf(what, 1, () => ratio(socket, ours));
}

/** The other process, or one of them. */
async function takePartAsPeer(): Promise<void> {
  using stack = new DisposableStack();
  const audiences = new Map<string, Audience>();
  const ways = wayHandlers(WAYS);
  stack.defer(() => ways.close());
  await takePart({
    ...socketHandlers(),
    ...frameHandlers(),
    ...ways,
    attend(order: { audience: string; count: number; shape?: typeof TINY }): void {
      const { audience, count, shape } = order;
      audiences.set(audience, stack.use(new Audience(audience, count, shape)));
    },
    hear: ([audience, samples]: [string, number]) => audiences.get(audience)!.hear(samples),
  });
}

if (import.meta.main) {
  await takePartAsPeer();
}
