/**
 * Calls between processes: answered, and when one of them is stopped or killed.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { PeerLostError, RemoteError } from "../../src/errors.ts";
import { until } from "../os/until.ts";
import {
  type Death,
  deathsAt,
  diedIn,
  NO_DEATH,
  openSoon,
  processTests,
} from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import type { Tools } from "./calls_child.ts";
import { answerTo, bytesCalls, Cast, handle, Inside, isAnswer, reasonOf } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./calls_child.ts", import.meta.url),
  "calls",
);

test("callSync() leaves calls that wait for promises alone, and settles what comes meanwhile", async () => {
  using name = new Name();
  await using other = startProcess();
  await other.run(({ bytesCalls, servers, underWay, answerTo }, name) => {
    const server = bytesCalls(name).server();
    const held: (() => void)[] = [];
    servers.push(server);
    underWay.push(server.serve((request) => {
      if (request.length === 2) { for (const answer of held) answer(); }
      if (request.length < 100) return answerTo(request);
      return new Promise((resolve) => held.push(() => resolve(answerTo(request))));
    }));
  }, name.name);
  using client = bytesCalls(name.name).client();
  const held = [100, 101, 102].map((length) => client.call(payload(length, length)));
  await until("they are asked", () => client.inFlight === 3);
  for (let i = 0; i < 20; i++) assert(isAnswer(client.callSync(payload(i, 1)), payload(i, 1)));
  assertEquals(client.inFlight, 3);
  const quick = client.call(payload(50, 50));
  assert(isAnswer(client.callSync(payload(2, 2)), payload(2, 2))); // and the others are answered
  assert(isAnswer(await quick, payload(50, 50)));
  for (const [i, call] of held.entries()) {
    assert(isAnswer(await call, payload(100 + i, 100 + i)), `held ${i}`);
  }
  assertEquals(client.inFlight, 0);
});

test("callSyncInto() copies the answer into an array, and works again after each error", async () => {
  using name = new Name();
  await using other = startProcess();
  await other.run(({ bytesCalls, servers, underWay, answerTo }, name) => {
    const server = bytesCalls(name).server();
    servers.push(server);
    underWay.push(server.serve((request) => {
      if (request.length === 3) throw new RangeError("three");
      return request.length === 4 ? new Promise(() => {}) : answerTo(request);
    }));
  }, name.name);
  using client = bytesCalls(name.name).client();
  const target = new Uint8Array(100);
  for (let round = 0; round < 3; round++) {
    for (const length of [0, 1, 2, 99, 100]) {
      const request = payload(length + round, length);
      assertEquals(client.callSyncInto(request, target), length);
      assert(isAnswer(target.subarray(0, length), request), `${length} bytes`);
    }
    const call = (length: number) =>
      client.callSyncInto(payload(1, length), target, { timeout: 500 });
    assertThrows(() => call(101), RangeError, "it has 101 bytes and the array has 100");
    assertThrows(() => call(3), RemoteError, "three");
    assertThrows(() => call(4), DOMException, "500 ms have passed, and a server has taken");
    assertEquals(client.inFlight, 0);
  }
});

test("a server and a client that sleep are woken by another process", async () => {
  using name = new Name();
  await using other = startProcess();
  await other.run(({ bytesCalls, servers }, name) => {
    servers.push(bytesCalls(name).server());
  }, name.name);
  using client = bytesCalls(name.name).client();
  for (let i = 0; i < 20; i++) {
    const handling = other.run(({ servers: [server], answerTo }, spin) => {
      return server!.handleSync(answerTo, { spin });
    }, 0);
    await until("the server sleeps", () => other.state === "S");
    const request = payload(i, 100 * i);
    const answer = i % 2 === 0 ? client.callSync(request, { spin: 0 }) : await client.call(request);
    assert(isAnswer(answer, request), `call ${i}`);
    assertEquals(await handling, 1);
  }
});

test("a stopped server is alive; one that is killed fails the calls that it has, at once for all", async () => {
  using name = new Name();
  await using server = startProcess();
  await using blocked = startProcess();
  await server.run(({ bytesCalls, servers, underWay, answerTo }, name) => {
    const server = bytesCalls(name).server();
    servers.push(server);
    underWay.push(server.serve((request) => {
      return request.length > 10 ? answerTo(request) : new Promise(() => {});
    }));
  }, name.name);
  using client = bytesCalls(name.name).client();
  assert(isAnswer(await client.call(payload(1, 20)), payload(1, 20)));
  server.signal("SIGSTOP");
  await until("it is stopped", () => server.state === "T");
  const error = await assertRejects(
    () => client.call(payload(2, 20), { timeout: 300 }),
    DOMException,
  );
  assertEquals(error.name, "TimeoutError");
  const calls = [3, 4, 5].map((i) => reasonOf(client.call(payload(i, i))));
  server.signal("SIGCONT");
  assert(isAnswer(await client.call(payload(6, 60)), payload(6, 60)));
  const told = blocked.run(({ bytesCalls, payload }, name) => {
    using client = bytesCalls(name).client();
    try {
      client.callSync(payload(7, 7));
      return "an answer";
    } catch (error) {
      return `${error}`;
    }
  }, name.name);
  using inside = new Inside(name.name);
  const { requests } = inside.seats[1]!;
  const [head, tail] = (["head", "tail"] as const).map((word) =>
    inside.laneWord(1, "requests", word)
  );
  await until(
    `${requests.what} are taken`,
    () => tail!.load() > 0 && tail!.load() === head!.load(),
  );
  await server.kill();
  const lost = /its server died; it may have handled the request; call again if .*retry: true$/;
  for (const call of calls) {
    const reason = await call;
    assert(reason instanceof PeerLostError && lost.test(reason.message), `${reason}`);
  }
  assert(lost.test(await told), await told);
  await assertRejects(() => client.call(payload(8, 8)), PeerLostError, "its server died");
  using _next = await openSoon(() => bytesCalls(name.name).server());
});

test("a stopped client holds up no other, and gets its answers once it continues", async () => {
  using cast = new Cast({ vacant: 1 });
  const { server, client, name } = cast;
  await using other = startProcess();
  await other.run(({ bytesCalls, clients, underWay, isPayload }, name) => {
    const client = bytesCalls(name).client();
    clients.push(client);
    const asking = Array.from({ length: 200 }, async (_, i) => {
      if (!isPayload(await client.call(Uint8Array.of(i)), i)) throw new Error(`call ${i}`);
    });
    underWay.push(Promise.all(asking));
  }, name.name);
  other.signal("SIGSTOP");
  await until("it is stopped", () => other.state === "T");
  const serving = server.serve((request) => payload(request[0]!, 1000)); // four fit into a lane
  for (let i = 0; i < 200; i++) {
    assertEquals(await client.call(Uint8Array.of(i)), payload(i, 1000));
  }
  other.signal("SIGCONT");
  await other.run(async ({ underWay }) => void await Promise.all(underWay), undefined);
  await server.shutdown();
  await serving;
});

test("a server that is killed before any step of an answer fails that call or none", async () => {
  await using other = startProcess({ trapped: true });
  using stack = new DisposableStack();
  const ask = async (death: Death) => {
    const { name } = stack.use(new Name());
    const client = stack.use(bytesCalls(name).client({ onPeerGone: "wait" }));
    const calls = [1, 2].map((i) => client.call(payload(i, 100)));
    const first = reasonOf(calls[0]!);
    const { word } = stack.use(new Inside(name)).seats[0]!.bell;
    await until("they are asked, and the client sleeps", () => (word.load() & 1) === 1);
    return { name, calls, first, ...death };
  };
  const rehearsal = await ask(NO_DEATH);
  const all = await other.run(({ bytesCalls, servers, answerTo, stepsOf }, name) => {
    const server = bytesCalls(name).server();
    servers.push(server);
    return stepsOf(() => server.tryHandle(answerTo, { limit: 1 }));
  }, rehearsal.name);
  // The client may be asleep again before the answer, or not.
  const isCertain = (step: string, at: number) =>
    !["wake", "loop load"].includes(step) || all.indexOf(step) === at;
  const steps = all.filter(isCertain);
  const [taken, answered] = [steps.indexOf("tail store"), steps.indexOf("head store")];
  assert(taken > 0 && answered > taken, `${steps}`);
  const scenes = await Promise.all(deathsAt(steps).map(ask));
  const dying = other.run(({ bytesCalls, servers, answerTo, dieAmid }, deaths) => {
    dieAmid(deaths.map(({ name, ...at }) => {
      const server = bytesCalls(name).server();
      servers.push(server);
      return { ...at, act: () => server.tryHandle(answerTo, { limit: 1 }) };
    }));
  }, scenes.map(({ name, step, time }) => ({ name, step, time })));
  assert(await diedIn(other, dying));
  for (const [at, { name, calls, first, step }] of [...scenes, rehearsal].entries()) {
    using next = await openSoon(() => bytesCalls(name).server());
    const left: number[] = [];
    await handle(next, at > taken ? 1 : 2, (request) => {
      left.push(isPayload(request, 1) ? 1 : 2);
      return answerTo(request);
    });
    assertEquals(left, at > taken ? [2] : [1, 2], `killed before ${step}`);
    const reason = await first;
    // The same bell announces that the request was taken and that it was answered; so a kill at a
    // wake-up may lead to either.
    const isLost = step === "wake" || step === "loop load"
      ? reason !== undefined
      : at > taken && at <= answered;
    if (isLost) {
      assert(reason instanceof PeerLostError, `killed before ${step}: ${reason}`);
      assert(reason.message.includes("may have handled the request"));
    } else assert(isAnswer(await calls[0]!, payload(1, 100)), `killed before ${step}`);
    assert(isAnswer(await calls[1]!, payload(2, 100)), `killed before ${step}`);
  }
});
