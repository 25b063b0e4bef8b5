/**
 * The products as their contracts see them. A product takes part by an adapter in `products/`, which
 * alone knows its classes: an adapter changes with the public API, a contract does not.
 *
 * @module
 */

import { json, text } from "../../src/codec.ts";
import { struct } from "../../src/struct.ts";
import type { SyncWaitOptions, WaitOptions } from "../../src/wait/until.ts";
import { payload } from "../circular/scene.ts";

/** Options of any class, which adapters pass on unchanged. */
export interface Options {
  mode?: number;
  persist?: boolean;
  anyOwner?: boolean;
  timeout?: number;
  signal?: AbortSignal;
  /** Sizes and codecs, by the names that the product has for them. */
  [option: string]: unknown;
}

/** A point in the middle of an act. */
export type Midway = "half filled" | "shown" | "inside";

/** Something that a handle does; calls `at` midway. Sends this message, if it sends. */
export type Act = (at: (midway: Midway) => void, message: Uint8Array) => void;

/** A message that arrives, or how many were lost before the next one. */
export type Arrival =
  | { readonly message: Uint8Array; readonly redelivered?: boolean }
  | { readonly lost: number };

/** How a wait ends if not by an error: by its event, or because no peer is left that could cause
 * it. */
export type Ending = "ready" | "closed";

/** A wait, in its blocking and its asynchronous form; it gives back what it takes. */
export interface Wait {
  /** The awaited event: a message, room for one (or an answer), or a turn while another one has it.
   */
  readonly until: "message" | "room" | "turn";
  sync?(options?: SyncWaitOptions): Ending;
  async?(options?: WaitOptions): Promise<Ending>;
}

/** An open handle. */
export interface Handle extends Disposable {
  /** The sizes that it reports, by their options. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Its acts besides opening and closing, by names for tests. */
  readonly acts?: Readonly<Record<string, Act>>;
  readonly waits?: Readonly<Record<string, Wait>>;
  /** Sends until it is full. */
  fill?(): void;
  /** Takes the only turn; `giveTurn` gives it back. */
  takeTurn?(): void;
  giveTurn?(): void;
  /** Sends a message; false when it does not fit now. */
  trySend?(message: Uint8Array): boolean;
  /** Resolves once the answers to what it sent have arrived, where messages have answers. */
  settle?(): Promise<void>;
  /** Receives every message, also of a peer that died before it rang. */
  arrivals?(): Arrival[];
  /** Receives the next message once it is there. */
  receive?(options?: WaitOptions): Promise<Received>;
  /** Acquires a lock exclusively; returns whether its last owner died inside. */
  recovers?(options: WaitOptions): Promise<boolean>;
  /** Sends, writes or locks, so that a receiver can find it. */
  mark?(): void;
  /** Whether a sender has marked; finds each message once. */
  finds?(): boolean;
  close(): void;
}

/** A part in a product, such as its producer. */
export interface Role<H extends Handle = Handle> {
  /** Its name, such as `producer`. */
  readonly title: string;
  /** How many can have it at once, in a product of the usual sizes. */
  readonly most: number;
  /** Joins the product, or makes it. */
  open(name: string, options?: Options): H;
  /** Makes the product if the name is free. */
  create?(name: string, options?: Options): H;
  /** Joins the product once another handle has opened it. */
  connect?(name: string, options?: Options): Promise<H>;
  /** Other ways to join, by name: undefined or an OsError if the product does not exist. */
  readonly joins?: Readonly<
    Record<string, (name: string, options?: Options) => Handle | undefined>
  >;
  /** Removes the name. */
  unlink?(name: string): boolean;
}

/** A size among the options. */
export interface Size {
  /** The value that the contracts use. */
  readonly is: number;
  /** Other values that are rounded to the same. */
  readonly rounded?: readonly number[];
  /** A value that differs. */
  readonly other: number;
  /** The default; without one, the option is required. */
  readonly usual?: number;
  /** Impossible values. */
  readonly never: readonly number[];
}

/** A policy among the options, such as the number of publishers. */
export interface Policy {
  /** The default. */
  readonly usual: unknown;
  /** A value that differs. */
  readonly other: unknown;
  /** Options without which the other value is refused. */
  readonly needs?: Options;
}

/** A type of messages, with the options that ask for it and the name that errors give it. */
export interface MessageType {
  readonly options: Options;
  readonly name: string;
}

/** A product. */
export interface Product {
  /** Its name in the names of tests, such as `SPSC ring`. */
  readonly name: string;
  /** What errors write before the name, such as `ring`. */
  readonly noun: string;
  /** The name of the file. */
  file(name: string): string;
  /** The role that marks and the one that finds; where all handles are alike, both are the same. */
  readonly sender: Role;
  readonly receiver: Role;
  readonly sizes: Readonly<Record<string, Size>>;
  /** Options of handles that wait for another peer when theirs goes, one at a time in each role. */
  readonly succession?: Options;
  /** Options of handles whose waits end when the last peer has gone. */
  readonly endsWithPeer?: Options;
  /** Each receiver gets every message that is not overwritten. */
  readonly broadcasts?: true;
  /** How many messages of KILLED_LENGTH fit; otherwise enough. */
  readonly fits?: number;
  /** A message that was shown is not shown again. */
  readonly atMostOnce?: true;
  /** A sender that gives up, or closes, takes back what no receiver has got yet. */
  readonly withdraws?: true;
  /** Sizes that are possible alone but not together. */
  readonly neverTogether?: Options;
  /** The types of messages; the first is the default. Empty where no type is declared. */
  readonly types: readonly MessageType[];
  /** Definitions open it: an omitted size or policy is the default, also when joining. */
  readonly defines?: true;
  /** Policies of its definition besides sizes and types, by their options. */
  readonly policies?: Readonly<Record<string, Policy>>;
  /** Slashes are part of the name, as in topics. */
  readonly slashes?: true;
  /** The length of the longest name; 200 by default. */
  readonly longest?: number;
  /** A mark is a lock, which its handle releases when it closes. */
  readonly locks?: true;
  /** It has no option `persist`. */
  readonly fleeting?: true;
  /**
   * A POSIX semaphore instead of a region: its file outlives the last handle, has no header and no
   * owner check, and gets its mode less the umask.
   */
  readonly semaphore?: true;
}

/** The sending end of a ring. */
export interface Sender extends Handle {
  /** The longest message that fits. */
  readonly maxMessage: number;
  trySend(message: Uint8Array): boolean;
  /** Sends a message that `fill` writes in place. */
  trySendInPlace(length: number, fill: (space: Uint8Array) => void): boolean;
}

/** The outcome of receiving. */
export type Received =
  | { state: "ok"; message: Uint8Array }
  | { state: "empty" }
  | { state: "closed" }
  | { state: "lost"; messages: number };

/** Several messages in place. */
export interface Batch extends Disposable, Iterable<BatchMessage> {
  readonly length: number;
  ack(count?: number): void;
}

/** A message of a batch. */
export interface BatchMessage {
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
  readonly redelivered: boolean;
  readonly sequence: number;
}

/** The receiving end of a ring. */
export interface Receiver extends Handle {
  tryReceive(): Received;
  receiveSync(options?: SyncWaitOptions): Received;
  receive(options?: WaitOptions): Promise<Received>;
  /** Shows messages in place; returns their number. */
  poll(handler: (message: Uint8Array, redelivered: boolean) => void, limit?: number): number;
  /** Copies the next message into an array; -1 if nothing is unread. */
  tryReceiveInto?(target: Uint8Array<ArrayBuffer>): number;
  /** Takes up to `limit` messages in place, if there are any. */
  tryTakeBatch?(limit?: number): Batch | undefined;
  /** Takes a batch in a way that waits; undefined at the end. */
  batchSync?(options?: SyncWaitOptions & { limit?: number }): Batch | undefined;
  batch?(options?: WaitOptions & { limit?: number }): Promise<Batch | undefined>;
  /**
   * Shows the next message in place until it is disposed; until then nothing else is received. It
   * comes again unless it was acknowledged.
   */
  tryHold?(): { readonly bytes: Uint8Array; ack(): void } & Disposable;
}

/** A product that carries messages of bytes from its sender to its receiver. */
export interface Ring extends Product {
  readonly sender: Role<Sender>;
  readonly receiver: Role<Receiver>;
  /** What a full ring does with the next message. */
  readonly whenFull: "overwrites" | "refuses";
  /** Positions before which a ring can be made to begin, by what wraps there. */
  readonly wraps: Readonly<Record<string, number>>;
  /** Makes a ring so many units before a wrap; it lives while the returned handle is open. */
  beginBefore(name: string, capacity: number, wrap: number, units: number): Disposable;
}

/** The length of the messages of a killed process. */
export const KILLED_LENGTH = 2000;

/** A message unlike any other. */
export const MARK: Uint8Array<ArrayBuffer> = payload(4711, 24).slice();

/** Whether these bytes are the mark. */
export function isMark(bytes: Uint8Array | undefined): boolean {
  return bytes?.length === MARK.length && bytes.every((byte, i) => byte === MARK[i]);
}

/** Collects what a receiver finds until nothing is left. */
export function allArrivals(receive: () => Received & { redelivered?: boolean }): Arrival[] {
  const arrivals: Arrival[] = [];
  for (;;) {
    try {
      const outcome = receive();
      if (outcome.state === "lost") arrivals.push({ lost: outcome.messages });
      else if (outcome.state !== "ok") return arrivals;
      else arrivals.push({ message: outcome.message, redelivered: outcome.redelivered === true });
    } catch (error) {
      if ((error as Error).name === "TimeoutError") return arrivals;
      throw error;
    }
  }
}

/**
 * How a wait ended, from the result of a product; disposes a message in place. A wait for a message
 * that returns none is at the end.
 */
export function endingOf(outcome: unknown, until: Wait["until"]): Ending {
  if (outcome === false || outcome === undefined && until === "message") return "closed";
  const { state, sample = outcome } = Object(outcome) as { state?: string; sample?: unknown };
  (sample as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
  return state === "closed" ? "closed" : "ready";
}

/** A wait, from its two forms. */
export function waitOf(
  until: Wait["until"],
  sync: (options?: SyncWaitOptions) => unknown,
  async: (options?: WaitOptions) => Promise<unknown>,
): Wait {
  return {
    until,
    sync: (options) => endingOf(sync(options), until),
    async: async (options) => endingOf(await async(options), until),
  };
}

/** Fills the first half only, for a process that is killed then. */
export function fillInHalves(room: Uint8Array, message: Uint8Array, at: () => void): void {
  room.set(message.subarray(0, message.length >> 1));
  at();
  room.set(message);
}

/** The members that all handles have in common. */
export function handleOf(
  handle: { close(): void } & Disposable,
  sizes: Handle["sizes"] = {},
): Pick<Handle, "close" | "sizes" | typeof Symbol.dispose> {
  return {
    sizes,
    close: () => handle.close(),
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}

/** A class that opens handles. */
export interface Opener<T> {
  // deno-lint-ignore no-explicit-any -- each class has options of its own
  open(name: string, options?: any): T;
  // deno-lint-ignore no-explicit-any
  create?(name: string, options?: any): T;
  // deno-lint-ignore no-explicit-any
  connect?(name: string, options?: any): Promise<T>;
  unlink?(name: string): boolean;
}

/** The role of handles that a class opens, in the way in which most classes do; `usual` are options. */
export function roleOf<T, H extends Handle>(
  { title, most = Infinity, usual }: { title: string; most?: number; usual?: Options },
  opener: Opener<T>,
  handle: (opened: T) => H,
): Role<H> {
  const { create, connect, unlink } = opener;
  const all = (options?: Options) => ({ ...usual, ...options });
  return {
    title,
    most,
    open: (name, options) => handle(opener.open(name, all(options))),
    ...create && { create: (name, options) => handle(opener.create!(name, all(options))) },
    ...connect && {
      connect: async (name, options) => handle(await opener.connect!(name, all(options))),
    },
    ...unlink && { unlink: (name) => opener.unlink!(name) },
  };
}

/** A definition, as the adapter of its role needs it. */
interface Opening {
  ready(options?: WaitOptions): Promise<void>;
  unlink(): boolean;
}

/** How a role is opened: by a method of a definition. */
interface Defined<D extends Opening, T> {
  define(name: string, options: Options): D;
  // `any`: each product has options of its own, and contracts pass some that only handles have
  // deno-lint-ignore no-explicit-any
  open(definition: D, options: any): T;
}

/**
 * The role of handles that a definition opens. The handle gets all options, and the definition those
 * that are not of handles; `usual` are more of them.
 */
export function definedRole<D extends Opening, T, H extends Handle>(
  { title, most = Infinity, usual }: { title: string; most?: number; usual?: Options },
  { define, open }: Defined<D, T>,
  handle: (opened: T) => H,
): Role<H> {
  const opener = (mode?: "create" | "join") => (name: string, options?: Options) => {
    const all = { ...usual, ...options };
    return handle(open(define(name, ofDefinition(all)), { ...all, ...mode && { open: mode } }));
  };
  return {
    title,
    most,
    open: opener(),
    create: opener("create"),
    async connect(name, { timeout, signal, ...options } = {}) {
      await define(name, ofDefinition({ ...usual, ...options })).ready({ timeout, signal });
      return opener("join")(name, options);
    },
    joins: { 'open: "join"': opener("join") },
    unlink: (name) => define(name, ofDefinition({ ...usual })).unlink(),
  };
}

/** Leaves out the options of handles, which definitions refuse. */
function ofDefinition(options: Options): Options {
  const { onPeerGone: _gone, open: _open, own: _own, start: _start, id: _id, ...region } =
    options as Record<string, unknown>;
  return region as Options;
}

/** The types of products that have one codec. */
export const CODECS: readonly MessageType[] = [
  { options: {}, name: "bytes" },
  { options: { codec: text() }, name: "text" },
  { options: { codec: json() }, name: "json" },
  { options: { codec: struct("point", { x: "f64", y: "f64" }) }, name: "point" },
  { options: { codec: struct("point", { x: "f64", y: "f32" }) }, name: "point" },
];

/** The sizes that the contracts use. */
export function smallSizes({ sizes }: Pick<Product, "sizes">): Options {
  return Object.fromEntries(Object.entries(sizes).map(([option, { is }]) => [option, is]));
}
