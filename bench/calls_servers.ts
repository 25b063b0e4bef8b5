/**
 * Calls to one server, two and four with slow handlers: how many are answered in a second. A handler
 * takes 2 ms, in which its process sleeps, and a server handles one request at a time.
 *
 *     deno run --allow-all bench/calls_servers.ts
 *
 * @module
 */

import type { CallClient } from "../src/calls/client.ts";
import { calls } from "../src/calls/definition.ts";
import { sleep } from "../src/os/clock.ts";
import { nextMessage, workerPort } from "./harness/workers.ts";

const HANDLER_MS = 2;
const TOGETHER = 16;
const CALLS = 600;
const MOST_SERVERS = 4;

const defined = (name: string) => calls(name, { servers: MOST_SERVERS, clients: 1 });

/** Serves in a Worker, until that is terminated. */
async function serve(port: MessagePort, name: string): Promise<void> {
  using server = defined(name).server();
  port.postMessage("ready");
  await server.serve(async (request) => {
    await sleep(HANDLER_MS);
    return request;
  }, { concurrency: 1 });
}

async function startServer(name: string): Promise<Worker> {
  const worker = new Worker(import.meta.url, { type: "module" });
  worker.postMessage(name);
  await nextMessage(worker);
  return worker;
}

/** Calls, so many at a time; returns the calls in a second. */
async function rate(client: CallClient): Promise<number> {
  let left = CALLS;
  const begin = performance.now();
  const ask = async () => {
    while (left-- > 0) await client.call(Uint8Array.of(left & 0xff));
  };
  await Promise.all(Array.from({ length: TOGETHER }, ask));
  return CALLS / (performance.now() - begin) * 1000;
}

async function main(): Promise<void> {
  const name = `bench-servers-${Deno.pid}`;
  using client = defined(name).client();
  const servers: Worker[] = [];
  let one: number | undefined;
  for (const count of [1, 2, MOST_SERVERS]) {
    while (servers.length < count) servers.push(await startServer(name));
    const calls = await rate(client);
    one ??= calls;
    console.log(
      `servers: ${count}  ${calls.toFixed(0)} calls/s  ${(calls / one).toFixed(2)} times one`,
    );
  }
  for (const server of servers) server.terminate();
  defined(name).unlink(); // nobody closes for them
}

const port = workerPort();
if (port !== undefined) port.onmessage = ({ data }) => void serve(port, data);
else await main();
