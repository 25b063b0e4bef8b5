/**
 * Primes over HTTP: each request becomes four calls, which the servers share. A browser that leaves
 * cancels its calls, and a server that is killed costs only time.
 *
 *     deno run --allow-ffi --allow-net examples/compute/web.ts
 *     curl http://localhost:8001/1000000
 *
 * @module
 */

import { primes } from "./primes.ts";

const PARTS = 4;

using client = primes.client({ onPeerGone: "wait" });
const server = Deno.serve({
  port: Number(Deno.args[0] ?? 8001),
  hostname: "localhost",
  onListen: ({ port }) => console.log(`Ask for http://localhost:${port}/1000000`),
  onError: (error) => new Response(`${error}\n`, { status: 500 }),
}, async ({ url, signal }) => {
  const end = Number(new URL(url).pathname.slice(1));
  if (!(end > 1)) return new Response("Ask for a number, such as /1000000.\n", { status: 404 });
  const parts = Array.from({ length: PARTS }, (_, part) => ({
    from: Math.floor(end * part / PARTS) + 1,
    to: Math.floor(end * (part + 1) / PARTS),
  }));
  const counts = await Promise.all(parts.map((range) => client.call(range, { signal })));
  const count = counts.reduce((sum, part) => sum + part);
  return new Response(`There are ${count} primes up to ${end}.\n`);
});
await server.finished;
