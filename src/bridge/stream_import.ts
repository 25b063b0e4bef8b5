/**
 * A ring of another machine, whose messages a bridge stores in the ring of that name here. It answers
 * a batch once all its messages are stored, and drops those that it has stored before.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { MpscProducer } from "../mpsc/producer.ts";
import { Assembly } from "./assembly.ts";
import { incarnationOf } from "./export.ts";
import { type Heading, Samples } from "./message.ts";
import { hashText, offerIn, ringFrom } from "./offer.ts";
import { StreamJournal } from "./stream_journal.ts";
import type { ImportAccount, ImportParts } from "./topic_import.ts";

/** Stores the messages of one ring of one host. */
export class StreamImport implements Disposable {
  readonly #parts: Pick<ImportParts, "name" | "host" | "onRefusal">;
  readonly #assembly = new Assembly();
  readonly #end = new AbortController();
  #stored = new Map<number, number>(); // by producer: the number of its last message
  #journal: StreamJournal | undefined; // the same for the bridge after this one
  #ring = 0; // the identity of the ring here
  #isStoring = false;
  #incarnation: number | undefined;
  #producer: MpscProducer<Bytes> | undefined;
  #offer: string | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #published = 0;
  #duplicates = 0;
  #refusal: string | undefined;

  constructor(parts: Pick<ImportParts, "name" | "host" | "onRefusal">) {
    this.#parts = parts;
  }

  get account(): ImportAccount {
    const { name, host } = this.#parts;
    return {
      kind: "mpsc",
      name,
      host,
      source: undefined,
      published: this.#published,
      duplicates: this.#duplicates,
      lost: { before: 0, inside: 0, wire: 0, here: 0 },
      refusal: this.#refusal,
    };
  }

  /** Stores a batch; resolves with why that is refused, or undefined. */
  receive(sender: string, heading: Heading, payload: Uint8Array): Promise<string | undefined> {
    const copy = payload.slice();
    const turn = this.#turn.then(() => this.#store(sender, heading, copy));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #store(
    sender: string,
    heading: Heading,
    payload: Uint8Array,
  ): Promise<string | undefined> {
    this.#end.signal.throwIfAborted();
    const producer = this.#open(heading);
    if (producer === undefined) return this.#refusal;
    const { chunk, stem: { incarnation } } = heading;
    if (incarnation !== this.#incarnation) {
      this.#incarnation = incarnation;
      this.#stored = this.#journal?.stored(this.#ring, incarnation) ?? new Map();
    }
    let bytes: Uint8Array | boolean = payload;
    if (chunk !== undefined) {
      if (chunk.index === 0) this.#assembly.begin(sender, heading, new Uint8Array(chunk.total));
      bytes = this.#assembly.add(sender, heading, payload);
      if (bytes === true) return undefined;
      if (bytes === false) return "a part of the batch is missing";
    }
    const messages = Samples.records(bytes);
    if (messages === undefined) return "the batch is damaged";
    this.#isStoring = true;
    while (messages.next()) await this.#storeMessage(producer, messages);
    this.#isStoring = false;
    return undefined;
  }

  async #storeMessage(
    producer: MpscProducer<Bytes>,
    { sequence, time: lane, bytes }: Samples,
  ): Promise<void> {
    if (sequence <= (this.#stored.get(lane) ?? -1)) return void this.#duplicates++;
    if (!producer.trySend(bytes)) await producer.send(bytes, { signal: this.#end.signal });
    this.#journal?.note(lane, sequence);
    this.#stored.set(lane, sequence);
    this.#published++;
  }

  #open({ offer, hash }: Heading): MpscProducer<Bytes> | undefined {
    const producer = this.#producer;
    if (producer !== undefined && !producer.closed && offer === this.#offer) return producer;
    const offered = offer === undefined ? undefined : offerIn(offer);
    if (offered === undefined || hashText(offered.type) !== hash) {
      return this.#refuse("its definition is damaged");
    }
    producer?.close();
    try {
      const { name, host } = this.#parts;
      const ring = ringFrom(name, offered);
      this.#producer = ring.producer({ onPeerGone: "wait" });
      this.#ring = incarnationOf(ring.info()!.details!.id);
      this.#journal ??= StreamJournal.open(name, host);
      this.#incarnation = undefined;
      this.#offer = offer;
      this.#refusal = undefined;
      return this.#producer;
    } catch (error) {
      if (!(error instanceof VringError)) throw error;
      return this.#refuse(error.message);
    }
  }

  #refuse(reason: string): undefined {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    const { name, host } = this.#parts;
    this.#parts.onRefusal(`Cannot import ring "${name}" from host "${host}": ${reason}`);
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#producer?.close();
    this.#journal?.close(this.#isStoring);
  }
}
