/**
 * Broken: the last one out looks whether it is the last, and then removes the name without holding
 * MEMBER for writing. A newcomer that joined in between loses the name under its feet.
 *
 * @module
 */

import { OsError } from "../../../src/errors.ts";
import { LockFile } from "../../../src/region/liveness.ts";
import type { Region } from "../../../src/region/region.ts";
import { REGION_HEADER, RegionState } from "../../../src/region/header.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import { unlink } from "../../../src/os/files.ts";
import { regionWorkload } from "../workloads/region.ts";

/** The byte that every member holds for reading. */
const MEMBER = 0;

function close(region: Region, path: string): void {
  if (region.readOnly) return region.close();
  using look = new LockFile(path, { write: false, what: "the broken region" });
  const state = new Word32(region.mapping, REGION_HEADER.fields.state);
  state.or(RegionState.persist); // so that the shipped close removes nothing
  region.close();
  if (look.isHeldByOther(MEMBER)) return;
  sleepSync(0.2);
  unlink(path);
}

export default regionWorkload((region, path) => {
  try {
    close(region, path);
  } catch (error) {
    if (!(error instanceof OsError && error.code === "ENOENT")) throw error;
    region.close(); // another has removed the name
  }
});
