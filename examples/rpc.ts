/**
 * The question, the answer and the calls that the server and its clients share.
 *
 * @module
 */

import { calls, type CallsDefinition, json } from "../mod.ts";

/** The question: how many primes are below a number? */
export interface Question {
  readonly below: number;
}

/** The answer, and the process that counted. */
export interface Answer {
  readonly primes: number;
  readonly pid: number;
}

const request = json<Question>();
const response = json<Answer>();

/** Defines the calls. Counting twice does no harm, so another server counts again when one dies. */
export function primes(name: string): CallsDefinition<typeof request, typeof response> {
  return calls(name, { request, response, capacity: 2 ** 16, servers: 4, retry: true });
}
