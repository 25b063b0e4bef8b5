/**
 * The end of a sender's data, flushing and streams, in every ring on lanes.
 *
 * @module
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, PeerLostError, VringError } from "../../src/errors.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import type { Source, Streamed, Target } from "./products/streams.ts";

const PART = 120;

/** Returns part `index` of an endless sequence of bytes. */
function part(index: number): Uint8Array<ArrayBuffer> {
  return bytesFrom(index * PART, PART).slice();
}

/** Registers the tests for a ring. */
export function testStreaming(ring: Streamed): void {
  const test = (name: string, fn: (ends: Ends) => void | Promise<void>) =>
    Deno.test(`${ring.name}: ${name}`, async () => {
      using place = new Name();
      using stack = new DisposableStack();
      const ends: Ends = {
        target: stack.use(ring.target(place.name)),
        source: stack.use(ring.source(place.name)),
        next: () => stack.use(ring.source(place.name)),
        nextTarget: (options) => stack.use(ring.target(place.name, options)),
      };
      await fn(ends);
    });
  testEnding(ring, test);
  testStreams(test);
}

interface Ends {
  readonly source: Source;
  readonly target: Target;
  /** Opens another source. */
  next(): Source;
  nextTarget(options?: { onPeerGone?: "wait" | "end" }): Target;
}

type Test = (name: string, fn: (ends: Ends) => void | Promise<void>) => void;

/** Receives until the end, and returns everything. */
async function drain(target: Target): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  while (await target.wait({ timeout: 20_000 })) parts.push(target.tryReceive()!);
  return await new Blob(parts as BlobPart[]).bytes();
}

/** Ways to leave a source that do not end its stream. */
const LEAVING: Readonly<Record<string, (source: Source) => unknown>> = {
  "abort()": (source) => source.abort(),
  "an error that leaves its `using` block": (source) =>
    assertThrows(
      () => {
        using _left = source;
        throw new Error("enough");
      },
      Error,
      "enough",
    ),
  "an aborted stream": (source) => source.toWritableStream().abort(),
  "a stream whose write fails": (source) =>
    assertRejects(
      () => ReadableStream.from(["no bytes" as never]).pipeTo(source.toWritableStream()),
      TypeError,
    ),
};

function testEnding(ring: Streamed, test: Test): void {
  test("a receiver learns of the end after everything that was sent", async ({ source, target }) => {
    source.trySend(part(0));
    source.end();
    assertEquals(target.ended, false);
    assertEquals(await drain(target), part(0));
    assertEquals([target.ended, target.waitSync(), await target.wait()], [true, false, false]);
    source.end(); // the second call does nothing
    source.abort();
    assertEquals(target.ended, true);
  });

  for (const [how, leave] of Object.entries(LEAVING)) {
    test(`a sender is lost after ${how}, once everything has arrived`, async ({ source, target }) => {
      source.trySend(part(0));
      await leave(source);
      assertThrows(() => source.trySend(part(1)), ClosedError);
      assertEquals(target.waitSync(), true);
      assertEquals(target.tryReceive(), part(0));
      for (let round = 0; round < 2; round++) { // for every wait, not only the first
        assertEquals(target.ended, false);
        assertThrows(() => target.waitSync(), PeerLostError, "without end()");
        await assertRejects(() => target.wait(), PeerLostError, "without end()");
      }
    });
  }

  test("a sender that gives up wakes a receiver that waits", async ({ source, target }) => {
    const waiting = target.wait({ spin: 0, timeout: 20_000 });
    source.abort();
    await assertRejects(() => waiting, PeerLostError);
  });

  test("a sender that replaces a lost one", async ({ source, target, next, nextTarget }) => {
    source.trySend(part(0));
    source.abort();
    assertEquals(target.tryReceive(), part(0));
    const second = next();
    second.trySend(part(1));
    second.end();
    second[Symbol.dispose](); // it keeps its role until then, for flush()
    if (ring.forgives) return assertEquals(await drain(target), part(1));
    assert(target.waitSync());
    assertEquals(target.tryReceive(), part(1));
    assertThrows(() => target.waitSync(), PeerLostError, "took over");
    assertEquals(target.ended, false);
    target.close();
    const third = next(); // no data of the lost one is left ..
    const fresh = nextTarget();
    third.trySend(part(2));
    third.end();
    assertEquals(await drain(fresh), part(2)); // .. so this is complete
  });

  test("a receiver that opens later learns of a lost sender whose bytes it gets", async (ends) => {
    if (ring.forgives) return; // its lane is drained before it is used again
    ends.target.close();
    ends.source.trySend(part(0));
    ends.source.abort();
    const second = ends.next();
    second.trySend(part(1));
    second.end();
    const target = ends.nextTarget();
    await assertRejects(() => drain(target), PeerLostError, "took over");
    assertEquals(target.available, 0);
  });

  test("a receiver can wait for another sender", (ends) => {
    ends.target.close();
    const target = ends.nextTarget({ onPeerGone: "wait" });
    ends.source.abort();
    assertThrows(() => target.waitSync({ timeout: 1 }), DOMException, "have passed");
    ends.next().trySend(part(0));
    assertEquals([target.waitSync(), target.tryReceive()], [true, part(0)]);
  });

  test("flush() waits until everything was released", async ({ source, target }) => {
    await source.flush();
    source.flushSync();
    source.trySend(part(0));
    source.trySend(part(1));
    let flushed = false;
    const flushing = source.flush().then(() => flushed = true);
    assertThrows(() => source.flushSync({ timeout: 1 }), DOMException, "have passed");
    await assertRejects(() => source.flush({ timeout: 1 }), DOMException, "have passed");
    assert(!flushed);
    while (target.tryReceive() !== undefined);
    await flushing;
    source.flushSync();
  });

  test("flush() ends when the receiver has closed with something unread", async (ends) => {
    const { source, target } = ends;
    source.trySend(part(0));
    const flushing = source.flush().catch((error) => error);
    target.close();
    assert(await flushing instanceof PeerLostError);
    assertThrows(() => source.flushSync(), PeerLostError);
    source.end();
    assertThrows(() => source.flushSync(), PeerLostError);
    source[Symbol.dispose]();
    assertThrows(() => source.flushSync(), ClosedError);
  });

  test("flush() also waits after the end, until the sender is closed", async ({ source, target }) => {
    await ReadableStream.from([part(0), part(1)]).pipeTo(source.toWritableStream());
    assertThrows(() => source.flushSync({ timeout: 1 }), DOMException, "have passed");
    assertThrows(() => source.trySend(part(2)), VringError, "has ended");
    const flushing = source.flush({ timeout: 20_000 });
    assertEquals((await drain(target)).length, 2 * PART);
    await flushing;
    source[Symbol.dispose]();
    await assertRejects(() => source.flush(), ClosedError);
    assertEquals(target.ended, true);
  });
}

/** A stream of so many parts, and the number of those that were pulled. */
function supply(count: number) {
  let pulled = 0;
  const parts = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (pulled === count) controller.close();
      else controller.enqueue(part(pulled++));
    },
  }, { highWaterMark: 0 });
  return { parts, pulled: () => pulled };
}

function testStreams(test: Test): void {
  test("streams carry everything, and the ring holds back the sender", async ({ source, target }) => {
    const { parts, pulled } = supply(300);
    const fits = Math.ceil(source.free / PART);
    const piping = parts.pipeTo(source.toWritableStream());
    await until("the ring is full", () => source.free < PART + 8);
    assert(pulled() <= fits + 3, `${pulled()} were pulled, and ${fits} fit`);
    const all = await new Response(target.toReadableStream()).bytes();
    assertEquals(all, bytesFrom(0, 300 * PART));
    await piping;
    assertThrows(() => source.trySend(part(0)), ClosedError);
  });

  test("a stream whose source fails never looks complete", async ({ source, target }) => {
    const failing = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(part(0));
      },
      pull: (controller) => controller.error(new Error("the disk is gone")),
    });
    const piping = failing.pipeTo(source.toWritableStream());
    const reader = target.toReadableStream().getReader();
    await assertRejects(() => piping, Error, "the disk is gone");
    let length = 0;
    await assertRejects(async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        length += value.length;
      }
    }, PeerLostError);
    assert(length === 0 || length === PART); // what was written before the failure
  });

  test("a readable stream reads nothing ahead, and cancelling closes the end", async (ends) => {
    const { source, target } = ends;
    for (let i = 0; i < 3; i++) source.trySend(part(i));
    const before = target.available;
    const reader = target.toReadableStream().getReader();
    assertEquals(target.available, before);
    const first = await reader.read();
    assertEquals(first.value!.subarray(0, PART), part(0));
    await reader.cancel();
    assertThrows(() => target.tryReceive(), ClosedError);
  });

  test("aborting a writable stream gives up the write that waits", async ({ source }) => {
    while (source.trySend(part(0)));
    const writer = source.toWritableStream().getWriter();
    const closed = writer.closed.catch(() => {});
    const write = writer.write(bytesFrom(0, 3000)).catch((error) => error.message);
    await writer.abort(new Error("enough"));
    await closed;
    assertEquals(await write, "enough");
    assertThrows(() => source.trySend(part(0)), ClosedError);
  });

  test("streams take a signal", async ({ source, target }) => {
    const stop = new AbortController();
    const { signal } = stop;
    const read = target.toReadableStream({ signal }).getReader().read().catch((error) => error);
    const reason = new Error("enough");
    stop.abort(reason);
    assertEquals(await read, reason);
    while (source.trySend(part(0)));
    const writer = source.toWritableStream({ signal }).getWriter();
    writer.closed.catch(() => {});
    assertEquals(await writer.write(bytesFrom(0, 3000)).catch((error) => error), reason);
  });
}
