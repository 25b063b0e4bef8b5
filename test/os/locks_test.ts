import { assertEquals, assertGreater } from "@std/assert";
import { Errno } from "../../src/errors.ts";
import * as files from "../../src/os/files.ts";
import {
  closeLockFile,
  findLock,
  Lock,
  openLockFile,
  setLock,
  testLock,
} from "../../src/os/locks.ts";
import { pageSize } from "../../src/os/page.ts";
import { ScratchFile } from "./scratch.ts";

/** Lock files of one scratch file, all closed after use. */
class Opens implements Disposable {
  readonly #stack = new DisposableStack();
  readonly #file = this.#stack.use(new ScratchFile(0));

  get path(): string {
    return this.#file.path;
  }

  open(write = true): number {
    const fd = openLockFile(this.#file.path, write);
    assertGreater(fd, 2);
    this.#stack.defer(() => closeLockFile(fd));
    return fd;
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

Deno.test("setLock() works far beyond the end of the file", () => {
  using opens = new Opens();
  const [first, second] = [opens.open(), opens.open()];
  const far = 2 ** 52 + 12_345;
  assertEquals(setLock(first, Lock.write, far), 0);
  assertEquals(setLock(second, Lock.write, far), -Errno.EAGAIN);
  assertEquals(setLock(second, Lock.write, far + 1), 0);
});

Deno.test("setLock() for writing gives -EBADF on an fd that only reads", () => {
  using opens = new Opens();
  const reading = opens.open(false);
  assertEquals(setLock(reading, Lock.write, 7), -9);
  assertEquals(setLock(reading, Lock.read, 7), 0);
});

Deno.test("testLock() returns the type of the lock in the way", () => {
  using opens = new Opens();
  const [first, second] = [opens.open(), opens.open()];
  setLock(first, Lock.write, 1);
  setLock(first, Lock.read, 2);
  const seen = [1, 2, 3].map((byte) => testLock(second, Lock.write, byte));
  assertEquals(seen, [Lock.write, Lock.read, Lock.none]);
  assertEquals(testLock(second, Lock.read, 2), Lock.none);
});

Deno.test("testLock() does not see the fd's own locks and changes nothing", () => {
  using opens = new Opens();
  const [first, second] = [opens.open(), opens.open()];
  setLock(first, Lock.write, 7);
  assertEquals(testLock(first, Lock.write, 7), Lock.none);
  assertEquals(testLock(second, Lock.write, 8), Lock.none);
  assertEquals(setLock(first, Lock.write, 8), 0);
});

Deno.test("findLock() reports a byte of a range that another file locks, to read or write", () => {
  using opens = new Opens();
  const [first, second] = [opens.open(), opens.open()];
  const far = 2 ** 52;
  setLock(first, Lock.write, far + 10);
  setLock(first, Lock.read, far + 20);
  const ranges = [[0, 30], [5, 6], [11, 10], [20, 1]] as const;
  const found = ranges.map(([start, count]) => findLock(second, far + start, count) - far);
  assertEquals(found.map((at) => at === 10 || at === 20), [true, true, true, true]);
  assertEquals(found.slice(1), [10, 20, 20]);
});

Deno.test("setLock() locks a range, whose start findLock() returns for any byte of it", () => {
  using opens = new Opens();
  const [first, second] = [opens.open(), opens.open()];
  const far = 2 ** 52;
  assertEquals(setLock(first, Lock.write, far + 100, 51), 0);
  const found = [99, 100, 130, 150, 151].map((byte) => findLock(second, far + byte, 1));
  const none = -Errno.ENOENT;
  assertEquals(found, [none, far + 100, far + 100, far + 100, none]);
  assertEquals(setLock(second, Lock.write, far + 150), -Errno.EAGAIN);
  setLock(first, Lock.none, far + 100, 51);
  assertEquals(setLock(second, Lock.write, far + 150), 0);
});

Deno.test("findLock() returns -ENOENT where nobody else holds a byte", () => {
  using opens = new Opens();
  const [first, second] = [opens.open(), opens.open()];
  setLock(first, Lock.write, 10);
  setLock(second, Lock.write, 5);
  assertEquals(findLock(second, 0, 10), -Errno.ENOENT);
  assertEquals(findLock(second, 11, 100), -Errno.ENOENT);
});

Deno.test("closeLockFile() drops every lock of this open and none of another", () => {
  using opens = new Opens();
  const [other, third] = [opens.open(), opens.open()];
  const fd = openLockFile(opens.path, true);
  setLock(fd, Lock.write, 1);
  setLock(fd, Lock.write, 900);
  setLock(other, Lock.write, 2);
  assertEquals(closeLockFile(fd), 0);
  const seen = [1, 900, 2].map((byte) => testLock(third, Lock.write, byte));
  assertEquals(seen, [Lock.none, Lock.none, Lock.write]);
});

Deno.test("closeLockFile() drops the locks though a mapping keeps the file open", () => {
  using opens = new Opens();
  const page = pageSize();
  Deno.truncateSync(opens.path, page);
  const fd = openLockFile(opens.path, true);
  setLock(fd, Lock.write, 7);
  const { shared } = files.MapFlag;
  const address = files.map({ length: page, protection: files.Protection.read, flags: shared, fd });
  assertGreater(address, 0);
  closeLockFile(fd);
  try {
    assertEquals(testLock(opens.open(), Lock.write, 7), Lock.none);
  } finally {
    files.unmap(address, page);
  }
});

Deno.test("closing any other open of the file leaves a lock alone, unlike POSIX locks", () => {
  using opens = new Opens();
  const holder = opens.open();
  setLock(holder, Lock.write, 7);
  closeLockFile(openLockFile(opens.path, true));
  files.close(files.open(opens.path, files.Open.write));
  assertEquals(testLock(opens.open(), Lock.write, 7), Lock.write);
});

Deno.test("openLockFile() returns -ENOENT for a name that is not there", () => {
  assertEquals(openLockFile("/dev/shm/there-is-no-such-file", true), -Errno.ENOENT);
});
