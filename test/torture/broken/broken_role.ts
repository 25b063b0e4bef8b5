/**
 * Broken: a role taken because a look at the lock found it free. Two who look at the same moment
 * both have it.
 *
 * @module
 */

import { LockFile } from "../../../src/region/liveness.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import { roleWorkload } from "../workloads/role.ts";

const BYTE = 100;

export default roleWorkload((_region, _role, path) => {
  const file = new LockFile(path, { write: true, what: "the broken role" });
  if (file.isHeldByOther(BYTE)) {
    file.close();
    return undefined;
  }
  sleepSync(1);
  file.tryLock(BYTE, "read"); // so that others who look later find it taken
  return file;
});
