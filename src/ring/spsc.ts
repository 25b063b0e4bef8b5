/**
 * One producer, one consumer: a lane with a region, roles, and both ends' ways to wait.
 *
 * How bytes travel is told in lane.ts, how messages are framed in record.ts. A ring carries messages
 * or bytes; which, its header says as the type of its messages. What is added here:
 *
 * - Each end is a role, held by one living party. Whoever takes over resumes where the shared
 *   positions stand.
 * - Each end notes in a word of its own whether it is open, closed, or has never been; open, with
 *   the role not held, is dead. Who waits looks at that before each sleep and after each slice.
 *   It takes its role before it notes that it is open, and notes that it is closed before it gives
 *   its role back; so who finds "open" and then no holder looks once more, and knows it is dead.
 * - C1  An end that dies between taking its role and noting that it is open is as if it had never
 *       been; one that dies while closing is closed or dead, and either is the truth.
 *
 * @module
 */

import { ClosedError, PeerLostError, RoleTakenError, timeoutError } from "../errors.ts";
import { type Codec, codec } from "../layout/codec.ts";
import { fingerprint } from "../layout/hash.ts";
import { layout } from "../layout/layout.ts";
import type { Role } from "../memory/liveness.ts";
import type { Region } from "../memory/region.ts";
import type { MessageType, RegionKind } from "../memory/region_header.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../sync/doorbell.ts";
import { now } from "../os/clock.ts";
import type { Outcome, SyncWaitOptions, WaitOptions } from "../sync/waiter.ts";
import {
  connectRing,
  createRing,
  openRing,
  type RingConnectOptions,
  type RingOptions,
} from "./attach.ts";
import { LANE, type LanePlace } from "./lane.ts";

/** The control block of a ring from one producer to one consumer. */
export const SPSC_CONTROL = layout("spsc_control", {
  lane: { type: LANE, doc: "the positions" },
  data_bell: { type: "u32", line: true, doc: "rung by the producer; raised by a waiting consumer" },
  producer: { type: "u32", line: true, doc: "the producer: 0 has never been, 1 open, 2 closed" },
  consumer: { type: "u32", line: true, doc: "the consumer: likewise" },
});

/** How these rings are told from other regions. */
export const SPSC: RegionKind = { name: "spsc", control: SPSC_CONTROL, mirrored: true };

const OPEN = 1;
const CLOSED = 2;

/** The two ends: each a role and a word. */
export type EndName = "producer" | "consumer";

const ROLES: Record<EndName, number> = { producer: 0, consumer: 1 };

/** How to open an end of a ring from one producer to one consumer. */
export interface SpscOptions<T> extends RingOptions {
  /** How values become messages; bytes as they are by default. Both ends must say the same. */
  codec?: Codec<T>;
  /** What the ring carries: messages, by default. Both ends must say the same. */
  level?: "messages";
  /** Wait on when the other end has closed or died, for another one to come. */
  keepOpen?: boolean;
}

/** How to join a ring from one producer to one consumer, once it is there. */
export interface SpscConnectOptions<T>
  extends RingConnectOptions, Pick<SpscOptions<T>, "codec" | "level" | "keepOpen"> {}

/** How to open an end of a ring of bytes without messages. */
export interface SpscByteOptions extends RingOptions {
  /** What the ring carries: bytes. Both ends must say the same. */
  level: "bytes";
  /** Wait on when the other end has closed or died, for another one to come. */
  keepOpen?: boolean;
}

/** How to join a ring of bytes without messages, once it is there. */
export interface SpscByteConnectOptions
  extends RingConnectOptions, Pick<SpscByteOptions, "level" | "keepOpen"> {}

/** What the header of a ring of bytes says, where that of others names a codec. */
const BYTE_LEVEL: MessageType = {
  name: "bytes without messages",
  hash: fingerprint("spsc level bytes"),
};

/** How an end is to be used. */
export interface EndOptions {
  readonly codec?: Pick<Codec<unknown>, "type"> | undefined;
  readonly level?: "messages" | "bytes" | undefined;
  readonly keepOpen?: boolean | undefined;
}

/** What both ends must agree on. */
function typeOf({ level = "messages", codec: chosen = codec.bytes }: EndOptions): MessageType {
  if (level === "messages") return chosen.type;
  if (level === "bytes") return BYTE_LEVEL;
  throw new TypeError(
    `Cannot open a ring of level ${JSON.stringify(level)}: it is "messages" or "bytes"`,
  );
}

/** What the other end is, as far as it can be known. */
export type Peer = "never" | "open" | "closed" | "dead";

/** An end of a ring, whose role is held. */
export class SpscEnd implements Disposable {
  readonly name: string;
  readonly what: string;
  readonly capacity: number;
  readonly place: LanePlace;
  readonly #region: Region;
  readonly #role: Role;
  readonly #own: Word32;
  readonly #peer: Word32;
  readonly #peerName: EndName;
  readonly #keepOpen: boolean;

  private constructor(name: string, end: EndName, region: Region, role: Role, keepOpen: boolean) {
    const { mapping, controlOffset: control, dataOffset, dataBytes } = region;
    const { fields } = SPSC_CONTROL;
    this.name = name;
    this.what = `ring "${name}"`;
    this.capacity = dataBytes;
    this.#region = region;
    this.#role = role;
    this.#keepOpen = keepOpen;
    this.#peerName = end === "producer" ? "consumer" : "producer";
    this.#own = new Word32(mapping, fields[end], control);
    this.#peer = new Word32(mapping, fields[this.#peerName], control);
    this.place = {
      what: this.what,
      mapping,
      control: control + fields.lane.offset,
      data: dataOffset,
      capacity: dataBytes,
      dataBell: new Doorbell(mapping, fields.data_bell, control),
    };
  }

  /** Opens the ring, or makes it, and takes an end; a RoleTakenError if a living party has it. */
  static open(name: string, end: EndName, options: RingOptions & EndOptions): SpscEnd {
    const region = openRing(SPSC, name, options, { message: typeOf(options) });
    return SpscEnd.#take(name, end, region, options);
  }

  /** Makes the ring, and takes an end; an OsError (EEXIST) if there is one. */
  static create(name: string, end: EndName, options: RingOptions & EndOptions): SpscEnd {
    const region = createRing(SPSC, name, options, { message: typeOf(options) });
    return SpscEnd.#take(name, end, region, options);
  }

  /** Waits for the ring to appear, and takes an end; a RoleTakenError if a living party has it. */
  static async connect(
    name: string,
    end: EndName,
    options: RingConnectOptions & EndOptions,
  ): Promise<SpscEnd> {
    const region = await connectRing(SPSC, name, options, typeOf(options));
    return SpscEnd.#take(name, end, region, options);
  }

  static #take(name: string, end: EndName, region: Region, options: EndOptions): SpscEnd {
    using stack = new DisposableStack();
    stack.use(region);
    const role = region.tryHold(ROLES[end]);
    if (role === undefined) {
      throw new RoleTakenError(
        `Cannot open ring "${name}" as its ${end}: it has one, which is alive; close that first`,
      );
    }
    stack.use(role);
    const taken = new SpscEnd(name, end, region, role, options.keepOpen ?? false);
    stack.move();
    return taken;
  }

  /** Makes what uses this end, and only then says that it is open; or gives everything back. */
  use<U>(make: (end: SpscEnd) => U): U {
    using stack = new DisposableStack();
    stack.use(this);
    const user = make(this);
    this.#own.store(OPEN);
    stack.move();
    return user;
  }

  /** What the other end is now. */
  peer(): Peer {
    const state = this.#peer.load();
    if (state === CLOSED) return "closed";
    if (state !== OPEN) return "never";
    if (this.#region.isHeld(ROLES[this.#peerName])) return "open";
    return this.#peer.load() === CLOSED ? "closed" : "dead";
  }

  /** Whether the other end has died and no other is expected. */
  peerIsLost(): boolean {
    return !this.#keepOpen && this.peer() === "dead";
  }

  /** Whether the other end has closed and no other is expected; cheaper than `peer()`. */
  peerHasClosed(): boolean {
    return !this.#keepOpen && this.#peer.load() === CLOSED;
  }

  /** Whether waiting for the other end is pointless, as it is gone and nobody is expected. */
  isHopeless(): boolean {
    if (this.#keepOpen) return false;
    const peer = this.peer();
    return peer === "closed" || peer === "dead";
  }

  /** Throws what the end of a wait means, unless it is that what was waited for is there. */
  checkWait(outcome: Outcome, { timeout = Infinity }: SyncWaitOptions): void {
    this.checkOpen(); // it may have been closed since the wait ended
    const action = this.#peerName === "consumer" ? "send through" : "receive from";
    if (outcome === "timeout") throw timeoutError(`${action} ${this.what}`, timeout);
    if (outcome !== "hopeless") return;
    const how = this.peerHasClosed() ? "has closed" : "died";
    throw new PeerLostError(
      `Cannot ${action} ${this.what}: its ${this.#peerName} ${how}; open the ring with keepOpen ` +
        "to wait for another one",
    );
  }

  /** Throws a ClosedError once it is closed. */
  checkOpen(): void {
    if (!this.#region.closed) return;
    throw new ClosedError(`Cannot use ${this.what}: it is closed`);
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#region.closed;
  }

  /** Says that this end is closed, wakes the other one, and gives the role back. */
  close(peerBell: Doorbell): void {
    if (this.#region.closed) return;
    this.#own.store(CLOSED);
    peerBell.ring();
    this.#role.close();
    this.#region.close();
  }

  /** Gives everything back without a word, when opening fails half way. */
  [Symbol.dispose](): void {
    this.#role.close();
    this.#region.close();
  }
}

/** The options of each next part of a wait: a limit on time is one for all of them. */
export function parts(options: WaitOptions): () => WaitOptions {
  const { timeout = Infinity } = options;
  if (!(timeout > 0 && timeout < Infinity)) return () => options;
  const deadline = now() + timeout * 1e6;
  return () => ({ ...options, timeout: Math.max(0, (deadline - now()) / 1e6) });
}
