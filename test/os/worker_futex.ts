/**
 * A Worker that sleeps on the first word of a shared file and tells what came of it.
 *
 * @module
 */

import { Errno } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import * as futex from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";

/** One sleep: on which word of which file, with which value and bits, for how long. */
export interface Sleep {
  /** The file. */
  fd: number;
  /** The word's offset. */
  offset: number;
  /** The value to sleep on; any value if omitted. */
  expected?: number;
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
  const word = new Word32(mapping, { path: "word", offset });
  let result: number;
  do result = futex.wait(word.address, expected ?? word.load(), deadline, bits); // it may change between
   while (expected === undefined && result === -Errno.EAGAIN);
  port.postMessage(result);
};
port.postMessage("ready");
