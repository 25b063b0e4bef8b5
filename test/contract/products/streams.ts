/**
 * Rings on lanes as streams: their contents count as bytes, with or without messages.
 *
 * @module
 */

import { MpscConsumer } from "../../../src/mpsc/consumer.ts";
import { MpscProducer } from "../../../src/mpsc/producer.ts";
import type { SpscByteConsumer, SpscByteProducer } from "../../../src/spsc/bytes.ts";
import { SpscConsumer } from "../../../src/spsc/consumer.ts";
import { SpscProducer } from "../../../src/spsc/producer.ts";
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
  /** Loops over messages. */
  values?(options?: WaitOptions): AsyncIterable<Bytes>;
  close(): void;
}

/** A ring. */
export interface Streamed {
  readonly name: string;
  /** Another sender replaces a lost one, which is forgotten. */
  readonly forgives?: true;
  source(name: string): Source;
  target(name: string, options?: { keepOpen?: boolean }): Target;
}

const OPTIONS = { capacity: pageSize(), persist: true };

function messages(
  consumer: SpscConsumer<Bytes> | MpscConsumer<Bytes>,
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
      const outcome = consumer.tryReceive();
      return outcome.state === "ok" ? outcome.value : undefined;
    },
    toReadableStream: (options) => consumer.toReadableStream(options),
    values: (options) => consumer.values(options),
    close: () => consumer.close(),
    [Symbol.dispose]: () => consumer[Symbol.dispose](),
  };
}

function byteTarget(consumer: SpscByteConsumer): Target {
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
      const bytes = consumer.peek().slice();
      consumer.release(bytes.length);
      return bytes.length > 0 ? bytes : undefined;
    },
    toReadableStream: (options) => consumer.toReadableStream(options),
    close: () => consumer.close(),
    [Symbol.dispose]: () => consumer[Symbol.dispose](),
  };
}

function byteSource(producer: SpscByteProducer): Source {
  return {
    get free() {
      return producer.free;
    },
    trySend(bytes) {
      const space = producer.tryClaim(bytes.length);
      if (space === undefined) return false;
      space.set(bytes);
      producer.publish();
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
    source: (name) => SpscProducer.open(name, { ...OPTIONS }),
    target: (name, options) => messages(SpscConsumer.open(name, { ...OPTIONS, ...options })),
  },
  {
    name: "MPSC ring",
    forgives: true,
    source: (name) => MpscProducer.open(name, { ...OPTIONS, producers: 2 }),
    target: (name, options) =>
      messages(MpscConsumer.open(name, { ...OPTIONS, producers: 2, ...options })),
  },
  {
    name: "SPSC ring of bytes",
    source: (name) => byteSource(SpscProducer.open(name, { ...OPTIONS, level: "bytes" })),
    target: (name, options) =>
      byteTarget(SpscConsumer.open(name, { ...OPTIONS, level: "bytes", ...options })),
  },
];
