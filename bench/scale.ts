/**
 * `deno task bench scale [NAME...]`: how the cost of one thing grows with the number or the size of
 * all of them. A flat curve has the slope 0: a thing costs the same however many there are.
 *
 * @module
 */

import {
  calls,
  domain,
  Listener,
  mpsc,
  spsc,
  topic,
  type Waitable,
  waitAny,
  waitAnySync,
} from "../mod.ts";
import { nextTurn, now } from "../src/os/clock.ts";
import { Peer } from "./harness/peer.ts";
import { printTable, time } from "./harness/report.ts";
import { median } from "./harness/rounds.ts";

/** The measurement at one size. */
interface Step {
  /** Does it once. */
  run(): unknown;
  /** How many things that was; 1 by default. */
  readonly things?: number;
}

/** The cost of one thing at growing sizes. */
interface Curve {
  /** The thing that is counted, and the size that grows. */
  readonly title: string;
  readonly sizes: readonly number[];
  /** Prepares everything of this size; the stack gives it back. */
  prepare(size: number, stack: AsyncDisposableStack): Step | Promise<Step>;
}

const POINT_MS = 150;
const CURVE_MS = 8000;

/** A slope above this is worth an explanation. */
const FLAT = 0.15;

const MESSAGE = new Uint8Array(64);
const nothing = () => {};
const NAME = `scale-${Deno.pid}`;

const powers = (base: number, first: number, last: number): number[] =>
  first > last ? [] : [first, ...powers(base, first * base, last)];

/** A topic for the largest number of subscribers. */
const SMALL = { depth: 64, size: 64, subscribers: 64 };

const PUBLISHED = 256;
const SLOTS = [1, 10, 100, 1000, 10_000];
const RINGS = [1, 10, 100, 1000, 9000]; // each takes two descriptors, of 20,000 or so

let names = 0;
const nextName = () => `${NAME}-${names++}`;

/** Rings with a consumer, of which the last has a producer. */
function ringsOf(size: number, stack: AsyncDisposableStack) {
  const all = Array.from({ length: size }, () => spsc(nextName(), { capacity: 4096 }));
  const consumers = all.map((ring) => stack.use(ring.consumer()));
  return { consumers, producer: stack.use(all.at(-1)!.producer()) };
}

/** Slots, of which the last is written to. */
function slotsOf(size: number, stack: AsyncDisposableStack) {
  const robot = stack.use(domain(nextName()).open());
  const slots = Array.from({ length: size }, (_, i) => robot.slot(`slot-${i}`, { size: 64 }));
  const listener = new Listener();
  for (const slot of slots) listener.add(slot);
  stack.defer(() => listener.close());
  return { listener, last: slots.at(-1)! };
}

const CURVES: Record<string, Curve> = {
  subscribers: {
    title: "a sample at a subscriber, of so many in one process",
    sizes: powers(2, 1, 64),
    prepare(size, stack) {
      const shape = topic(nextName(), SMALL);
      const publisher = stack.use(shape.publisher());
      const all = Array.from({ length: size }, () => stack.use(shape.subscriber()));
      const run = () => {
        for (let i = 0; i < 32; i++) publisher.trySend(MESSAGE);
        for (const subscriber of all) subscriber.poll(nothing);
      };
      return { run, things: 32 * size };
    },
  },
  subscriber_processes: {
    title: "a sample at a subscriber, of so many processes",
    sizes: powers(2, 1, 64),
    async prepare(size, stack) {
      const audience = nextName();
      const publisher = stack.use(topic(audience, SMALL).publisher());
      const module = new URL("vdds.ts", import.meta.url);
      const peers = Array.from({ length: size }, () => stack.use(new Peer(module, "peer")));
      for (const peer of peers) {
        await peer.begin("attend", { audience, count: 1, shape: SMALL });
        await peer.end();
      }
      let number = 0;
      const run = async () => {
        for (const peer of peers) await peer.begin("hear", [audience, PUBLISHED]);
        const before = now();
        for (let i = 0; i < PUBLISHED; i++) {
          MESSAGE[0] = ++number;
          publisher.sendSync(MESSAGE, { timeout: 20e3 });
        }
        const ns = now() - before;
        for (const peer of peers) await peer.end();
        return ns;
      };
      return { run, things: PUBLISHED * size };
    },
  },
  topics: {
    title: "a sample through one topic, of so many",
    sizes: powers(8, 1, 4096),
    prepare(size, stack) {
      const ends = Array.from({ length: size }, () => {
        const shape = topic(nextName(), { depth: 4, size: 64 });
        return {
          publisher: stack.use(shape.publisher()),
          subscriber: stack.use(shape.subscriber()),
        };
      });
      let turn = 0;
      const run = () => {
        for (let i = 0; i < 1000; i++) {
          const { publisher, subscriber } = ends[turn = (turn + 1) % size]!;
          publisher.trySend(MESSAGE);
          subscriber.poll(nothing);
        }
      };
      return { run, things: 1000 };
    },
  },
  open: {
    title: "to open and close a topic beside so many",
    sizes: powers(8, 1, 4096),
    prepare(size, stack) {
      for (let i = 0; i < size; i++) {
        stack.use(topic(nextName(), { depth: 4, size: 64 }).publisher());
      }
      return { run: () => topic(nextName(), { depth: 4, size: 64 }).publisher().close() };
    },
  },
  payload: {
    title: "a byte sent through a ring and copied out, in messages of so many",
    sizes: powers(16, 16, 2 ** 26).concat(2 ** 26),
    prepare(size, stack) {
      const ring = spsc(nextName(), { capacity: Math.max(4096, 4 * size) });
      const producer = stack.use(ring.producer());
      const consumer = stack.use(ring.consumer());
      const [message, target] = [new Uint8Array(size), new Uint8Array(size)];
      const run = () => {
        producer.trySend(message);
        if (consumer.tryReceiveInto(target) !== size) throw new Error("The message is missing");
      };
      return { run, things: size };
    },
  },
  hand_off: {
    title: "a loan published and taken, of so many bytes",
    sizes: powers(16, 16, 2 ** 26).concat(2 ** 26),
    prepare(size, stack) {
      const shape = topic(nextName(), { depth: 2, size });
      const publisher = stack.use(shape.publisher());
      const subscriber = stack.use(shape.subscriber());
      const run = () => {
        publisher.tryLoan()!.publish();
        subscriber.poll(nothing);
      };
      return { run };
    },
  },
  producers: {
    title: "a message from one of so many producers",
    sizes: powers(2, 1, 64),
    prepare(size, stack) {
      const ring = mpsc(nextName(), { producers: size, capacity: 4096 });
      const consumer = stack.use(ring.consumer({ open: "create" }));
      const producers = Array.from({ length: size }, () => stack.use(ring.producer()));
      const run = () => {
        for (let i = 0; i < 4; i++) for (const producer of producers) producer.trySend(MESSAGE);
        for (let left = 4 * size; left > 0;) left -= consumer.poll(nothing);
      };
      return { run, things: 4 * size };
    },
  },
  calls: {
    title: "a call answered with a promise, with so many in flight",
    sizes: powers(4, 1, 4096),
    prepare(size, stack) {
      const service = calls(nextName(), { capacity: 2 ** 20, clients: 1 });
      const server = stack.use(service.server());
      const client = stack.use(service.client());
      void server.serve((request) => request);
      const run = () => Promise.all(Array.from({ length: size }, () => client.call(MESSAGE)));
      return { run, things: size };
    },
  },
  wait_any: {
    title: "waitAnySync for so many rings, the last of which has a message",
    sizes: RINGS,
    prepare(size, stack) {
      const { consumers, producer } = ringsOf(size, stack);
      producer.trySend(MESSAGE);
      const waitables: Waitable[] = consumers;
      return { run: () => waitAnySync(waitables) };
    },
  },
  wait_any_frozen: {
    title: "to send to the last of so many rings in a frozen array, waitAnySync and poll",
    sizes: RINGS.slice(1),
    prepare(size, stack) {
      const { consumers, producer } = ringsOf(size, stack);
      const waitables: readonly Waitable[] = Object.freeze(consumers.slice());
      const last = consumers.at(-1)!;
      const run = () => {
        producer.trySend(MESSAGE);
        if (waitAnySync(waitables) !== last) throw new Error("The last ring has the message");
        last.poll(nothing);
      };
      return { run };
    },
  },
  wait_any_promise: {
    title: "waitAny for so many rings, asleep until the last gets a message",
    sizes: RINGS,
    prepare(size, stack) {
      const { consumers, producer } = ringsOf(size, stack);
      const run = async () => {
        const found = waitAny(consumers, { spin: 0 });
        void nextTurn().then(() => producer.trySend(MESSAGE));
        (await found).poll(nothing);
      };
      return { run };
    },
  },
  listener: {
    title: "a write to one of so many slots, and the look of a listener",
    sizes: SLOTS,
    prepare(size, stack) {
      const { listener, last } = slotsOf(size, stack);
      const run = () => {
        last.writeSync(MESSAGE);
        if (listener.look().length !== 1) throw new Error("One slot has news");
      };
      return { run };
    },
  },
  promises: {
    title: "a message to one of so many promises that wait in one process",
    sizes: RINGS,
    prepare(size, stack) {
      const { consumers, producer } = ringsOf(size, stack);
      for (const consumer of consumers.slice(0, -1)) void consumer.receive().catch(nothing);
      const last = consumers.at(-1)!;
      const run = async () => {
        const message = last.receive({ spin: 0 });
        void nextTurn().then(() => producer.trySend(MESSAGE));
        await message;
      };
      return { run };
    },
  },
};

/** A point of a curve. */
interface Point {
  readonly size: number;
  readonly ns: number;
  /** Descriptors and mappings of the process, at this size. */
  readonly descriptors: number;
  readonly mappings: number;
}

/** Measures one curve; ends it early when its time is up, or the system refuses. */
async function measure({ sizes, prepare }: Curve): Promise<{ points: Point[]; why?: string }> {
  const points: Point[] = [];
  const begin = performance.now();
  for (const size of [sizes[0]!, ...sizes]) { // twice, until the code is compiled
    if (performance.now() - begin > CURVE_MS) return { points, why: "its time is up" };
    await using stack = new AsyncDisposableStack();
    try {
      const { run, things = 1 } = await prepare(size, stack);
      const ns = await typical(run) / things;
      if (size === points[0]?.size) points.length = 0;
      points.push({ size, ns, descriptors: entries("fd"), mappings: entries("map_files") });
    } catch (error) {
      return { points, why: error instanceof Error ? error.message : String(error) };
    }
  }
  return { points };
}

/** The median time of a run, which may say itself how long it took. */
async function typical(run: () => unknown): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + POINT_MS;
  for (let warmUp = 3; warmUp > 0 || times.length < 5 || performance.now() < end; warmUp--) {
    const before = now();
    const result = run();
    const told = result instanceof Promise ? await result : result;
    const ns = typeof told === "number" ? told : now() - before;
    if (warmUp <= 0) times.push(ns);
  }
  return median(times);
}

function entries(folder: string): number {
  return [...Deno.readDirSync(`/proc/self/${folder}`)].length;
}

/** The slope of a curve in doublings of time per doubling of size, from one point to another. */
function slope(from: Point, to: Point): number {
  return Math.log(to.ns / from.ns) / Math.log(to.size / from.size);
}

const BAR_COLUMNS = 40;

/** Prints a curve: each point with its time, its slope since the point before, and a bar. */
function print(name: string, { title }: Curve, points: Point[], why?: string): void {
  console.log(`\n${name}: ${title}`);
  const most = Math.max(...points.map(({ ns }) => ns));
  const rows = points.map((point, i) => [
    String(point.size),
    timeOf(point.ns),
    i === 0 ? "" : slope(points[i - 1]!, point).toFixed(2),
    "#".repeat(Math.max(1, Math.round(BAR_COLUMNS * point.ns / most))),
  ]);
  printTable("rrrl", [["size", "time", "slope", ""], ...rows]);
  const [first, last] = [points[0], points.at(-1)];
  if (first !== undefined && last !== undefined && last !== first) {
    const whole = slope(first, last);
    const rises = points.slice(1).filter((point, i) => slope(points[i]!, point) > FLAT);
    const per = (last.size - first.size) || 1;
    const fds = ((last.descriptors - first.descriptors) / per).toFixed(2);
    const maps = ((last.mappings - first.mappings) / per).toFixed(2);
    console.log(
      `  slope ${whole.toFixed(2)} over all; ` +
        (rises.length === 0
          ? "it bends nowhere upwards"
          : `it rises to ${rises.map(({ size }) => size).join(", ")}`) +
        `; ${fds} descriptors and ${maps} mappings for each`,
    );
  }
  if (why !== undefined) console.log(`  it ends here: ${why}`);
}

/** Nanoseconds, of which a byte takes a part. */
function timeOf(ns: number): string {
  return ns < 10 ? `${ns.toFixed(3)} ns` : time(ns);
}

/** Measures the curves of these names, or all. */
export async function measureScale(names: string[]): Promise<void> {
  const unknown = names.find((name) => !Object.hasOwn(CURVES, name));
  if (unknown !== undefined) {
    const known = Object.keys(CURVES).join(", ");
    throw new RangeError(`Cannot measure curve "${unknown}": the names are ${known}`);
  }
  for (const name of names.length > 0 ? names : Object.keys(CURVES)) {
    const curve = CURVES[name]!;
    const { points, why } = await measure(curve);
    print(name, curve, points, why);
  }
}
