/**
 * A Worker that keeps a processor busy with code of this process, and touches no ring.
 *
 * @module
 */

import { introduceThread, workerPort } from "./harness/workers.ts";

const port = workerPort()!;
introduceThread(port);
let sum = 0;
port.onmessage = () => {
  for (;;) sum = (sum + 1) | 0;
};
