/**
 * Messages that a network within this process keeps.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { sleep } from "../os/clock.ts";
import type { Incoming, Kept, KeptHandler, Outgoing } from "./carrier.ts";
import { covers, ROOTS } from "./subjects.ts";

const LOOK_MS = 5;

/** The kept messages, and the place of each consumer. */
export class LoopbackLog {
  readonly #messages: Incoming[] = [];
  readonly #ids = new Set<string>();
  readonly #done = new Map<string, Set<number>>(); // by consumer: the numbers of messages
  readonly #slots = new Map<string, Incoming[]>(); // the last values, by subject
  #slotHistory = 1;

  /** Keeps the value of a slot, if the message is one. */
  addSlot(message: Incoming): void {
    const { subject } = message;
    if (!subject.startsWith(`${ROOTS.slot}.`)) return;
    const values = [...this.#slots.get(subject) ?? [], message];
    this.#slots.set(subject, values.slice(-this.#slotHistory));
  }

  /** Opens it for one connection. */
  open(isConnected: () => boolean, slotHistory: number): Kept {
    this.#slotHistory = slotHistory;
    return {
      publish: ({ subject, headers, payload }: Outgoing, id: string) => {
        if (!isConnected()) return Promise.reject(new VringError("the connection broke"));
        if (!this.#ids.has(id)) {
          const kept = { headers: new Map(headers), payload: payload.slice() };
          this.#messages.push({ subject, ...kept, reply: undefined });
        }
        this.#ids.add(id);
        return Promise.resolve();
      },
      consume: (name, subject, handler) => {
        const end = new AbortController();
        const reading = this.#read(`${name} ${subject}`, subject, handler, isConnected, end.signal);
        const close = async () => {
          end.abort();
          await reading;
        };
        return Promise.resolve({ [Symbol.asyncDispose]: close });
      },
      last: (subject) => {
        const found = Array.from(this.#slots).filter(([each]) => covers(subject, each));
        return Promise.resolve(found.flatMap(([, values]) => values));
      },
    };
  }

  async #read(
    key: string,
    subject: string,
    handler: KeptHandler,
    isConnected: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const done = this.#done.get(key) ?? new Set();
    this.#done.set(key, done);
    let place = 0;
    do {
      while (isConnected() && !signal.aborted && place < this.#messages.length) {
        const number = place++;
        const message = this.#messages[number]!;
        if (done.has(number) || !covers(subject, message.subject)) continue;
        if (!await handler(message, () => void done.add(number))) place = 0;
        if (place === 0) break;
      }
      if (!isConnected()) place = 0;
    } while (await sleep(LOOK_MS, signal));
  }
}
