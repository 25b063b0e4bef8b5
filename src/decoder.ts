/**
 * Decoding in place: a receiver reads the fields of a struct where they are, without a copy of the
 * message. A peer may write there at the same time: the decoder reads each field once, and any
 * bytes decode to some value. So a receiver of a lossy ring validates the message after it has
 * decoded it.
 *
 * @module
 */

import { type Codec, formOf } from "./codec.ts";
import { type Memory, peekData } from "./memory/word.ts";

/** Decodes messages in place. */
export interface Decoder<T> {
  /** The length of the messages that it decodes; the codec decodes messages of other lengths. */
  readonly size: number;
  /** Decodes the message at an offset. */
  load(memory: Memory, offset: number): T;
}

/** Returns the decoder of a struct; undefined for codecs that need the bytes. */
export function decoderOf<T>(codec: Codec<T, never, unknown>): Decoder<T> | undefined {
  const form = formOf(codec);
  if (form?.kind !== "struct") return undefined;
  const { size, load } = form;
  return { size, load: (memory, offset) => load(peekData(memory, offset, size), offset) as T };
}
