/**
 * A program that calls where nobody answers, gives up, and ends without closing its client.
 *
 * @module
 */

import { bytesCalls } from "./scene.ts";

const client = bytesCalls(Deno.args[0]!).client();
const stop = new AbortController();
const calls = [
  client.call(new Uint8Array(1), { timeout: 20 }),
  client.call(new Uint8Array(2), { signal: stop.signal }),
];
const names = calls.map((call) => call.then(() => "an answer", ({ name }) => name));
await names[0];
stop.abort();
console.log((await Promise.all(names)).join(" "));
