/**
 * Observing topics without any right to write; cursor.ts reads the samples, and
 * region/observed.ts explains how an observer follows a name.
 *
 * An observer waits on a bell of its own (wait/observing.ts), so no other party can detect it.
 *
 * @module
 */

import { lossOf, Receiver } from "../receiver.ts";
import { checkReturned, inWords } from "../arguments.ts";
import { byteLengthOf } from "../arrays.ts";
import { ClosedError, VringError } from "../errors.ts";
import { detachableCopy } from "../memory/views.ts";
import type { Bytes, Type } from "../message.ts";
import { now } from "../os/clock.ts";
import { Observed, OBSERVER_SLICE_NS, type Subject } from "../region/observed.ts";
import { Again } from "../region/poll.ts";
import { CONDITIONS } from "../wait/any.ts";
import type { Condition } from "../wait/condition.ts";
import { observing } from "../wait/observing.ts";
import { type ObservedSample, type RoomFor, type Tally, TopicCursor } from "./cursor.ts";
import {
  type CodecOf,
  type PolledSample,
  Reading,
  ShownSample,
  type TopicMessage,
} from "./sample.ts";
import { listSources } from "./sources.ts";
import type { VRing } from "./vring.ts";

/** A topic under observation. */
interface Attachment extends Subject {
  readonly cursor: TopicCursor;
}

/** A topic to observe, whether it exists or not. */
interface Target {
  readonly source: string | undefined;
  readonly observed: Observed<Attachment>;
}

/** The parts of an observer. */
interface Parts<K extends Type> {
  readonly name: string;
  readonly codec: CodecOf<K>;
  readonly history: number;
  readonly own: boolean | undefined;
  /** Whether to observe all sources of the topic. */
  readonly hasSources: boolean;
  /** The directory to look for sources in. */
  readonly directory: string;
  /** Throws if the topic has another number of publishers than defined. */
  readonly checkPublishers: () => void;
  /** Performs one step of attaching to the topic, or to one of its sources. */
  readonly attach: (source: string | undefined) => VRing | Again | undefined;
}

/**
 * Reads a topic with only the right to read its file. It copies each sample, and counts samples
 * that were overwritten first as lost. No publisher waits for it, and it takes no subscriber's
 * place.
 *
 * It can open before the topic exists. When another topic takes the name, it reads the old one to
 * its end and continues there. For a corrupt topic it throws one CorruptRegionError, and ignores it
 * afterwards; other sources keep working. No process wakes it, so it polls: a sample that it waits
 * for is late by up to a tenth of the wait, at most 64 ms.
 *
 * @example See what the subscribers of a topic see
 * ```ts
 * import { text, topic } from "@vring/vring";
 *
 * const words = topic("example/observed", { type: text(), mode: 0o644 });
 * using publisher = words.publisher();
 * using observer = words.observer(); // any user
 * publisher.trySend("near");
 * const { value, lost } = observer.receiveSync();
 * console.log(value, lost); // near 0
 * ```
 */
export class TopicObserver<K extends Type = Bytes> extends Receiver<K, TopicMessage<K>, never> {
  readonly #parts: Parts<K>;
  readonly #what: string;
  readonly #reading: Reading<K>;
  readonly #polled: ShownSample<K>;
  readonly #tally: Tally = { lost: 0 };
  readonly #targets: Target[] = [];
  readonly #refused = new Set<string>(); // identities of sources that cannot be observed
  readonly #untold: VringError[] = []; // why
  readonly #roomFor = (length: number) => this.#room(length);
  readonly #landingFor = (length: number) => this.#reading.arrayFor(length);
  #views: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #nextTarget = 0;
  #nextList = 0; // when to list the sources again
  #opening = true;
  #closed = false;

  /** @ignore */
  constructor(parts: Parts<K>) {
    const what = `topic "${parts.name}"`;
    super({
      name: parts.name,
      what,
      peerName: "publisher",
      waiter: {
        action: `observe ${what}`,
        conditions: () => [this.#condition()],
        checkOpen: () => this.#checkOpen(),
        state: () => {
          if (this.topics === 0) return "it does not exist";
          return this.peers === 0 ? "it has no publisher" : "its publisher is alive";
        },
      },
    });
    this.#parts = parts;
    this.#what = what;
    this.#reading = new Reading(this.#what, parts.codec, parts);
    this.#polled = new ShownSample(this.#reading);
    using stack = new DisposableStack();
    stack.use(this);
    if (!parts.hasSources) this.#targets.push(this.#target(undefined));
    else this.#listEachSlice();
    this.#opening = false;
    stack.move();
  }

  #target(source: string | undefined): Target {
    const { history, attach } = this.#parts;
    const observed = new Observed<Attachment>(() => {
      const ring = attach(source);
      if (ring === undefined || ring instanceof Again) return ring;
      using stack = new DisposableStack();
      stack.use(ring.region);
      const cursor = new TopicCursor(ring, this.#opening ? history : undefined, this.#tally);
      stack.move();
      return { region: ring.region, cursor, hasMore: () => cursor.hasNews() };
    });
    return { source, observed };
  }

  /** Finds new sources, and forgets those that have gone. */
  #listEachSlice(): void {
    if (!this.#parts.hasSources || now() < this.#nextList) return;
    this.#nextList = now() + OBSERVER_SLICE_NS;
    const present = listSources(this.name, this.#parts.directory);
    if (present.length === 0) this.#parts.checkPublishers();
    for (const [i, { source, observed }] of [...this.#targets.entries()].reverse()) {
      const { readable } = observed;
      if (present.some((found) => found.source === source) || readable?.hasMore?.()) continue;
      observed.close();
      this.#targets.splice(i, 1);
    }
    for (const identity of this.#refused) {
      if (!present.some((found) => found.identity === identity)) this.#refused.delete(identity);
    }
    for (const { source, identity } of present) {
      if (this.#refused.has(identity)) continue;
      if (this.#targets.some((target) => target.source === source)) continue;
      try {
        this.#targets.push(this.#target(source));
      } catch (error) {
        if (!(error instanceof VringError)) throw error;
        this.#refused.add(identity);
        this.#untold.push(error);
      }
    }
  }

  /** The number of living publishers. */
  get peers(): number {
    this.#checkOpen();
    this.#listEachSlice();
    for (const { observed } of this.#targets) observed.lookEachSlice();
    return this.#targets.filter(({ observed }) => observed.current?.cursor.ring.hasWriter()).length;
  }

  /** The number of topics that are observed now: 0 or 1, or one for each source. */
  get topics(): number {
    return this.#targets.filter(({ observed }) => observed.current !== undefined).length;
  }

  /**
   * The number of samples that this observer has lost in all, as far as it has read. The messages
   * of a topic tell the same losses one by one.
   */
  get lost(): number {
    return this.#tally.lost;
  }

  /** Whether this observer is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Always false: another publisher, or another topic, may follow. */
  get ended(): boolean {
    this.#checkOpen();
    return false;
  }

  /** Returns a copy of the next sample, or undefined when nothing new was published. */
  tryReceive(): TopicMessage<K> | undefined {
    return this.#receive(false);
  }

  /** @ignore */
  protected override receiveWhole(): TopicMessage<K> | undefined {
    return this.#receive(true);
  }

  #receive(throwsLoss: boolean): TopicMessage<K> | undefined {
    const found = this.#take(this.#landingFor, throwsLoss);
    if (found === undefined) return undefined;
    const { sample: { bytes, sequence, lost, time, origin }, source } = found;
    if (throwsLoss && lost > 0) throw lossOf(lost, this.#what);
    return { value: this.#reading.decode(bytes), sequence, lost, time, source, origin };
  }

  /**
   * Copies the bytes of the next sample into `target`, and returns their number, or -1 when nothing
   * new was published. Throws a RangeError if the target is too small; this observer then skips the
   * sample, and does not count it as lost. The result tells no loss: compare `lost` with its last
   * value.
   */
  tryReceiveInto(target: Uint8Array<ArrayBuffer>): number {
    const space = byteLengthOf(target, "receive from", this.#what);
    const bytes = this.#take(this.#roomFor)?.sample.bytes;
    if (bytes === undefined) return -1;
    if (bytes.length > space) throw this.tooLong(bytes.length, space);
    target.set(bytes);
    return bytes.length;
  }

  /**
   * Calls the handler with copies of up to `limit` samples, and returns their number. Every call
   * gets the same object, whose bytes the next sample overwrites.
   */
  poll(handler: (sample: PolledSample<K>) => void, limit?: number): number {
    if (limit === undefined) limit = Infinity;
    this.#checkOpen();
    this.checkPoll(handler, limit);
    const shown = this.#polled;
    let count = 0;
    try {
      while (count < limit && !this.#closed) {
        const found = this.#take(this.#roomFor);
        if (found === undefined) break;
        shown.show(found.sample, found.sample.bytes, found.source);
        count++;
        const result: unknown = handler(shown);
        if (result !== undefined) checkReturned(result, "poll", this.#what);
      }
    } finally {
      shown.hide();
    }
    return count;
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    return [this.#condition()];
  }

  #condition(): Condition {
    const [first, ...others] = this.#targets;
    return observing({
      watch: others.length === 0 ? first?.observed.readable?.cursor.ring.latest : undefined,
      ready: () => {
        this.#checkOpen();
        const hasNews = this.#untold.length > 0 ||
          this.#targets.some(({ observed }) => observed.readable?.cursor.hasNews());
        if (!hasNews) this.#checkWhole();
        return hasNews;
      },
      look: () => {
        this.#listEachSlice();
        return this.#untold.length > 0 ||
          this.#targets.some(({ observed }) => observed.look() !== undefined);
      },
    });
  }

  /** Takes a sample of the next target in turn that has one; `staysAfterLoss` is as for the cursor. */
  #take(roomFor: RoomFor, staysAfterLoss = false): Taken | undefined {
    this.#checkOpen();
    this.#listEachSlice();
    const refusal = this.#untold.shift();
    if (refusal !== undefined) throw refusal;
    const targets = this.#targets;
    for (let step = 0; step < targets.length; step++) {
      const index = (this.#nextTarget + step) % targets.length;
      const { source, observed } = targets[index]!;
      const take = (attachment: Attachment | undefined) => {
        try {
          return attachment?.cursor.take(roomFor, staysAfterLoss);
        } catch (error) {
          if (attachment?.cursor.isBroken) observed.abandon(); // and read it no more
          throw error;
        }
      };
      const sample = take(observed.readable) ?? take(observed.lookEachSlice());
      if (sample === undefined) continue;
      this.#nextTarget = index + 1;
      return { sample, source };
    }
    this.#checkWhole();
    return undefined;
  }

  /** Returns this observer's own array, of a length. */
  #room(length: number): Uint8Array<ArrayBuffer> {
    const copy = detachableCopy(length);
    if (copy !== undefined) return copy;
    const { buffer } = this.#views;
    if (this.#views.length === length) return this.#views;
    const large = buffer.byteLength >= length ? buffer : new ArrayBuffer(2 * length);
    return this.#views = new Uint8Array(large, 0, length);
  }

  /** Stops observing; calls that read then throw a ClosedError. */
  close(): void {
    this.#closed = true;
    using stack = new DisposableStack(); // closes all, also if one of them throws
    for (const { observed } of this.#targets) stack.use(observed);
  }

  /** Throws once for each topic of which a peer has taken memory away. */
  #checkWhole(): void {
    for (const { observed } of this.#targets) observed.checkWhole();
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new ClosedError(`Cannot use the observer of topic ${inWords(this.name)}: it is closed`);
  }
}

/** A sample, and the source it came from. */
interface Taken {
  readonly sample: ObservedSample;
  readonly source: string | undefined;
}
