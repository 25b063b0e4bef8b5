/**
 * Exercise 2: memory that outlives its file descriptor.
 *
 * Make a memory file, map it for reading and writing, shared, and give back the address. The memory
 * must be ready to be touched, no fd may stay open, and if the kernel refuses, its answer (a
 * negative number) is yours too. Below, something is missing. Read the result of the check, and fix
 * it.
 *
 * `memfd`, `truncate`, `allocate`, `map` and `close` are all you need; each gives a negative number
 * if it fails. Run it with `deno run --allow-ffi tutorials/02_memory_file/exercise.ts`.
 *
 * @module
 */

import { map, MapFlag, memfd, Protection } from "../../src/os/files.ts";
import { checkMakeMemory } from "./check.ts";

/** Returns the address of `length` bytes of shared memory, or a negative number. */
function makeMemory(length: number): number {
  const fd = memfd("exercise");
  const protection = Protection.read | Protection.write;
  return map({ length, protection, flags: MapFlag.shared, fd });
}

checkMakeMemory(makeMemory);
