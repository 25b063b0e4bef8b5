/**
 * Opening the ends of calls: the seats, the options that all must share, and the files left behind.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, RoleTakenError } from "../../src/errors.ts";
import { array } from "../../src/struct.ts";
import { calls } from "../../src/calls/definition.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { answerTo, bytesCalls, CAPACITY, Cast, handle, isAnswer } from "./scene.ts";

Deno.test("open() gives each seat to one client, and the server's role to one server", () => {
  using cast = new Cast({ clients: 64 });
  const { name, clients, server } = cast;
  assertThrows(
    () => cast.open(),
    RoleTakenError,
    "none of its 64 seats is free; close a client",
  );
  assertThrows(() => cast.succeed(), RoleTakenError, "as its server: it has one, which is alive");
  clients[40]!.close();
  const again = cast.open();
  clients.push(again);
  assertEquals([again.id, again.generation], [40, 2]);
  assertThrows(() => cast.open(), RoleTakenError);
  server.close();
  cast.succeed().close();
  assertEquals(name.files().length, 1);
});

Deno.test("open() makes calls for up to 64 clients", () => {
  using name = new Name();
  for (const clients of [1, 33, 64]) {
    const defined = bytesCalls(name.name, { clients });
    using server = defined.server();
    using client = defined.client();
    assertEquals([server.clients, client.maxRequest], [clients, CAPACITY - 24]);
  }
});

Deno.test("the seats of calls that are kept count on", () => {
  using name = new Name();
  const kept = bytesCalls(name.name, { persist: true });
  kept.client().close();
  using client = bytesCalls(name.name).client();
  assertEquals([client.id, client.generation], [0, 2]);
  assert(kept.unlink());
});

Deno.test("a client may open, and ask, before the first server", async () => {
  using name = new Name();
  using client = bytesCalls(name.name).client();
  const calls = [1, 2, 3].map((i) => client.call(payload(i, 10 * i)));
  const first = await Promise.race([
    ...calls,
    new Promise((resolve) => setTimeout(resolve, 5, "none")),
  ]);
  assertEquals(first, "none");
  using server = bytesCalls(name.name).server();
  const serving = server.serve(answerTo);
  for (const [i, call] of calls.entries()) {
    assert(isAnswer(await call, payload(i + 1, 10 * (i + 1))));
  }
  server.close();
  await serving;
});

Deno.test("every method of a closed end reports that it is closed", async () => {
  using cast = new Cast();
  const { client, server } = cast;
  client.close();
  server.close();
  client.close(); // once more is nothing
  server.close();
  const nothing = new Uint8Array(0);
  const calls: (() => unknown)[] = [
    () => client.callSync(nothing),
    () => server.tryHandle(answerTo),
    () => server.handleSync(answerTo),
  ];
  for (const call of calls) assertThrows(call, ClosedError);
  await assertRejects(() => client.call(nothing), ClosedError);
  await assertRejects(() => server.serve(answerTo), ClosedError);
  await assertRejects(() => server.shutdown(), ClosedError);
  assertEquals([client.inFlight, server.inFlight, client.name], [0, 0, cast.name.name]);
});

Deno.test("servers and clients count each other, and wait for each other", async () => {
  using cast = new Cast({ clients: 1, vacant: 1 });
  const { server, client } = cast;
  assertEquals([server.peers, client.peers], [1, 1]);
  const two = server.waitForPeers(2);
  const second = cast.open();
  await two;
  const late = await assertRejects(() => client.waitForPeers(2, { timeout: 1 }), DOMException);
  assert(late.message.startsWith("Cannot wait for 2 servers of calls "), late.message);
  second.close();
  assertEquals(server.peers, 1);
  const more = [server.waitForPeers(9), client.waitForPeers(9)];
  server.close();
  assertEquals(client.peers, 0);
  await client.waitForPeers(0);
  client.close();
  for (const wait of more) await assertRejects(() => wait, ClosedError);
  for (const handle of [server, client]) {
    assertThrows(() => handle.peers, ClosedError);
    await assertRejects(() => handle.waitForPeers(0), ClosedError);
  }
});

Deno.test("nextServer() and nextClient() wait until a seat is free", async () => {
  using cast = new Cast();
  const { definition, server, client } = cast;
  const late = await assertRejects(() => definition.nextServer({ timeout: 1 }), DOMException);
  assert(late.message.startsWith("Cannot open calls "), late.message);
  const [nextServer, nextClient] = [definition.nextServer(), definition.nextClient()];
  server.close();
  client.close();
  using newServer = await nextServer;
  using newClient = await nextClient;
  const call = newClient.call(payload(1, 10));
  await handle(newServer, 1);
  assert(isAnswer(await call, payload(1, 10)));
});

Deno.test("a definition opens nothing, but refuses what no calls can be", () => {
  using name = new Name();
  const defined = bytesCalls(name.name);
  assertEquals([defined.info(), defined.unlink(), name.files()], [undefined, false, []]);
  assertThrows(() => calls(name.name, { clients: 65 }), RangeError, "the number of clients is 65");
  assertThrows(() => calls("a/b"), TypeError);
  assertThrows(
    () => calls(name.name, { request: "f65" as "f64" }),
    TypeError,
    'the option request is "f65"',
  );
  const big = calls(name.name, { request: "f64", response: array("f64", 512), capacity: 4096 });
  const refusal = "each response has 4096 bytes, and can have 4072; define a larger capacity";
  for (const open of [() => big.server(), () => big.client()]) {
    assertThrows(open, RangeError, refusal);
    assertEquals(name.files(), []);
  }
  using _server = defined.server();
  assertEquals(defined.info()?.details?.type?.name, "bytes -> bytes");
});

Deno.test("scalars are types of requests and responses", async () => {
  using name = new Name();
  const halves = calls(name.name, { request: "i32", response: "f64" });
  using server = halves.server();
  using client = halves.client();
  const half = client.call(7);
  await until("it is handled", () => server.tryHandle((number) => number / 2) === 1);
  assertEquals(await half, 3.5);
});
