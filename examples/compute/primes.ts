/**
 * A service that counts primes, for several servers and many clients.
 *
 * @module
 */

import { calls, struct } from "../../mod.ts";

/** The numbers to look at. */
const Range = struct("range", { from: "u32", to: "u32" });

/** Counting twice is harmless: a call whose server dies runs again at another one. */
export const primes = calls("compute-primes", {
  request: Range,
  response: "u32",
  servers: 4,
  retry: true,
});
