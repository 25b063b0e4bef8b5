/**
 * A Worker that uses the library and then stays until it is asked to end or is terminated.
 *
 * @module
 */

import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";

const port = self as unknown as {
  onmessage: () => void;
  postMessage(message: unknown): void;
  close(): void;
};

using ring = new MirrorRing(1);
port.onmessage = () => port.close();
port.postMessage(ring.write(Uint8Array.of(3, 1, 4, 1, 5)) === 5 ? "used" : "failed");
