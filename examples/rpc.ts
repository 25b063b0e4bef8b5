/**
 * What the server and the clients of the calls agree on.
 *
 * @module
 */

import { codec } from "../mod.ts";

/** How many primes are there below a number? */
export interface Question {
  readonly below: number;
}

/** So many, and who has counted them. */
export interface Answer {
  readonly primes: number;
  readonly pid: number;
}

/** How all open the calls: who comes first makes them, so all must say the same. */
export const CALLS = {
  request: codec.json<Question>(),
  response: codec.json<Answer>(),
  capacity: 2 ** 16,
  clients: 8,
};
