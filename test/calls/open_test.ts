/**
 * Opening the ends of calls: who gets which seat, on what all must agree, and what is left behind.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, LayoutMismatchError, OsError, RoleTakenError } from "../../src/errors.ts";
import { codec } from "../../src/codec.ts";
import { layout } from "../../src/layout/layout.ts";
import type { RpcOptions } from "../../src/calls/calls.ts";
import { RpcClient } from "../../src/calls/client.ts";
import { RpcServer } from "../../src/calls/server.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { answerTo, CAPACITY, Cast, handle, Inside, isAnswer } from "./scene.ts";

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

Deno.test("open() makes calls for as many clients as it is asked to, from 1 to 64", () => {
  using name = new Name();
  for (const clients of [1, 2, 33, 64]) {
    using server = RpcServer.open(name.name, { clients, capacity: CAPACITY });
    assertEquals([server.clients, server.capacity], [clients, CAPACITY]);
    const wanted = clients % 64 + 1;
    const other = { clients: wanted };
    assertThrows(() => RpcClient.open(name.name, other), LayoutMismatchError, "lanes, not");
    using client = RpcClient.open(name.name, { clients });
    assertEquals([client.capacity, client.maxRequest], [CAPACITY, CAPACITY - 24]);
  }
  for (const clients of [0, -1, 65, 1.5, NaN, Infinity]) {
    assertThrows(
      () => RpcServer.open(name.name, { clients }),
      RangeError,
      `serve ${clients} clients`,
    );
    assertThrows(() => RpcClient.open(name.name, { clients }), RangeError);
  }
  using usual = RpcServer.open(name.name);
  assertEquals([usual.clients, usual.capacity], [8, 2 ** 20]);
});

Deno.test("open() and connect() refuse another codec of requests or of responses", async () => {
  using name = new Name();
  const Point = layout("point", { x: "f64" });
  const Other = layout("point", { x: "f32" });
  const options = { request: codec.struct(Point), response: codec.text };
  using _server = RpcServer.open(name.name, options);
  const wrong = [
    { request: codec.struct(Other), response: codec.text },
    { request: codec.struct(Point), response: codec.bytes },
    { request: codec.text, response: codec.struct(Point) },
    { request: codec.struct(Point) },
    {},
  ] as RpcOptions<Uint8Array, Uint8Array>[];
  for (const options of wrong) {
    const error = assertThrows(() => RpcClient.open(name.name, options), LayoutMismatchError);
    assert(error.message.includes('"point -> text"'), error.message);
    assertThrows(() => RpcServer.open(name.name, options), LayoutMismatchError);
    await assertRejects(() => RpcClient.connect(name.name, options), LayoutMismatchError);
  }
  RpcClient.open(name.name, options).close();
});

Deno.test("create() makes calls, and refuses a name that is in use", () => {
  using name = new Name();
  using server = RpcServer.create(name.name, { capacity: CAPACITY });
  for (const end of [RpcServer, RpcClient]) {
    assertEquals(assertThrows(() => end.create(name.name), OsError).code, "EEXIST");
  }
  server.close();
  using client = RpcClient.create(name.name, { capacity: CAPACITY });
  assertEquals([client.id, client.generation], [0, 1]);
});

Deno.test("calls that are kept outlive their parties, and their seats count on", async () => {
  using name = new Name();
  RpcClient.open(name.name, { capacity: CAPACITY, persist: true }).close();
  assertEquals(name.files().length, 1);
  using server = RpcServer.open(name.name);
  using client = RpcClient.open(name.name);
  assertEquals([client.id, client.generation], [0, 2]);
  const call = client.call(payload(1, 10));
  await handle(server, 1);
  assert(isAnswer(await call, payload(1, 10)));
  server.close();
  client.close();
  assertEquals([RpcClient.unlink(name.name), RpcServer.unlink(name.name)], [true, false]);
  assertEquals(name.files(), []);
});

Deno.test("connect() waits for somebody to make the calls, in any start order", async () => {
  using name = new Name();
  const coming = RpcClient.connect(name.name);
  const early = await Promise.race([coming, Promise.resolve("nothing yet")]);
  assertEquals(early, "nothing yet");
  using server = RpcServer.open(name.name, { capacity: CAPACITY });
  using client = await coming;
  const call = client.call(payload(1, 10));
  await handle(server, 1);
  assert(isAnswer(await call, payload(1, 10)));
  await assertRejects(() => RpcServer.connect(name.name), RoleTakenError);
  server.close();
  using again = await RpcServer.connect(name.name);
  assertEquals(again.clients, 8);
});

Deno.test("connect() gives up after its timeout, or when it is called off", async () => {
  using name = new Name();
  const reason = new Error("no longer needed");
  for (const end of [RpcClient, RpcServer]) {
    const error = await assertRejects(() => end.connect(name.name, { timeout: 5 }), DOMException);
    assertEquals(error.name, "TimeoutError");
    const stop = new AbortController();
    const waiting = end.connect(name.name, { signal: stop.signal });
    stop.abort(reason);
    assertEquals(await waiting.then(() => undefined, (error) => error), reason);
  }
  assertEquals(name.files(), []);
});

Deno.test("a client may come, and ask, before there has ever been a server", async () => {
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

Deno.test("closed ends say so, whatever is called", async () => {
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

Deno.test("ends leave no open file and no mapping, also when they cannot be opened", () => {
  using name = new Name();
  RpcServer.open(name.name).close(); // what the package keeps for itself is there now
  const state = () => [countFiles(), rangesOf("/dev/shm").length];
  const before = state();
  for (let i = 0; i < 10; i++) {
    using _server = RpcServer.open(name.name, { capacity: CAPACITY, clients: 2 });
    using _first = RpcClient.open(name.name);
    using inside = new Inside(name.name);
    const during = state();
    assertThrows(() => RpcServer.open(name.name), RoleTakenError);
    assertThrows(() => RpcClient.open(name.name, { request: codec.text }), LayoutMismatchError);
    for (const good of [0, 1]) {
      let reads = 0; // of an option, the second of them once everything is open
      const options = {
        get keepOpen() {
          if (reads++ === good) throw new Error("not now");
          return false;
        },
      };
      assertThrows(() => RpcClient.open(name.name, options), Error, "not now");
      assertEquals(inside.seats[1]!.state.load(), 0); // it never was open
    }
    const second = RpcClient.open(name.name);
    assertThrows(() => RpcClient.open(name.name), RoleTakenError);
    second.close();
    assertEquals(state(), during);
  }
  assertEquals(state(), before);
});
