/**
 * What a bridge needs of a network. test/bridge/carriers.ts is one suite for every
 * carrier: a new one, over another transport, needs no change of the bridge.
 *
 * C1  Messages of one carrier on one subject arrive in order. Any of them may be lost, and each
 *     arrives at most once. Subjects have no order among each other.
 * C2  A carrier does not receive what it has published itself.
 * C3  `publish` copies what it keeps: the caller may change the payload once it has returned.
 * C4  After `flush` resolves, everything published before has left this machine. It rejects if the
 *     connection broke meanwhile.
 *
 * @module
 */

/** Named values beside the payload of a message. */
export type Headers = ReadonlyMap<string, string>;

/** A message to publish. */
export interface Outgoing {
  /** The subject, without wildcards. */
  readonly subject: string;
  /** Named values beside the payload. */
  readonly headers: Headers;
  /** The bytes. */
  readonly payload: Uint8Array;
  /** The subject for the answer. */
  readonly reply?: string | undefined;
}

/** A message that arrived. */
export interface Incoming {
  /** The subject. */
  readonly subject: string;
  /** Named values beside the payload. */
  readonly headers: Headers;
  /** The bytes. */
  readonly payload: Uint8Array;
  /** The subject for the answer; undefined if none is expected. */
  readonly reply: string | undefined;
}

/** What happens to a connection. */
export type CarrierEvent =
  /** The connection is there, for the first time or again. */
  | { readonly type: "connected" }
  /** The connection broke; the carrier connects again by itself. */
  | { readonly type: "disconnected" }
  /** The network dropped messages for this carrier, which read too slowly. */
  | { readonly type: "slow" }
  /** The network does not permit this. */
  | {
    readonly type: "refused";
    readonly operation: "publish" | "subscribe";
    readonly subject: string;
  }
  /** The connection has ended for good. */
  | { readonly type: "closed"; readonly error: Error | undefined };

/** A subscription, which ends when it is disposed. */
export type Subscription = Disposable;

/** How a network keeps messages. */
export interface KeepOptions {
  /** The realm. */
  readonly realm: string;
  /** The most bytes that are kept; then new messages are refused, and their publishers wait. */
  readonly maxBytes: number;
  /** The number of last values that are kept of each slot. */
  readonly slotHistory: number;
  /** The time until a message that a consumer has not acknowledged comes again; 2,000 by default. */
  readonly againMs?: number | undefined;
}

/**
 * Takes a kept message, and calls `done` once the network may forget it: before it resolves, or later.
 * Resolves with false if all messages that are not done must come again.
 */
export type KeptHandler = (message: Incoming, done: () => void) => Promise<boolean>;

/**
 * Messages that the network keeps until those who import them have acknowledged them.
 *
 * K1  A message is kept once `publish` resolves. One with the `id` of a message of the last two
 *     minutes is kept once.
 * K2  A consumer gets each message of its subject at least once, also after it was away, in the
 *     order in which they were kept. When it starts, or its handler resolved with false, the messages
 *     that are not done come again, before newer ones.
 */
export interface Kept {
  /** Publishes a message; resolves once it is kept, and rejects if that is not known. */
  publish(message: Outgoing, id: string): Promise<void>;
  /** Consumes messages as the consumer of this name, whose place is remembered; one at a time. */
  consume(name: string, subject: string, handler: KeptHandler): Promise<AsyncDisposable>;
  /** Resolves with the last values of all slots of a subject, the oldest first. */
  last(subject: string): Promise<Incoming[]>;
}

/** A connection to a network that carries messages between bridges. */
export interface Carrier extends AsyncDisposable {
  /** The network in messages, such as `NATS server nats://localhost:4222`. */
  readonly what: string;
  /** Whether the connection is there. */
  readonly isConnected: boolean;
  /** The most bytes of headers and payload together. */
  readonly maxMessage: number;
  /** Publishes a message, or loses it without a connection. Never waits. */
  publish(message: Outgoing): void;
  /** Resolves once everything published before has left this machine; rejects if that failed. */
  flush(): Promise<void>;
  /**
   * Calls the handler with each message of a subject, which may have the wildcards `*` and `>`. Of
   * the subscribers with the same `queue`, one gets each message.
   */
  subscribe(
    subject: string,
    handler: (message: Incoming) => void,
    options?: { queue?: string | undefined },
  ): Subscription;
  /** Publishes a message, and resolves with the first answer; rejects after `timeoutMs`. */
  request(message: Outgoing, timeoutMs: number): Promise<Incoming>;
  /** Publishes a message, and resolves with all answers of the next `waitMs`. */
  requestAll(message: Outgoing, waitMs: number): Promise<Incoming[]>;
  /** Opens the kept messages of a realm; undefined where a network keeps none. */
  keep?(options: KeepOptions): Promise<Kept>;
  /** Calls the handler when something happens to the connection, until it is disposed. */
  onEvent(handler: (event: CarrierEvent) => void): Disposable;
}
