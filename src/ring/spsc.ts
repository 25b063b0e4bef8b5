/**
 * One producer, one consumer: a lane with a region, roles, and both ends' ways to wait.
 *
 * How bytes travel is told in lane.ts, how messages are framed in record.ts. What is added here:
 *
 * - Each end is a role, held by one living party. Whoever takes over resumes where the shared
 *   positions stand.
 * - Each end notes in a word of its own whether it is open, closed, or has never been; open, with
 *   the role not held, is dead. Who waits looks at that before each sleep and after each slice.
 * - C1  An end that dies between taking its role and noting that it is open is as if it had never
 *       been; one that dies while closing is closed or dead, and either is the truth.
 *
 * @module
 */

import { ClosedError, PeerLostError, RoleTakenError, timeoutError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import type { Role } from "../memory/liveness.ts";
import type { Region } from "../memory/region.ts";
import type { MessageType, RegionKind } from "../memory/region_header.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../sync/doorbell.ts";
import type { Outcome, SyncWaitOptions } from "../sync/waiter.ts";
import { openRing, type RingOptions } from "./attach.ts";
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

/** What the other end is, as far as it can be known. */
export type Peer = "never" | "open" | "closed" | "dead";

/** An end of a ring: its role held, its word open. */
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
    this.#own.store(OPEN);
  }

  /** Opens the ring, or makes it, and takes an end; a RoleTakenError if a living party has it. */
  static open(
    name: string,
    end: EndName,
    options: RingOptions & { keepOpen?: boolean },
    message: MessageType,
  ): SpscEnd {
    using stack = new DisposableStack();
    const region = stack.use(openRing(SPSC, name, options, { message }));
    const role = region.tryHold(ROLES[end]);
    if (role === undefined) {
      throw new RoleTakenError(
        `Cannot open ring "${name}" as its ${end}: it has one, which is alive; close that first`,
      );
    }
    stack.use(role);
    const opened = new SpscEnd(name, end, region, role, options.keepOpen ?? false);
    stack.move();
    return opened;
  }

  /** What the other end is now. */
  peer(): Peer {
    const state = this.#peer.load();
    if (state === CLOSED) return "closed";
    if (state !== OPEN) return "never";
    return this.#region.isHeld(ROLES[this.#peerName]) ? "open" : "dead";
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
  checkWait(outcome: Outcome, action: string, { timeout = Infinity }: SyncWaitOptions): void {
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
