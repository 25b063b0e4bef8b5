/**
 * The objects of the public face, each with its peers: one scene for every product.
 *
 * @module
 */

import {
  byteRing,
  bytes,
  calls,
  circular,
  domain,
  json,
  LeapfrogRing,
  Listener,
  lock,
  MirrorRing,
  mpsc,
  observe,
  rwLock,
  sharedMemory,
  spsc,
  struct,
  text,
  topic,
} from "../../mod.ts";

/** The objects of a scene, which its stack disposes. */
export type Scene = (stack: DisposableStack) => object[];

const POSE = struct("pose", { x: "f64", y: "f64" });
const SMALL = { capacity: 4096 };

/** All scenes, by name. */
export const SCENES: Readonly<Record<string, Scene>> = {
  spsc(stack) {
    const ring = spsc("ring", { ...SMALL, type: text() });
    const ends = [stack.use(ring.producer()), stack.use(ring.consumer())] as const;
    ends[0].trySend("one");
    return [ring, ...ends];
  },
  spscOfStructs(stack) {
    const ring = spsc("structs", { ...SMALL, type: POSE });
    const ends = [stack.use(ring.producer()), stack.use(ring.consumer())] as const;
    ends[0].trySend({ x: 1, y: 2 });
    return [ring, ...ends];
  },
  mpsc(stack) {
    const ring = mpsc("many", { ...SMALL, producers: 2 });
    const ends = [stack.use(ring.producer()), stack.use(ring.consumer())] as const;
    ends[0].trySend(new Uint8Array([1, 2, 3]));
    return [ring, ...ends];
  },
  bytes(stack) {
    const ring = byteRing("bytes", SMALL);
    const ends = [stack.use(ring.producer()), stack.use(ring.consumer())] as const;
    ends[0].tryWrite(new Uint8Array([1, 2, 3]));
    return [ring, ...ends];
  },
  circular(stack) {
    const buffer = circular("log", { ...SMALL, type: json<unknown>() });
    const writer = stack.use(buffer.writer());
    const readers = [stack.use(buffer.reader({ start: "oldest" })), stack.use(buffer.observer())];
    writer.trySend({ x: 1 });
    return [buffer, writer, ...readers];
  },
  topic(stack) {
    const scans = topic("scans", { type: bytes(), size: 64, depth: 4, history: 1, subscribers: 2 });
    const publisher = stack.use(scans.publisher());
    const readers = [stack.use(scans.subscriber()), stack.use(scans.observer())];
    publisher.trySend(new Uint8Array([1, 2, 3]));
    return [scans, publisher, ...readers];
  },
  merged(stack) {
    const scans = topic("merged", { type: POSE, depth: 2, subscribers: 2, publishers: "many" });
    const publisher = stack.use(scans.publisher({ source: "left" }));
    const readers = [stack.use(scans.subscriber()), stack.use(scans.observer())];
    publisher.trySend({ x: 1, y: 2 });
    return [scans, publisher, ...readers];
  },
  slots(stack) {
    const robot = domain("robot", {
      speed: { type: "f64", depth: 2 },
      raw: { size: 64, depth: 1 },
    });
    const own = stack.use(robot.open());
    const seen = stack.use(robot.observer());
    const { speed, raw } = own.slots;
    const listener = stack.use(new Listener().add(speed));
    speed.writeSync(1.5);
    return [robot, own, speed, raw, seen, seen.slots.speed, listener];
  },
  calls(stack) {
    const sums = calls("sums", { request: text(), response: "f64", clients: 2, ...SMALL });
    const server = stack.use(sums.server());
    const client = stack.use(sums.client());
    return [sums, server, client];
  },
  memory(stack) {
    const memory = sharedMemory("memory", { size: 64 });
    const own = stack.use(memory.open());
    return [memory, own, stack.use(observe("shm", "memory"))];
  },
  locks(stack) {
    const [one, many] = [lock("door"), rwLock("table")];
    return [one, many, stack.use(one.open()), stack.use(many.open())];
  },
  mirror: (stack) => [stack.use(new MirrorRing(4096)), stack.use(new LeapfrogRing(4096))],
};
