import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { Errno } from "../../src/errors.ts";
import * as files from "../../src/os/files.ts";
import { MapFlag, Open, Protection } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { countFiles } from "./process_state.ts";
import { ScratchFd, ScratchFile } from "./scratch.ts";

const NOWHERE = "/dev/shm/there-is-no-such-file";

/** A folder in shared memory, removed after use. */
function scratchFolder(): Disposable & { path: string } {
  const path = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "scratch-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function statusOf(fd: number): files.FileStatus {
  const status = files.stat(fd);
  assert(typeof status === "object", `${status}`);
  return status;
}

Deno.test("open() returns -ENOENT for a name that is not there", () => {
  assertEquals(files.open(NOWHERE, 0), -Errno.ENOENT);
});

Deno.test("open() never follows a symbolic link unless told to", () => {
  using folder = scratchFolder();
  Deno.writeTextFileSync(`${folder.path}/file`, "content");
  Deno.symlinkSync(`${folder.path}/file`, `${folder.path}/link`);
  assertEquals(files.open(`${folder.path}/link`, 0), -Errno.ELOOP);
  using followed = ScratchFd.open(`${folder.path}/link`, Open.follow);
  assertEquals(statusOf(followed.fd).size, 7);
});

Deno.test("open() does not hang on a named pipe", () => {
  using folder = scratchFolder();
  const path = `${folder.path}/pipe`;
  assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
  using pipe = ScratchFd.open(path, 0);
  assert(!files.isRegular(statusOf(pipe.fd).mode));
});

Deno.test("open() for reading gives an fd that cannot be written", () => {
  using file = new ScratchFile(100);
  using readable = ScratchFd.open(file.path, 0);
  assertEquals(files.truncate(readable.fd, 10), -Errno.EINVAL);
  using writable = ScratchFd.open(file.path, Open.write);
  assertEquals(files.truncate(writable.fd, 10), 0);
});

Deno.test("open() makes a file without a name, and link() gives it one", () => {
  using folder = scratchFolder();
  const path = `${folder.path}/named`;
  using unnamed = ScratchFd.open(folder.path, Open.unnamed | Open.write, 0o640);
  assertEquals(statusOf(unnamed.fd).links, 0);
  assertEquals([...Deno.readDirSync(folder.path)], []);
  assertEquals(files.link(unnamed.fd, path), 0);
  assertEquals(statusOf(unnamed.fd).links, 1);
  assertEquals(Deno.statSync(path).ino, statusOf(unnamed.fd).inode);
});

Deno.test("link() returns -EEXIST for a name that is taken, and leaves it alone", () => {
  using folder = scratchFolder();
  const path = `${folder.path}/taken`;
  Deno.writeTextFileSync(path, "first");
  using unnamed = ScratchFd.open(folder.path, Open.unnamed | Open.write, 0o600);
  assertEquals(files.link(unnamed.fd, path), -Errno.EEXIST);
  assertEquals(Deno.readTextFileSync(path), "first");
});

Deno.test("unlink() removes a name and leaves the open file", () => {
  using folder = scratchFolder();
  const path = `${folder.path}/file`;
  Deno.writeTextFileSync(path, "still here");
  using file = ScratchFd.open(path, 0);
  assertEquals(files.unlink(path), 0);
  assertEquals(statusOf(file.fd).links, 0);
  assertEquals(statusOf(file.fd).size, 10);
  assertEquals(files.unlink(path), -Errno.ENOENT);
});

Deno.test("chmod() sets bits that the umask would have taken away", () => {
  using folder = scratchFolder();
  const before = Deno.umask(0o077);
  try {
    using file = ScratchFd.open(folder.path, Open.unnamed | Open.write, 0o666);
    assertEquals(statusOf(file.fd).mode & 0o777, 0o600);
    assertEquals(files.chmod(file.fd, 0o664), 0);
    assertEquals(statusOf(file.fd).mode & 0o777, 0o664);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("setGroup() gives a file to a group, and says if that is not permitted", () => {
  using folder = scratchFolder();
  using file = ScratchFd.open(folder.path, Open.unnamed | Open.write, 0o600);
  const own = Deno.gid()!;
  assertEquals(files.setGroup(file.fd, own), 0);
  const other = files.setGroup(file.fd, own + 1);
  assertEquals(other, Deno.uid() === 0 ? 0 : -Errno.EPERM);
});

Deno.test("stat() reports identity, size, type, owner and links", () => {
  using file = new ScratchFile(12_345);
  Deno.chmodSync(file.path, 0o640);
  const expected = Deno.statSync(file.path);
  using open = ScratchFd.open(file.path, 0);
  const { device, inode, size, mode, uid, links } = statusOf(open.fd);
  assertEquals([device, inode, size, mode, uid, links], [
    expected.dev,
    expected.ino!,
    12_345,
    expected.mode!,
    expected.uid!,
    1,
  ]);
  assert(files.isRegular(mode));
  assertEquals(uid, files.userId());
});

Deno.test("stat() reports the memory of a file with holes", () => {
  const page = pageSize();
  using file = ScratchFd.memory(8 * page);
  assertEquals(statusOf(file.fd).allocated, 0);
  assertEquals(files.allocate(file.fd, 2 * page, 3 * page), 0);
  assertEquals(statusOf(file.fd).allocated, 3 * page);
  assertEquals(statusOf(file.fd).size, 8 * page);
});

Deno.test("allocate() extends a file that ends before the range", () => {
  const page = pageSize();
  using file = ScratchFd.memory(page);
  assertEquals(files.allocate(file.fd, page, 2 * page), 0);
  assertEquals(statusOf(file.fd).size, 3 * page);
});

Deno.test("statPath() looks at a symbolic link itself", () => {
  using folder = scratchFolder();
  Deno.writeTextFileSync(`${folder.path}/file`, "content");
  Deno.symlinkSync(`${folder.path}/file`, `${folder.path}/link`);
  const link = files.statPath(`${folder.path}/link`);
  assert(typeof link === "object");
  assert(!files.isRegular(link.mode));
  const file = files.statPath(`${folder.path}/file`);
  assert(typeof file === "object");
  assert(files.isRegular(file.mode));
  assertEquals(files.statPath(NOWHERE), -Errno.ENOENT);
});

Deno.test("every function gives -EBADF for an fd that is closed", () => {
  const EBADF = 9;
  const fd = files.memfd("closed");
  assertEquals(files.close(fd), 0);
  assertEquals(files.close(fd), -EBADF);
  assertEquals(files.stat(fd), -EBADF);
  assertEquals(files.truncate(fd, 1), -EBADF);
  assertEquals(files.allocate(fd, 0, 1), -EBADF);
  assertEquals(files.chmod(fd, 0o600), -EBADF);
  assertEquals(files.read(fd, new Uint8Array(1)), -EBADF);
  const request = { length: 4096, protection: Protection.read, flags: MapFlag.shared, fd };
  assertEquals(files.map(request), -EBADF);
});

Deno.test("space() reports the free bytes and all bytes", () => {
  const space = files.space("/dev/shm");
  assert(typeof space === "object");
  assert(0 < space.free && space.free <= space.total, `${space.free} of ${space.total}`);
  assertEquals(files.space(NOWHERE), -Errno.ENOENT);
});

Deno.test("list() returns every name of a folder that needs several calls", () => {
  using folder = scratchFolder();
  const names = Array.from(
    { length: 1500 },
    (_, i) => `${i}`.padStart(30, "x") + "é".repeat(i % 9),
  );
  for (const name of names) Deno.writeTextFileSync(`${folder.path}/${name}`, "");
  const before = countFiles("/dev/shm");
  const listed = files.list(folder.path);
  assert(Array.isArray(listed), `${listed}`);
  assertEquals(listed.sort(), [".", "..", ...names].sort());
  assertEquals(countFiles("/dev/shm"), before);
});

Deno.test("list() returns an errno for a path that cannot be listed", () => {
  const ENOTDIR = 20;
  using file = new ScratchFile(1);
  const before = countFiles("/dev/shm");
  assertEquals(files.list(NOWHERE), -Errno.ENOENT);
  assertEquals(files.list(file.path), -ENOTDIR);
  assertEquals(countFiles("/dev/shm"), before);
});

Deno.test("readAll() returns all bytes of any length", () => {
  using folder = scratchFolder();
  const before = countFiles("/dev/shm");
  for (const length of [0, 1, 4095, 4096, 4097, 100_000]) {
    const content = bytesFrom(length, length);
    Deno.writeFileSync(`${folder.path}/file`, content);
    assertEquals(files.readAll(`${folder.path}/file`), content);
  }
  assertEquals(countFiles("/dev/shm"), before);
});

Deno.test("readAll() returns an errno for a path that cannot be read", () => {
  const EISDIR = 21;
  const before = countFiles("/dev/shm");
  assertEquals(files.readAll(NOWHERE), -Errno.ENOENT);
  assertEquals(files.readAll("/dev/shm"), -EISDIR);
  assertEquals(countFiles("/dev/shm"), before);
});

Deno.test("read() returns the bytes at an offset, independent of earlier reads", () => {
  using file = new ScratchFile(0);
  Deno.writeFileSync(file.path, bytesFrom(5, 100));
  using open = ScratchFd.open(file.path, 0);
  for (const [offset, length] of [[60, 40], [0, 50], [7, 50], [100, 0], [2 ** 40, 0]] as const) {
    const target = new Uint8Array(50);
    assertEquals(files.read(open.fd, target, offset), length);
    assertEquals(target.slice(0, length), bytesFrom(5 + offset, length));
  }
  const target = new Uint8Array(50);
  assertEquals(files.read(open.fd, target), 50);
  assertEquals(target, bytesFrom(5, 50));
});

Deno.test("map() shows a file's bytes, and unmap() takes them away", () => {
  const page = pageSize();
  using file = ScratchFd.memory(2 * page);
  const content = bytesFrom(0, 2 * page);
  Deno.writeFileSync(files.pathOfFd(file.fd), content);
  const protection = Protection.read | Protection.write;
  const address = files.map({ length: 2 * page, protection, flags: MapFlag.shared, fd: file.fd });
  assertGreater(address, 0);
  const buffer = files.bufferAt(address, 2 * page);
  assertEquals(new Uint8Array(buffer.slice(0)), content);
  buffer.transfer(0);
  assertEquals(files.unmap(address, 2 * page), 0);
});

Deno.test("map() returns -EINVAL for 0 bytes and -ENOMEM for more bytes than addresses", () => {
  const ENOMEM = 12;
  const request = { protection: Protection.none, flags: MapFlag.private | MapFlag.anonymous };
  assertEquals(files.map({ ...request, length: 0 }), -Errno.EINVAL);
  assertEquals(files.map({ ...request, length: 2 ** 50 }), -ENOMEM);
});

Deno.test("bufferAt() refuses the null address", () => {
  assertThrows(() => files.bufferAt(0, 1), TypeError, "null");
});

Deno.test("pathOfFd() opens the same file in another way", () => {
  using file = new ScratchFile(0);
  Deno.writeFileSync(file.path, bytesFrom(3, 10));
  using first = ScratchFd.open(file.path, 0);
  using second = ScratchFd.open(files.pathOfFd(first.fd), Open.follow | Open.write);
  assertEquals(statusOf(second.fd).inode, statusOf(first.fd).inode);
  assertEquals([files.truncate(first.fd, 4), files.truncate(second.fd, 4)], [-Errno.EINVAL, 0]);
});

Deno.test("no fd of this package is inherited by a program that is started", () => {
  using file = new ScratchFile(1);
  using _open = ScratchFd.open(file.path, 0);
  using _memory = ScratchFd.memory(1);
  const { stdout } = new Deno.Command("ls", { args: ["-l", "/proc/self/fd"] }).outputSync();
  const listing = new TextDecoder().decode(stdout);
  assert(!/scratch|vring/.test(listing), listing);
});
