/**
 * Opening the ends of calls: the seats, the options that all must share, and the files left behind.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, RoleTakenError } from "../../src/errors.ts";
import { RpcClient } from "../../src/calls/client.ts";
import { RpcServer } from "../../src/calls/server.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { answerTo, CAPACITY, Cast, isAnswer } from "./scene.ts";

Deno.test("open() gives each seat to one client, and the server's role to one server", () => {
  using cast = new Cast({ clients: 64 });
  const { name, clients, server } = cast;
  assertThrows(
    () => cast.open(),
    RoleTakenError,
    "none of its 64 seats is free; close a client, or",
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
    using server = RpcServer.open(name.name, { clients, capacity: CAPACITY });
    using client = RpcClient.open(name.name, { clients });
    assertEquals([server.clients, client.maxRequest], [clients, CAPACITY - 24]);
  }
});

Deno.test("the seats of calls that are kept count on", () => {
  using name = new Name();
  RpcClient.open(name.name, { capacity: CAPACITY, persist: true }).close();
  using client = RpcClient.open(name.name);
  assertEquals([client.id, client.generation], [0, 2]);
  assert(RpcClient.unlink(name.name));
});

Deno.test("a client may open, and ask, before the first server", async () => {
  using name = new Name();
  using client = RpcClient.open(name.name, { capacity: CAPACITY });
  const calls = [1, 2, 3].map((i) => client.call(payload(i, 10 * i)));
  const first = await Promise.race([
    ...calls,
    new Promise((resolve) => setTimeout(resolve, 5, "none")),
  ]);
  assertEquals(first, "none");
  using server = RpcServer.open(name.name);
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
