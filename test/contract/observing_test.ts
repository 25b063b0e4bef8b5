/**
 * Observers: they change nothing, outlive what they read, and continue with the next of the name, also
 * once a region is truncated.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { bytes } from "../../src/codec.ts";
import { ClosedError, CorruptRegionError } from "../../src/errors.ts";
import { topic } from "../../src/vdds/definition.ts";
import { waitAny } from "../../src/wait/any.ts";
import type { WaitOptions } from "../../src/wait/until.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";

const LENGTH = 64;

/** The reading end of a play. */
interface Observer extends Disposable {
  /** Returns what is new; a slot's observer reads a state, and returns that. */
  receive(): Uint8Array | undefined;
  wait(options?: WaitOptions): Promise<unknown>;
}

/** A product, as its writer and its observer use it. */
interface Play {
  write(): { send(message: Uint8Array): unknown } & Disposable;
  observe(): Observer;
}

interface Messages {
  tryReceive(): { value: Uint8Array } | undefined;
  receive(options?: WaitOptions): Promise<unknown>;
  close(): void;
}

function observing(observer: Messages): Observer {
  return {
    receive: () => observer.tryReceive()?.value,
    wait: (options) => observer.receive({ timeout: 20_000, ...options }),
    [Symbol.dispose]: () => observer.close(),
  };
}

function writing(send: (message: Uint8Array) => unknown, handle: { close(): void }) {
  return { send, [Symbol.dispose]: () => handle.close() };
}

const PLAYS: Record<string, (name: string) => Play> = {
  "circular buffer"(name) {
    const buffer = circular(name, { capacity: 4096 });
    return {
      write() {
        const writer = buffer.writer();
        return writing((message) => writer.trySend(message), writer);
      },
      observe: () => observing(buffer.observer()),
    };
  },
  topic(name) {
    const samples = topic(name, { size: LENGTH });
    return {
      write() {
        const publisher = samples.publisher();
        return writing((message) => publisher.trySend(message), publisher);
      },
      observe: () => observing(samples.observer()),
    };
  },
  slot(name) {
    const slots = domain(name, { a: { type: bytes(LENGTH) } });
    return {
      write() {
        const slot = slots.open().slots.a;
        return writing((message) => slot.writeSync(message), slot);
      },
      observe() {
        const slot = slots.observer().slots.a;
        return {
          receive: () => slot.latest()?.value,
          wait: (options) => waitAny([slot], { timeout: 20_000, ...options }),
          [Symbol.dispose]: () => slot.close(),
        };
      },
    };
  },
};

/** Receives until this message comes, and returns all. */
async function receiveTo(observer: Observer, last: Uint8Array): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  await until("it arrives", () => {
    for (let found; (found = observer.receive()) !== undefined;) {
      all.push(found);
      if (equal(found, last)) return true;
    }
    return false;
  });
  return all;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** Truncates the only file of a name. */
function truncate(name: Name): void {
  const [file, ...others] = name.files();
  assertEquals(others, []);
  Deno.truncateSync(`/dev/shm/${file}`, 0);
}

for (const [product, playOf] of Object.entries(PLAYS)) {
  const isState = product === "slot";

  Deno.test(`an observer changes no byte of a ${product}, and keeps none alive`, async () => {
    using name = new Name();
    const play = playOf(name.name);
    const writer = play.write();
    const observer = play.observe();
    for (let i = 1; i <= 3; i++) writer.send(payload(i, LENGTH));
    const path = `/dev/shm/${name.files()[0]}`;
    const before = Deno.readFileSync(path);
    const found = await receiveTo(observer, payload(3, LENGTH));
    assertEquals(found.length, isState ? 1 : 3);
    await assertRejects(() => observer.wait({ timeout: 20, spin: 0 }), DOMException, "have passed");
    assertEquals(Deno.readFileSync(path), before);
    writer.send(payload(4, LENGTH));
    writer[Symbol.dispose]();
    assertEquals(name.files(), []);
    assertEquals(observer.receive(), payload(4, LENGTH).slice()); // it has the memory still
    observer[Symbol.dispose]();
    assertEquals(name.files(), []);
  });

  Deno.test(`an observer may come before a ${product}, and reads it to its end before the next`, async () => {
    using name = new Name();
    const play = playOf(name.name);
    using observer = play.observe();
    assertEquals(observer.receive(), undefined);
    const waiting = observer.wait();
    let first: Uint8Array | undefined;
    {
      using writer = play.write();
      writer.send(payload(1, LENGTH));
      const woken = await waiting;
      first = isState ? observer.receive() : (woken as { value: Uint8Array }).value;
      for (let i = 2; i <= 4; i++) writer.send(payload(i, LENGTH));
    }
    assertEquals(first, payload(1, LENGTH).slice());
    using writer = play.write();
    writer.send(payload(5, LENGTH));
    const rest = await receiveTo(observer, payload(5, LENGTH));
    const all = [2, 3, 4, 5].map((i) => payload(i, LENGTH).slice());
    if (isState) assertEquals(rest.at(-1), all.at(-1));
    else assertEquals(rest, all);
  });

  Deno.test(`close() of an observer of a ${product} ends its waits, and every call after it`, async () => {
    using name = new Name();
    const play = playOf(name.name);
    using _writer = play.write();
    const observer = play.observe();
    const waiting = observer.wait({ spin: 0 });
    await new Promise((resolve) => setTimeout(resolve, 1));
    observer[Symbol.dispose]();
    observer[Symbol.dispose]();
    await assertRejects(() => waiting, ClosedError);
    assertThrows(() => observer.receive(), ClosedError);
    await assertRejects(() => observer.wait(), ClosedError);
  });

  for (const isEmpty of [false, true]) {
    const what = isEmpty ? "that is still empty" : "with messages";
    Deno.test(`an observer reports a truncated ${product} ${what}, and reads the next`, async () => {
      using name = new Name();
      const play = playOf(name.name);
      using observer = play.observe();
      {
        using writer = play.write();
        await until("it is found", () => {
          if (!isEmpty) writer.send(payload(1, LENGTH));
          return observer.receive() !== undefined || isEmpty && name.files().length > 0;
        });
        await new Promise((resolve) => setTimeout(resolve, 12)); // it looks at the name once a slice
        assertEquals(isEmpty && observer.receive(), isEmpty && undefined);
        truncate(name);
        assertThrows(
          () => observer.receive(),
          CorruptRegionError,
          "its file was truncated by a peer",
        );
      }
      using writer = play.write();
      let found: Uint8Array | undefined;
      await until("the next is read", () => {
        writer.send(payload(2, LENGTH));
        try {
          found = observer.receive();
        } catch (error) {
          if (!(error instanceof CorruptRegionError)) throw error; // once more, perhaps
        }
        return found !== undefined;
      });
      assert(isPayload(found!, 2));
    });
  }

  if (isState) continue;
  Deno.test(`an observer that waits for a truncated ${product} is told`, async () => {
    using name = new Name();
    const play = playOf(name.name);
    using observer = play.observe();
    using writer = play.write();
    await until("it is found", () => {
      writer.send(payload(1, LENGTH));
      return observer.receive() !== undefined;
    });
    while (observer.receive() !== undefined);
    const waiting = observer.wait();
    truncate(name);
    await assertRejects(() => waiting, CorruptRegionError);
  });
}
