/**
 * What goes through the rings of the spsc kind, and the account of it.
 *
 * All of it is determined by where it is: a byte by how many went through the ring before it, a
 * message by how many bytes did. So whoever takes an end over knows by the shared positions alone
 * what comes next; and what is noted in the ledger tells whether these positions are right:
 *
 * - `begun` and `sent`, by producers: up to where something is about to be published, and up to
 *   where it is known to be. Between them, at the end of a message, is where a successor must find
 *   the head.
 * - `seen`, by consumers: up to where it was looked at, noted before it is released. A successor
 *   must not find the tail beyond that, or something was lost; and what comes again from before it
 *   must be flagged.
 * - `receiving`, by consumers: the message that is about to be copied and released in one call.
 *   That one may have gone to the dead.
 *
 * @module
 */

import { recordBytes } from "../../src/lane/record.ts";
import { byteAt } from "../memory/bytes.ts";
import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { Inside } from "../spsc/scene.ts";
import type { Cell } from "./ledger.ts";
import type { Scene } from "./kind.ts";

/** The rings: messages through the smallest and through a larger one, and bytes. */
export const RINGS = [
  { name: "page", capacity: 4096, level: "messages" },
  { name: "large", capacity: 65_536, level: "messages" },
  { name: "bytes", capacity: 4096, level: "bytes" },
] as const;

export const CELLS = {
  begun: RINGS.length,
  sent: RINGS.length,
  seen: RINGS.length,
  receiving: RINGS.length, // the position and 1, or 0
  messages: 1, // that were published
  received: 1, // of them, those that a consumer had for the first time
  again: 1, // messages, or looks at bytes, that a consumer had again, and was told
  toTheDead: 1, // that were released to a consumer that died before it could look
  lost: 1, // times that a tail was beyond what was seen
  duplicated: 1, // messages, or looks at bytes, that came again and were not flagged
  corrupt: 1, // messages, or looks at bytes, that are not what was sent
  producers: 1, // how often a ring got a producer
  consumers: 1,
  bereaved: 1, // how often one end was told that the other is gone
};

/** Where positions begin: they wrap soon. */
const START = 2 ** 32 - 20_000;

/** The longest message: it fills the smallest ring. Now and then one may be as long as that. */
const LONGEST = 4088;
const MOSTLY_LONGEST = 400;

/** How long the message is that begins there. */
export function lengthAt(position: number): number {
  return lengthOf(position / 8, position % 128 === 0 ? LONGEST : MOSTLY_LONGEST);
}

/** The message that begins there. */
export function messageAt(position: number): Uint8Array<ArrayBuffer> {
  return payload(position / 8, lengthAt(position));
}

/** Where the message ends that begins there. */
export function endOf(position: number): number {
  return position + recordBytes(lengthAt(position));
}

/** The whole position near another one, of which a word has the last 32 bits. */
export function wholeOf(word: number, near: number): number {
  return near + ((word - near) | 0);
}

type TrafficScene = Scene<keyof typeof CELLS>;

/** A ring, and what is known of it. */
export class Traffic implements Disposable {
  readonly plan: typeof RINGS[number];
  readonly name: string;
  readonly begun: Cell;
  readonly sent: Cell;
  readonly seen: Cell;
  readonly receiving: Cell;
  readonly scene: TrafficScene;
  readonly #inside: Inside;

  constructor(scene: TrafficScene, ring: number) {
    this.scene = scene;
    this.plan = RINGS[ring]!;
    this.name = nameOf(scene, ring);
    this.#inside = new Inside(this.name);
    const { begun, sent, seen, receiving } = scene.cells;
    this.begun = begun[ring]!;
    this.sent = sent[ring]!;
    this.seen = seen[ring]!;
    this.receiving = receiving[ring]!;
  }

  /** As if much had gone through already. */
  begin(): void {
    this.#inside.startAt(START);
    for (const cell of [this.begun, this.sent, this.seen]) cell.store(START);
  }

  get head(): number {
    return wholeOf(this.#inside.head.load(), this.sent.load());
  }

  get tail(): number {
    return wholeOf(this.#inside.tail.load(), this.seen.load());
  }

  /** How many bytes went through. */
  get through(): number {
    return this.seen.load() - START;
  }

  count(name: keyof typeof CELLS): void {
    this.scene.cells[name][0]!.add(1);
  }

  complain(text: string): void {
    this.scene.complain(`ring ${this.plan.name}: ${text}`);
  }

  [Symbol.dispose](): void {
    this.#inside[Symbol.dispose]();
  }
}

/** What notes are about: a way from one producer to one consumer at a time. */
export type Track =
  & Pick<
    Traffic,
    "begun" | "sent" | "seen" | "receiving" | "head" | "tail" | "count" | "complain"
  >
  & { readonly plan: { readonly level: "messages" | "bytes" } };

/** The name of a ring in this run. */
export function nameOf(scene: TrafficScene, ring: number): string {
  return scene.name(RINGS[ring]!.name);
}

/** What a producer notes. Made once it has its role. */
export class SendingNotes {
  /** Where the next message, or the next byte, goes. */
  position = 0;
  readonly #traffic: Track;

  constructor(traffic: Track) {
    this.#traffic = traffic;
    this.resume();
  }

  /** Finds out how much was published by whoever could not note it. */
  resume(): void {
    const { sent, begun, head, plan } = this.#traffic;
    const [known, most] = [sent.load(), begun.load()];
    this.position = known;
    if (head < known || head > most) {
      const text = `the head is ${head}, when up to ${known} was sent, and up to ${most} begun`;
      this.#traffic.complain(text);
      this.position = head;
    } else if (plan.level === "bytes") this.sentUpTo(head);
    else while (this.position < head) this.sentUpTo(endOf(this.position));
    if (this.position > head) this.#traffic.complain(`the head ${head} is within a message`);
  }

  /** Everything was released, it is said. */
  flushed(): void {
    const { tail } = this.#traffic;
    if (tail === this.position) return;
    this.#traffic.complain(`flushed up to ${this.position}, and the tail is ${tail}`);
  }

  /** Something is about to be published. */
  beginUpTo(position: number): void {
    this.#traffic.begun.store(position);
  }

  /** A message, or some bytes, were published. */
  sentUpTo(position: number): void {
    if (position === this.position) return;
    this.position = position;
    this.#traffic.sent.store(position);
    if (this.#traffic.plan.level === "messages") this.#traffic.count("messages");
  }
}

/** What a consumer notes. Made once it has its role. */
export class ReceivingNotes {
  /** Where the next message, or the next byte, comes from. */
  position: number;
  readonly #traffic: Track;
  readonly #seenBefore: number; // by those before this consumer
  readonly #latest: number; // what is sent from here on, none of them can have seen
  #flawed = false;

  constructor(traffic: Track) {
    this.#traffic = traffic;
    const { tail, seen, receiving } = traffic;
    const known = seen.load();
    if (tail > known) {
      const wasReceiving = traffic.plan.level === "messages" && receiving.load() === known + 1;
      if (wasReceiving && tail === endOf(known)) traffic.count("toTheDead");
      else this.#find("lost", `what is from ${known} to ${tail} was released, and nobody saw it`);
      seen.store(tail);
    }
    receiving.store(0);
    this.position = tail;
    this.#seenBefore = seen.load();
    this.#latest = traffic.head;
  }

  /** Whether something was wrong, so that what follows says nothing. */
  get flawed(): boolean {
    return this.#flawed;
  }

  /** The next message is about to be received by copy; afterwards it is not, or was. */
  set receiving(is: boolean) {
    this.#traffic.receiving.store(is ? this.position + 1 : 0);
  }

  /** The next message has come. */
  message(bytes: Uint8Array, redelivered: boolean): void {
    const { position } = this;
    const isKnown = position < this.#seenBefore;
    if (bytes.length !== lengthAt(position) || !isPayload(bytes, position / 8)) {
      this.#find("corrupt", `the message at ${position} is not what was sent`);
    } else if (isKnown && !redelivered) {
      this.#find("duplicated", `the message at ${position} came again, and was not flagged`);
    }
    if (redelivered) this.#checkFlagged(position);
    this.position = endOf(position);
    if (isKnown) return this.#traffic.count("again");
    this.#traffic.seen.store(this.position);
    this.#traffic.count("received");
  }

  /** These are the next bytes, of which the first `redelivered` may have been seen before. */
  bytes(bytes: Uint8Array, redelivered: number): void {
    const { position } = this;
    if (!bytes.every((byte, i) => byte === byteAt(position + i))) {
      this.#find("corrupt", `the ${bytes.length} bytes at ${position} are not what was sent`);
    } else if (position + redelivered < this.#seenBefore) {
      this.#find("duplicated", `bytes at ${position} came again, and ${redelivered} were flagged`);
    }
    if (redelivered > 0) {
      this.#checkFlagged(position + redelivered - 1);
      if (position < this.#seenBefore) this.#traffic.count("again");
    }
    const end = position + bytes.length;
    if (end > this.#seenBefore) this.#traffic.seen.store(end);
  }

  /** Nothing is left: everything that was published has come. */
  end(): void {
    const { head } = this.#traffic;
    if (this.position === head) return;
    this.#find("lost", `nothing is left at ${this.position}, and the head is ${head}`);
  }

  #checkFlagged(position: number): void {
    if (position < this.#latest) return;
    this.#find("duplicated", `what is at ${position} was flagged, and is new`);
  }

  #find(what: "lost" | "duplicated" | "corrupt", text: string): void {
    this.#flawed = true;
    this.#traffic.count(what);
    this.#traffic.complain(text);
  }
}
