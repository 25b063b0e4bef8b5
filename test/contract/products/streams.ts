/**
 * Rings on lanes as streams: their contents count as bytes, with or without messages.
 *
 * @module
 */

import type { MpscConsumer } from "../../../src/mpsc/consumer.ts";
import { mpsc } from "../../../src/mpsc/definition.ts";
import type { ByteConsumer, ByteProducer } from "../../../src/spsc/bytes.ts";
import type { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { byteRing, spsc } from "../../../src/spsc/definition.ts";
import type { SyncWaitOptions, WaitOptions } from "../../../src/wait/until.ts";
import { pageSize } from "../../../src/os/page.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The sending end. */
export interface Source extends Disposable {
  readonly free: number;
  trySend(bytes: Bytes): boolean;
  /** Announces that everything was sent, and closes. */
  end(): void;
  /** Closes without announcing it. */
  abort(): void;
  flush(options?: WaitOptions): Promise<void>;
  flushSync(options?: SyncWaitOptions): void;
  toWritableStream(options?: WaitOptions): WritableStream<Uint8Array>;
}

/** The receiving end. */
export interface Target extends Disposable {
  /** Whether everything was received up to the end. */
  readonly ended: boolean;
  readonly available: number;
  /** Waits for something to receive; false at the end. */
  wait(options?: WaitOptions): Promise<boolean>;
  waitSync(options?: SyncWaitOptions): boolean;
  /** Receives the next message, or all bytes. */
  tryReceive(): Bytes | undefined;
  toReadableStream(options?: WaitOptions): ReadableStream<Bytes>;
  close(): void;
}

/** A ring. */
export interface Streamed {
  readonly name: string;
  /** Another sender replaces a lost one, which is forgotten. */
  readonly forgives?: true;
  source(name: string): Source;
  target(name: string, options?: { onPeerGone?: "wait" | "end" }): Target;
}

const OPTIONS = { capacity: pageSize(), persist: true };

function messages(
  consumer: SpscConsumer | MpscConsumer,
): Target {
  return {
    get ended() {
      return consumer.ended;
    },
    get available() {
      return consumer.available;
    },
    wait: (options) => consumer.wait(options),
    waitSync: (options) => consumer.waitSync(options),
    tryReceive() {
      return consumer.tryReceive()?.value;
    },
    toReadableStream: (options) => consumer.toReadableStream(options),
    close: () => consumer.close(),
    [Symbol.dispose]: () => consumer[Symbol.dispose](),
  };
}

function byteTarget(consumer: ByteConsumer): Target {
  return {
    get ended() {
      return consumer.ended;
    },
    get available() {
      return consumer.available;
    },
    wait: (options) => consumer.wait(1, options),
    waitSync: (options) => consumer.waitSync(1, options),
    tryReceive() {
      const bytes = consumer.peek().slice();
      consumer.release(bytes.length);
      return bytes.length > 0 ? bytes : undefined;
    },
    toReadableStream: (options) => consumer.toReadableStream(options),
    close: () => consumer.close(),
    [Symbol.dispose]: () => consumer[Symbol.dispose](),
  };
}

function byteSource(producer: ByteProducer): Source {
  return {
    get free() {
      return producer.free;
    },
    trySend(bytes) {
      const claim = producer.tryClaim(bytes.length);
      if (claim === undefined) return false;
      claim.bytes.set(bytes);
      claim.publish();
      return true;
    },
    end: () => producer.end(),
    abort: () => producer.abort(),
    flush: (options) => producer.flush(options),
    flushSync: (options) => producer.flushSync(options),
    toWritableStream: (options) => producer.toWritableStream(options),
    [Symbol.dispose]: () => producer[Symbol.dispose](),
  };
}

export const STREAMED: readonly Streamed[] = [
  {
    name: "SPSC ring",
    source: (name) => spsc(name, OPTIONS).producer(),
    target: (name, options) => messages(spsc(name, OPTIONS).consumer(options)),
  },
  {
    name: "MPSC ring",
    forgives: true,
    source: (name) => mpsc(name, { ...OPTIONS, producers: 2 }).producer(),
    target: (name, options) => messages(mpsc(name, { ...OPTIONS, producers: 2 }).consumer(options)),
  },
  {
    name: "SPSC ring of bytes",
    source: (name) => byteSource(byteRing(name, OPTIONS).producer()),
    target: (name, options) => byteTarget(byteRing(name, OPTIONS).consumer(options)),
  },
];
