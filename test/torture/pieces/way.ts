/**
 * A way from one producer to one consumer at a time, and its account.
 *
 * The position determines the content: a byte depends on how many went through before it, a message
 * on how many bytes did. So an actor that takes over an end knows the next content from the shared
 * positions alone, and the ledger shows whether these positions are right:
 *
 * - `begun` and `sent`, by producers: the end of the content about to be published, and of the
 *   content known to be published. A successor must find the head between them, at the end of a
 *   message.
 * - `seen`, by consumers: the end of the content that a consumer looked at, noted before it is
 *   released. A successor that finds the tail beyond it has lost something; content from before it
 *   must be flagged when it comes again.
 * - `ended` and `cut`, by producers of bytes: where one is about to end, and where a successor found
 *   that one went without. A consumer finds an end only where a producer ended, and only if no bytes
 *   of another one were cut off since it opened.
 * - `acked`, by consumers: the end of the content that one acknowledged in a batch. A successor that
 *   finds the tail before it gets something that was acknowledged.
 * - `knownAt` and `known`, by the first consumer: the place of a message and its number, from which
 *   the numbers of all others follow.
 * - `receiving`, by consumers: the message about to be copied and released in one call. That one
 *   may have gone to the dead.
 *
 * @module
 */

import { recordBytes } from "../../../src/lane/record.ts";
import { byteAt } from "../../memory/bytes.ts";
import { isPayload, lengthOf, payload } from "../../circular/scene.ts";
import type { Scene } from "../workload.ts";
import { type Flaw, Track } from "./track.ts";

/** The cells of so many ways. */
export function cellsOfWays(ways: number) {
  return {
    begun: ways,
    sent: ways,
    seen: ways,
    receiving: ways, // the position and 1, or 0
    acked: ways,
    knownAt: ways,
    known: ways,
    ended: ways,
    cut: ways,
    batches: 1, // taken
    ends: 1, // ends that consumers found
    cuts: 1, // times that bytes were cut off
    messages: 1, // published
    received: 1, // of them, those that a consumer had for the first time
    again: 1, // messages, or looks at bytes, that a consumer had again, with the flag
    toTheDead: 1, // released to a consumer that died before it could look
    lost: 1, // times that a tail was beyond `seen`
    duplicated: 1, // messages, or looks at bytes, that came again without the flag
    corrupt: 1, // messages, or looks at bytes, with other content than was sent
    producers: 1, // times that a way got a producer
    consumers: 1,
    bereaved: 1, // times that one end learnt that the other is gone
  };
}

type CellName = keyof ReturnType<typeof cellsOfWays>;

/** The rows of the account about ways. */
export const FACTS_OF_WAYS: Record<string, CellName> = {
  "released to the dead": "toTheDead",
  "redelivered, and flagged": "again",
  "producers": "producers",
  "consumers": "consumers",
  "told that the other end is gone": "bereaved",
  "batches": "batches",
  "ends that were found": "ends",
  "bytes that were cut off": "cuts",
};

/** Returns the messages that went through all ways. */
export function countsOfWays(scene: Scene<CellName>) {
  return {
    sent: scene.total("messages"),
    received: scene.total("received") + scene.total("toTheDead"),
  };
}

/** Where positions begin: they wrap soon. */
export const START = 2 ** 32 - 20_000;

/** The longest message: it fills the smallest ring. Now and then one may be as long as that. */
const LONGEST = 4088;
const MOSTLY_LONGEST = 400;

/** Returns the length of the message that begins there. */
function lengthAt(position: number): number {
  return lengthOf(position / 8, position % 128 === 0 ? LONGEST : MOSTLY_LONGEST);
}

/** Returns the message that begins there. */
export function messageAt(position: number): Uint8Array<ArrayBuffer> {
  return payload(position / 8, lengthAt(position));
}

/** Returns where the message ends that begins there. */
export function endOf(position: number): number {
  return position + recordBytes(lengthAt(position));
}

/** Returns the whole position near another one, of which a word has the last 32 bits. */
function wholeOf(word: number, near: number): number {
  return near + ((word - near) | 0);
}

/** Where a way is found, and what goes through it. */
export interface WayPlan {
  /** The name in complaints. */
  readonly title: string;
  /** Which of the ways, from 0. */
  readonly index: number;
  readonly level: "messages" | "bytes";
  /** Where its positions begin, modulo 2^32 as START does. */
  readonly start: number;
  /** Its shared positions. */
  readonly words: { readonly head: { load(): number }; readonly tail: { load(): number } };
}

/** A way, and the notes about it. */
export class Way<C extends string = CellName> extends Track<C | CellName> {
  readonly begun = this.at("begun");
  readonly sent = this.at("sent");
  readonly seen = this.at("seen");
  readonly receiving = this.at("receiving");
  readonly acked = this.at("acked");
  readonly knownAt = this.at("knownAt");
  readonly known = this.at("known");
  readonly ended = this.at("ended");
  readonly cut = this.at("cut");
  readonly level: WayPlan["level"];
  readonly #plan: WayPlan;

  constructor(scene: Scene<C | CellName>, plan: WayPlan) {
    super(scene, plan.title, plan.index);
    this.#plan = plan;
    this.level = plan.level;
  }

  /** Acts as if much had gone through already. */
  begin(): void {
    for (const cell of [this.begun, this.sent, this.seen, this.ended, this.cut, this.acked]) {
      cell.store(this.#plan.start);
    }
  }

  get head(): number {
    return wholeOf(this.#plan.words.head.load(), this.sent.load());
  }

  get tail(): number {
    return wholeOf(this.#plan.words.tail.load(), this.seen.load());
  }

  /** The number of bytes that went through. */
  get through(): number {
    return this.seen.load() - this.#plan.start;
  }
}

/** The notes of a producer. Made once it has its role. */
export class SendingNotes {
  /** Where the next message, or the next byte, goes. */
  position = 0;
  readonly #way: Way;

  constructor(way: Way) {
    this.#way = way;
    this.resume();
    if (way.level === "messages" || way.ended.load() >= this.position) return;
    way.cut.store(this.position);
    way.count("cuts");
  }

  /** Notes that this producer is about to end here. */
  ending(): void {
    this.#way.ended.store(this.position);
  }

  /** Finds out how much was published without a note of it. */
  resume(): void {
    const { sent, begun, head, level } = this.#way;
    const [known, most] = [sent.load(), begun.load()];
    this.position = known;
    if (head < known || head > most) {
      const text = `the head is ${head}, when up to ${known} was sent, and up to ${most} begun`;
      this.#way.complain(text);
      this.position = head;
    } else if (level === "bytes") this.sentUpTo(head);
    else while (this.position < head) this.sentUpTo(endOf(this.position));
    if (this.position > head) this.#way.complain(`the head ${head} is within a message`);
  }

  /** Checks that everything was released. */
  flushed(): void {
    const { tail } = this.#way;
    if (tail === this.position) return;
    this.#way.complain(`flushed up to ${this.position}, and the tail is ${tail}`);
  }

  /** Notes that something is about to be published. */
  beginUpTo(position: number): void {
    this.#way.begun.store(position);
  }

  /** Notes that a message, or some bytes, were published. */
  sentUpTo(position: number): void {
    if (position === this.position) return;
    this.position = position;
    this.#way.sent.store(position);
    if (this.#way.level === "messages") this.#way.count("messages");
  }
}

/** The note of a consumer about a message. */
export interface Told {
  readonly redelivered: boolean;
  readonly sequence: number;
}

/** The notes of a consumer. Made once it has its role. */
export class ReceivingNotes {
  /** Where the next message, or the next byte, comes from. */
  position: number;
  readonly #way: Way;
  #seenBefore: number; // by the consumers before this one, and in its own batches
  #latest: number; // none of them can have seen content from here on
  #number = { at: Infinity, is: 0 }; // the number of the message at a place
  readonly #begin: number; // where this consumer began
  #flawed = false;

  constructor(way: Way) {
    this.#way = way;
    const { tail, seen, receiving } = way;
    const known = seen.load();
    if (tail > known) {
      const wasReceiving = way.level === "messages" && receiving.load() === known + 1;
      if (wasReceiving && tail === endOf(known)) way.count("toTheDead");
      else this.#find("lost", `what is from ${known} to ${tail} was released, and nobody saw it`);
      seen.store(tail);
    }
    if (tail < way.acked.load()) {
      this.#find("duplicated", `acknowledged up to ${way.acked.load()}, and the tail is ${tail}`);
    }
    receiving.store(0);
    this.position = this.#begin = tail;
    this.#seenBefore = seen.load();
    this.#latest = way.head;
  }

  /** Whether something was wrong, so that further notes mean nothing. */
  get flawed(): boolean {
    return this.#flawed;
  }

  /** Notes whether the next message is about to be received by copy. */
  set receiving(is: boolean) {
    this.#way.receiving.store(is ? this.position + 1 : 0);
  }

  /** Notes that everything up to here was acknowledged. */
  acknowledged(): void {
    this.#way.acked.store(this.position);
  }

  /** Notes that the last message, which has this length, comes again. */
  back(length: number): void {
    this.position -= recordBytes(length);
    this.#seenBefore = Math.max(this.#seenBefore, this.#way.seen.load());
    this.#latest = Math.max(this.#latest, this.#seenBefore);
  }

  /** Checks the number of the message at the position. */
  #checkNumber(sequence: number): void {
    const { position } = this;
    const { known, knownAt } = this.#way;
    if (knownAt.load() === 0) {
      known.store(sequence);
      knownAt.store(position);
    }
    if (this.#number.at > position) this.#number = { at: knownAt.load(), is: known.load() };
    const number = this.#number;
    for (; number.at < position; number.is++) number.at = endOf(number.at);
    if (number.at === position && number.is === sequence) return;
    this.#find("duplicated", `the message at ${position} has number ${sequence}, not ${number.is}`);
  }

  /** Notes the next message. */
  message(bytes: Uint8Array, { redelivered, sequence }: Told): void {
    const { position } = this;
    this.#checkNumber(sequence);
    const isKnown = position < this.#seenBefore;
    if (bytes.length !== lengthAt(position) || !isPayload(bytes, position / 8)) {
      this.#find("corrupt", `the message at ${position} is not what was sent`);
    } else if (isKnown && !redelivered) {
      this.#find("duplicated", `the message at ${position} came again, and was not flagged`);
    }
    if (redelivered) this.#checkFlagged(position);
    this.position = endOf(position);
    if (isKnown) return this.#way.count("again");
    this.#way.seen.store(this.position);
    this.#way.count("received");
  }

  /** Notes the next bytes, of which the first `redelivered` may have been seen before. */
  bytes(bytes: Uint8Array, redelivered: number): void {
    const { position } = this;
    if (!bytes.every((byte, i) => byte === byteAt(position + i))) {
      this.#find("corrupt", `the ${bytes.length} bytes at ${position} are not what was sent`);
    } else if (position + redelivered < this.#seenBefore) {
      this.#find("duplicated", `bytes at ${position} came again, and ${redelivered} were flagged`);
    }
    if (redelivered > 0) {
      this.#checkFlagged(position + redelivered - 1);
      if (position < this.#seenBefore) this.#way.count("again");
    }
    const end = position + bytes.length;
    if (end > this.#seenBefore) this.#way.seen.store(end);
  }

  /** Checks that an end that was found here is one. */
  ended(): void {
    const { position } = this;
    const { ended, cut } = this.#way;
    this.#way.count("ends");
    if (ended.load() < position) this.#find("lost", `no producer ended at ${position}`);
    const at = cut.load();
    if (at > this.#begin && at <= position) this.#find("lost", `the end hides a cut at ${at}`);
  }

  /** Checks that everything that was published has arrived. */
  end(): void {
    const { head } = this.#way;
    if (this.position === head) return;
    this.#find("lost", `nothing is left at ${this.position}, and the head is ${head}`);
  }

  #checkFlagged(position: number): void {
    if (position < this.#latest) return;
    this.#find("duplicated", `what is at ${position} was flagged, and is new`);
  }

  #find(flaw: Exclude<Flaw, "leaked">, text: string): void {
    this.#flawed = true;
    this.#way.find(flaw, text);
  }
}
