/**
 * Connects rings to web streams. A stream reads nothing ahead: an unread message stays in the ring,
 * so backpressure reaches the sender, even in another process.
 *
 * @module
 */

import { checkWaits } from "./arguments.ts";
import type { WaitOptions } from "./wait/until.ts";

/** A receiver of messages of bytes, which it shows in place. */
export interface MessageSource {
  take(
    options: WaitOptions,
  ): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; ack(): void } | undefined>;
  close(): void;
}

/** Streams the bytes of all messages in order. An empty message adds nothing to the stream. */
export function joinedStream(
  source: MessageSource,
  options: WaitOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  checkWaits(options);
  return new ReadableStream({
    type: "bytes",
    pull: async (controller) => {
      for (;;) {
        const message = await source.take(options);
        if (message === undefined) break;
        const bytes = message.bytes.slice(); // the stream detaches its buffer
        message.ack();
        if (bytes.length > 0) return controller.enqueue(bytes);
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: () => source.close(),
  }, { highWaterMark: 0 });
}

/** A receiver of bytes. */
export interface ByteSource {
  /** Waits for bytes; returns false once the sender has closed and none are left. */
  wait(options: WaitOptions): Promise<boolean>;
  /** Returns the size of the array to allocate when the reader passes none. */
  chunkBytes(): number;
  /** Moves at least one byte into the target; returns the number moved. */
  read(target: Uint8Array<ArrayBuffer>): number;
  close(): void;
}

/** Streams the bytes of a receiver, straight into the reader's own array if it brings one. */
export function byteStream(
  source: ByteSource,
  options: WaitOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  checkWaits(options);
  return new ReadableStream({
    type: "bytes",
    pull: async (controller) => {
      const more = await source.wait(options);
      const { byobRequest: request } = controller;
      if (!more) {
        controller.close();
        request?.respond(0);
      } else if (request?.view) {
        const { buffer, byteOffset, byteLength } = request.view;
        const target = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
        request.respond(source.read(target));
      } else {
        const chunk = new Uint8Array(source.chunkBytes());
        controller.enqueue(chunk.subarray(0, source.read(chunk)));
      }
    },
    cancel: () => source.close(),
  }, { highWaterMark: 0 });
}

/** A sender. */
export interface Sink<T> {
  send(value: T, options: WaitOptions): Promise<void>;
  /** Closes the sender after it has sent everything. */
  close(): void;
  /**
   * Closes the sender before it has sent everything, so that its peer sees a loss. A failed write
   * calls this too, because a stream that failed can neither close nor abort.
   */
  abort(): void;
}

/**
 * Sends each written value in order. Closing or aborting the stream closes or aborts the sender.
 */
export function sinkStream<T>(sink: Sink<T>, options: WaitOptions): WritableStream<T> {
  checkWaits(options);
  const waits = { ...options };
  return new WritableStream<T>({
    start: ({ signal: aborted }) => {
      waits.signal = options.signal ? AbortSignal.any([options.signal, aborted]) : aborted;
    },
    write: async (value) => {
      try {
        await sink.send(value, waits);
      } catch (error) {
        sink.abort();
        throw error;
      }
    },
    close: () => sink.close(),
    abort: () => sink.abort(),
  });
}
