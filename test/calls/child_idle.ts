/**
 * A program that calls where nobody answers, gives up, and ends without closing its client.
 *
 * @module
 */

import { RpcClient } from "../../src/calls/client.ts";

const client = RpcClient.open(Deno.args[0]!, { capacity: 4096 });
const stop = new AbortController();
const calls = [
  client.call(new Uint8Array(1), { timeout: 20 }),
  client.call(new Uint8Array(2), { signal: stop.signal }),
];
const names = calls.map((call) => call.then(() => "an answer", ({ name }) => name));
await names[0];
stop.abort();
console.log((await Promise.all(names)).join(" "));
