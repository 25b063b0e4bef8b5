/**
 * The messages of a topic on their way to the network that keeps them: several at a time, so that
 * they do not wait for each other's answers. If one fails, no further one is sent until all answers are
 * there; then those that are not kept are sent again, in their order (kept_order.ts).
 *
 * @module
 */

import { sleep } from "../os/clock.ts";
import type { Kept, Outgoing } from "./carrier.ts";
import { KEPT_WINDOW } from "./kept_order.ts";

/** A message that is to be kept. */
export interface Unkept {
  readonly message: Outgoing;
  readonly id: string;
  /** Whether it is a part of a sample: nothing else is on its way at the same time. */
  readonly isAlone: boolean;
  readonly onKept: () => void;
}

const RETRY_MS = 100;

/** A message in the window. */
interface Entry extends Unkept {
  state: "waits" | "sent" | "kept";
}

/** Sends the messages of one topic. */
export class KeptWindow {
  readonly #kept: Kept;
  readonly #onResult: (failure: string | undefined) => void;
  readonly #queue: Entry[] = []; // from the first that is not kept on
  readonly #end = new AbortController();
  #bytes = 0;
  #sent = 0; // messages without an answer
  #hasFailed = false;
  #change = Promise.withResolvers<void>();

  /** @param onResult Called with each answer: why it failed, or undefined. */
  constructor(kept: Kept, onResult: (failure: string | undefined) => void) {
    this.#kept = kept;
    this.#onResult = onResult;
  }

  /** The bytes from the first message on that is not kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a message, whose payload must not change any more. */
  add(unkept: Unkept): void {
    this.#queue.push({ ...unkept, state: "waits" });
    this.#bytes += unkept.message.payload.length;
    this.#pump();
  }

  /** Resolves once fewer than so many bytes are not kept, or after `stop`. */
  async room(bytes: number): Promise<void> {
    while (this.#bytes >= bytes && !this.#end.signal.aborted) await this.#change.promise;
  }

  /** Tries each message once more, and no further. */
  stop(): void {
    this.#end.abort();
    this.#hasFailed = false;
    this.#settle();
  }

  /** Resolves after `stop` once all messages are kept, or one has failed: then the rest is dropped. */
  async end(): Promise<void> {
    while (this.#queue.length > 0) await this.#change.promise;
  }

  #pump(): void {
    if (this.#hasFailed) return;
    for (const [i, entry] of this.#queue.slice(0, KEPT_WINDOW).entries()) {
      if (i > 0 && (entry.isAlone || this.#queue[0]!.isAlone)) return;
      if (entry.state === "waits") void this.#send(entry);
    }
  }

  async #send(entry: Entry): Promise<void> {
    entry.state = "sent";
    this.#sent++;
    try {
      await this.#kept.publish(entry.message, entry.id);
      entry.state = "kept";
      entry.onKept();
      this.#onResult(undefined);
    } catch (error) {
      entry.state = "waits";
      this.#hasFailed = true;
      this.#onResult(String(Object(error).message));
    }
    this.#sent--;
    this.#settle();
  }

  #settle(): void {
    while (this.#queue[0]?.state === "kept") this.#pass();
    if (!this.#hasFailed) this.#pump();
    else if (this.#sent === 0 && this.#end.signal.aborted) {
      while (this.#queue.length > 0) this.#pass();
    } else if (this.#sent === 0) void this.#tryAgain();
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  #pass(): void {
    this.#bytes -= this.#queue.shift()!.message.payload.length;
  }

  async #tryAgain(): Promise<void> {
    if (!await sleep(RETRY_MS, this.#end.signal)) return; // it ends
    this.#hasFailed = false;
    this.#pump();
  }
}
