import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import {
  claimView,
  commitView,
  copyDoublesIn,
  copyDoublesOut,
  copyIn,
  copyOut,
  copyOutThenLoad,
  loadDouble,
  peekView,
  prefetch,
  prefetchToWrite,
  receiveOut,
  sendIn,
  storeDouble,
  Word32,
  Word64,
} from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { map, MapFlag, Protection } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { Peer } from "../os/peer.ts";
import { ScratchFd } from "../os/scratch.ts";
import { Random } from "../random.ts";
import { bytesFrom } from "./bytes.ts";
import { inSteps } from "./fused.ts";
import type { Task } from "./worker_words.ts";
import { GATE, WORD32, WORD64 } from "./words.ts";

const PLACE = { path: "test.word", offset: 8 };
const TOP32 = 2 ** 32 - 1;
const TOP53 = 2 ** 53 - 1;

/** A closable page with a word in the middle of bytes that must not change. */
function makeWord<T>(Word: new (memory: Mapping, place: typeof PLACE, base: number) => T) {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.bytes.set(bytesFrom(0, mapping.length));
  const word = new Word(mapping, PLACE, 48);
  const end = word instanceof Word32 ? 60 : 64;
  const neighbours = () => [...mapping.bytes.slice(0, 56), ...mapping.bytes.slice(end)];
  const before = neighbours();
  return {
    word,
    mapping,
    view: new DataView(mapping.bytes.buffer, 56, 8),
    unchanged: () => assertEquals(neighbours(), before),
    [Symbol.dispose]: () => mapping.close(),
  };
}

Deno.test("a word is at its place of the layout, little-endian", () => {
  const look32 = (view: DataView) => BigInt(view.getUint32(0, true));
  const look64 = (view: DataView) => view.getBigUint64(0, true);
  const cases = [[Word32, 0x8070_6050, look32], [Word64, 0x1f_8070_6050_4030, look64]] as const;
  for (const [Word, value, look] of cases) {
    using made = makeWord<Word32 | Word64>(Word);
    const { word, view, mapping } = made;
    assertEquals([word.address, word.path], [mapping.address + 56, "test.word"]);
    word.store(value);
    assertEquals([look(view), word.load()], [BigInt(value), value]);
    made.unchanged();
  }
});

/** Each operation: from which value, the call, the value it gives and the value it leaves. */
type Case<W> = [
  name: string,
  from: number,
  call: (word: W) => number | void,
  gives: number | void,
  to: number,
];

const SHARED_CASES: Case<Word32 | Word64>[] = [
  ["store()", 17, (word) => word.store(29), undefined, 29],
  ["add()", 17, (word) => word.add(29), 17, 46],
  ["add() of nothing", 17, (word) => word.add(0), 17, 17],
  ["sub()", 46, (word) => word.sub(29), 46, 17],
  ["sub() of nothing", 46, (word) => word.sub(0), 46, 46],
  ["or()", 0b0011, (word) => word.or(0b0101), 0b0011, 0b0111],
  ["and()", 0b0011, (word) => word.and(0b0101), 0b0011, 0b0001],
  ["exchange()", 17, (word) => word.exchange(29), 17, 29],
  ["compareExchange() of what is there", 17, (word) => word.compareExchange(17, 29), 17, 29],
  ["compareExchange() of what is not there", 17, (word) => word.compareExchange(16, 29), 17, 17],
];

const CASES_32: Case<Word32>[] = [
  ...SHARED_CASES,
  ["storeInOrder()", 17, (word) => word.storeInOrder(TOP32 - 2), undefined, TOP32 - 2],
  ["store() just below 2^32", 0, (word) => word.store(TOP32), undefined, TOP32],
  ["add() past 2^32", TOP32 - 1, (word) => word.add(5), TOP32 - 1, 3],
  ["sub() below 0", 3, (word) => word.sub(5), 3, TOP32 - 1],
  ["add() of the largest", 3, (word) => word.add(TOP32), 3, 2],
  ["or() of the highest bit", 1, (word) => word.or(0x8000_0000), 1, 0x8000_0001],
  ["and() of the highest bit", TOP32, (word) => word.and(0x8000_0000), TOP32, 0x8000_0000],
  ["exchange() above 2^31", TOP32, (word) => word.exchange(TOP32 - 7), TOP32, TOP32 - 7],
  [
    "compareExchange() above 2^31",
    TOP32,
    (word) => word.compareExchange(TOP32, TOP32 - 1),
    TOP32,
    TOP32 - 1,
  ],
];

const CASES_64: Case<Word64>[] = [
  ...SHARED_CASES,
  ["store() just below 2^53", 0, (word) => word.store(TOP53), undefined, TOP53],
  ["storeFirst()", 17, (word) => word.storeFirst(TOP53 - 2), undefined, TOP53 - 2],
  ["loadLast()", TOP53 - 3, (word) => word.loadLast(), TOP53 - 3, TOP53 - 3],
  ["add() past 2^32", TOP32, (word) => word.add(5), TOP32, 2 ** 32 + 4],
  ["add() up to just below 2^53", TOP53 - 5, (word) => word.add(5), TOP53 - 5, TOP53],
  ["sub() from just below 2^53", TOP53, (word) => word.sub(TOP32), TOP53, TOP53 - TOP32],
  ["sub() below 2^32", 2 ** 32, (word) => word.sub(1), 2 ** 32, TOP32],
  ["or() of a high bit", 1, (word) => word.or(2 ** 52), 1, 2 ** 52 + 1],
  ["and() of a high bit", TOP53, (word) => word.and(2 ** 52 + 1), TOP53, 2 ** 52 + 1],
  ["exchange() just below 2^53", TOP53, (word) => word.exchange(TOP53 - 1), TOP53, TOP53 - 1],
  [
    "compareExchange() just below 2^53",
    TOP53,
    (word) => word.compareExchange(TOP53, TOP53 - 1),
    TOP53,
    TOP53 - 1,
  ],
  [
    "compareExchange() that differs in the high half only",
    2 ** 40 + 17,
    (word) => word.compareExchange(17, 29),
    2 ** 40 + 17,
    2 ** 40 + 17,
  ],
];

/** Registers the cases of a word. */
function testCases<W extends Word32 | Word64>(
  Word: new (memory: Mapping, place: typeof PLACE, base: number) => W,
  cases: readonly Case<W>[],
): void {
  for (const [name, from, call, gives, to] of cases) {
    Deno.test(`${Word.name}.${name} changes the word as it says and nothing beside it`, () => {
      using made = makeWord(Word);
      made.word.store(from);
      assertEquals(call(made.word), gives);
      assertEquals(made.word.load(), to);
      made.unchanged();
    });
  }
}

testCases(Word32, CASES_32);
testCases(Word64, CASES_64);

Deno.test("a word refuses a place that is not a multiple of its size or outside of its memory", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  for (const [Word, odd] of [[Word32, [1, 2]], [Word64, [1, 4, 12]]] as const) {
    for (const offset of [...odd, pageSize(), pageSize() + 8, -8]) {
      assertThrows(() => new Word(mapping, { path: "odd", offset }), RangeError);
    }
  }
});

Deno.test("every method of a word throws once the memory is closed", () => {
  for (const [Word, error] of [[Word32, TypeError], [Word64, ClosedError]] as const) {
    using made = makeWord<Word32 | Word64>(Word);
    const { word, mapping } = made;
    mapping.close();
    const calls = [
      () => word.load(),
      () => word.store(1),
      () => word.add(1),
      () => word.sub(1),
      () => word.or(1),
      () => word.and(1),
      () => word.exchange(1),
      () => word.compareExchange(1, 2),
    ];
    for (const call of calls) assertThrows(call, error);
    const more = word instanceof Word32
      ? [() => word.spinWhile(1, 1e9), () => word.storeInOrder(1)]
      : [() => word.storeFirst(1), () => word.loadLast()];
    for (const call of more) assertThrows(call, ClosedError, '"test.word"');
  }
});

Deno.test("spinWhile() returns true at once for a word that differs", () => {
  using made = makeWord(Word32);
  made.word.store(TOP32);
  assert(made.word.spinWhile(TOP32 - 1, Infinity));
});

Deno.test("spinWhile() returns false when the budget ends, and not before", () => {
  using made = makeWord(Word32);
  made.word.store(TOP32);
  for (const budget of [0, 1000, 5e6]) {
    const start = now();
    assert(!made.word.spinWhile(TOP32, budget));
    assert(now() - start >= budget);
  }
});

/** A file with the words of words.ts and Workers that have it mapped too. */
async function shared(count: number) {
  const stack = new DisposableStack();
  const { fd } = stack.use(ScratchFd.memory(pageSize()));
  const mapping = stack.use(Mapping.ofFile(fd, { length: pageSize(), what: "a test" }));
  const peers: Peer<Task, number>[] = [];
  for (let i = 0; i < count; i++) {
    const program = new URL("./worker_words.ts", import.meta.url);
    peers.push(stack.use(await Peer.start<Task, number>(program)));
  }
  return {
    fd,
    peers,
    gate: new Word32(mapping, GATE),
    word32: new Word32(mapping, WORD32),
    word64: new Word64(mapping, WORD64),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

Deno.test("spinWhile() sees the stores of another thread", async () => {
  using words = await shared(1);
  const [peer] = words.peers;
  peer!.tell({ fd: words.fd, operation: "open", times: 1 });
  assert(words.gate.spinWhile(0, 60e9));
  assertEquals(words.gate.load(), 1);
  assertEquals(await peer!.reply(), 0);
});

/** Enough to overlap on a busy machine; under qemu each takes a hundred times as long. */
const AMOUNT = Deno.build.arch === "x86_64" ? 300_000 : 10_000;

for (const size of [32, 64] as const) {
  const start = size === 32 ? 2 ** 32 - 5 : 2 ** 53 - 1 - 2 * 3 * AMOUNT;

  Deno.test(`Word${size}.add() loses nothing between two threads`, async () => {
    using words = await shared(2);
    const word = size === 32 ? words.word32 : words.word64;
    word.store(start);
    const done = words.peers.map((peer) =>
      peer.ask({ fd: words.fd, operation: `add${size}`, times: AMOUNT })
    );
    words.gate.store(1);
    await Promise.all(done);
    const sum = start + 2 * 3 * AMOUNT;
    assertEquals(word.load(), size === 32 ? sum % 2 ** 32 : sum);
  });

  Deno.test(`Word${size}.compareExchange() loses nothing between two threads`, async () => {
    using words = await shared(2);
    const word = size === 32 ? words.word32 : words.word64;
    const done = words.peers.map((peer) =>
      peer.ask({ fd: words.fd, operation: `swap${size}`, times: AMOUNT })
    );
    words.gate.store(1);
    await Promise.all(done);
    assertEquals(word.load(), 2 * 3 * AMOUNT);
  });

  Deno.test(`Word${size}.or() and and() keep out of each other's bits between two threads`, async () => {
    using words = await shared(2);
    const word = size === 32 ? words.word32 : words.word64;
    const done = words.peers.map((peer, i) =>
      peer.ask({ fd: words.fd, operation: `bits${size}`, times: AMOUNT / 10, bit: 5 + 9 * i })
    );
    words.gate.store(1);
    assertEquals(await Promise.all(done), [0, 0]);
    assertEquals(word.load(), 0);
  });
}

Deno.test("copyIn() puts every byte in its place and touches no other", () => {
  using mapping = Mapping.anonymous(2 * pageSize(), "a test");
  const background = bytesFrom(7000, mapping.length);
  for (const [offset, length] of [[0, 1], [3, 64], [pageSize() - 5, 11], [9, 0]] as const) {
    mapping.bytes.set(background);
    const payload = bytesFrom(100 * offset, length);
    copyIn(mapping, offset, payload);
    const expected = background.slice();
    expected.set(payload, offset);
    assertEquals(mapping.bytes.slice(), expected);
  }
});

Deno.test("copyOut() fills the target with the bytes from that place", () => {
  using mapping = Mapping.anonymous(2 * pageSize(), "a test");
  mapping.bytes.set(bytesFrom(7000, mapping.length));
  for (const [offset, length] of [[0, 1], [3, 64], [pageSize() - 5, 11], [9, 0]] as const) {
    const target = new Uint8Array(length);
    copyOut(mapping, offset, target);
    assertEquals(target, bytesFrom(7000 + offset, length));
  }
});

Deno.test("copyOut() fills the given length of the target", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.bytes.set(bytesFrom(7000, mapping.length));
  const target = bytesFrom(0, 20);
  copyOut(mapping, 30, target.subarray(5), 9);
  assertEquals(
    target,
    Uint8Array.of(...bytesFrom(0, 5), ...bytesFrom(7030, 9), ...bytesFrom(14, 6)),
  );
});

Deno.test("prefetch() and prefetchToWrite() change nothing", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.bytes.set(bytesFrom(3, mapping.length));
  for (const [offset, length] of [[0, mapping.length], [63, 2], [7, 1], [pageSize() - 100, 100]]) {
    prefetchToWrite(mapping, offset!, length!);
  }
  prefetch(mapping, 64);
  assertEquals(mapping.bytes, bytesFrom(3, mapping.length));
});

Deno.test("copyIn() throws instead of writing outside of the memory", () => {
  const { inner, outer } = innerMemory();
  using _outer = outer;
  const before = outer.bytes.slice();
  for (const offset of [pageSize() - 3, pageSize(), -1, -8, 2 ** 32]) {
    assertThrows(() => copyIn(inner, offset, bytesFrom(0, 4)), RangeError);
  }
  assertEquals(outer.bytes.slice(), before);
});

Deno.test("copyOut() throws instead of reading outside of the memory or writing past the target", () => {
  const { inner, outer } = innerMemory();
  using _outer = outer;
  const target = bytesFrom(0, 4);
  for (const offset of [pageSize() - 3, pageSize(), -1, -8, 2 ** 32, NaN]) {
    assertThrows(() => copyOut(inner, offset, target), RangeError);
  }
  for (const length of [5, -1, NaN]) {
    assertThrows(() => copyOut(inner, 0, target, length), RangeError);
  }
  assertEquals(target, bytesFrom(0, 4));
});

/** A page of memory that has other memory on both sides. */
function innerMemory() {
  const outer = Mapping.anonymous(3 * pageSize(), "a test");
  outer.bytes.set(bytesFrom(0, outer.length));
  const bytes = outer.bytes.subarray(pageSize(), 2 * pageSize());
  const { buffer } = bytes;
  const doubles = new Float64Array(buffer, bytes.byteOffset, bytes.length / 8);
  const values = new DataView(buffer, bytes.byteOffset, bytes.length);
  return { outer, inner: { address: outer.address + pageSize(), bytes, buffer, doubles, values } };
}

Deno.test("copyDoublesIn() and copyDoublesOut() put every number in its place", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.bytes.set(bytesFrom(0, mapping.length));
  const before = mapping.bytes.slice();
  const numbers = Float64Array.of(0.1, -(2 ** 53), 1e300, NaN, 5);
  copyDoublesIn(mapping, 64, numbers);
  const target = new Float64Array(5);
  copyDoublesOut(mapping, 64, target);
  assertEquals(target, numbers);
  assertEquals(new Float64Array(mapping.bytes.slice(64, 104).buffer), numbers);
  assertEquals(mapping.bytes.slice(0, 64), before.slice(0, 64));
  assertEquals(mapping.bytes.slice(104), before.slice(104));
});

Deno.test("storeDouble() and loadDouble() use the number at an offset in bytes", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  for (let i = 0; i < 8; i++) storeDouble(mapping, 8 * i, 0.1 + i);
  assertEquals(loadDouble(mapping, 24), 3.1);
  assertEquals(new DataView(mapping.bytes.buffer).getFloat64(40, true), 5.1);
});

Deno.test("claimView() and peekView() show the memory in place", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  const view = claimView(mapping, 30, 10);
  view.set(bytesFrom(3, 10));
  commitView(mapping, 30, view, view.length);
  assertEquals(mapping.bytes.slice(30, 40), bytesFrom(3, 10));
  assertEquals(peekView(mapping, 32, 5).slice(), bytesFrom(5, 5));
});

Deno.test("copyOut() refuses a length that the native library would take for a shorter one", () => {
  const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
  const length = 2 ** 32 + pageSize(); // addresses only: nothing there can even be read
  const address = map({ length, protection: Protection.none, flags });
  using space = new Mapping(address, { length, what: "a test" });
  const word = new Word64(space, PLACE);
  for (const length of [2 ** 32, space.length]) {
    const refusals = [
      () => copyOut(space, 0, space.bytes, length),
      () => copyOutThenLoad(space, 0, space.bytes, length, word),
    ];
    for (const refused of refusals) {
      assertThrows(refused, RangeError, `${length} bytes at once: at most ${2 ** 32 - 1}`);
    }
  }
});

Deno.test("copyIn() and copyOut() throw once the memory is closed", () => {
  const mapping = Mapping.anonymous(pageSize(), "a test");
  mapping.close();
  assertThrows(() => copyIn(mapping, 0, new Uint8Array(1)), TypeError);
  assertThrows(() => copyOut(mapping, 0, new Uint8Array(1)), TypeError);
});

for (const method of ["Word32.storeThenLoad", "Word32.storeThenGlance", "Word64.storeThenGlance"]) {
  const [Word, largest] = method.startsWith("Word32") ? [Word32, TOP32] : [Word64, TOP53];
  const name = method.slice(7) as "storeThenGlance";
  Deno.test(`${method}() stores the one word, loads the other and changes nothing beside them`, () => {
    using made = makeWord<Word32 | Word64>(Word);
    const { word, mapping } = made;
    const other = new Word32(mapping, { path: "test.other", offset: 132 });
    const expected = other.load();
    assert(expected > 0);
    for (const value of [largest, 0x8070_6050, 0, largest - 1]) {
      assertEquals(word[name](value, other), expected);
      assertEquals(word.load(), value);
      made.unchanged();
    }
    assertEquals(word[name](1, new Word32(mapping, PLACE, 48)), 1); // of one place
    mapping.close();
    assertThrows(() => word[name](1, other), ClosedError);
  });
}

Deno.test("sendIn() and receiveOut() do what their steps do, and change nothing beside them", () => {
  const fused = { sendIn, receiveOut };
  const steps = inSteps<Mapping, Word32>({ copyIn, copyOut, storeDouble });
  const outcomes = [fused, steps].map(({ sendIn, receiveOut }) => {
    using mapping = Mapping.anonymous(2 * pageSize(), "a test");
    mapping.bytes.set(bytesFrom(0, mapping.length));
    const random = new Random("fused");
    const word = new Word32(mapping, PLACE);
    const bell = new Word32(mapping, { path: "test.bell", offset: 64 });
    const results: unknown[] = [];
    for (let round = 0; round < 300; round++) {
      const length = round < 20 ? round : random.below(2000);
      const value = round % 9 === 0 ? TOP32 - round : random.below(2 ** 32);
      const at = 128 + 8 * random.below(250);
      const message = bytesFrom(round, length + 3);
      const sent = sendIn(mapping, at, message.subarray(1), length, word, value, bell);
      results.push(sent, word.load(), mapping.bytes.slice());
      const target = new Uint8Array(length + 5);
      const from = 128 + random.below(2000);
      const received = receiveOut(mapping, from, target, length, at, round, word, round, bell);
      results.push(received, word.load(), target, mapping.bytes.slice());
      bell.store(random.below(2 ** 32));
    }
    return results;
  });
  assertEquals(outcomes[0], outcomes[1]);
});

Deno.test("sendIn() sends arrays over shared and growable memory", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  const [word, bell] = [0, 64].map((offset) => new Word32(mapping, { path: "test.word", offset }));
  const buffers = [
    new SharedArrayBuffer(64),
    new SharedArrayBuffer(64, { maxByteLength: 128 }),
    new ArrayBuffer(64, { maxByteLength: 128 }),
  ];
  for (const [i, buffer] of buffers.entries()) {
    const message = new Uint8Array(buffer, 8);
    message.set(bytesFrom(i, 56));
    sendIn(mapping, 128, message, 56, word!, i, bell!);
    assertEquals(mapping.bytes.slice(136, 192), bytesFrom(i, 56));
    assertEquals([loadDouble(mapping, 128), word!.load()], [56, i]);
  }
});

Deno.test("copyOutThenLoad() copies as copyOut() does, and returns the word", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  const word = new Word64(mapping, { path: "test.word", offset: 8 });
  word.store(TOP53 - 1);
  mapping.bytes.set([1, 2, 3, 4, 5], 101);
  const target = new Uint8Array(5);
  assertEquals(copyOutThenLoad(mapping, 102, target, 3, word), TOP53 - 1);
  assertEquals([...target], [2, 3, 4, 0, 0]);
  for (const [offset, length] of [[102, 6], [-1, 3], [pageSize() - 2, 3], [NaN, 1]] as const) {
    assertThrows(() => copyOutThenLoad(mapping, offset, target, length, word), RangeError);
  }
  mapping.close();
  assertThrows(() => copyOutThenLoad(mapping, 102, target, 3, word), TypeError);
});

Deno.test("storeDouble(), loadDouble() and copies reach beyond the first 4 GiB", () => {
  using mapping = Mapping.anonymous(2 ** 32 + 4096, "a test"); // of which two pages are touched
  storeDouble(mapping, 2 ** 32 + 8, 1.5);
  storeDouble(mapping, 8, 2.5);
  assertEquals([loadDouble(mapping, 2 ** 32 + 8), loadDouble(mapping, 8)], [1.5, 2.5]);
  const there = new Float64Array(1);
  copyDoublesOut(mapping, 2 ** 32 + 8, there);
  assertEquals(there[0], 1.5);
});
