/**
 * An answer: reserve, map, and close the fd on every way out. `allocate` also
 * gives the file its length, so `truncate` is not needed.
 *
 * @module
 */

import { allocate, close, map, MapFlag, memfd, Protection } from "../03_memory_file/files.ts";
import { checkMakeMemory } from "../03_memory_file/check.ts";

function makeMemory(length: number): number {
  const fd = memfd("exercise");
  if (fd < 0) return fd;
  try {
    const reserved = allocate(fd, 0, length);
    if (reserved < 0) return reserved;
    const protection = Protection.read | Protection.write;
    return map({ length, protection, flags: MapFlag.shared, fd });
  } finally {
    close(fd);
  }
}

checkMakeMemory(makeMemory);
