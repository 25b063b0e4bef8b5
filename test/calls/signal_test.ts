/**
 * What a handler learns of a client that no longer waits, and what such a client leaves behind.
 */

import { assert, assertEquals } from "@std/assert";
import { ClosedError } from "../../src/errors.ts";
import type { Caller } from "../../src/calls/in_hand.ts";
import { until } from "../os/until.ts";
import { processTests } from "../shared/processes.ts";
import { payload } from "../circular/scene.ts";
import type { Tools } from "./calls_child.ts";
import { answerTo, Cast, handle, Inside, isAnswer, reasonOf, type Server } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./calls_child.ts", import.meta.url),
  "the signals of callers",
);

/** Has requests served by a handler that waits for the signal of its caller. */
function serveUntilAborted(server: Server, concurrency = 256) {
  const reasons: string[] = [];
  const callers: Caller[] = [];
  const serving = reasonOf(server.serve(async (request, caller) => {
    if (request.length === 0) return request;
    callers.push(caller);
    const { promise, resolve } = Promise.withResolvers<void>();
    caller.signal.addEventListener("abort", () => resolve());
    await promise;
    reasons.push(`${caller.signal.reason}`);
    return answerTo(request);
  }, { concurrency }));
  return { reasons, callers, serving };
}

const GIVEN_UP = /^AbortError: Client 0 of calls "[^"]+" no longer waits for this call$/;

for (const concurrency of [1, 256]) {
  Deno.test(`a call that times out or is aborted aborts the caller's signal, with a concurrency of ${concurrency}`, async () => {
    using cast = new Cast();
    const { server, client } = cast;
    const { reasons, callers, serving } = serveUntilAborted(server, concurrency);
    const late = await reasonOf(client.call(payload(1, 10), { timeout: 5 }));
    assertEquals((late as Error).name, "TimeoutError");
    await until("the handler knows", () => reasons.length === 1);
    const abort = new AbortController();
    const aborted = reasonOf(client.call(payload(2, 10), { signal: abort.signal }));
    await until("it is taken", () => callers.length === 2);
    assertEquals(callers[1]!.signal.aborted, false);
    abort.abort(new Error("enough"));
    assertEquals(`${await aborted}`, "Error: enough");
    await until("the handler knows", () => reasons.length === 2);
    for (const reason of reasons) assert(GIVEN_UP.test(reason), reason);
    assert(isAnswer(await client.call(new Uint8Array(0)), new Uint8Array(0)));
    assertEquals(client.inFlight, 0);
    server.close();
    await serving;
  });
}

Deno.test("a client that closes aborts the signals of its calls, and of no others", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients: [first, second] } = cast;
  const { reasons, callers, serving } = serveUntilAborted(server);
  const lost = reasonOf(first!.call(payload(1, 10)));
  const kept = reasonOf(second!.call(payload(2, 10)));
  await until("both are taken", () => callers.length === 2);
  first!.close();
  assert(await lost instanceof ClosedError);
  await until("the handler knows", () => reasons.length === 1);
  const told = callers.map(({ client, signal }) => [client, signal.aborted]).sort();
  assertEquals(told, [
    [0, true],
    [1, false],
  ]);
  server.close(); // which ends the other one
  await until("the handler knows", () => reasons.length === 2);
  assert(reasons[1]!.startsWith("ClosedError: Cannot answer through"), reasons[1]);
  await Promise.all([kept, serving]);
});

Deno.test("calls that are given up at once all abort their signals, however many", async () => {
  using cast = new Cast({ capacity: 2 ** 16 });
  const { server, client } = cast;
  const { reasons, callers, serving } = serveUntilAborted(server, 2000);
  const abort = new AbortController();
  const calls = Array.from(
    { length: 1024 },
    (_, i) => reasonOf(client.call(payload(i, 1 + i % 9), { signal: abort.signal })),
  );
  await until("all are taken", () => callers.length === 1024);
  const next = client.call(new Uint8Array(0)); // it waits for a number that no call has
  abort.abort();
  await Promise.all(calls);
  await until("all handlers know", () => reasons.length === 1024);
  assert(isAnswer(await next, new Uint8Array(0)));
  server.close();
  await serving;
});

Deno.test("the signal of a call that was answered or served by tryHandle()", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  let caller: Caller | undefined;
  const call = client.call(payload(1, 10));
  await handle(server, 1, (request, from) => {
    caller = from;
    return answerTo(request);
  });
  await call;
  assertEquals(caller!.signal.aborted, false); // it was answered: nothing can abort it
  const late = reasonOf(client.call(payload(2, 10), { timeout: 5 }));
  const holding = Promise.withResolvers<Uint8Array>();
  let signal: AbortSignal | undefined;
  await handle(server, 1, (_, from) => {
    signal = from.signal;
    return holding.promise;
  });
  await late;
  assertEquals(signal!.aborted, false); // nobody has looked
  server.tryHandle(answerTo);
  assertEquals(signal!.aborted, true);
  holding.resolve(payload(2, 10));
  await until("it is answered", () => server.inFlight === 0);
});

Deno.test("a signal that is used first after its server has closed aborts, too", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const holding = Promise.withResolvers<Uint8Array>();
  let caller: Caller | undefined;
  const lost = reasonOf(client.call(payload(1, 10)));
  await handle(server, 1, (_, from) => {
    caller = from;
    return holding.promise;
  });
  server.close();
  const { signal } = caller!;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  assert(signal.reason instanceof ClosedError);
  holding.resolve(payload(1, 10));
  assertEquals((await lost as Error).name, "PeerLostError");
});

Deno.test("answers to calls that were given up do not keep a server from shutting down", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const abort = new AbortController();
  const calls = Array.from(
    { length: 40 },
    (_, i) => reasonOf(client.call(payload(i, 10), { signal: abort.signal })),
  );
  await until("all are asked", () => client.inFlight === 40);
  await handle(server, 40, () => payload(0, 1000)); // four fit into the lane
  const down = server.shutdown();
  abort.abort(); // and the client reads nothing more
  await down;
  await Promise.all(calls);
});

test("a client that is killed aborts the signals of its calls", async () => {
  using cast = new Cast({ vacant: 1 });
  const { server, client, name } = cast;
  await using other = startProcess();
  const { reasons, callers, serving } = serveUntilAborted(server);
  const kept = reasonOf(client.call(payload(1, 10)));
  await other.run(({ bytesCalls, clients, underWay, payload }, name) => {
    const client = bytesCalls(name).client();
    clients.push(client);
    underWay.push(client.call(payload(2, 10)).catch(() => {}));
  }, name.name);
  await until("both are taken", () => callers.length === 2);
  await other.kill();
  await until("the handler knows", () => reasons.length === 1);
  assertEquals(callers.filter(({ signal }) => signal.aborted).map(({ client }) => client), [1]);
  server.close();
  await Promise.all([kept, serving]);
});

Deno.test("a bit of an earlier client of the seat aborts no call of the next one", async () => {
  using cast = new Cast({ vacant: 1 });
  const { server } = cast;
  using inside = new Inside(cast.name.name);
  const { reasons, callers, serving } = serveUntilAborted(server);
  const first = cast.open();
  await reasonOf(first.call(payload(1, 10), { timeout: 5 }));
  await until("the handler knows", () => reasons.length === 1);
  first.close();
  assertEquals(inside.pair(1, 0).givenUp.has(1), true);
  using second = cast.open();
  const call = reasonOf(second.call(payload(2, 10)));
  await until("it is taken", () => callers.length === 2);
  assertEquals([callers[1]!.signal.aborted, inside.pair(1, 0).givenUp.has(1)], [false, false]);
  server.close();
  await Promise.all([call, serving]);
});
