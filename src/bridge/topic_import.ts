/**
 * A topic of another machine that a bridge publishes here.
 *
 * I1  The samples of one first publisher (origin host and incarnation) are published in the order
 *     of their numbers, each at most once: a number that is not greater than the last is dropped.
 * I2  Each number between the last and the next is lost: before the far bridge, in it, on the wire
 *     or here. The subscribers here see the sum in `lost`.
 * I3  Of the last REMEMBERED incarnations, all but the newest have ended: their late messages are
 *     dropped. This is the window in which duplicates are recognized; within an incarnation there is
 *     no limit.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { Loan, Publisher } from "../vdds/publisher.ts";
import { type Chunk, type Heading, type Piece, piecesIn, type Unsent } from "./message.ts";
import { hashText, type Offered, offerIn, topicFrom } from "./offer.ts";
import { Outlet } from "./outlet.ts";

/** The account of what a bridge imports from one publisher of a topic. */
export interface ImportAccount {
  /** The name of the topic on this machine. */
  readonly topic: string;
  /** The host of the first publisher. */
  readonly host: string;
  /** Its source, in a topic with many publishers. */
  readonly source: string | undefined;
  /** The samples that were published here. */
  readonly published: number;
  /** The samples that arrived again, or came back to their origin. */
  readonly duplicates: number;
  /** The samples that were lost, by place. */
  readonly lost: Losses;
  /** Why nothing is published; undefined if all is well. */
  readonly refusal: string | undefined;
}

/** The samples that were lost, by place. */
export interface Losses {
  /** Before the far bridge: in the topic there. */
  readonly before: number;
  /** In the far bridge. */
  readonly inside: number;
  /** On the wire. */
  readonly wire: number;
  /** In this bridge, or because the topic here refused them. */
  readonly here: number;
}

/** The parts of an import. */
export interface ImportParts {
  /** The name here. */
  readonly name: string;
  /** The host of the first publisher. */
  readonly host: string;
  readonly source: string | undefined;
  /**
   * Asks for the right to publish under the name; returns the host that has it instead. A topic
   * has one publisher, or one for each source.
   */
  readonly claim: (hasSamples: boolean) => string | undefined;
  /** Asks the sender for the definition. */
  readonly ask: (sender: string) => void;
  /** Tells the user why nothing is published. */
  readonly onRefusal: (reason: string) => void;
}

/** A sample that lacks chunks. */
interface Partial {
  readonly sender: string;
  readonly sequence: number;
  readonly chunk: Chunk;
  readonly loan: Loan<Bytes> | undefined;
  readonly bytes: Uint8Array;
  next: number;
  filled: number;
}

const REMEMBERED = 8;
const PENDING_MAX = 64;
const RETRY_MS = 500;

/** Publishes the samples of one first publisher. */
export class TopicImport implements Disposable {
  readonly #parts: ImportParts;
  readonly #ended: number[] = []; // incarnations, oldest first
  readonly #unsent = new Map<string, Unsent>(); // by sender
  readonly #outlet = new Outlet(() => this.#lost.here++);
  #incarnation: number | undefined;
  #offered: Offered | undefined;
  #offer: string | undefined; // as text
  #pending: { sender: string; heading: Heading; payload: Uint8Array }[] = [];
  #last: number | undefined; // of the incarnation
  #partial: Partial | undefined;
  #refusal: string | undefined;
  #retryAt = 0;
  #duplicates = 0;
  #gap = 0; // numbers missing before the samples of the message that is being handled
  #skippable = 0; // of these, as many were not sent on purpose
  readonly #lost = { before: 0, inside: 0, wire: 0, here: 0 };

  constructor(parts: ImportParts) {
    this.#parts = parts;
  }

  /** The account so far. */
  get account(): ImportAccount {
    const { name, host, source } = this.#parts;
    return {
      topic: name,
      host,
      source,
      published: this.#outlet.published,
      duplicates: this.#duplicates,
      lost: { ...this.#lost },
      refusal: this.#refusal,
    };
  }

  /** Takes a message from a bridge. */
  receive(sender: string, heading: Heading, payload: Uint8Array): void {
    const { incarnation } = heading.stem;
    if (incarnation !== this.#incarnation) {
      if (this.#ended.includes(incarnation)) return void (this.#duplicates += heading.count);
      this.#begin(incarnation);
    }
    if (heading.offer !== undefined) this.#learn(heading);
    if (this.#offered === undefined) {
      if (this.#pending.length < PENDING_MAX) {
        this.#pending.push({ sender, heading, payload: payload.slice() });
      }
      return this.#parts.ask(sender);
    }
    const pending = this.#pending;
    this.#pending = [];
    for (const each of pending) this.#handle(each.sender, each.heading, each.payload);
    this.#handle(sender, heading, payload);
  }

  /** A new incarnation of the publisher numbers its samples anew. */
  #begin(incarnation: number): void {
    if (this.#incarnation !== undefined) this.#ended.push(this.#incarnation);
    if (this.#ended.length >= REMEMBERED) this.#ended.shift();
    this.#incarnation = incarnation;
    this.#offered = undefined;
    this.#pending = [];
    this.#last = undefined;
    this.#unsent.clear();
    this.#dropPartial();
  }

  #learn({ offer, hash }: Heading): void {
    const offered = offerIn(offer!);
    if (offered === undefined || hashText(offered.type) !== hash) {
      return this.#refuse("its definition is damaged, or has another hash than its messages");
    }
    this.#offered = offered;
    if (offer !== this.#offer) this.#outlet.close(); // the type or a size has changed
    this.#offer = offer;
    this.#retryAt = 0;
  }

  #handle(sender: string, heading: Heading, payload: Uint8Array): void {
    const hash = hashText(this.#offered!.type);
    if (heading.hash !== hash) {
      this.#refuse(`a message has the type ${heading.hash}, and the definition has ${hash}`);
      return;
    }
    this.#gap = 0;
    const from = this.#unsentBefore(sender, heading.unsent);
    this.#skippable = heading.unsent.skipped - from.skipped;
    const publisher = heading.isEnd ? this.#outlet.publisher : this.#publisher(heading.count > 0);
    if (heading.count === 0) this.#mark(heading.sequence);
    else if (heading.chunk !== undefined) this.#addChunk(sender, heading, payload, publisher);
    else {
      const pieces = piecesIn(heading, payload);
      if (pieces === undefined) return this.#refuse("a message is damaged");
      for (const piece of pieces) this.#publishPiece(piece, heading, publisher);
    }
    this.#attribute(heading.unsent, from);
    if (heading.isEnd) this.#outlet.end();
    this.#unsent.set(sender, heading.unsent);
  }

  /** Returns what the sender had not sent at its last message; zeros if it has restarted. */
  #unsentBefore(sender: string, now: Unsent): Unsent {
    const seen = this.#unsent.get(sender);
    const isContinued = seen !== undefined && seen.before <= now.before &&
      seen.inside <= now.inside && seen.skipped <= now.skipped;
    return isContinued ? seen : { before: 0, inside: 0, skipped: 0 };
  }

  /** Says in which place the missing numbers were lost. */
  #attribute(unsent: Unsent, from: Unsent): void {
    for (const place of ["before", "inside"] as const) {
      const count = Math.min(this.#gap, unsent[place] - from[place]);
      this.#gap -= count;
      this.#lost[place] += count;
    }
    this.#lost.wire += this.#gap;
  }

  /** Counts what is missing before a number; returns false if it is not new. */
  #accept(sequence: number): boolean {
    const last = this.#last;
    if (last !== undefined && sequence <= last) return false;
    const missing = last === undefined ? 0 : sequence - last - 1;
    this.#last = sequence;
    const skipped = Math.min(missing, this.#skippable);
    this.#skippable -= skipped;
    this.#gap += missing - skipped;
    this.#outlet.lostBefore += missing - skipped;
    return true;
  }

  /** Everything before this number has been sent. */
  #mark(sequence: number): void {
    if (sequence === 0 || this.#last === undefined) return;
    if (this.#accept(sequence)) this.#last = sequence - 1; // the number itself is still to come
  }

  #publishPiece(piece: Piece, { stem }: Heading, publisher: Publisher<Bytes> | undefined): void {
    const { sequence, bytes } = piece;
    if (!this.#accept(sequence)) return void this.#duplicates++;
    this.#outlet.send(publisher, bytes, { ...stem, sequence });
  }

  #addChunk(
    sender: string,
    heading: Heading,
    payload: Uint8Array,
    publisher: Publisher<Bytes> | undefined,
  ): void {
    const { stem, sequence } = heading;
    const chunk = heading.chunk!;
    if (chunk.index === 0) this.#beginPartial(sender, sequence, chunk, publisher);
    const partial = this.#partial;
    if (partial === undefined) return;
    const isNext = partial.sender === sender && partial.sequence === sequence &&
      partial.next === chunk.index && partial.filled + payload.length <= chunk.total &&
      chunk.total === partial.chunk.total;
    if (!isNext) return this.#dropPartial();
    partial.bytes.set(payload, partial.filled);
    partial.filled += payload.length;
    if (++partial.next < chunk.count) return;
    this.#partial = undefined;
    if (partial.filled < chunk.total || !this.#accept(sequence)) {
      return partial.loan?.[Symbol.dispose]();
    }
    const origin = { ...stem, sequence };
    if (partial.loan === undefined) this.#outlet.send(publisher, partial.bytes, origin);
    else this.#outlet.publish(publisher!, partial.loan, origin);
  }

  #beginPartial(
    sender: string,
    sequence: number,
    chunk: Chunk,
    publisher: Publisher<Bytes> | undefined,
  ): void {
    this.#dropPartial();
    if (this.#last !== undefined && sequence <= this.#last) return void this.#duplicates++;
    const most = Number(this.#offered!.geometry.size ?? 0);
    if (chunk.total > most) {
      return this.#refuse(`a sample has ${chunk.total} bytes, and its definition allows ${most}`);
    }
    const loan = publisher && this.#outlet.loan(publisher, chunk.total);
    const bytes = loan?.bytes ?? new Uint8Array(chunk.total);
    this.#partial = { sender, sequence, chunk, loan, bytes, next: 0, filled: 0 };
  }

  #dropPartial(): void {
    this.#partial?.loan?.[Symbol.dispose]();
    this.#partial = undefined;
  }

  /** Returns the publisher, opened if possible; reports a refusal once, and tries again later. */
  #publisher(hasSamples: boolean): Publisher<Bytes> | undefined {
    const { publisher } = this.#outlet;
    if (publisher !== undefined && !publisher.closed) return publisher;
    const other = this.#parts.claim(hasSamples);
    if (other !== undefined) {
      if (hasSamples) this.#refuse(`host "${other}" already publishes it here`);
      return undefined;
    }
    if (performance.now() < this.#retryAt) return undefined;
    this.#retryAt = performance.now() + RETRY_MS;
    const { name, source } = this.#parts;
    try {
      const definition = topicFrom(name, this.#offered!);
      const opened = definition.publisher(source === undefined ? {} : { source });
      this.#outlet.open(opened, String(this.#offered!.policy.policy));
      this.#refusal = undefined;
      return opened;
    } catch (error) {
      if (!(error instanceof VringError)) throw error;
      this.#refuse(error.message);
      return undefined;
    }
  }

  #refuse(reason: string): void {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    const { name, host } = this.#parts;
    this.#parts.onRefusal(`Cannot import topic "${name}" from host "${host}": ${reason}`);
  }

  /** Whether it has no sample yet, so that another import may take the name. */
  get isIdle(): boolean {
    return this.#last === undefined;
  }

  /** Gives the name to another import. */
  release(): void {
    this.#dropPartial();
    this.#outlet.close();
  }

  /** Ends this import. */
  [Symbol.dispose](): void {
    this.#dropPartial();
    this.#outlet.close();
  }
}
