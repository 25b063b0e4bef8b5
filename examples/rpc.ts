/**
 * The question, the answer and the calls that the server and its clients share.
 *
 * @module
 */

import { codec } from "../mod.ts";

/** The question: how many primes are below a number? */
export interface Question {
  readonly below: number;
}

/** The answer, and the process that counted. */
export interface Answer {
  readonly primes: number;
  readonly pid: number;
}

/** The options of the calls, the same in all programs, because the first one makes them. */
export const CALLS = {
  request: codec.json<Question>(),
  response: codec.json<Answer>(),
  capacity: 2 ** 16,
  clients: 8,
  servers: 4,
};
