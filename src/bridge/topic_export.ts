/**
 * A local topic that a bridge publishes to the network.
 *
 * It subscribes like any program, takes each sample at once and copies it. So the local publisher
 * never waits for the network: if too much is in flight, or the connection is broken, samples are
 * dropped here and counted. Only under the policies that drop does it leave samples to the topic,
 * which then keeps the newest.
 *
 * I1  For each stream: the numbers of samples sent, lost before the bridge, dropped in it, and
 *     skipped, add up to the last number less the one before the first. The headers of each message
 *     carry the last three, so the far side knows which gaps the network made.
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import { nextTurn } from "../os/clock.ts";
import type { RegionInfo } from "../region/list.ts";
import { topic } from "../vdds/definition.ts";
import type { PolledSample } from "../vdds/sample.ts";
import type { Subscriber } from "../vdds/subscriber.ts";
import { waitAny } from "../wait/any.ts";
import { type Export, type ExportAccount, type ExportParts, incarnationOf } from "./export.ts";
import { inChunks } from "./assembly.ts";
import { KeptWindow } from "./kept_window.ts";
import { Batch, headersOf, type Heading, type Stem } from "./message.ts";
import { hashText, type Offered, offeredIn, offerText, topicFrom } from "./offer.ts";
import { subjectOf } from "./subjects.ts";

/** The samples of one first publisher. */
interface Stream {
  readonly stem: Stem;
  readonly source: string | undefined;
  before: number;
  inside: number;
  skipped: number;
  sent: number;
  /** The number of the last sample, sent or not; 0 before the first. */
  last: number;
  /** The last number in the messages so far. */
  told: number;
  /** Whether the far side needs the definition, or a mark. */
  needsOffer: boolean;
  isDue: boolean;
}

/** The most bytes of samples that wait until they are kept, unless one alone is larger. */
const KEPT_BYTES = 2 ** 18;
const BATCH_BYTES = 2 ** 15;
const POLL_LIMIT = 512;
const MARK_MS = 250;

/** Publishes the samples of one topic until it is closed. */
export class TopicExport implements Export {
  readonly kind = "topic";
  readonly name: string;
  readonly offered: Offered;
  readonly #parts: ExportParts;
  readonly #subject: string;
  readonly #offer: string;
  readonly #hash: string;
  readonly #subscriber: Subscriber<Bytes>;
  readonly #streams = new Map<string, Stream>();
  readonly #batch = new Batch(BATCH_BYTES);
  #batched: Stream | undefined; // the stream of the samples in the batch
  #local: Stream | undefined; // the stream of the publisher of a topic with one
  readonly #window: KeptWindow | undefined; // for a network that keeps messages
  readonly #run = crypto.randomUUID();
  #problem: string | undefined;

  /** Opens the topic as its region describes it. */
  constructor(region: RegionInfo, isMany: boolean, parts: ExportParts) {
    this.name = region.name;
    this.#parts = parts;
    const { realm, host } = parts;
    const kind = parts.kept === undefined ? "topic" : "kept";
    this.#subject = subjectOf(kind, { realm, host, name: this.name });
    this.offered = offeredIn(region.details!, isMany);
    this.#offer = offerText(this.offered);
    this.#hash = hashText(this.offered.type);
    this.#window = parts.kept && new KeptWindow(parts.kept, (failure) => this.#tell(failure));
    this.#subscriber = topicFrom(this.name, this.offered).subscriber({ open: "join" });
    if (!isMany) this.#local = this.#add(undefined, this.#own(region.details!.id));
  }

  /** The account so far. */
  get account(): ExportAccount {
    const sums = { sent: 0, before: 0, inside: 0, skipped: 0 };
    for (const { sent, before, inside, skipped } of this.#streams.values()) {
      sums.sent += sent;
      sums.before += before;
      sums.inside += inside;
      sums.skipped += skipped;
    }
    return { kind: this.kind, name: this.name, ...sums };
  }

  /** Sends the definition again, with a mark, because a far side asks for it. */
  describe(): void {
    for (const stream of this.#streams.values()) stream.needsOffer = stream.isDue = true;
    this.#mark();
  }

  /** Follows the topic; resolves once this export is closed. */
  async run(): Promise<void> {
    try {
      await this.#follow();
    } finally {
      this.#mark(true);
      this.#window?.stop();
      await this.#window?.end();
    }
  }

  async #follow(): Promise<void> {
    this.#mark();
    while (!this.#subscriber.closed) {
      try {
        await this.#wait();
        if (this.#subscriber.closed) return;
        const taken = this.#subscriber.poll((sample) => this.#take(sample), this.#limit);
        this.#publishBatch();
        await this.#window?.room(KEPT_BYTES);
        if (taken > 1) await nextTurn(); // under load, so that more samples share a message
      } catch (error) {
        if (error instanceof ClosedError) return;
        throw error;
      }
      if (this.offered.policy.policy !== "block" && this.#isFull()) {
        await this.#parts.window.drained(); // meanwhile the topic drops what is too much
      }
    }
  }

  /**
   * How many samples to take at once. All of them wait in memory until they are kept; while those are too
   * many, the subscriber takes nothing, so the topic's policy decides whether its publisher waits, or what
   * it drops. A topic that drops keeps the newest, so take no more of it than can be sent.
   */
  get #limit(): number {
    const { geometry: { size = 1 }, policy: { policy } } = this.offered;
    const bytes = KEPT_BYTES - (this.#window?.bytes ?? 0);
    const few = Math.max(1, Math.floor(bytes / Number(size)));
    return this.#window === undefined && policy === "block"
      ? POLL_LIMIT
      : Math.min(few, POLL_LIMIT);
  }

  /** Reports once why messages wait to be kept. */
  #tell(failure: string | undefined): void {
    const { carrier, onProblem } = this.#parts;
    const isNews = failure !== undefined && failure !== this.#problem;
    if (isNews && carrier.isConnected && !this.#subscriber.closed) {
      onProblem(`Topic "${this.name}" waits: ${failure}`);
    }
    this.#problem = failure;
  }

  #isFull(): boolean {
    const { window, carrier, kept } = this.#parts;
    return kept === undefined && carrier.isConnected &&
      !window.accepts(Number(this.offered.geometry.size ?? 0));
  }

  /** Waits for a sample; sends due marks if none comes for a while. */
  async #wait(): Promise<void> {
    const due = Array.from(this.#streams.values()).some(({ isDue }) => isDue);
    try {
      await waitAny([this.#subscriber], { spin: 0, ...due && { timeout: MARK_MS } });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
      this.#mark();
    }
  }

  /** Sends marks: everything before the next number was sent, or is counted as unsent. */
  #mark(isEnd = false): void {
    if (this.#parts.kept === undefined && !this.#parts.carrier.isConnected) return;
    for (const stream of this.#streams.values()) {
      if (!stream.isDue && !isEnd) continue;
      const sequence = stream.last === 0 ? 0 : stream.last + 1;
      const upTo = Math.max(stream.told, sequence - 1);
      this.#publish(stream, { count: 0, sequence, time: 0, isEnd, upTo }, NO_BYTES);
      stream.isDue = false;
    }
  }

  #take(sample: PolledSample): void {
    const stream = this.#streamOf(sample);
    if (stream === undefined) return;
    const { bytes, time } = sample;
    const sequence = stream.stem.hops === 1 ? sample.sequence : sample.origin!.sequence;
    stream.last = sequence;
    stream.isDue = true;
    const isBatched = stream === this.#batched && this.#batch.fits(bytes.length);
    if (!isBatched) this.#publishBatch();
    stream.before += sample.lost;
    if (this.#batch.fits(bytes.length)) {
      this.#batched = stream;
      this.#batch.add(sequence, time, bytes);
    } else this.#publishChunks(stream, sequence, time, bytes);
  }

  /** Returns the stream of a sample; undefined if it is not to be sent. */
  #streamOf(sample: PolledSample): Stream | undefined {
    const { source, origin } = sample;
    if (origin === undefined) return source === undefined ? this.#local! : this.#localOf(source);
    if (!this.#parts.transit) {
      const local = source === undefined ? this.#local! : this.#localOf(source);
      local.before += sample.lost;
      local.skipped++;
      local.last = sample.sequence;
      return undefined;
    }
    const { host, incarnation, hops } = origin;
    const key = `${source ?? ""} ${host} ${incarnation} ${hops}`;
    return this.#streams.get(key) ?? this.#add(source, { host, incarnation, hops: hops + 1 }, key);
  }

  #localOf(source: string): Stream {
    return this.#streams.get(source) ?? this.#addSource(source);
  }

  #addSource(source: string): Stream {
    const id = topic(`${this.name}/${source}`).info()?.details?.id ?? crypto.randomUUID();
    return this.#add(source, this.#own(id.replaceAll("-", "")), source);
  }

  #own(id: string): Stem {
    return { host: this.#parts.host, incarnation: incarnationOf(id), hops: 1 };
  }

  #add(source: string | undefined, stem: Stem, key = ""): Stream {
    const counts = { before: 0, inside: 0, skipped: 0, sent: 0, last: 0, told: 0 };
    const stream = { stem, source, ...counts, needsOffer: true, isDue: true };
    this.#streams.set(key, stream);
    return stream;
  }

  #publishBatch(): void {
    const { count, sequence, last, time, payload } = this.#batch;
    if (count === 0) return;
    const stream = this.#batched!;
    this.#batch.clear();
    if (!this.#accepts(payload.length)) return void (stream.inside += count);
    this.#publish(stream, { count, sequence, time, upTo: last }, payload, count);
  }

  #publishChunks(stream: Stream, sequence: number, time: number, bytes: Uint8Array): void {
    const { chunkBytes } = this.#parts;
    if (!this.#accepts(bytes.length)) return void stream.inside++;
    inChunks(bytes, chunkBytes, (part, chunk) => {
      const isLast = chunk === undefined || chunk.index === chunk.count - 1;
      const upTo = isLast ? sequence : stream.told;
      this.#publish(stream, { count: 1, sequence, time, chunk, upTo }, part, isLast ? 1 : 0);
    });
  }

  #accepts(length: number): boolean {
    return this.#parts.kept !== undefined || this.#parts.window.accepts(length);
  }

  #publish(
    stream: Stream,
    { upTo, ...facts }: Facts,
    payload: Uint8Array,
    samples = 0, // that are sent completely with this message
  ): void {
    const { carrier, window } = this.#parts;
    const isKept = this.#window !== undefined;
    const { stem, source, before, inside, skipped, told: follows } = stream;
    const headers = headersOf({
      stem,
      source,
      hash: this.#hash,
      offer: stream.needsOffer || isKept ? this.#offer : undefined,
      unsent: { before, inside, skipped },
      chunk: undefined,
      isEnd: false,
      order: isKept ? { follows, upTo } : undefined,
      ...facts,
    });
    stream.needsOffer = false;
    stream.told = upTo;
    const subject = this.#subject;
    if (this.#window === undefined) {
      carrier.publish({ subject, headers, payload });
      window.add(payload.length);
      stream.sent += samples;
      return;
    }
    const { count, sequence, chunk } = facts;
    const run = count === 0 ? crypto.randomUUID() : this.#run; // each mark counts
    const id = [run, stem.host, stem.incarnation, source, sequence, count, chunk?.index].join(" ");
    const onKept = () => void (stream.sent += samples);
    const message = { subject, headers, payload: payload.slice() };
    this.#window.add({ message, id, isAlone: chunk !== undefined, onKept });
  }

  /** Sends what the topic has delivered, and ends this export. */
  [Symbol.dispose](): void {
    if (this.#subscriber.closed) return;
    if (this.#window === undefined || this.#window.bytes === 0) {
      while (this.#subscriber.poll((sample) => this.#take(sample), POLL_LIMIT) > 0);
      this.#publishBatch();
    }
    this.#subscriber.close();
    this.#window?.stop();
  }
}

/** What a message has besides what its stream says. */
type Facts =
  & Pick<Heading, "count" | "sequence" | "time">
  & Partial<Pick<Heading, "chunk" | "isEnd">>
  & { readonly upTo: number };

const NO_BYTES = new Uint8Array(0);
