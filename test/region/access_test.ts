/** Errors of opening files name the path, its owner and mode, and what to do. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { json, text } from "../../src/codec.ts";
import { struct } from "../../src/struct.ts";
import { Errno, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { userId } from "../../src/os/files.ts";
import { makeError, openError } from "../../src/region/access.ts";
import { calls } from "../../src/calls/definition.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { byteRing, spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Name } from "../shared/scene.ts";

Deno.test("openError() reports the owner and the mode of a file that may not be opened", () => {
  using place = new Name();
  using _memory = sharedMemory(place.name, { size: 64, mode: 0o640 }).open();
  const context = { syscall: "openat", action: "open it" };
  const error = openError(Errno.EACCES, place.path("shm"), context);
  assert(error instanceof OsError);
  assertEquals([error.code, error.syscall], ["EACCES", "openat"]);
  const me = userId();
  assertStringIncludes(error.message, `${place.path("shm")} belongs to user ${me}`);
  assertStringIncludes(error.message, `its mode is 0o640, and you are user ${me} `);
  assertStringIncludes(error.message, "the option mode, such as mode: 0o666");
});

Deno.test("errors name a socket and a directory that have the name of a region", () => {
  using place = new Name();
  const path = place.path("shm");
  const open = () => sharedMemory(place.name, { size: 64 }).open();
  {
    using _listener = Deno.listen({ transport: "unix", path });
    assertThrows(open, LayoutMismatchError, `${path} is a socket, not a regular file; remove it`);
  }
  Deno.mkdirSync(path);
  assertThrows(open, LayoutMismatchError, `${path} is a directory, not a regular file`);
  Deno.removeSync(path);
});

Deno.test("makeError() names /dev/shm where it is missing or of no use", () => {
  const context = { syscall: "openat", action: "create it" };
  for (
    const [errno, state] of [
      [Errno.ENOENT, "there is no /dev/shm"],
      [Errno.EROFS, "/dev/shm is read-only"],
      [Errno.EOPNOTSUPP, "/dev/shm is on a file system without unnamed files"],
    ] as const
  ) {
    const { message } = makeError(errno, context, "/dev/shm");
    assertStringIncludes(message, `Cannot create it: ${state} (openat: `);
    assertStringIncludes(message, "mount a tmpfs on /dev/shm");
  }
});

Deno.test("a forgotten type is named", () => {
  using place = new Name();
  const imu = struct("imu", { time: "f64" });
  using _publisher = topic(place.name, { type: imu }).publisher();
  const open = () => topic(place.name, { size: 8 }).subscriber();
  assertThrows(open, LayoutMismatchError, 'define the type "imu", or unlink the topic');
});

Deno.test("a ring of bytes and forgotten types of calls are named", () => {
  using place = new Name();
  using _producer = byteRing(place.name).producer();
  const open = () => spsc(place.name).consumer();
  assertThrows(open, LayoutMismatchError, "define byteRing(),");
  using _server = calls(place.name, { request: text(), response: json() }).server();
  const call = () => calls(place.name).client();
  assertThrows(call, LayoutMismatchError, 'define the types of "text -> json" for request');
});

Deno.test("a wait that close() ends names the closed handle", async () => {
  using place = new Name();
  using consumer = spsc(place.name).consumer();
  const waiting = consumer.receive();
  await new Promise((resolve) => setTimeout(resolve, 0));
  consumer.close();
  const message = await waiting.then(() => "", (error) => error.message);
  assertEquals(message, `Cannot wait on ring "${place.name}": it was closed`);
});
