import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytes, type Codec, json, text } from "../src/codec.ts";
import { struct } from "../src/struct.ts";
import { ClosedError, VringError } from "../src/errors.ts";
import { mpsc } from "../src/mpsc/definition.ts";
import { spsc } from "../src/spsc/definition.ts";
import { topic } from "../src/vdds/definition.ts";
import { payload } from "./circular/scene.ts";
import { Name } from "./shared/scene.ts";
import { CAPACITY } from "./spsc/scene.ts";

const Pair = struct("pair", { a: "f64", b: "u32" });
const PAIR = Pair;

/** A codec of bytes that runs `during` while it encodes, and returns what `report` makes of it. */
function meddling(during: () => void, report = (length: number) => length): Codec<Uint8Array> {
  return {
    ...bytes(),
    encode: (value, into) => {
      during();
      if (into.length === 0) return 0; // it was closed
      return report(bytes().encode(value, into));
    },
  };
}

/** A sender of some product, and the messages that it has delivered. */
interface Ends<T> extends Disposable {
  readonly sender: { trySend(value: T): boolean; close(): void };
  readonly claim: () => unknown;
  readonly received: () => T[];
}

const SENDERS = {
  spsc<T>(name: string, codec: Codec<T, T, unknown>): Ends<T> {
    const ring = spsc(name, { capacity: CAPACITY, type: codec });
    const [sender, consumer] = [ring.producer(), ring.consumer()];
    return { ...ends(sender, consumer), claim: () => sender.tryClaim(8) };
  },
  mpsc<T>(name: string, codec: Codec<T, T, unknown>): Ends<T> {
    const ring = mpsc(name, { capacity: CAPACITY, producers: 2, type: codec });
    const [sender, consumer] = [ring.producer(), ring.consumer()];
    return { ...ends(sender, consumer), claim: () => sender.tryClaim(8) };
  },
  topic<T>(name: string, codec: Codec<T, T, unknown>): Ends<T> {
    const size = typeof codec.sizeBytes === "number" ? undefined : CAPACITY;
    const definition = topic(name, { size, depth: 8, type: codec });
    const [sender, subscriber] = [definition.publisher(), definition.subscriber()];
    const receiver = {
      tryReceive: () => ({ state: "empty", ...found(subscriber.tryReceive()) }),
      close: () => subscriber.close(),
    };
    return { ...ends(sender, receiver), claim: () => sender.tryLoan({ length: 8 }) };
  },
};

/** The outcome of a receiver that returns a message or undefined. */
function found<T>(
  message: { readonly value: T } | undefined,
): { state: string; value: T } | object {
  return message === undefined ? {} : { state: "ok", value: message.value };
}

function ends<T>(
  sender: { trySend(value: T): boolean; close(): void },
  receiver: { tryReceive(): { state?: string; value?: T } | undefined; close(): void },
) {
  const received = () => {
    const values: T[] = [];
    for (;;) {
      const outcome = receiver.tryReceive();
      if (outcome === undefined || !("value" in outcome)) return values;
      values.push(outcome.value!);
    }
  };
  const dispose = () => {
    sender.close();
    receiver.close();
  };
  return { sender, received, [Symbol.dispose]: dispose };
}

/** Runs a test with every sender. */
function each(title: string, run: (open: typeof SENDERS.spsc) => void): void {
  for (const [product, open] of Object.entries(SENDERS)) {
    Deno.test(`${product}: ${title}`, () => {
      run((_, codec) => {
        const name = new Name();
        const made = open(name.name, codec);
        const dispose = () => {
          made[Symbol.dispose]();
          name[Symbol.dispose]();
        };
        return { ...made, [Symbol.dispose]: dispose };
      });
    });
  }
}

each("a struct is sent in place, and nothing of older messages shows through", (open) => {
  using ends = open("", PAIR);
  for (let round = 0; round < 300; round++) { // past the seam, several times
    const value = { a: round + 0.5, b: round };
    assert(ends.sender.trySend(value));
    assertEquals(ends.received(), [value]);
  }
});

each("text and JSON are sent in place, also past the seam", (open) => {
  using texts = open("", text());
  using values = open("", json<unknown>());
  for (let round = 0; round < 200; round++) {
    const text = "ä€😀x".repeat(round % 50);
    assert(texts.sender.trySend(text));
    assertEquals(texts.received(), [text]);
    assert(values.sender.trySend({ text, round }));
    assertEquals(values.received(), [{ text, round }]);
  }
});

each("a value whose bound has no room is sent if it takes less", (open) => {
  let encoded = 0;
  const wasteful: Codec<Uint8Array> = {
    ...bytes(),
    sizeBytes: CAPACITY * 4,
    encode: (value, into) => {
      encoded++;
      return bytes().encode(value, into);
    },
  };
  using ends = open("", wasteful);
  assert(ends.sender.trySend(payload(1, 100)));
  assertEquals([ends.received(), encoded], [[payload(1, 100)], 1]);
  using texts = open("", text());
  const long = "x".repeat(CAPACITY - 8);
  assert(texts.sender.trySend(long));
  assertEquals(texts.received(), [long]);
  assertThrows(() => texts.sender.trySend(long + "x".repeat(9)), RangeError, `${CAPACITY + 1} b`);
});

each("a codec that throws or returns no count of bytes sends nothing", (open) => {
  let length: unknown;
  using ends = open("", meddling(() => {}, () => length as number));
  for (length of [9, -1, 1.5, NaN, undefined, "8"]) {
    const error = assertThrows(() => ends.sender.trySend(payload(1, 8)), RangeError);
    assert(/the codec returned .* for an array of 8 bytes/.test(error.message), error.message);
  }
  for (const sizeBytes of [-1, 0.5, NaN]) {
    assertThrows(() => {
      using other = open("", { ...meddling(() => {}), sizeBytes });
      other.sender.trySend(payload(1, 8));
    }, RangeError);
  }
  using throwing = open("", meddling(() => fail()));
  assertThrows(() => throwing.sender.trySend(payload(1, 8)), SyntaxError, "not sent");
  length = 3; // fewer than the bound
  assert(ends.sender.trySend(payload(5, 8)));
  assertEquals([ends.received(), throwing.received()], [[payload(5, 8).subarray(0, 3)], []]);
});

function fail(): never {
  throw new SyntaxError("not sent");
}

each("a value whose getter throws, or does not fit, sends nothing", (open) => {
  using ends = open("", PAIR);
  const throwing = {
    a: 1,
    get b(): number {
      return fail();
    },
  };
  assertThrows(() => ends.sender.trySend(throwing), SyntaxError, "not sent");
  assertThrows(() => ends.sender.trySend({ a: 1, b: -1 }), RangeError, "Cannot write pair.b: -1");
  assertEquals(ends.received(), []);
  assert(ends.sender.trySend({ a: 1, b: 2 }));
  assertEquals(ends.received(), [{ a: 1, b: 2 }]);
});

each("a getter that sends or claims through the same end is refused", (open) => {
  using ends = open("", PAIR);
  for (const use of [() => ends.sender.trySend({ a: 8, b: 9 }), ends.claim]) {
    const reentrant = {
      a: 1,
      get b() {
        assertThrows(use, VringError, "a value is being encoded into it");
        return 2;
      },
    };
    assert(ends.sender.trySend(reentrant));
    assertEquals(ends.received(), [{ a: 1, b: 2 }]);
  }
});

each("a codec that sends through the same end is refused", (open) => {
  const ends: Ends<Uint8Array> = open("", meddling(() => ends.sender.trySend(payload(2, 8))));
  using _ends = ends;
  assertThrows(() => ends.sender.trySend(payload(1, 8)), VringError, "being encoded");
  assertEquals(ends.received(), []);
});

each("a value that closes its sender sends nothing", (open) => {
  using ends = open("", PAIR);
  const closing = {
    a: 1,
    get b() {
      ends.sender.close();
      return 2;
    },
  };
  assertThrows(() => ends.sender.trySend(closing), ClosedError, "it is closed");
  assertEquals(ends.received(), []);
  const other: Ends<Uint8Array> = open("", meddling(() => other.sender.close()));
  using _other = other;
  assertThrows(() => other.sender.trySend(payload(1, 8)), ClosedError, "it is closed");
  assertEquals(other.received(), []);
});

each("a codec that transfers the memory away sends nothing", (open) => {
  const thief: Codec<number> = {
    ...json<number>(),
    sizeBytes: 8,
    encode: (_, into) => into.buffer.transfer().byteLength && 8,
  };
  const ends = open("", thief);
  assertThrows(() => ends.sender.trySend(1), TypeError, "was transferred away");
  assertEquals(ends.received(), []);
  assertThrows(() => ends[Symbol.dispose](), TypeError, "was transferred away");
});

each("code of the caller in an array's own `length` is not run", (open) => {
  using ends = open("", bytes());
  class Meddling extends Uint8Array {
    override get length(): number {
      ends.sender.trySend(payload(1, 3));
      return 3;
    }
  }
  assert(ends.sender.trySend(new Meddling(payload(2, 3))));
  assertEquals(ends.received(), [payload(2, 3)]);
});
