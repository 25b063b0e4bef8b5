/**
 * A topic of another machine that a bridge publishes here.
 *
 * I1  The samples of one first publisher (origin host and incarnation) are published in the order
 *     of their numbers, each at most once (numbers.ts).
 * I2  Each number between the last and the next is lost: before the far bridge, in it, on the wire
 *     or here. The subscribers here see the sum in `lost`.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { Loan, Publisher } from "../vdds/publisher.ts";
import { Assembly } from "./assembly.ts";
import { type KeptMessage, KeptOrder } from "./kept_order.ts";
import { type Heading, Samples, samplesIn, type Stem, type Unsent } from "./message.ts";
import { Numbers } from "./numbers.ts";
import { hashText, type Offered, offerIn, topicFrom } from "./offer.ts";
import { Outlet } from "./outlet.ts";

/** The account of what a bridge imports from one publisher of a topic. */
export interface ImportAccount {
  /** The kind: "topic", "slot", "mpsc" or "calls". */
  readonly kind: string;
  /** The name on this machine. */
  readonly name: string;
  /** The host that it comes from first. */
  readonly host: string;
  /** The source, in a topic with many publishers. */
  readonly source: string | undefined;
  /** The samples, values or messages that were published here, or the calls that were passed on. */
  readonly published: number;
  /** Those that arrived again. */
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

const MANY = 2 ** 20;
const PENDING_MAX = 64;
const RETRY_MS = 500;

/** Publishes the samples of one first publisher. */
export class TopicImport implements Disposable {
  readonly #parts: ImportParts;
  readonly #numbers = new Numbers();
  readonly #unsent = new Map<string, Unsent>(); // by sender
  readonly #outlet = new Outlet(() => this.#lost.here++);
  #offered: Offered | undefined;
  #offer: string | undefined; // as text
  #pending: { sender: string; heading: Heading; payload: Uint8Array }[] = [];
  readonly #assembly = new Assembly();
  readonly #order = new KeptOrder();
  #undone: (() => void)[] = []; // of kept parts of the sample that is being assembled
  #loan: Loan<Bytes> | undefined; // of the sample that is being assembled
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
      kind: "topic",
      name,
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
    if (!this.#isCurrent(heading)) return void (this.#duplicates += heading.count);
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

  /**
   * Takes a kept message: the network may forget it once all its samples are published here, or were
   * before. Resolves with false if this and all others that are not done must come again.
   */
  async receiveKept(message: KeptMessage): Promise<boolean> {
    const { heading } = message;
    const isNew = heading.stem.incarnation !== this.#numbers.incarnation;
    if (isNew && !await this.#handleKept(this.#order.flush())) return false;
    if (!this.#isCurrent(heading) || this.#offered === undefined) { // ended, or damaged: was reported
      message.done();
      return true;
    }
    const hasSamples = heading.count > 0 && !heading.isEnd;
    if (hasSamples && this.#publisher(true) === undefined) return this.#comeAgain();
    if (this.#order.isFresh) this.#order.begin(this.#numbers.last);
    return await this.#handleKept(this.#order.add(message));
  }

  async #handleKept(messages: readonly KeptMessage[]): Promise<boolean> {
    for (const each of messages) if (!await this.#publishKept(each)) return this.#comeAgain();
    return true;
  }

  #comeAgain(): false {
    this.#order.begin(undefined);
    this.#undone = [];
    this.#dropPartial();
    return false;
  }

  async #publishKept({ sender, heading, payload, done }: KeptMessage): Promise<boolean> {
    const { count, sequence, chunk, isEnd } = heading;
    const hasSamples = count > 0 && !isEnd;
    if (hasSamples && this.#publisher(true) === undefined) return false;
    const isOld = this.#numbers.last !== undefined && sequence <= this.#numbers.last;
    this.#handle(sender, heading, payload);
    if (hasSamples && !await this.#outlet.settled()) return false;
    if (hasSamples && chunk !== undefined && !isOld && this.#numbers.last !== sequence) {
      this.#undone.push(done); // with the last part
      return this.#assembly.isBegun;
    }
    if (hasSamples) { for (const part of this.#undone.splice(0)) part(); }
    done();
    return true;
  }

  /** Begins a new incarnation; returns false for a message of one that has ended. */
  #isCurrent(heading: Heading): boolean {
    const entered = this.#numbers.enter(heading.stem.incarnation);
    if (entered === "ended") return false;
    if (entered === "begun") this.#begin();
    if (heading.offer !== undefined) this.#learn(heading);
    return true;
  }

  /** A new incarnation of the publisher numbers its samples anew. */
  #begin(): void {
    this.#offered = undefined;
    this.#pending = [];
    this.#unsent.clear();
    this.#order.begin(undefined);
    this.#undone = [];
    this.#dropPartial();
  }

  #learn({ offer, hash }: Heading): void {
    const offered = offerIn(offer!);
    if (offered === undefined || hashText(offered.type) !== hash) {
      return this.#refuse("its definition is damaged, or has another hash than its messages");
    }
    this.#offered = offered;
    if (offer !== this.#offer) this.#outlet.close(); // the type or a size has changed
    if (offer !== this.#offer) this.#retryAt = 0;
    this.#offer = offer;
  }

  /**
   * Finds the last sample of this incarnation that a bridge before this one published here: samples
   * carry their origin, so that is exact as long as the topic has one of them. The publisher is open,
   * so a publish in which that bridge was killed is finished. What it had counted as lost since then,
   * the topic tells already.
   */
  #recall(publisher: Publisher<Bytes>): void {
    const { name, host, source } = this.#parts;
    let lastHere = 0;
    using observer = topicFrom(name, this.#offered!).observer({ history: MANY });
    for (let found; (found = observer.tryReceive()) !== undefined;) {
      const { origin } = found;
      if (origin?.host !== host || origin.incarnation !== this.#numbers.incarnation) continue;
      if (found.source !== source || origin.sequence < (this.#numbers.last ?? 0)) continue;
      this.#numbers.last = origin.sequence;
      lastHere = found.sequence;
    }
    if (lastHere > 0) this.#outlet.lostBefore -= publisher.sequence - lastHere;
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
      const samples = samplesIn(heading, payload);
      if (samples === undefined) return this.#refuse("a message is damaged");
      this.#publishAll(samples, heading.stem, publisher);
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
    const missing = this.#numbers.accept(sequence);
    if (missing === undefined) return false;
    const skipped = Math.min(missing, this.#skippable);
    this.#skippable -= skipped;
    this.#gap += missing - skipped;
    this.#outlet.lostBefore += missing - skipped;
    return true;
  }

  /** Everything before this number has been sent. */
  #mark(sequence: number): void {
    if (sequence === 0 || this.#numbers.last === undefined) return;
    if (this.#accept(sequence)) this.#numbers.last = sequence - 1; // the number itself is still to come
  }

  #publishAll(samples: Samples, stem: Stem, publisher: Publisher<Bytes> | undefined): void {
    while (samples.next()) {
      if (this.#accept(samples.sequence)) this.#outlet.send(publisher, samples, stem);
      else this.#duplicates++;
    }
  }

  #addChunk(
    sender: string,
    heading: Heading,
    payload: Uint8Array,
    publisher: Publisher<Bytes> | undefined,
  ): void {
    const { stem, sequence } = heading;
    if (heading.chunk!.index === 0) this.#beginSample(sender, heading, publisher);
    const bytes = this.#assembly.add(sender, heading, payload);
    if (bytes === true) return; // more will come
    if (bytes === false || !this.#accept(sequence)) return this.#dropPartial();
    const loan = this.#loan;
    this.#loan = undefined;
    if (loan !== undefined) this.#outlet.publish(publisher!, loan, { ...stem, sequence });
    else this.#outlet.send(publisher, Samples.whole(bytes, sequence), stem);
  }

  #beginSample(
    sender: string,
    heading: Heading,
    publisher: Publisher<Bytes> | undefined,
  ): void {
    this.#dropPartial();
    if (this.#numbers.last !== undefined && heading.sequence <= this.#numbers.last) {
      return void this.#duplicates++;
    }
    const { total } = heading.chunk!;
    const most = Number(this.#offered!.geometry.size ?? 0);
    if (total > most) {
      return this.#refuse(`a sample has ${total} bytes, and its definition allows ${most}`);
    }
    this.#loan = publisher && this.#outlet.loan(publisher, total);
    this.#assembly.begin(sender, heading, this.#loan?.bytes ?? new Uint8Array(total));
  }

  #dropPartial(): void {
    this.#loan?.[Symbol.dispose]();
    this.#loan = undefined;
    this.#assembly.end();
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
      if (this.#numbers.last === undefined) this.#recall(opened);
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
    return this.#numbers.last === undefined;
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
