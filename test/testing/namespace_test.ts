/** Namespaces: names of their own, for regions and semaphores, that are gone with the namespace. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { VringError } from "../../src/errors.ts";
import { regions } from "../../src/region/list.ts";
import { lock as defineLock } from "../../src/shared/semaphore_lock.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { namespace } from "../../src/testing/mod.ts";
import { Name } from "../shared/scene.ts";

/** The files in /dev/shm whose names contain this text. */
function filesWith(text: string): string[] {
  return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
    .filter((name) => name.includes(text)).sort();
}

Deno.test("namespace() puts the names of regions and semaphores behind a prefix, and unlinks them", () => {
  using place = new Name();
  const names = namespace();
  const { prefix } = names;
  sharedMemory(place.name, { size: 8, persist: true }).open().close();
  defineLock(place.name).open().close();
  assertEquals(filesWith(place.name), [
    `sem.${prefix}.${place.name}`,
    `vring.shm.${prefix}.${place.name}`,
  ]);
  assertEquals(regions().map(({ name }) => name), [place.name]);
  names[Symbol.dispose]();
  names[Symbol.dispose](); // does nothing
  assertEquals(filesWith(place.name), []);
});

Deno.test("a definition that was made before leads into the namespace, and out of it after", () => {
  using place = new Name();
  const state = sharedMemory(place.name, { size: 8 });
  using outside = state.open();
  outside.bytes[0] = 7;
  {
    using _names = namespace();
    assertEquals([state.info(), state.unlink()], [undefined, false]);
    using inside = state.open();
    assertEquals([inside.bytes[0], inside.references], [0, 1]);
    assertEquals(state.info()?.name, place.name);
  }
  using again = state.open();
  assertEquals([again.bytes[0], again.references], [7, 2]);
});

Deno.test("two namespaces have nothing in common", () => {
  using place = new Name();
  const table = rwLock(place.name, { persist: true });
  const prefixes = [1, 2].map(() => {
    using names = namespace();
    assertEquals(table.info(), undefined);
    table.open().close();
    assert(table.info() !== undefined);
    return names.prefix;
  });
  assertNotEquals(prefixes[0], prefixes[1]);
});

Deno.test("dispose names the handles that are still open with the lines that opened them, and unlinks all the same", () => {
  using place = new Name();
  const names = namespace();
  using memory = sharedMemory(place.name, { size: 8 }).open();
  using door = defineLock(place.name).open();
  const { message } = assertThrows(() => names[Symbol.dispose](), VringError);
  assertStringIncludes(message, `Cannot end namespace "${names.prefix}" in order: `);
  assertMatch(
    message,
    /shared memory "[^"]+" is open \(opened at [^)]*namespace_test\.ts:\d+:\d+\)/,
  );
  assertMatch(message, /lock "[^"]+" is open \(opened at [^)]*namespace_test\.ts:\d+:\d+\)/);
  assertEquals(filesWith(place.name), []);
  memory.bytes[0] = 1; // the handles keep working
  assertEquals(door.tryLock()?.recovered, false);
  using _next = namespace(); // this isolate has left the first one
});

Deno.test("handles that were open before do not belong to the namespace", () => {
  using place = new Name();
  using _before = sharedMemory(place.name, { size: 8 }).open();
  namespace()[Symbol.dispose]();
});

Deno.test("another process of the test joins by the prefix", async () => {
  using place = new Name();
  using names = namespace();
  using memory = sharedMemory(place.name, { size: 8 }).open();
  const url = (path: string) => new URL(`../../${path}`, import.meta.url).href;
  const program = `
    import { namespace } from "${url("src/testing/mod.ts")}";
    import { sharedMemory } from "${url("mod.ts")}";
    namespace("${names.prefix}");
    sharedMemory("${place.name}", { size: 8 }).open({ open: "join" }).bytes[3] = 42;`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--no-config", program],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  assertEquals(memory.bytes[3], 42);
});

Deno.test("namespace() refuses an impossible prefix, and a namespace in a namespace", () => {
  assertThrows(() => namespace("a/b"), TypeError, "the prefix of a namespace");
  assertThrows(() => namespace("p".repeat(31)), TypeError, "use at most 30");
  using names = namespace("p".repeat(30));
  const told = `this isolate is in "${names.prefix}"; dispose that first`;
  assertThrows(() => namespace(), VringError, told);
});
