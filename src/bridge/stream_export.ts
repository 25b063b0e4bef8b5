/**
 * A local ring with many producers whose messages a bridge sends to another machine, without a loss.
 *
 * The bridge is the consumer of the ring. It takes a batch, sends it as a request, and acknowledges
 * it in the ring once the far bridge has stored it and answers. Until then it sends the same batch
 * again. So messages wait in the ring while nobody imports them, and producers wait when it is full.
 *
 * Of several machines that import the ring, one gets a batch, and the next batches go to the same one
 * as long as it answers.
 *
 * I1  A message is identified by the region, its producer and its number, which the ring keeps when
 *     it delivers a message again. So the far bridge drops what it has stored before, also after this
 *     bridge was killed. If the far bridge dies before it answers, the next one there finds in shared
 *     memory what that had stored (stream_journal.ts).
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { MpscConsumer } from "../mpsc/consumer.ts";
import { sleep } from "../os/clock.ts";
import type { RegionInfo } from "../region/list.ts";
import { inChunks } from "./assembly.ts";
import { type Export, type ExportAccount, type ExportParts, incarnationOf } from "./export.ts";
import { Batch, type Chunk, headersOf, RECORD_BYTES } from "./message.ts";
import { hashText, type Offered, offeredIn, offerText, ringFrom } from "./offer.ts";
import { subjectOf } from "./subjects.ts";

const BATCH_MAX = 256;
const ANSWER_MS = 5000;
const RETRY_MS = 100;
const NOTHING_UNSENT = { before: 0, inside: 0, skipped: 0 };

/** The header with the subject of the bridge that answered, for the next batches. */
export const INBOX = "Vring-Inbox";
/** The header with the name of the ring. */
export const NAME = "Vring-Name";
/** The header of an answer that refuses a batch, and says why. */
export const REFUSAL = "Vring-Refusal";

/** A batch whose payload is being sent. */
interface Sending {
  readonly payload: Uint8Array;
  readonly count: number;
  readonly number: number;
}

/** Sends the messages of one ring until it is disposed. */
export class StreamExport implements Export {
  readonly kind = "mpsc";
  readonly name: string;
  readonly offered: Offered;
  readonly #parts: ExportParts;
  readonly #subject: string;
  readonly #incarnation: number;
  readonly #consumer: MpscConsumer<Bytes>;
  readonly #end = new AbortController();
  #inbox: string | undefined; // of the bridge that answered last
  #batches = 0;
  #sent = 0;
  #refusal: string | undefined;

  /** Opens the ring as its consumer. */
  constructor({ name, details }: RegionInfo, parts: ExportParts) {
    this.name = name;
    this.offered = offeredIn(details!);
    this.#parts = parts;
    this.#subject = subjectOf("mpsc", { ...parts, name });
    this.#incarnation = incarnationOf(details!.id);
    this.#consumer = ringFrom(name, this.offered).consumer({ open: "join", onPeerGone: "wait" });
  }

  get account(): ExportAccount {
    const { kind, name } = this;
    return { kind, name, sent: this.#sent, before: 0, inside: 0, skipped: 0 };
  }

  /** Does nothing: each batch has the definition. */
  describe(): void {}

  async run(): Promise<void> {
    const { signal } = this.#end;
    try {
      for (;;) {
        using batch = await this.#consumer.takeBatch({ limit: BATCH_MAX, signal });
        if (batch === undefined) return;
        const values = Array.from(batch);
        const bytes = values.reduce((sum, { bytes }) => sum + RECORD_BYTES + bytes.length, 0);
        const payload = new Batch(bytes);
        for (const { bytes, sequence, producer } of values) payload.add(sequence, producer, bytes);
        const { count, records } = payload;
        await this.#deliver({ payload: records, count, number: ++this.#batches });
        batch.ack();
        this.#sent += count;
      }
    } catch (error) {
      if (error !== signal.reason && !(error instanceof ClosedError)) throw error;
    }
  }

  /** Sends a batch until a bridge answers that it is stored. */
  async #deliver(batch: Sending): Promise<void> {
    const { signal } = this.#end;
    for (;;) {
      signal.throwIfAborted();
      if (await this.#isStored(batch)) return;
      await sleep(RETRY_MS, signal);
    }
  }

  async #isStored({ payload, count, number }: Sending): Promise<boolean> {
    const { carrier, host, chunkBytes } = this.#parts;
    if (!carrier.isConnected) return false;
    const parts: { part: Uint8Array; chunk: Chunk | undefined }[] = [];
    inChunks(payload, chunkBytes, (part, chunk) => parts.push({ part, chunk }));
    try {
      for (const { part, chunk } of parts) {
        const headers = headersOf({
          stem: { host, incarnation: this.#incarnation, hops: 1 },
          source: undefined,
          hash: hashText(this.offered.type),
          offer: offerText(this.offered),
          count: chunk === undefined ? count : 1,
          sequence: number,
          time: 0,
          unsent: NOTHING_UNSENT,
          chunk,
          isEnd: false,
        }).set(NAME, this.name);
        const subject = this.#inbox ?? this.#subject;
        const answer = await carrier.request({ subject, headers, payload: part }, ANSWER_MS);
        if (answer.headers.has(REFUSAL)) return this.#refused(answer.headers.get(REFUSAL)!);
        this.#inbox = answer.headers.get(INBOX);
      }
      return true;
    } catch {
      this.#inbox = undefined; // no answer: another bridge may import the ring
      return false;
    }
  }

  #refused(reason: string): false {
    if (this.#refusal !== reason) {
      this.#parts.onProblem(`Cannot export ring "${this.name}": ${reason}`);
    }
    this.#refusal = reason;
    this.#inbox = undefined;
    return false;
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#consumer.close();
  }
}
