/** Observers of a region that is truncated report that, and continue with the next of the name. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { bytes } from "../../src/codec.ts";
import { CorruptRegionError } from "../../src/errors.ts";
import { topic } from "../../src/vdds/definition.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";

const LENGTH = 64;

/** A product, as its writer and its observer use it. */
interface Play {
  write(): { send(message: Uint8Array): unknown } & Disposable;
  observe(): {
    receive(): Uint8Array | undefined;
    wait?(): Promise<unknown>;
  } & Disposable;
}

const PLAYS: Record<string, (name: string) => Play> = {
  circular: (name) => ({
    write() {
      const writer = circular(name).writer();
      return {
        send: (message) => writer.trySend(message),
        [Symbol.dispose]: () => writer.close(),
      };
    },
    observe() {
      const observer = circular(name).observer();
      return {
        receive: () => observer.tryReceive()?.value,
        wait: () => observer.receive({ timeout: 20_000 }),
        [Symbol.dispose]: () => observer.close(),
      };
    },
  }),
  topic: (name) => ({
    write() {
      const publisher = topic(name, { size: LENGTH }).publisher();
      return {
        send: (message) => publisher.trySend(message),
        [Symbol.dispose]: () => publisher.close(),
      };
    },
    observe() {
      const observer = topic(name, { size: LENGTH }).observer();
      return {
        receive: () => observer.tryReceive()?.value,
        wait: () => observer.receive({ timeout: 20_000 }),
        [Symbol.dispose]: () => observer.close(),
      };
    },
  }),
  slot: (name) => {
    const slots = domain(name, { a: { type: bytes(LENGTH) } });
    return {
      write() {
        const slot = slots.open().slots.a;
        return {
          send: (message) => slot.writeSync(message),
          [Symbol.dispose]: () => slot.close(),
        };
      },
      observe() {
        const slot = slots.observer().slots.a;
        return { receive: () => slot.latest()?.value, [Symbol.dispose]: () => slot.close() };
      },
    };
  },
};

/** Truncates the only file of a name. */
function truncate(name: Name): void {
  const [file, ...others] = name.files();
  assertEquals(others, []);
  Deno.truncateSync(`/dev/shm/${file}`, 0);
}

for (const [product, playOf] of Object.entries(PLAYS)) {
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

  if (product === "slot") continue; // its observer reads a state
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
    const waiting = observer.wait!();
    truncate(name);
    await assertRejects(() => waiting, CorruptRegionError);
  });
}
