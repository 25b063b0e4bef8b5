/**
 * A Worker that sleeps on the first word of a shared file and tells what came of it.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { now } from "../../src/os/clock.ts";
import * as futex from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";

/** One sleep: on which word of which file, with which value and bits, for how long. */
export interface Sleep {
  /** The file. */
  fd: number;
  /** The word's offset. */
  offset: number;
  /** The value to sleep on. */
  expected: number;
  /** The bits by which it can be woken. */
  bits: number;
  /** Milliseconds. */
  timeout: number;
}

const port = self as unknown as { onmessage: unknown; postMessage(message: unknown): void };

port.onmessage = ({ data }: MessageEvent<Sleep>) => {
  const { fd, offset, expected, bits, timeout } = data;
  using mapping = Mapping.ofFile(fd, { length: pageSize(), what: "a test" });
  const deadline = now() + timeout * 1e6;
  port.postMessage(futex.wait(mapping.address + offset, expected, deadline, bits));
};
port.postMessage("ready");
