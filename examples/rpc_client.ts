/**
 * A client of the servers that count primes: it asks several questions at a time, takes the answers
 * in any order, and prints their number each second. Each question goes to the server that is least
 * busy.
 *
 *     deno run --allow-ffi examples/rpc_client.ts
 *
 * Start it before the servers or after them, as many times as there are seats. When a server ends or
 * is killed, another one answers its questions. When none is left, the client waits for the next. `--together 100` asks more at a time, `--seconds 60` for longer.
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { type CallClient, type Codec, PeerLostError, RemoteError, VringError } from "../mod.ts";
import { type Answer, primes, type Question } from "./rpc.ts";
import { clock, count, endAfter, options } from "./ticker.ts";

/** The right answers for some numbers, to check the server. */
const KNOWN: readonly [below: number, primes: number][] = [
  [10, 4],
  [1000, 168],
  [10_000, 1229],
  [100_000, 9592],
  [1_000_000, 78_498],
];

type Client = CallClient<Codec<Question>, Codec<Answer>>;

async function main(): Promise<void> {
  const { name, seconds, together } = options({ name: "primes", seconds: 10, together: 8 });
  using client = primes(name).client({ onPeerGone: "wait" }); // until the next server comes
  console.log(`Asking "${name}", ${together} questions at a time; this is client ${client.id}`);
  const end = endAfter(seconds);
  const account = new Account();
  await askNonsense(client, end);
  const timer = setInterval(() => console.log(account.line()), 1000);
  await Promise.all(Array.from({ length: together }, () => ask(client, account, end)));
  clearInterval(timer);
  console.log(account.total());
}

/** Errors that the server throws arrive here. */
async function askNonsense(client: Client, end: AbortSignal): Promise<void> {
  try {
    await client.call({ below: -1 }, { signal: end });
  } catch (error) {
    if (error instanceof RemoteError) console.log(`${error.remoteName}: ${error.message}`);
    else if (!end.aborted && !(error instanceof PeerLostError)) throw error;
  }
}

/** Asks one question after the other until the end. */
async function ask(client: Client, account: Account, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const [below, primes] = KNOWN[Math.floor(Math.random() * KNOWN.length)]!;
    const start = clock();
    try {
      account.note(await client.call({ below }, { signal: end }), primes, clock() - start);
    } catch (error) {
      if (error instanceof PeerLostError) account.lose();
      else if (!end.aborted) throw error;
    }
    await delay(Math.random() * 20);
  }
}

/** The answers so far. */
class Account {
  #answered = 0;
  #wrong = 0;
  #lost = 0;
  #told = 0;
  #waited = 0;
  readonly #pids = new Set<number>();

  /** Counts an answer, which should be this number and took so many milliseconds. */
  note({ primes, pid }: Answer, right: number, ms: number): void {
    if (!this.#pids.has(pid)) console.log(`Process ${pid} answers`);
    this.#pids.add(pid);
    this.#answered++;
    this.#waited += ms;
    if (primes !== right) this.#wrong++;
  }

  /** Counts a question that a server was handling when it died: none, with `retry`. */
  lose(): void {
    this.#lost++;
    console.log("A question is lost with its server");
  }

  /** The line for the last second. */
  line(): string {
    const answers = this.#answered - this.#told;
    const wait = answers === 0 ? "" : `, ${(this.#waited / answers).toFixed(1)} ms each`;
    this.#told = this.#answered;
    this.#waited = 0;
    return `${count(answers).padStart(6)} answers/s${wait}`;
  }

  /** The line for the end. */
  total(): string {
    return `${count(this.#answered)} answers: ${count(this.#wrong)} wrong; ${
      count(this.#lost)
    } questions lost.`;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, all seats are taken
  Deno.exitCode = 1;
}
