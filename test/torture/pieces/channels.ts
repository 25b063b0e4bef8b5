/**
 * The many rings, topics and slots of the workload `many`, and their account.
 *
 * The messages of a channel have numbers from 1, and a number determines all bytes of its message.
 * The ledger shows for each channel:
 *
 * - `sure`: the number of the last message that surely was sent. A sender notes it after the call
 *   that sent it, so it may die in between. Its successor sends that number again, with a mark: it
 *   may come twice.
 * - `seen`: the number of the last message that the waiter has looked at, noted before it is
 *   acknowledged.
 * - `since`: when the first message after `seen` surely was there.
 *
 * Rings lose nothing. Topics drop the oldest samples and say how many. Slots show the newest.
 *
 * @module
 */

import { domain, type DomainDefinition, spsc, topic, type Waitable } from "../../../mod.ts";
import type { Slot } from "../../../src/babus/slot.ts";
import { now } from "../../../src/os/clock.ts";
import { lengthOf, payload } from "../../circular/scene.ts";
import { type Cell, type Cells, raise } from "../ledger.ts";
import { openSoon } from "./patience.ts";

/** How many channels there are in each list that is waited for at once: a wait keeps such a set. */
export const COUNT = 40;

/** What the channels of a list are. */
export type Mix = "all kinds" | "slots";

/** The cells of the channels in so many lists. */
export function cellsOfChannels(lists: number) {
  return {
    sent: 1,
    received: 1,
    again: 1, // messages that came twice, and may
    dropped: 1, // messages that topics and slots told not to have any more
    sure: lists * COUNT,
    seen: lists * COUNT,
    since: lists * COUNT,
    lost: 1,
    duplicated: 1,
    corrupt: 1,
  };
}

type CellName = keyof ReturnType<typeof cellsOfChannels>;

/** A process, or the harness, as its channels need it. */
export interface Party {
  readonly cells: Cells<CellName>;
  name(suffix: string): string;
  count(cell: CellName, amount?: number): void;
  complain(text: string): void;
}

/** The rows of the account about channels. */
export const FACTS_OF_CHANNELS: Record<string, CellName> = {
  "came again, as they may": "again",
  "dropped, and told": "dropped",
};

const HEAD_BYTES = 9; // the number, and the mark
const LONGEST = 100;
const SIZE = HEAD_BYTES + LONGEST;
const KEPT = { persist: true };

/** One channel, and the notes about it. */
export class Channel {
  readonly party: Party;
  readonly list: number;
  /** Its place in the list. */
  readonly place: number;
  readonly sure: Cell;
  readonly seen: Cell;
  readonly since: Cell;
  readonly #index: number;
  readonly #kind: "ring" | "topic" | "slot";

  constructor(party: Party, list: number, place: number, mix: Mix) {
    const index = list * COUNT + place;
    this.party = party;
    this.list = list;
    this.place = place;
    this.#index = index;
    this.#kind = mix === "slots" ? "slot" : (["ring", "topic", "slot"] as const)[place % 3]!;
    const { sure, seen, since } = party.cells;
    this.sure = sure[index]!;
    this.seen = seen[index]!;
    this.since = since[index]!;
  }

  /** When something was there that the waiter has not seen; undefined if nothing surely is. */
  get news(): number | undefined {
    return this.sure.load() > this.seen.load() ? this.since.load() : undefined;
  }

  #find(flaw: "lost" | "duplicated" | "corrupt", text: string): void {
    this.party.count(flaw);
    this.party.complain(`${this.#kind} ${this.#index}: ${text}`);
  }

  #messageOf(number: number, mark: number): Uint8Array<ArrayBuffer> {
    const seed = number * 1024 + this.#index;
    const bytes = payload(seed, HEAD_BYTES + lengthOf(seed, LONGEST)).slice();
    new DataView(bytes.buffer).setFloat64(0, number);
    bytes[8] = mark;
    return bytes;
  }

  /** Returns the number of a message, and whether it may come twice; undefined if a byte is wrong. */
  #parse(bytes: Uint8Array): { number: number; mayRepeat: boolean } | undefined {
    if (bytes.length >= HEAD_BYTES) {
      const number = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0);
      const expected = this.#messageOf(number, bytes[8]! & 1);
      const isWhole = bytes.length === expected.length &&
        bytes.every((byte, i) => byte === expected[i]);
      if (isWhole) return { number, mayRepeat: bytes[8] === 1 };
    }
    this.#find("corrupt", `a message of ${bytes.length} bytes is not what was sent`);
    return undefined;
  }

  #ring() {
    return spsc(this.party.name(`ring-${this.#index}`), { ...KEPT, capacity: 4096 });
  }

  #topic() {
    const all = { ...KEPT, depth: 8, size: SIZE, history: 1, policy: "dropOldest" } as const;
    return topic(this.party.name(`topic-${this.#index}`), all);
  }

  #slot(stack: DisposableStack): Slot {
    const body = stack.use(domainOf(this.party).open());
    return stack.use(body.slot(`slot-${this.#index}`, { depth: 4, size: SIZE }));
  }

  // ---- sending ----

  /** Opens the end that sends; returns the function that tries to send the next message. */
  sender(stack: DisposableStack): () => boolean {
    const trySend = this.#sender(stack);
    const first = this.sure.load() + 1;
    let next = first;
    return () => {
      if (!trySend(this.#messageOf(next, next === first ? 1 : 0))) return false;
      if (this.seen.load() >= next - 1) this.since.store(now());
      this.sure.store(next++);
      this.party.count("sent");
      return true;
    };
  }

  #sender(stack: DisposableStack): (bytes: Uint8Array<ArrayBuffer>) => boolean {
    if (this.#kind === "slot") {
      const slot = this.#slot(stack);
      return (bytes) => slot.tryWrite(bytes) !== undefined;
    }
    const end = this.#kind === "ring"
      ? openSoon(() => this.#ring().producer({ onPeerGone: "wait" }))
      : openSoon(() => this.#topic().publisher());
    stack.use(end);
    return (bytes) => end.trySend(bytes);
  }

  // ---- receiving ----

  /** Opens the end that receives. */
  receiver(stack: DisposableStack): Receiver {
    if (this.#kind === "ring") {
      const consumer = stack.use(openSoon(() => this.#ring().consumer({ onPeerGone: "wait" })));
      const take = () => {
        using message = consumer.tryTake();
        if (message === undefined) return false;
        this.#see(message.bytes, message.redelivered);
        message.ack();
        return true;
      };
      return this.#receiver(consumer, take);
    }
    if (this.#kind === "slot") return this.#slotReceiver(this.#slot(stack));
    const subscriber = stack.use(openSoon(() => this.#topic().subscriber({ onPeerGone: "wait" })));
    let last: number | undefined;
    const take = () => {
      const sample = subscriber.tryReceive();
      if (sample === undefined) return false;
      const { sequence, lost, value } = sample;
      if (last !== undefined && sequence !== last + lost + 1) {
        this.#find("lost", `${sequence} came after ${last}, and ${lost} are said to be lost`);
      }
      last = sequence;
      this.#seeNewer(value, lost);
      return true;
    };
    return this.#receiver(subscriber, take);
  }

  #slotReceiver(slot: Slot): Receiver {
    let last = 0;
    const take = () => {
      const message = slot.latest();
      if (message === undefined || message.sequence === last) return false;
      const { sequence, value } = message;
      if (sequence < last) this.#find("lost", `${sequence} is the newest after ${last}`);
      const isFirst = last === 0;
      const missed = sequence - last - 1;
      last = sequence;
      this.#seeNewer(value, isFirst ? 0 : missed);
      return true;
    };
    return this.#receiver(slot, take);
  }

  #receiver<W extends Waitable>(handle: W, take: () => boolean): Receiver {
    return {
      channel: this,
      handle,
      takeAll: () => {
        const due = this.sure.load();
        while (take());
        if (this.seen.load() < due) this.#find("lost", `${due} was sent and is not there`);
      },
    };
  }

  /** Notes a message of a ring, which loses none. */
  #see(bytes: Uint8Array, redelivered: boolean): void {
    const message = this.#parse(bytes);
    if (message === undefined) return;
    const { number, mayRepeat } = message;
    const seen = this.seen.load();
    if (number > seen + 1) this.#find("lost", `${number} came after ${seen}`);
    if (number > seen) return this.#note(number);
    if (redelivered || mayRepeat) this.party.count("again");
    else this.#find("duplicated", `${number} came again after ${seen}`);
  }

  /** Notes a message of a channel that tells how many are gone. */
  #seeNewer(bytes: Uint8Array, dropped: number): void {
    const message = this.#parse(bytes);
    if (message === undefined) return;
    this.party.count("dropped", dropped);
    if (message.number > this.seen.load()) this.#note(message.number);
    else this.party.count("again"); // a newcomer has the last one too
  }

  #note(number: number): void {
    raise(this.seen, number);
    this.party.count("received");
  }

  // ---- alone ----

  /** Sees that everything is there that was sent, and removes nothing. */
  settle(): void {
    using stack = new DisposableStack();
    this.receiver(stack).takeAll();
  }

  /** Removes it. */
  unlink(): void {
    if (this.#kind === "ring") this.#ring().unlink();
    if (this.#kind === "topic") this.#topic().unlink();
  }
}

/** The end of a channel that receives. */
export interface Receiver {
  readonly channel: Channel;
  readonly handle: Waitable;
  /** Takes all that is there, and compares it with the notes. */
  takeAll(): void;
}

function domainOf(party: Pick<Party, "name">): DomainDefinition {
  return domain(party.name("domain"), {}, KEPT);
}

/** The channels of a list. */
export function channelsOf(party: Party, list: number, mix: Mix): Channel[] {
  return Array.from({ length: COUNT }, (_, place) => new Channel(party, list, place, mix));
}

/** Removes all channels of a run. */
export function unlinkAll(channels: readonly Channel[]): void {
  for (const channel of channels) channel.unlink();
  domainOf(channels[0]!.party).unlink();
}
