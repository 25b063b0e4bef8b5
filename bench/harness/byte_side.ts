/**
 * Messages over byte streams with promises: the peers to compare with.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import { type Contender, median } from "./rounds.ts";

/** The messages of a round. */
export interface BytePlan {
  /** The bytes of a message. */
  readonly bytes: number;
  /** After how many messages the sender waits for an answer .. */
  readonly answerEvery: number;
  /** .. of how many bytes. */
  readonly answerBytes: number;
  /** How many times it does that. */
  readonly answers: number;
  /** How long it thinks before each of them. */
  readonly thinkMs?: number;
}

/** The carrier of the bytes. */
export interface Carrier {
  /** Puts some bytes into `room`, or has them elsewhere; returns their number, or null at the end.
   */
  read(room: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Takes some of the bytes; returns their number. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
}

/** One end of a connection. */
export class ByteSide {
  readonly #carrier: Carrier;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #room: Uint8Array<ArrayBuffer>;

  constructor(carrier: Carrier, messageBytes: number) {
    this.#carrier = carrier;
    this.#message = new Uint8Array(messageBytes);
    this.#room = new Uint8Array(Math.max(messageBytes, 65536));
  }

  async send(messages: number): Promise<void> {
    for (let i = 0; i < messages; i++) {
      let sent = await this.#carrier.write(this.#message);
      while (sent < this.#message.length) {
        sent += await this.#carrier.write(this.#message.subarray(sent));
      }
    }
  }

  /** Receives so many bytes, in pieces as large as they come; false if they have ended. */
  async receive(bytes: number): Promise<boolean> {
    while (bytes > 0) {
      const length = await this.#carrier.read(this.#room);
      if (length === null) return false;
      bytes -= length;
    }
    return true;
  }

  /** Sends what the plan says, and waits for the answer. */
  async ask({ answerEvery, answerBytes }: BytePlan): Promise<void> {
    await this.send(answerEvery);
    if (await this.receive(answerBytes)) return;
    throw new Error("The other process of the measurement has ended");
  }
}

const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread for a time, asleep. */
export function think(ms: number): void {
  Atomics.wait(asleep, 0, 0, ms);
}

/** A side that asks and answers with promises. */
export function promised(name: string, plan: BytePlan, ask: () => Promise<void>): Contender {
  const { answerEvery, answers, thinkMs = 0 } = plan;
  const round = async () => {
    const each = new Float64Array(answers);
    for (let i = 0; i < answers; i++) {
      if (thinkMs > 0) think(thinkMs);
      const before = now();
      await ask();
      each[i] = (now() - before) / answerEvery;
    }
    return { typical: median(each), ...answerEvery === 1 ? { each } : {} };
  };
  return { name, round };
}
