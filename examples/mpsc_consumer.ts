/**
 * The consumer of the log that mpsc_producer.ts sends: it reports each new producer, each second
 * the number of entries, and at the end whether all entries of each producer arrived in order.
 *
 *     deno run --allow-ffi examples/mpsc_consumer.ts
 *
 * It continues when producers leave or die and when others join; Ctrl-C or `--seconds 60` ends it.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { VringError } from "../mod.ts";
import { ring } from "./mpsc.ts";
import { clock, count, endAfter, options, wrap } from "./ticker.ts";

const ENTRIES_A_TURN = 100;

async function main(): Promise<void> {
  const { name, seconds } = options({ name: "log", seconds: 3600 });
  // "wait": when all producers have left or died, wait for the next one
  using consumer = ring(name).consumer({ onPeerGone: "wait" });
  console.log(`Reading "${name}"; waiting for entries`);
  const account = new Account();
  const timer = setInterval(() => console.log(account.line()), 1000);
  await receive(consumer, account, endAfter(seconds));
  clearInterval(timer);
  console.log(account.total());
}

type Consumer = ReturnType<ReturnType<typeof ring>["consumer"]>;

/** Receives until the end. */
async function receive(
  consumer: Consumer,
  account: Account,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    try {
      await consumer.wait({ signal: end });
    } catch (error) {
      if (!end.aborted) throw error;
    }
    for (let i = 0; i < ENTRIES_A_TURN; i++) { // of all producers, in turn
      const message = consumer.tryReceive();
      if (message === undefined) break;
      account.note(message);
    }
    await setImmediate(); // timers and Ctrl-C get their turn
  }
}

/** The entries that arrived. */
class Account {
  readonly #next = new Map<string, number>();
  #received = 0;
  #missing = 0;
  #again = 0;
  #told = 0;
  #age = 0;
  #last = "";

  /** Counts an entry. */
  note(message: NonNullable<ReturnType<Consumer["tryReceive"]>>): void {
    const { value, producer, generation, redelivered } = message;
    const who = `${producer}.${generation}`; // another producer may take the lane later
    const expected = this.#next.get(who);
    if (expected === undefined) {
      console.log(`Producer ${producer} is here, the ${generation}. in its lane`);
    } else this.#missing += Math.abs(value.number - expected);
    this.#next.set(who, value.number + 1);
    this.#received++;
    if (redelivered) this.#again++;
    this.#age += clock() - value.time;
    this.#last = `${producer} ${value.text}`;
  }

  /** The line for the last second. */
  line(): string {
    const received = this.#received - this.#told;
    const age = received === 0
      ? ""
      : `, ${(this.#age / received).toFixed(2)} ms old; ${this.#last}`;
    this.#told = this.#received;
    this.#age = 0;
    return `${count(received).padStart(9)} entries/s${age}`;
  }

  /** The line for the end. */
  total(): string {
    return wrap(
      `Received ${count(this.#received)} entries of ${count(this.#next.size)} producers: ` +
        `${count(this.#missing)} missing, ${count(this.#again)} perhaps for the second time.`,
    );
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another consumer is alive
  Deno.exitCode = 1;
}
