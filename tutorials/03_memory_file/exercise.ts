/**
 * Exercise: memory that outlives its file descriptor.
 *
 * Make a memory file, map it shared, for reading and writing, and return its address. Every page
 * must be ready to be touched, and no fd may stay open. If the kernel refuses, return its error, a
 * negative number. Something is missing in the given answer. Read the result of the check, and fix it.
 *
 * `memfd`, `truncate`, `allocate`, `map` and `close` are all you need; each returns a negative
 * number if it fails. Run it with `deno run --allow-ffi tutorials/03_memory_file/exercise.ts`.
 *
 * @module
 */

import { map, MapFlag, memfd, Protection } from "./files.ts";
import { checkMakeMemory } from "./check.ts";

/** Returns the address of `length` bytes of shared memory, or a negative number. */
function makeMemory(length: number): number {
  const fd = memfd("exercise");
  const protection = Protection.read | Protection.write;
  return map({ length, protection, flags: MapFlag.shared, fd });
}

checkMakeMemory(makeMemory);
