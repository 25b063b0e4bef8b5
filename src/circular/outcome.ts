/**
 * The outcomes of reading a circular buffer.
 *
 * @module
 */

import { LostError } from "../errors.ts";

/** The outcome when the writer has overwritten messages before this reader got them. */
export interface Lost {
  /** The reader has lost messages. */
  state: "lost";
  /** The number of lost messages. */
  messages: number;
  /** The number of bytes in the lost messages. */
  bytes: number;
}

/** The outcome of a read that finds no message. */
export type NoMessage =
  /** Nothing new yet. */
  | { state: "empty" }
  /** Nothing new, and the writer has closed; not with `keepOpen`. */
  | { state: "closed" }
  /** Messages were lost; the next read continues after them. */
  | Lost;

/** The outcome of reading a message. */
export type ReadOutcome =
  /** A copy of the message. */
  | { state: "ok"; message: Uint8Array<ArrayBuffer> }
  | NoMessage;

/** The outcome of reading a message into an array. */
export type ReadIntoOutcome =
  /** The message is in the array's first `length` bytes. */
  | { state: "ok"; length: number }
  /** The array is too small for the message, which stays; `length` is the length of the message. */
  | { state: "tooSmall"; length: number }
  | NoMessage;

/** The outcome of a read that waits for a message. */
export type Found<Outcome> = Exclude<Outcome, { state: "empty" }>;

/** The outcome of `poll`. */
export interface Polled {
  /** The number of messages that were handled and still intact afterwards. */
  handled: number;
  /**
   * The reason for the end: `ok` at the limit, `empty`, `closed` (also if the handler closed the
   * reader), or `lost`. If `handled` does not count the last message that the handler saw, that
   * message may have been torn: discard the data read from it.
   */
  state: "ok" | "empty" | "closed" | "lost";
}

/** Makes the error of a loop that lost messages. */
export function lostError({ messages, bytes }: Lost): LostError {
  return new LostError(
    `Cannot read on as if nothing had happened: ${messages} messages with ${bytes} bytes were ` +
      "overwritten; iterate again to go on behind them",
  );
}
