/**
 * The products that carry messages, as the contracts of claims and of types use them: one handle that
 * sends, and one that receives.
 *
 * @module
 */

import { domain } from "../../../src/babus/definition.ts";
import { circular } from "../../../src/circular/definition.ts";
import type { Claim } from "../../../src/claim.ts";
import { bytes } from "../../../src/codec.ts";
import type { Type } from "../../../src/message.ts";
import { mpsc } from "../../../src/mpsc/definition.ts";
import { spsc } from "../../../src/spsc/definition.ts";
import { topic } from "../../../src/vdds/definition.ts";

// deno-lint-ignore no-explicit-any -- whatever the type of the messages says
type Untyped = any;

type Handle = Disposable & { close(): void };

/** A claim of any product: a slot's returns a number when it is published. */
export type AnyClaim = Omit<Claim, "publish" | "view"> & {
  readonly view: Untyped;
  publish(length?: number): unknown;
};

/** The handle that sends. */
export interface Sender extends Handle {
  tryClaim(length?: number): AnyClaim | undefined;
  tryFill(handler: (claim: AnyClaim) => number | void, length?: number): unknown;
  trySend(value: Untyped): unknown;
  /** Closes without having sent everything. */
  abort?(): void;
}

/** The forms of loops that a receiver can have. */
export type LoopName = "values" | "messages" | "batches" | "samples";

type Loop = (options?: Untyped) => AsyncIterable<Untyped>;

/** A message in place. */
export interface Shown {
  readonly value: Untyped;
  readonly view: Untyped;
}

/** The handle that receives. */
export interface Receiver extends Handle, Partial<Record<LoopName, Loop>> {
  /** Whether the sender has closed and everything was received. */
  readonly ended?: boolean;
  tryReceive(): { readonly value: Untyped } | undefined;
  /** Shows what was not received in place, or the last message. */
  poll(handler: (message: Shown) => void): unknown;
  /** Takes the next message in place, where that is possible. */
  tryTake?(): (Shown & Disposable & { ack?(): void }) | undefined;
}

/** A product. */
export interface Sending {
  open(
    name: string,
    type?: Type,
    options?: { own?: boolean; onPeerGone?: "end" },
  ): readonly [sender: Sender, receiver: Receiver];
  readonly loops: readonly LoopName[];
  /** The word for a claim, of which a handle of a topic can have several at a time. */
  readonly noun?: "loan";
  /** Claims of bytes without a length are refused. */
  readonly mustTellLength?: true;
  /** A full one refuses what comes. */
  readonly refuses?: true;
  /** Receivers look at a state, and take nothing. */
  readonly isState?: true;
}

const RING = { capacity: 4096 };

/** The options of a product with messages of a largest size. */
function sized(type: Type): { type: Type; depth: number; size?: number } {
  const isFixed = typeof type === "string" || typeof type.sizeBytes === "number";
  return { type, depth: 8, ...!isFixed && { size: 256 } };
}

/** All of them. */
export const SENDING: Readonly<Record<string, Sending>> = {
  "SPSC ring": {
    open(name, type = bytes(), options = {}) {
      const ring = spsc(name, { ...RING, type });
      return [ring.producer(), ring.consumer(options)];
    },
    loops: ["values", "messages", "batches"],
    mustTellLength: true,
    refuses: true,
  },
  "MPSC ring": {
    open(name, type = bytes(), options = {}) {
      const ring = mpsc(name, { ...RING, type, producers: 2 });
      return [ring.producer(), ring.consumer(options)];
    },
    loops: ["values", "messages", "batches"],
    mustTellLength: true,
    refuses: true,
  },
  "circular buffer": {
    open(name, type = bytes(), options = {}) {
      const buffer = circular(name, { ...RING, type });
      return [buffer.writer(), buffer.reader(options)];
    },
    loops: ["values"],
    mustTellLength: true,
  },
  topic: {
    open(name, type = bytes(), options = {}) {
      const samples = topic(name, sized(type));
      const publisher = samples.publisher();
      const tryClaim = (length?: number) =>
        publisher.tryLoan(length === undefined ? {} : { length });
      return [Object.assign(publisher, { tryClaim }), samples.subscriber(options)];
    },
    loops: ["values", "samples"],
    noun: "loan",
  },
  slot: {
    open(name, type = bytes(), options = {}) {
      const open = (options = {}) => domain(name, { slot: sized(type) }).open(options).slots.slot;
      const [slot, other] = [open(), open(options)];
      let seen = 0;
      const tryReceive = () => other.sequence > seen ? other.at(++seen) : undefined;
      const poll = (handler: (message: Shown) => void) =>
        handler({ value: other.latest()!.value, view: other.peek()!.view });
      const trySend = (value: Untyped) => slot.tryWrite(value);
      return [Object.assign(slot, { trySend }), Object.assign(other, { tryReceive, poll })];
    },
    loops: ["values", "messages"],
    isState: true,
  },
};
