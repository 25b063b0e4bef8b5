/** Handles after a view of their memory was transferred away. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  byteRing,
  circular,
  ClosedError,
  domain,
  MirrorRing,
  mpsc,
  sharedMemory,
  spsc,
  topic,
} from "../../mod.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A handle, a view of its memory, and something that it can do while it is open. */
interface Shown {
  readonly handle: { close(): void };
  readonly view: Bytes;
  use(): unknown;
}

const RING = { capacity: 4096 };
const MESSAGE = Uint8Array.of(3, 1, 4, 1, 5);

/** Leaves what a handler is shown. */
function shownBy(poll: (handler: (bytes: Uint8Array) => void) => unknown): Bytes {
  let shown: Uint8Array | undefined;
  poll((bytes) => shown = bytes);
  return shown as Bytes;
}

/** Every way in which a handle shows its memory. */
const HANDLES: Record<string, (name: string, stack: DisposableStack) => Shown> = {
  "shared memory"(name) {
    const handle = sharedMemory(name, { size: 5000 }).open();
    return { handle, view: handle.as(Uint8Array) as Bytes, use: () => handle.as(Uint8Array) };
  },
  "a mirror ring"() {
    const handle = new MirrorRing(1);
    return { handle, view: handle.claim(10), use: () => handle.peek() };
  },
  "a circular buffer's writer"(name) {
    const handle = circular(name, { capacity: 4096 }).writer();
    return { handle, view: handle.tryClaim(100).bytes, use: () => handle.trySend(MESSAGE) };
  },
  "a circular buffer's reader"(name, stack) {
    const writer = stack.use(circular(name, { capacity: 4096 }).writer());
    const handle = circular(name, { capacity: 4096 }).reader();
    writer.trySend(MESSAGE);
    const view = shownBy((handler) => handle.poll(({ bytes }) => handler(bytes)));
    return { handle, view, use: () => handle.tryReceive() };
  },
  "a producer"(name) {
    const handle = spsc(name, RING).producer();
    return { handle, view: handle.tryClaim(100)!.bytes, use: () => handle.trySend(MESSAGE) };
  },
  "a consumer"(name, stack) {
    const producer = stack.use(spsc(name, RING).producer());
    const handle = spsc(name, RING).consumer();
    producer.trySend(MESSAGE);
    handle.tryTake()!.ack();
    producer.trySend(MESSAGE);
    const view = shownBy((handler) => handle.poll(({ bytes }) => handler(bytes)));
    return { handle, view, use: () => handle.tryReceive() };
  },
  "the consumer of a byte ring"(name, stack) {
    const producer = stack.use(byteRing(name, RING).producer());
    const handle = byteRing(name, RING).consumer();
    producer.writeSync(MESSAGE);
    return { handle, view: handle.peek(), use: () => handle.peek() };
  },
  "one of many producers"(name) {
    const handle = mpsc(name, RING).producer();
    return { handle, view: handle.tryClaim(100)!.bytes, use: () => handle.trySend(MESSAGE) };
  },
  "the consumer of many"(name, stack) {
    const producer = stack.use(mpsc(name, RING).producer());
    const handle = mpsc(name, RING).consumer();
    producer.trySend(MESSAGE);
    const view = shownBy((handler) => handle.poll(({ bytes }) => handler(bytes)));
    return { handle, view, use: () => handle.tryReceive() };
  },
  "a publisher"(name) {
    const handle = topic(name, { size: 4096 }).publisher();
    return { handle, view: handle.tryLoan()!.bytes, use: () => handle.trySend(MESSAGE) };
  },
  "a subscriber"(name, stack) {
    const samples = topic(name, { size: 4096 });
    const publisher = stack.use(samples.publisher());
    const handle = samples.subscriber();
    publisher.trySend(MESSAGE);
    const sample = stack.use(handle.tryTake()!); // given back last: there is nothing to do then
    return { handle, view: sample.bytes, use: () => handle.tryReceive() };
  },
  "a slot"(name) {
    const handle = domain(name, { one: {} }).open();
    const slot = handle.slots.one;
    return { handle, view: slot.tryClaim(100)!.bytes, use: () => slot.tryWrite(MESSAGE) };
  },
};

for (const [what, open] of Object.entries(HANDLES)) {
  Deno.test(`${what} gives everything back though its memory was transferred away`, () => {
    using name = new Name();
    const state = () => [countFiles("/dev/shm"), rangesOf("/dev/shm").length];
    const before = state();
    using peers = new DisposableStack();
    const { handle, view, use } = open(name.name, peers);
    const moved = structuredClone(view, { transfer: [view.buffer] });
    assertThrows(use, TypeError, "the buffer of a view of its memory was transferred away");
    const error = assertThrows(() => handle.close(), TypeError);
    assertMatch(
      error.message,
      /^Cannot close .*transferred away.* everything it held is given back/,
    );
    assertEquals(moved.length > 0 && moved.every((byte) => byte === 0), true);
    moved.fill(7); // reaches nobody
    handle.close();
    assertThrows(use, ClosedError);
    peers.dispose();
    assertEquals(state(), before);
    using others = new DisposableStack();
    open(name.name, others).handle.close(); // no role is taken
  });
}
