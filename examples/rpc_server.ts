/**
 * A server that counts primes for other processes: many questions at a time, and a short one does
 * not wait for a long one. Up to four servers share the questions.
 *
 * Run it in one terminal or several, and clients in others, in any order:
 *
 *     deno run --allow-ffi examples/rpc_server.ts
 *     deno run --allow-ffi examples/rpc_client.ts
 *
 * End one with Ctrl-C: it answers the questions that it has begun, and another server gets the
 * others. Or kill it (`kill -9`): its questions go to another server. `--seconds 60` ends it by
 * itself, and `--name mine` uses calls of your own.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { type Caller, VringError } from "../mod.ts";
import { type Answer, primes, type Question } from "./rpc.ts";
import { count, endAfter, options } from "./ticker.ts";

const MOST = 1e8;
const NUMBERS_A_TURN = 100_000;

async function main(): Promise<void> {
  const { name, seconds } = options({ name: "primes", seconds: 3600 });
  using server = primes(name).server();
  console.log(`Serving "${name}" for ${server.clients} clients; this is server ${server.id}`);
  let answered = 0;
  const handler = async (question: Question, caller: Caller) => {
    if (caller.retried) console.log("A question of a server that is gone");
    const answer = await answerTo(question, caller.signal);
    answered++;
    return answer;
  };
  await server.serve(handler, { until: endAfter(seconds) });
  await server.shutdown({ timeout: 10_000 }); // answers the questions that it has begun
  console.log(`Answered ${count(answered)} questions.`);
}

/** Answers a question. An error thrown here reaches the client as a RemoteError. */
async function answerTo({ below }: Question, signal: AbortSignal): Promise<Answer> {
  if (!(below >= 0 && below <= MOST)) {
    throw new RangeError(`Cannot count primes below ${below}: it is 0 to ${count(MOST)}`);
  }
  return { primes: await countPrimes(below, signal), pid: Deno.pid };
}

/** The sieve of Eratosthenes, in turns with the other questions, while the client waits for it. */
async function countPrimes(below: number, signal: AbortSignal): Promise<number> {
  const composite = new Uint8Array(below);
  let primes = 0;
  let left = NUMBERS_A_TURN;
  for (let number = 2; number < below; number++) {
    if (composite[number] === 1) continue;
    primes++;
    for (let multiple = number * number; multiple < below; multiple += number) {
      composite[multiple] = 1;
      left--;
    }
    if (left-- > 0) continue;
    left = NUMBERS_A_TURN;
    await setImmediate();
    signal.throwIfAborted();
  }
  return primes;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof VringError)) throw error;
  console.error(error.message); // for example, another server is alive
  Deno.exitCode = 1;
}
