/**
 * The operations whose cost is counted. Both ends are handles of one process, so that nothing
 * depends on time: whatever an operation waits for is there already.
 *
 * @module
 */

import {
  byteRing,
  calls,
  circular,
  domain,
  Listener,
  lock,
  mpsc,
  rwLock,
  sharedMemory,
  spsc,
  struct,
  topic,
  waitAnySync,
} from "../../mod.ts";

/** An operation, and the other half of the traffic, which is not counted. */
export interface Operation {
  readonly name: string;
  /** What happens before, as often as `act`. */
  readonly prepare?: () => unknown;
  /** The operation. */
  readonly act: () => unknown;
  /** What happens after, as often as `act`. */
  readonly finish?: () => unknown;
  /** How often in a row; 64 times by default. */
  readonly times?: number;
  /** Whether the engine's memory is not measured, because it depends on more than the operation. */
  readonly anyBytes?: true;
}

/** A name that no other process uses. */
const NAME = `cost-${Deno.pid}`;

const MESSAGE = new Uint8Array(64);
const TARGET = new Uint8Array(64);
const BLOCK = new Uint8Array(4096);
const PLACES = new Uint32Array(2 * 16);
const KILOBYTE = new Uint8Array(1024);
const Pose = struct("pose", { x: "f64", y: "f64", z: "f64", seen: "u32" });
const POSE = { x: 1, y: 2, z: 3, seen: 4 };

const BATCH = 16;
const MESSAGES = Array.from({ length: BATCH }, () => MESSAGE);

const nothing = () => {};

/** Returns the value of a call that must find something. */
function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("Nothing is there to receive");
  return value;
}

function ringOperations(stack: DisposableStack): Operation[] {
  const ring = spsc(`${NAME}-ring`, { capacity: 2 ** 18 });
  const producer = stack.use(ring.producer());
  const consumer = stack.use(ring.consumer());
  const poses = spsc(`${NAME}-poses`, { type: Pose, capacity: 2 ** 16 });
  const poser = stack.use(poses.producer());
  const viewer = stack.use(poses.consumer());
  const prepare = () => producer.trySend(MESSAGE);
  const drop = () => consumer.poll(nothing, 1);
  const open = { anyBytes: true, times: 4 } as const;
  let asleep: Promise<boolean>;
  return [
    { name: "spsc: trySend 64 B", act: prepare, finish: drop },
    { name: "spsc: trySend 1 KB", act: () => producer.trySend(KILOBYTE), finish: drop },
    { name: "spsc: sendSync 64 B", act: () => producer.sendSync(MESSAGE), finish: drop },
    { name: "spsc: await send 64 B", act: () => producer.send(MESSAGE), finish: drop },
    {
      name: `spsc: trySendBatch, ${BATCH} of 64 B`,
      act: () => producer.trySendBatch(MESSAGES),
      finish: () => consumer.poll(nothing),
    },
    {
      name: "spsc: tryClaim, publish 64 B",
      act: () => found(producer.tryClaim(64)).publish(),
      finish: drop,
    },
    { name: "spsc: tryFill 64 B", act: () => producer.tryFill(nothing, 64), finish: drop },
    {
      name: "spsc: trySend to a sleeper",
      times: 1,
      prepare: () => void (asleep = consumer.wait({ spin: 0 })),
      act: prepare,
      finish: () => asleep.then(drop),
    },
    {
      name: "spsc: tryReceiveInto 64 B",
      prepare,
      act: () => consumer.tryReceiveInto(TARGET),
    },
    { name: "spsc: tryReceiveInto, empty", act: () => consumer.tryReceiveInto(TARGET) },
    {
      name: `spsc: tryReceiveBatchInto, ${BATCH} of 64 B`,
      prepare: () => producer.trySendBatch(MESSAGES),
      act: () => consumer.tryReceiveBatchInto(BLOCK, PLACES),
    },
    { name: "spsc: tryReceive 64 B", prepare, act: () => found(consumer.tryReceive()).value },
    { name: "spsc: await receive 64 B", prepare, act: () => consumer.receive() },
    {
      name: "spsc: tryTake, ack 64 B",
      prepare,
      act: () => found(consumer.tryTake()).ack(),
    },
    { name: "spsc: poll, 1 of 64 B", prepare, act: drop },
    {
      name: `spsc: poll, ${BATCH} of 64 B`,
      prepare: () => producer.trySendBatch(MESSAGES),
      act: () => consumer.poll(nothing, BATCH),
    },
    {
      name: "spsc: trySend a struct",
      act: () => poser.trySend(POSE),
      finish: () => viewer.poll(nothing, 1),
    },
    {
      name: "spsc: tryReceive a struct",
      prepare: () => poser.trySend(POSE),
      act: () => found(viewer.tryReceive()).value,
    },
    {
      name: "spsc: open and close a ring",
      ...open,
      act: () => spsc(`${NAME}-new`).producer().close(),
    },
  ];
}

function byteOperations(stack: DisposableStack): Operation[] {
  const ring = byteRing(`${NAME}-bytes`, { capacity: 2 ** 18 });
  const producer = stack.use(ring.producer());
  const consumer = stack.use(ring.consumer());
  const write = () => producer.tryWrite(MESSAGE);
  const read = () => consumer.tryRead(TARGET);
  return [
    { name: "byteRing: tryWrite 64 B", act: write, finish: read },
    { name: "byteRing: tryRead 64 B", prepare: write, act: read },
    {
      name: "byteRing: tryClaim, publish 64 B",
      act: () => found(producer.tryClaim(64)).publish(),
      finish: read,
    },
    {
      name: "byteRing: peek, release 64 B",
      prepare: write,
      act: () => consumer.release(consumer.peek().length && 64),
    },
  ];
}

function manyOperations(stack: DisposableStack): Operation[] {
  return [1, 16].flatMap((producers) => {
    const ring = mpsc(`${NAME}-many-${producers}`, { producers, capacity: 2 ** 16 });
    const consumer = stack.use(ring.consumer({ open: "create" }));
    const all = Array.from({ length: producers }, () => stack.use(ring.producer()));
    const producer = all.at(-1)!;
    const prepare = () => producer.trySend(MESSAGE);
    const drop = () => consumer.poll(nothing, 1);
    return [
      { name: `mpsc of ${producers}: trySend 64 B`, act: prepare, finish: drop },
      {
        name: `mpsc of ${producers}: tryReceiveInto 64 B`,
        prepare,
        act: () => consumer.tryReceiveInto(TARGET),
      },
      { name: `mpsc of ${producers}: poll, 1 of 64 B`, prepare, act: drop },
      {
        name: `mpsc of ${producers}: tryReceiveInto, empty`,
        act: () => consumer.tryReceiveInto(TARGET),
      },
    ];
  });
}

function callOperations(stack: DisposableStack): Operation[] {
  const service = calls(`${NAME}-calls`, { capacity: 2 ** 16 });
  const server = stack.use(service.server());
  const client = stack.use(service.client());
  let unanswered = 0;
  const echo = (request: Uint8Array) => {
    unanswered--;
    return request;
  };
  const handle = () => server.tryHandle(echo, { limit: 1 });
  const underWay: Promise<unknown>[] = [];
  const call = () => {
    unanswered++;
    underWay.push(client.call(MESSAGE));
  };
  /** Every thousandth call begins after a turn of the event loop. */
  const finish = async () => {
    while (unanswered > 0) if (handle() === 0) await new Promise((turn) => setTimeout(turn, 0));
    await underWay.shift();
  };
  return [
    { name: "calls: call 64 B", act: call, finish },
    { name: "calls: tryHandle 64 B", times: 1, prepare: call, act: handle, finish },
    { name: "calls: tryHandle, nothing", act: handle },
  ];
}

function circularOperations(stack: DisposableStack): Operation[] {
  const buffer = circular(`${NAME}-circular`, { capacity: 2 ** 18 });
  const writer = stack.use(buffer.writer());
  const reader = stack.use(buffer.reader());
  const prepare = () => writer.trySend(MESSAGE);
  const drop = () => reader.poll(nothing, 1);
  return [
    { name: "circular: trySend 64 B", act: prepare, finish: drop },
    { name: "circular: tryClaim, publish 64 B", act: () => writer.tryClaim(64).publish() },
    { name: "circular: tryReceiveInto 64 B", prepare, act: () => reader.tryReceiveInto(TARGET) },
    { name: "circular: tryReceive 64 B", prepare, act: () => found(reader.tryReceive()).value },
    { name: "circular: poll, 1 of 64 B", prepare, act: drop },
  ].map((operation) => ({ finish: () => reader.poll(nothing), ...operation }));
}

function topicOperations(stack: DisposableStack): Operation[] {
  return [1, 8].flatMap((readers) => {
    const shape = topic(`${NAME}/topic-${readers}`, { size: 64, depth: 256 });
    const publisher = stack.use(shape.publisher());
    const all = Array.from({ length: readers }, () => stack.use(shape.subscriber()));
    const subscriber = all[0]!;
    const prepare = () => publisher.trySend(MESSAGE);
    const finish = () => {
      for (const each of all) each.poll(nothing);
    };
    const name = `topic to ${readers}`;
    const sending = [
      { name: `${name}: trySend 64 B`, act: prepare, finish },
      {
        name: `${name}: tryLoan, publish`,
        act: () => found(publisher.tryLoan()).publish(),
        finish,
      },
      { name: `${name}: tryFill`, act: () => publisher.tryFill(nothing), finish },
    ];
    if (readers > 1) return sending;
    return [
      ...sending,
      { name: `${name}: poll, 1 sample`, prepare, act: () => subscriber.poll(nothing, 1) },
      {
        name: `${name}: tryTake, dispose`,
        prepare,
        act: () => found(subscriber.tryTake())[Symbol.dispose](),
      },
      {
        name: `${name}: tryReceiveInto 64 B`,
        prepare,
        act: () => subscriber.tryReceiveInto(TARGET),
      },
      {
        name: `${name}: tryReceive 64 B`,
        prepare,
        act: () => found(subscriber.tryReceive()).value,
      },
      {
        name: `${name}: await take, dispose`,
        prepare,
        act: () => subscriber.take().then((sample) => found(sample)[Symbol.dispose]()),
      },
      { name: `${name}: tryReceiveInto, empty`, act: () => subscriber.tryReceiveInto(TARGET) },
      {
        name: `${name}: open and close a topic`,
        times: 4,
        anyBytes: true,
        act: () => topic(`${NAME}/new`).publisher().close(),
      },
    ];
  });
}

function slotOperations(stack: DisposableStack): Operation[] {
  const robot = domain(`${NAME}-robot`, { speed: { size: 64 } });
  const { speed } = stack.use(robot.open()).slots;
  const listener = new Listener().add(speed);
  stack.defer(() => listener.close());
  const write = () => speed.writeSync(MESSAGE);
  return [
    { name: "slot: writeSync 64 B", act: write },
    { name: "slot: claimSync, publish 64 B", act: () => speed.claimSync().publish() },
    { name: "slot: latest 64 B", act: () => found(speed.latest()).value },
    { name: "slot: readInto 64 B", act: () => speed.readInto(TARGET) },
    { name: "slot: peek, valid", act: () => found(speed.peek()).valid },
    {
      name: "slot: listener.look, news of 1 slot",
      prepare: write,
      times: 1,
      act: () => listener.look(),
    },
    {
      name: "slot: await listener.wait, news of 1 slot",
      prepare: write,
      times: 1,
      act: () => listener.wait(),
    },
    { name: "slot: listener.look, nothing", act: () => listener.look() },
  ];
}

function lockOperations(stack: DisposableStack): Operation[] {
  const shared = stack.use(rwLock(`${NAME}-rw`).open());
  const door = lock(`${NAME}-lock`);
  stack.defer(() => void door.unlink());
  const single = stack.use(door.open());
  const memory = sharedMemory(`${NAME}-memory`, { size: Pose.size });
  const pose = stack.use(memory.open()).view(Pose);
  return [
    { name: "rwLock: readSync, release", act: () => shared.readSync().release() },
    { name: "rwLock: writeSync, release", act: () => shared.writeSync().release() },
    { name: "lock: lockSync, release", act: () => single.lockSync().release() },
    { name: "sharedMemory: a field of a view", act: () => pose.x += 1 },
    {
      name: "sharedMemory: open and close",
      times: 4,
      anyBytes: true,
      act: () => memory.open().close(),
    },
  ];
}

function waitOperations(stack: DisposableStack): Operation[] {
  return [10, 100].map((count) => {
    const all = Array.from({ length: count }, (_, i) => {
      const ring = spsc(`${NAME}-any-${count}-${i}`, { capacity: 4096 });
      return { producer: stack.use(ring.producer()), consumer: stack.use(ring.consumer()) };
    });
    const consumers = all.map(({ consumer }) => consumer);
    const last = all.at(-1)!;
    return {
      name: `waitAnySync: the last of ${count} is ready`,
      times: 1,
      anyBytes: true,
      prepare: () => last.producer.trySend(MESSAGE),
      act: () => waitAnySync(consumers),
      finish: () => last.consumer.poll(nothing),
    };
  });
}

function listenOperations(stack: DisposableStack): Operation[] {
  return [10, 100].map((count) => {
    const robot = stack.use(domain(`${NAME}-heard-${count}`).open());
    const slots = Array.from({ length: count }, (_, i) => robot.slot(`slot-${i}`, { size: 64 }));
    const listener = stack.use(new Listener());
    for (const slot of slots) listener.add(slot);
    return {
      name: `listener: look, the last of ${count} has news`,
      times: 1,
      anyBytes: true,
      prepare: () => slots.at(-1)!.writeSync(MESSAGE),
      act: () => listener.look(),
    };
  });
}

/** All operations, in the order of the table. */
export function allOperations(stack: DisposableStack): Operation[] {
  return [
    ringOperations,
    byteOperations,
    manyOperations,
    callOperations,
    circularOperations,
    topicOperations,
    slotOperations,
    lockOperations,
    waitOperations,
    listenOperations,
  ].flatMap((operations) => operations(stack));
}
