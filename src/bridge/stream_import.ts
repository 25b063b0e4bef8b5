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
import { type Heading, Samples } from "./message.ts";
import { hashText, offerIn, ringFrom } from "./offer.ts";
import type { ImportAccount, ImportParts } from "./topic_import.ts";

/** Stores the messages of one ring of one host. */
export class StreamImport implements Disposable {
  readonly #parts: Pick<ImportParts, "name" | "host" | "onRefusal">;
  readonly #assembly = new Assembly();
  readonly #end = new AbortController();
  readonly #stored = new Map<number, number>(); // by producer: the number of its last message
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
    const producer = this.#open(heading);
    if (producer === undefined) return this.#refusal;
    const { chunk, stem: { incarnation } } = heading;
    if (incarnation !== this.#incarnation) {
      this.#incarnation = incarnation;
      this.#stored.clear();
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
    while (messages.next()) await this.#storeMessage(producer, messages);
    return undefined;
  }

  async #storeMessage(
    producer: MpscProducer<Bytes>,
    { sequence, time: lane, bytes }: Samples,
  ): Promise<void> {
    if (sequence <= (this.#stored.get(lane) ?? -1)) return void this.#duplicates++;
    await producer.send(bytes, { signal: this.#end.signal });
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
      this.#producer = ringFrom(this.#parts.name, offered).producer({ onPeerGone: "wait" });
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
  }
}
