/**
 * The messages that wait in a ring for its consumer, as an observer reads them.
 *
 * ```
 *          tail, again        tail                head
 *            later ----->      |                   |
 *   ....... | passed           | waiting           | free
 * ```
 *
 * An observer has no right to write, so a producer does not wait for it, and overwrites what the
 * consumer has released. The bytes at a position are stable exactly while it is not below `tail`
 * (lane.ts, I1). So a look reads `tail` and `head`, then the bytes between them, and then `tail`
 * again: messages from there on are whole, and those before it have passed unseen. They are counted,
 * as the consumer numbers the messages that it releases.
 *
 * P1  The bytes are read before `tail` is read again: a system call with full barriers is between.
 *
 * A position is a claim of a peer, as is a length: neither leads outside the lane.
 *
 * @module
 */

import type { LANE } from "../lane/lane.ts";
import { RECORD_HEADER, recordBytes } from "../lane/record.ts";
import { isCount } from "../layout/sizes.ts";
import { MPSC, MPSC_CONTROL } from "../mpsc/mpsc.ts";
import { now, sleep } from "../os/clock.ts";
import { orderOthers } from "../os/futex.ts";
import { corrupt } from "../memory/corrupt.ts";
import type { RegionInfo } from "../region/list.ts";
import type { RegionObserver } from "../region/region_observer.ts";
import { dataOf } from "./activity.ts";
import type { AnyType, Observed } from "./messages.ts";
import { observerOf } from "./survey.ts";
import { BYTE_LEVEL, SPSC, SPSC_CONTROL } from "../spsc/spsc.ts";

/** A message that waits, or waited a moment ago. */
export interface WaitingMessage {
  /** Its number in its lane: 1 for the first one ever sent; 0 if the peers do not tell. */
  readonly sequence: number;
  /** The messages before it that passed unseen. */
  readonly lost: number;
  /** The producer, in a ring of several. */
  readonly producer?: number | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The most bytes of a lane that one look reads. */
const MOST_BYTES = 2 ** 22;

/** A look that takes longer is void: positions that went once round would seem to have stood. */
const LONGEST_LOOK_NS = 1e8;

type LaneValues = ReturnType<typeof LANE.read>;

/** The place that a lane has been read up to. */
interface Place {
  position: number;
  sequence: number;
}

/** Reads the messages of a ring as they wait; each once. */
export class WaitingMessages {
  readonly #observer: RegionObserver;
  readonly #places: (Place | undefined)[] = [];

  /** Begins with the oldest message that waits. */
  constructor(observer: RegionObserver) {
    this.#observer = observer;
  }

  /** Whether a region is a ring of messages. */
  static canRead({ kind, details }: Pick<RegionInfo, "kind" | "details">): boolean {
    return kind === MPSC.name || kind === SPSC.name && details?.type?.hash !== BYTE_LEVEL.hash;
  }

  /** Returns the messages that wait now and were not returned before. */
  look(): WaitingMessage[] {
    const before = this.#lanes();
    const capacity = Math.floor(this.#observer.details.dataBytes / before.length);
    if (capacity < RECORD_HEADER) return []; // no ring of this library
    return before.flatMap((lane, k) => this.#lookAt(lane, k, capacity));
  }

  #lanes(): readonly LaneValues[] {
    const observer = this.#observer;
    if (observer.kind === SPSC.name) return [observer.control(SPSC_CONTROL).lane];
    const { seats } = observer.control(MPSC_CONTROL);
    const { producers = 1 } = observer.details.geometry ?? {};
    return seats.slice(0, Number(producers)).map(({ lane }) => lane);
  }

  #lookAt(lane: LaneValues, k: number, capacity: number): WaitingMessage[] {
    const start = now();
    const { head, tail } = lane;
    const used = (head - tail) >>> 0;
    if (used > capacity || used % 8 !== 0) {
      throw this.#corrupt(`its tail is ${tail} and its head is ${head}`);
    }
    const place = this.#places[k] ??= { position: tail, sequence: sequenceAt(lane) };
    const skipped = (place.position - tail) >>> 0;
    const from = skipped <= used ? skipped : 0; // otherwise the tail has passed the place
    const bytes = this.#bytes(k, capacity, tail + from, Math.min(used - from, MOST_BYTES));
    orderOthers(); // P1
    const passed = (this.#lanes()[k]!.tail - tail) >>> 0;
    if (now() - start > LONGEST_LOOK_NS) return [];
    const messages: WaitingMessage[] = [];
    let sequence = skipped <= used ? place.sequence : sequenceAt(lane);
    for (let at = 0; at < bytes.length; sequence += Number(sequence > 0)) {
      const isStable = from + at >= passed;
      const length = new DataView(bytes.buffer, at).getFloat64(0, true);
      const end = at + recordBytes(length);
      if (!isCount(length, capacity) || end > used - from) {
        if (!isStable) break; // overwritten while it was read; the next look begins at the tail
        throw this.#corrupt(`a message states ${length} bytes`);
      }
      if (end > bytes.length) break; // more than a look reads
      if (isStable) {
        const payload = bytes.slice(at + RECORD_HEADER, at + RECORD_HEADER + length);
        const isNumbered = sequence > 0 && place.sequence > 0;
        const lost = isNumbered ? Math.max(0, sequence - place.sequence) : 0;
        const producer = this.#observer.kind === MPSC.name ? k : undefined;
        messages.push({ sequence, lost, producer, bytes: payload });
        place.sequence = sequence > 0 ? sequence + 1 : 0;
        place.position = (tail + from + end) >>> 0;
      }
      at = end;
    }
    return messages;
  }

  /** Reads bytes of a lane, which may run past its end and begin again there. */
  #bytes(k: number, capacity: number, position: number, length: number): Uint8Array<ArrayBuffer> {
    const offset = (position >>> 0) % capacity;
    const bytes = new Uint8Array(length);
    const first = Math.min(length, capacity - offset);
    bytes.set(dataOf(this.#observer, k * capacity + offset, first));
    bytes.set(dataOf(this.#observer, k * capacity, length - first), first);
    return bytes;
  }

  #corrupt(state: string): Error {
    return corrupt(`${this.#observer.kind} "${this.#observer.name}"`, state);
  }
}

/**
 * Receives the messages that wait in a ring, and those that will, as `type` decodes them. Another
 * ring that takes the name is read from then on.
 */
export function waitingIn(region: RegionInfo, type: AnyType): Observed {
  let observer = observerOf(region);
  let waiting = observer && new WaitingMessages(observer);
  const queue: WaitingMessage[] = [];
  const look = () => {
    if (waiting !== undefined) queue.push(...waiting.look());
    if (queue.length > 0 || observer?.hasName) return;
    observer?.close();
    observer = observerOf(region);
    waiting = observer && new WaitingMessages(observer);
  };
  return {
    async receive({ signal }) {
      for (let idle = 1; queue.length === 0; idle = Math.min(2 * idle, LONGEST_IDLE_MS)) {
        look();
        if (queue.length === 0 && !await sleep(idle, signal)) return undefined;
      }
      const { bytes, ...message } = queue.shift()!;
      return { ...message, value: type.decode(bytes) };
    },
    [Symbol.dispose]: () => observer?.close(),
  };
}

/** The longest time between two looks at an idle ring. */
const LONGEST_IDLE_MS = 64;

/** The number of the first message behind the tail, as the receiver counts; 0 if it does not tell. */
function sequenceAt({ head, tail, counts }: LaneValues): number {
  if (head === 0 && tail === 0) return 1;
  const pair = counts[0] === tail ? 1 : counts[2] === tail ? 3 : undefined;
  const count = pair === undefined ? undefined : counts[pair];
  return count !== undefined && isCount(count, Number.MAX_SAFE_INTEGER) ? count + 1 : 0;
}
