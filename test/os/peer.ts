/**
 * A Worker that a test talks to and that is terminated after use. It answers every message with
 * one of its own, and says "ready" once it listens.
 *
 * @module
 */

import { within } from "./until.ts";

/** A thread of this process with an isolate of its own. */
export class Peer<Request, Reply> implements Disposable {
  readonly #worker: Worker;
  readonly #replies: Reply[] = [];
  #failure: Error | undefined;
  #arrived = Promise.withResolvers<void>();

  private constructor(program: URL) {
    this.#worker = new Worker(program, { type: "module" });
    this.#worker.onmessage = ({ data }) => {
      this.#replies.push(data);
      this.#arrived.resolve();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = new Error(`The Worker failed: ${event.message}`);
      this.#arrived.resolve();
    };
  }

  /** Starts the program; resolves once it listens. */
  static async start<Request, Reply>(program: URL): Promise<Peer<Request, Reply>> {
    const peer = new Peer<Request, Reply>(program);
    await peer.reply();
    return peer;
  }

  /** Sends a message. */
  tell(message: Request): void {
    this.#worker.postMessage(message);
  }

  /** The next answer. */
  async reply(): Promise<Reply> {
    await within("an answer of the Worker", this.#arrived.promise);
    if (this.#replies.length === 0) throw this.#failure;
    const reply = this.#replies.shift()!;
    if (this.#replies.length === 0 && !this.#failure) this.#arrived = Promise.withResolvers();
    return reply;
  }

  /** Sends a message; resolves to the answer. */
  ask(message: Request): Promise<Reply> {
    this.tell(message);
    return this.reply();
  }

  /** Ends it, whatever it does. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
