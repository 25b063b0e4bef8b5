import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import * as futex from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { Peer } from "./peer.ts";
import { rangesOf } from "./process_state.ts";
import { ScratchFd } from "./scratch.ts";
import { until, within } from "./until.ts";
import type { Sleep } from "./worker_futex.ts";

const HAS_WAITV = futex.hasWaitv();
const PAST = 0;
const LATER_MS = 60_000;

if (!HAS_WAITV) console.log("NOT TESTED: futex_waitv, as this kernel has none; only the scan is");

/** Words at the beginning of a page of shared memory, each holding a value of its own. */
class Words implements Disposable {
  readonly file = ScratchFd.memory(pageSize());
  readonly #mapping: Mapping;
  readonly all: Word32[];

  constructor(count = 1) {
    this.#mapping = Mapping.ofFile(this.file.fd, { length: pageSize(), what: "a test" });
    this.all = Array.from(
      { length: count },
      (_, i) => new Word32(this.#mapping, { path: `word ${i}`, offset: 4 * i }),
    );
    this.all.forEach((word, i) => word.store(1000 + 7 * i));
  }

  [Symbol.dispose](): void {
    this.#mapping.close();
    this.file[Symbol.dispose]();
  }
}

/** Runs the test with futex_waitv, where the kernel has it, and with the scan instead. */
function testBoth(name: string, test: () => void | Promise<void>): void {
  for (const scan of HAS_WAITV ? [false, true] : [true]) {
    Deno.test(`${name}, ${scan ? "scanning" : "with futex_waitv"}`, async () => {
      futex.forceScan(scan);
      try {
        await test();
      } finally {
        futex.forceScan(false);
      }
    });
  }
}

/** A vector that is closed after use. */
function vectorOf(words: readonly Word32[]): futex.FutexVector & Disposable {
  const vector = new futex.FutexVector();
  for (const word of words) vector.push(word.address, word.load());
  return Object.assign(vector, { [Symbol.dispose]: () => vector.close() });
}

function sleepers(): Promise<Peer<Sleep, number>> {
  return Peer.start(new URL("./worker_futex.ts", import.meta.url));
}

/** Wakes again until some sleeper was woken; returns the number of woken ones. */
async function wakeWhoComes(word: Word32, count: number, bits?: number): Promise<number> {
  let woken = 0;
  await until("somebody sleeps", () => (woken = futex.wake(word.address, count, bits)) !== 0);
  return woken;
}

Deno.test("wait() returns -EAGAIN at once when the word differs", () => {
  using words = new Words();
  assertEquals(futex.wait(words.all[0]!.address, 999, Infinity), -Errno.EAGAIN);
});

Deno.test("wait() returns -ETIMEDOUT at a deadline, and not before", () => {
  using words = new Words();
  const deadline = now() + 5e6;
  assertEquals(futex.wait(words.all[0]!.address, 1000, deadline), -Errno.ETIMEDOUT);
  assert(now() >= deadline);
});

Deno.test("wait() returns -ETIMEDOUT for a deadline that has passed, even before the boot", () => {
  using words = new Words();
  for (const deadline of [PAST, -1, -1e300]) {
    assertEquals(futex.wait(words.all[0]!.address, 1000, deadline), -Errno.ETIMEDOUT);
  }
});

Deno.test("wait() and wake() take words that are above 2^31", () => {
  using words = new Words();
  const [word] = words.all;
  word!.store(0xffff_fffe);
  assertEquals(futex.wait(word!.address, 0xffff_fffe, PAST), -Errno.ETIMEDOUT);
  assertEquals(futex.wait(word!.address, 0xffff_ffff, Infinity), -Errno.EAGAIN);
});

Deno.test("wait() returns -EINVAL for an address that is not a word's", () => {
  using words = new Words();
  assertEquals(futex.wait(words.all[0]!.address + 1, 1000, PAST), -Errno.EINVAL);
});

Deno.test("wake() returns 0 when nobody sleeps", () => {
  using words = new Words();
  assertEquals(futex.wake(words.all[0]!.address, 10), 0);
});

Deno.test("wake() wakes a thread that has mapped the file elsewhere", async () => {
  using words = new Words(2);
  using sleeper = await sleepers();
  const sleep = { fd: words.file.fd, offset: 4, expected: 1007, bits: futex.MATCH_ANY };
  sleeper.tell({ ...sleep, timeout: LATER_MS });
  assertEquals(await wakeWhoComes(words.all[1]!, 10), 1);
  assertEquals(await sleeper.reply(), 0);
});

Deno.test("wake() passes over sleepers none of whose bits it has", async () => {
  using words = new Words();
  using sleeper = await sleepers();
  sleeper.tell({ fd: words.file.fd, offset: 0, expected: 1000, bits: 0b0110, timeout: LATER_MS });
  using other = await sleepers();
  other.tell({ fd: words.file.fd, offset: 0, expected: 1000, bits: 0b1000, timeout: LATER_MS });
  assertEquals(await wakeWhoComes(words.all[0]!, 10, 0b1001), 1);
  assertEquals(await other.reply(), 0);
  assertEquals(await wakeWhoComes(words.all[0]!, 10, 0b0010), 1);
  assertEquals(await sleeper.reply(), 0);
});

Deno.test("addAndWake() adds 1 and wakes everyone", async () => {
  using words = new Words();
  const [word] = words.all;
  using first = await sleepers();
  using second = await sleepers();
  const sleep = { fd: words.file.fd, offset: 0, bits: 1, timeout: LATER_MS };
  first.tell(sleep);
  second.tell(sleep);
  let woken = 0;
  await until("both sleep and are woken", () => {
    const before = word!.load();
    woken += futex.addAndWake(word!.address);
    assertEquals(word!.load(), before + 1);
    return woken === 2;
  });
  assertEquals([await first.reply(), await second.reply()].map((r) => r === 0), [true, true]);
});

Deno.test("addAndWake() wraps at 2^32", () => {
  using words = new Words();
  const [word] = words.all;
  word!.store(0xffff_ffff);
  assertEquals(futex.addAndWake(word!.address), 0);
  assertEquals(word!.load(), 0);
});

Deno.test("addAndWake() returns an errno for an address that is not mapped", () => {
  const EFAULT = 14;
  const protection = Protection.read | Protection.write;
  const flags = MapFlag.shared | MapFlag.anonymous;
  const address = map({ length: pageSize(), protection, flags });
  unmap(address, pageSize());
  assertEquals(futex.addAndWake(address), -EFAULT);
});

Deno.test("hasWaitv() asks the kernel, and says no when the scan is forced", () => {
  futex.forceScan(true);
  assertEquals(futex.hasWaitv(), false);
  futex.forceScan(false);
  assertEquals(futex.hasWaitv(), HAS_WAITV);
});

testBoth("FutexVector gives -ETIMEDOUT when nothing happens", async () => {
  using words = new Words(3);
  using vector = vectorOf(words.all);
  const deadline = now() + 5e6;
  assertEquals(await vector.wait(deadline), -Errno.ETIMEDOUT);
  assert(now() >= deadline);
  assertEquals(vector.waitSync(PAST), -Errno.ETIMEDOUT);
});

testBoth("FutexVector notices each word that differs already", async () => {
  using words = new Words(5);
  for (const word of words.all) {
    using vector = vectorOf(words.all);
    word.add(1);
    assert(vector.waitSync(Infinity) >= 0);
    assert(await vector.wait(Infinity) >= 0);
  }
});

testBoth("FutexVector notices each of more words than the kernel takes", () => {
  const count = 3 * futex.VECTOR_LIMIT;
  using words = new Words(count);
  for (const index of [0, 1, 127, 128, 129, 255, 256, count - 1]) {
    using vector = vectorOf(words.all);
    assertEquals(vector.waitSync(PAST), -Errno.ETIMEDOUT);
    words.all[index]!.add(1);
    assert(vector.waitSync(Infinity) >= 0);
  }
});

testBoth("FutexVector wakes from its sleep on each of its words", async () => {
  for (const [index, count] of [[0, 1], [127, 128], [0, 300], [200, 300]] as const) {
    using words = new Words(count);
    using vector = vectorOf(words.all);
    const slept = vector.wait(now() + LATER_MS * 1e6);
    words.all[index]!.add(1); // before or during the sleep: both must be noticed
    futex.wake(words.all[index]!.address, 1);
    assert(await within("the sleep to end", slept) >= 0);
  }
});

Deno.test({
  name: "FutexVector ends its sleep when one of its words is woken without a change",
  ignore: !HAS_WAITV, // the scan sleeps on the first word only
  async fn() {
    for (const [index, count] of [[0, 1], [64, 128], [127, 128]] as const) {
      using words = new Words(count);
      using vector = vectorOf(words.all);
      const slept = vector.wait(now() + LATER_MS * 1e6);
      assertEquals(await wakeWhoComes(words.all[index]!, 1), 1);
      assert(await within("the sleep to end", slept) >= 0);
    }
  },
});

testBoth("FutexVector keeps what it has while it grows", () => {
  using words = new Words(1000);
  using vector = vectorOf(words.all);
  assertEquals(vector.length, 1000);
  assertEquals(vector.waitSync(PAST), -Errno.ETIMEDOUT); // each entry has its own word's value
});

Deno.test("FutexVector is empty after clear()", () => {
  using words = new Words(10);
  using vector = vectorOf(words.all);
  vector.clear();
  assertEquals(vector.length, 0);
  words.all[3]!.add(1);
  vector.push(words.all[5]!.address, words.all[5]!.load());
  assertEquals(vector.waitSync(PAST), -Errno.ETIMEDOUT);
});

Deno.test("FutexVector gives its memory back at close()", () => {
  using words = new Words(1000);
  const before = anonymousRanges();
  const vector = vectorOf(words.all);
  assertEquals(anonymousRanges(), before + 1);
  vector.close();
  assertEquals(anonymousRanges(), before);
  vector.close();
});

Deno.test("FutexVector is empty after close(), and can be filled again", () => {
  using words = new Words(10);
  using vector = vectorOf(words.all);
  vector.close();
  assertEquals(vector.length, 0);
  vector.push(words.all[5]!.address, words.all[5]!.load());
  assertEquals(vector.waitSync(PAST), -Errno.ETIMEDOUT);
});

/** How many ranges of shared memory this process has that belong to no file. */
function anonymousRanges(): number {
  return rangesOf("/dev/zero").length;
}
