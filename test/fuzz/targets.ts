/**
 * The definitions whose regions are mutated, and what is done to each.
 *
 * @module
 */

import {
  array,
  byteRing,
  calls,
  circular,
  domain,
  json,
  mpsc,
  rwLock,
  sharedMemory,
  spsc,
  struct,
  text,
  topic,
} from "../../mod.ts";

const POSE = struct("pose", { x: "f64", parts: array("f32", 3), label: text(8) });
const KEPT = { persist: true, directory: "/dev/shm" };

/** Something to open, and to do with a region. */
export interface Target {
  /** Makes the region, with something in it, and leaves it. */
  make(): void;
  /** Opens the region in every way, tries what never waits, and closes it. */
  open: readonly (() => void)[];
  unlink(): void;
}

const JOIN = { open: "join" } as const;
/** The name of all regions, which no other fuzzer uses. */
export const NAME = `fuzz-region-${Deno.pid}`;

const ring = spsc(NAME, { ...KEPT, type: POSE, capacity: 4096 });
const stream = byteRing(NAME, { ...KEPT, capacity: 4096 });
const lanes = mpsc(NAME, { ...KEPT, type: text(), capacity: 4096, producers: 2 });
const log = circular(NAME, { ...KEPT, type: json(), capacity: 4096 });
const scans = topic(NAME, { ...KEPT, type: POSE, depth: 3, history: 1, subscribers: 2 });
const many = topic(NAME, { ...KEPT, depth: 2, size: 64, publishers: "many" });
const robot = domain(NAME, { speed: { type: POSE, depth: 2 } }, KEPT);
const sums = calls(NAME, { ...KEPT, capacity: 4096, clients: 2, servers: 1, request: text() });
const memory = sharedMemory(NAME, { ...KEPT, size: 100 });
const table = rwLock(NAME, KEPT);

const VALUE = { x: 1.5, parts: [1, 2, 3], label: "left" };

/** All targets by the kind of their region. */
export const TARGETS: Readonly<Record<string, Target>> = {
  spsc: {
    make() {
      using producer = ring.producer();
      producer.trySend(VALUE);
      producer.trySend(VALUE);
    },
    open: [
      () => {
        using consumer = ring.consumer(JOIN);
        consumer.tryReceive();
        using one = consumer.tryTake();
        void one?.value;
      },
      () => {
        using producer = ring.producer(JOIN);
        producer.trySend(VALUE);
      },
    ],
    unlink: () => void ring.unlink(),
  },
  bytes: {
    make() {
      using producer = stream.producer();
      producer.tryWrite(new Uint8Array([1, 2, 3]));
    },
    open: [() => {
      using consumer = stream.consumer(JOIN);
      consumer.tryRead(new Uint8Array(10));
    }],
    unlink: () => void stream.unlink(),
  },
  mpsc: {
    make() {
      using producer = lanes.producer();
      producer.trySend("one");
    },
    open: [
      () => {
        using consumer = lanes.consumer(JOIN);
        consumer.tryReceive();
      },
      () => {
        using producer = lanes.producer(JOIN);
        producer.trySend("two");
      },
    ],
    unlink: () => void lanes.unlink(),
  },
  circular: {
    make() {
      using writer = log.writer();
      for (let i = 0; i < 3; i++) writer.trySend({ i });
    },
    open: [
      () => {
        using reader = log.reader({ ...JOIN, start: "oldest" });
        reader.tryReceive();
      },
      () => {
        using observer = log.observer({ start: "oldest" });
        observer.tryReceive();
      },
      () => {
        using writer = log.writer(JOIN);
        writer.trySend({ i: 4 });
      },
    ],
    unlink: () => void log.unlink(),
  },
  topic: {
    make() {
      using publisher = scans.publisher();
      publisher.trySend(VALUE);
      publisher.trySend(VALUE);
    },
    open: [
      () => {
        using subscriber = scans.subscriber(JOIN);
        subscriber.tryReceive();
      },
      () => {
        using observer = scans.observer();
        observer.tryReceive();
      },
      () => {
        using publisher = scans.publisher(JOIN);
        publisher.trySend(VALUE);
      },
      () => void scans.info(),
    ],
    unlink: () => void scans.unlink(),
  },
  sources: {
    make: () => many.subscriber().close(),
    open: [() => {
      using subscriber = many.subscriber(JOIN);
      subscriber.tryReceive();
    }],
    unlink: () => void many.unlink(),
  },
  slot: {
    make() {
      using body = robot.open();
      body.slots.speed.writeSync(VALUE);
    },
    open: [
      () => {
        using body = robot.open(JOIN);
        body.slots.speed.latest();
        body.slots.speed.tryWrite(VALUE);
      },
      () => {
        using body = robot.observer();
        body.slots.speed.latest();
        body.slots.speed.since(0);
      },
      () => void robot.info(),
    ],
    unlink: () => void robot.unlink(),
  },
  calls: {
    make: () => sums.server().close(),
    open: [
      () => {
        using server = sums.server(JOIN);
        void server.peers;
      },
      () => {
        using client = sums.client(JOIN);
        void client.peers;
      },
    ],
    unlink: () => void sums.unlink(),
  },
  shm: {
    make: () => memory.open().close(),
    open: [() => memory.open(JOIN).close(), () => memory.observer().close()],
    unlink: () => void memory.unlink(),
  },
  rwlock: {
    make() {
      using lock = table.open();
      using _permit = lock.tryWrite();
    },
    open: [() => {
      using lock = table.open(JOIN);
      using _permit = lock.tryRead();
    }],
    unlink: () => void table.unlink(),
  },
};
