import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { ClosedError, OsError } from "../../src/errors.ts";
import { LockFile, Role } from "../../src/region/liveness.ts";
import { now } from "../../src/os/clock.ts";
import { Open } from "../../src/os/files.ts";
import { countFiles } from "../os/process_state.ts";
import { ScratchFd, ScratchFile } from "../os/scratch.ts";
import { within } from "../os/until.ts";
import { untilFree } from "./opening.ts";

const WRITE = { write: true, what: 'region "demo"' };

/** A file and open files of it, all closed after use. */
class Locks implements Disposable {
  readonly #stack = new DisposableStack();
  readonly path = this.#stack.use(new ScratchFile(100)).path;

  open(options = WRITE): LockFile {
    return this.#stack.use(new LockFile(this.path, options));
  }

  hold(byte: number): Role | undefined {
    const role = Role.tryHold(this.path, byte, "a test");
    if (role) this.#stack.use(role);
    return role;
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

Deno.test("tryHold() keeps out another handle of the same process", () => {
  using locks = new Locks();
  assert(locks.hold(3) !== undefined);
  assertEquals(locks.hold(3), undefined);
  assertEquals(locks.hold(3), undefined);
});

Deno.test("tryHold() succeeds again once the holder has closed", () => {
  using locks = new Locks();
  const first = locks.hold(3)!;
  const other = locks.hold(4)!;
  first.close();
  const second = locks.hold(3)!;
  assert(second !== undefined);
  first.close(); // for the second time, when another has the byte
  assertEquals([locks.hold(3), locks.hold(4)], [undefined, undefined]);
  other[Symbol.dispose]();
  assert(locks.hold(4) !== undefined);
});

Deno.test("tryHold() leaves no fd behind, whether it holds the byte or not", () => {
  using locks = new Locks();
  const before = countFiles("/dev/shm");
  for (let i = 0; i < 1000; i++) {
    using role = Role.tryHold(locks.path, 3, "a test");
    using taken = Role.tryHold(locks.path, 3, "a test");
    assertEquals([role === undefined, taken === undefined], [false, true]);
  }
  assertEquals(countFiles("/dev/shm"), before);
});

Deno.test("a Role is not given up when another open of the file is closed", () => {
  using locks = new Locks();
  assert(locks.hold(3));
  {
    using _lock = new LockFile(locks.path, WRITE);
    using _plain = ScratchFd.open(locks.path, Open.write);
  }
  assertEquals(locks.hold(3), undefined);
});

Deno.test("LockFile throws an OsError that says what could not be opened", () => {
  const error = assertThrows(
    () => new LockFile("/dev/shm/there-is-no-such-file", WRITE),
    OsError,
    'Cannot open region "demo" to lock',
  );
  assertEquals([error.syscall, error.code], ["open", "ENOENT"]);
});

Deno.test("tryLock() throws an OsError when the file was opened for reading only", () => {
  using locks = new Locks();
  const reading = locks.open({ write: false, what: 'region "demo"' });
  assertEquals(reading.tryLock(5, "read"), true);
  const error = assertThrows(() => reading.tryLock(5, "write"), OsError, 'byte 5 of region "demo"');
  assertEquals([error.syscall, error.code], ["fcntl", "EBADF"]);
});

Deno.test("tryLock() lets many read a byte, and one write it", () => {
  using locks = new Locks();
  const [first, second] = [locks.open(), locks.open()];
  assertEquals([first.tryLock(5, "read"), second.tryLock(5, "read")], [true, true]);
  assertEquals(first.tryLock(5, "write"), false);
  second.unlock(5);
  assertEquals(first.tryLock(5, "write"), true);
  assertEquals([second.tryLock(5, "read"), second.tryLock(5, "write")], [false, false]);
  assertEquals(first.tryLock(5, "read"), true); // down again
  assertEquals(second.tryLock(5, "read"), true);
});

Deno.test("unlock() gives back one byte and no other", () => {
  using locks = new Locks();
  const [first, second] = [locks.open(), locks.open()];
  for (const byte of [4, 5, 6]) first.tryLock(byte, "write");
  first.unlock(5);
  assertEquals([4, 5, 6].map((byte) => second.tryLock(byte, "write")), [false, true, false]);
});

Deno.test("isHeldByOther() sees readers and writers, but not itself", () => {
  using locks = new Locks();
  const [first, second] = [locks.open(), locks.open()];
  first.tryLock(4, "read");
  first.tryLock(5, "write");
  second.tryLock(6, "write");
  assertEquals([4, 5, 6, 7].map((byte) => second.isHeldByOther(byte)), [true, true, false, false]);
});

Deno.test("countOthers() counts every byte of a range that others hold", () => {
  using locks = new Locks();
  const looker = locks.open();
  const held = [10, 11, 13, 40, 41, 99];
  held.forEach((byte, i) => locks.open().tryLock(byte, i % 2 === 0 ? "read" : "write"));
  looker.tryLock(12, "read");
  looker.tryLock(50, "write");
  const ranges = [[0, 100], [10, 1], [11, 3], [12, 1], [14, 26], [40, 2], [42, 57], [98, 2], [
    0,
    0,
  ]];
  const expected = ranges.map(([byte, count]) =>
    held.filter((at) => byte! <= at && at < byte! + count!).length
  );
  const counted = ranges.map(([byte, count]) => looker.countOthers(byte!, count!));
  assertEquals(counted, expected);
  assertEquals(counted[0], held.length);
});

Deno.test("path leads to the file when its name is gone", () => {
  using locks = new Locks();
  const file = locks.open();
  const { inode } = file.status();
  const moved = `${locks.path}.moved`;
  Deno.renameSync(locks.path, moved);
  try {
    using again = new LockFile(file.path, WRITE);
    assertEquals(again.status().inode, inode);
    assert(again.tryLock(5, "write"));
    assertEquals(file.isHeldByOther(5), true);
  } finally {
    Deno.renameSync(moved, locks.path);
  }
});

Deno.test("status() is that of the file now", () => {
  using locks = new Locks();
  const file = locks.open();
  assertEquals([file.status().size, file.status().links], [100, 1]);
  Deno.truncateSync(locks.path, 5000);
  assertEquals(file.status().size, 5000);
});

Deno.test("close() drops every lock, and can be called twice", () => {
  using locks = new Locks();
  const [file, other] = [locks.open(), locks.open()];
  file.tryLock(4, "read");
  file.tryLock(5, "write");
  file.close();
  assertEquals([other.tryLock(4, "write"), other.tryLock(5, "write")], [true, true]);
  const reused = locks.open(); // has got the number of the fd that is closed
  reused.tryLock(9, "write");
  file.close();
  assertEquals(other.isHeldByOther(9), true);
});

Deno.test("a LockFile that is closed throws a ClosedError and touches no other file", () => {
  using locks = new Locks();
  const [file, other] = [locks.open(), locks.open()];
  file.close();
  const _reused = locks.open(); // has got the number of the fd that is closed
  assertThrows(() => file.tryLock(4, "write"), ClosedError);
  assertThrows(() => file.unlock(4), ClosedError);
  assertThrows(() => file.isHeldByOther(4), ClosedError);
  assertThrows(() => file.countOthers(0, 9), ClosedError);
  assertThrows(() => file.status(), ClosedError);
  assertThrows(() => file.path, ClosedError);
  assertEquals(other.isHeldByOther(4), false);
});

Deno.test("pollUntil() resolves at once when the first look finds something", async () => {
  using locks = new Locks();
  const file = locks.open();
  file.tryLock(5, "write");
  await untilFree(file, 5, { timeout: 0 });
  await untilFree(file, 6, { timeout: 0 });
});

Deno.test("pollUntil() resolves when a later look finds something", async () => {
  using locks = new Locks();
  const role = locks.hold(5)!;
  let free = false;
  const waiting = untilFree(locks.open(), 5).then(() => free = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(free, false);
  role.close();
  await within("the role to be free", waiting);
});

Deno.test("pollUntil() rejects with a TimeoutError when the time has passed, and not before", async () => {
  using locks = new Locks();
  locks.hold(5);
  const file = locks.open();
  for (const timeout of [0, 1, 30]) {
    const start = now();
    const error = await assertRejects(() => untilFree(file, 5, { timeout }), DOMException);
    assertEquals(error.name, "TimeoutError");
    assertStringIncludes(error.message, `${timeout} ms have passed`);
    assert(now() - start >= timeout * 1e6);
  }
});

Deno.test("pollUntil() rejects with the reason of a signal, aborted before or meanwhile", async () => {
  using locks = new Locks();
  locks.hold(5);
  const file = locks.open();
  const reason = new Error("not any more");
  const before = untilFree(file, 5, { signal: AbortSignal.abort(reason) });
  assertEquals(await assertRejects(() => before), reason);
  const controller = new AbortController();
  const waiting = untilFree(file, 5, { signal: controller.signal });
  controller.abort(reason);
  assertEquals(await assertRejects(() => within("the rejection", waiting)), reason);
});
