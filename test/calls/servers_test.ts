/**
 * Several servers of the same calls: the choice of one, and the calls of one that goes.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CorruptRegionError,
  LayoutMismatchError,
  PeerLostError,
  RoleTakenError,
} from "../../src/errors.ts";
import { calls, type CallsDefinition, type CallsOptions } from "../../src/calls/definition.ts";
import { until } from "../os/until.ts";
import { openSoon, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import type { Tools } from "./calls_child.ts";
import {
  answerTo,
  bytesCalls,
  type Client,
  Inside,
  isAnswer,
  reasonOf,
  type Server,
} from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./calls_child.ts", import.meta.url),
  "several servers",
);

const OPTIONS = { clients: 2, servers: 3 };

/** Servers and one client where nobody else is; every server holds its requests. */
class Team implements AsyncDisposable {
  readonly name = new Name();
  readonly definition: CallsDefinition;
  readonly client: Client;
  readonly servers: Holding[] = [];
  readonly calls: Promise<unknown>[] = [];

  /** What another process needs to define the same calls. */
  readonly place: { readonly name: string; readonly options: CallsOptions };

  constructor(options: { retry?: boolean } = {}) {
    this.place = { name: this.name.name, options: { ...OPTIONS, ...options } };
    this.definition = bytesCalls(this.place.name, this.place.options);
    this.client = this.definition.client();
  }

  /** Opens one more server, and has it serve. */
  join(concurrency = 256): Holding {
    const server = new Holding(this.definition.server(), concurrency);
    this.servers.push(server);
    return server;
  }

  /** Sends so many calls, and waits until servers hold them all. */
  async ask(count: number): Promise<Promise<unknown>[]> {
    const before = this.held;
    const calls = Array.from({ length: count }, (_, i) => this.client.call(payload(i, 10 + i)));
    this.calls.push(...calls);
    for (const call of calls) call.catch(() => {});
    await until("the calls are held", () => this.held === before + count);
    return calls;
  }

  get held(): number {
    return this.servers.reduce((sum, { held }) => sum + held.length, 0);
  }

  /** Closes all, and waits until nothing runs any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    for (const { server } of this.servers) server.close();
    await Promise.allSettled(this.calls);
    await Promise.all(this.servers.map(({ serving }) => serving));
    this.name[Symbol.dispose]();
  }
}

/** A server that answers when told to. */
class Holding {
  readonly server: Server;
  readonly held: (() => void)[] = [];
  readonly retried: boolean[] = [];
  readonly serving: Promise<unknown>;

  constructor(server: Server, concurrency: number) {
    this.server = server;
    this.serving = reasonOf(server.serve((request, { retried }) => {
      this.retried.push(retried);
      return new Promise((resolve) => this.held.push(() => resolve(answerTo(request))));
    }, { concurrency }));
  }

  /** Answers all that it holds. */
  answer(): void {
    for (const answer of this.held.splice(0)) answer();
  }
}

Deno.test("servers share the calls of a client evenly", async () => {
  await using team = new Team();
  for (let i = 0; i < 3; i++) team.join();
  const calls = await team.ask(9);
  assertEquals(team.servers.map(({ held }) => held.length), [3, 3, 3]);
  for (const server of team.servers) server.answer();
  for (const [i, answer] of (await Promise.all(calls)).entries()) {
    assert(isAnswer(answer as Uint8Array, payload(i, 10 + i)), `call ${i}`);
  }
});

Deno.test("a server with all of its concurrency used is not chosen while another one is free", async () => {
  await using team = new Team();
  const slow = team.join(1);
  await team.ask(1);
  const free = team.join();
  await team.ask(20);
  assertEquals([slow.held.length, free.held.length], [1, 20]);
});

Deno.test("a server that blocks its thread in a handler counts as busy", async () => {
  await using team = new Team();
  const second = team.definition.server();
  using _second = second;
  using inside = new Inside(team.name.name);
  const loads: number[] = [];
  const call = team.client.call(payload(1, 8));
  await until("it is taken", () =>
    second.tryHandle((request) => {
      loads.push(inside.board.servers[second.id]!.load.load());
      return answerTo(request);
    }) === 1);
  await call;
  assertEquals([...loads, inside.board.servers[second.id]!.load.load()], [2 ** 16 + 1, 0]);
});

Deno.test("clients and servers open in any order; each server takes a seat, while one is free", async () => {
  using name = new Name();
  const defined = bytesCalls(name.name, OPTIONS);
  using client = defined.client();
  const early = client.call(payload(1, 10));
  await until("it is asked", () => client.inFlight === 1);
  const servers = [0, 1, 2].map(() => defined.server());
  assertEquals(servers.map(({ id }) => id), [0, 1, 2]);
  assertThrows(
    () => defined.server(),
    RoleTakenError,
    "as a server: it has 3, which are alive",
  );
  const serving = servers.map((server) => server.serve(answerTo));
  assert(isAnswer(await early, payload(1, 10)));
  servers[0]!.close();
  assert(isAnswer(await client.call(payload(2, 10)), payload(2, 10)));
  servers[0] = defined.server();
  assertEquals(servers[0].id, 0);
  for (const server of servers) server.close();
  await Promise.all(serving);
});

Deno.test("servers is 1 to 16, and clients times servers at most 256", () => {
  using name = new Name();
  for (const servers of [0, 17, 1.5]) {
    assertThrows(() => calls(name.name, { servers }), RangeError, "pass 1 to 16");
  }
  assertThrows(
    () => calls(name.name, { servers: 5, clients: 64 }),
    RangeError,
    "64 clients times 5 servers are more than 256",
  );
  using _server = bytesCalls(name.name, { servers: 16, clients: 16 }).server();
  const other = bytesCalls(name.name, { servers: 2, clients: 16 });
  assertThrows(() => other.server(), LayoutMismatchError, "its number of servers is 16");
});

Deno.test("a server that closes hands the requests that it has not taken to another one", async () => {
  await using team = new Team();
  const first = team.join(1);
  const taken = reasonOf((await team.ask(1))[0]!);
  const others = [1, 2].map((i) => team.client.call(payload(i, 30)));
  await until("they are in its lane", () => team.client.inFlight === 3);
  const second = team.join();
  first.server.close();
  assert(await taken instanceof PeerLostError);
  await until("the other one has them", () => second.held.length === 2);
  assertEquals(second.retried, [false, false]);
  second.answer();
  for (const [i, call] of others.entries()) {
    assert(isAnswer(await call, payload(i + 1, 30)), `call ${i}`);
  }
});

Deno.test("a server that shuts down refuses requests, and the next one gets them", async () => {
  await using team = new Team();
  const first = team.join(1);
  const [taken] = await team.ask(1);
  const other = team.client.call(payload(1, 30));
  await until("it is in its lane", () => team.client.inFlight === 2);
  const second = team.join();
  const down = first.server.shutdown();
  first.answer();
  await down;
  assert(isAnswer(await taken as Uint8Array, payload(0, 10)));
  await until("the other one has it", () => second.held.length === 1);
  second.answer();
  assert(isAnswer(await other, payload(1, 30)));
});

Deno.test("with retry the calls that a server had taken go to another one, marked as retried", async () => {
  await using team = new Team({ retry: true });
  const first = team.join();
  const calls = await team.ask(4);
  const second = team.join();
  first.server.close();
  await until("the other one has them", () => second.held.length === 4);
  assertEquals(second.retried, [true, true, true, true]);
  second.answer();
  for (const [i, answer] of (await Promise.all(calls)).entries()) {
    assert(isAnswer(answer as Uint8Array, payload(i, 10 + i)), `call ${i}`);
  }
  const [last] = await team.ask(1);
  second.server.close();
  const reason = await reasonOf(last!);
  assert(reason instanceof PeerLostError, `${reason}`); // nobody is left
});

Deno.test('with retry and onPeerGone "wait" a call waits for a server that is not there yet', async () => {
  using name = new Name();
  const defined = bytesCalls(name.name, { retry: true });
  using client = defined.client({ onPeerGone: "wait" });
  const first = defined.server();
  const call = client.call(payload(1, 20));
  await until("it is taken", () => first.tryHandle(() => new Promise<Uint8Array>(() => {})) === 1);
  first.close();
  using second = defined.server();
  let isRetried: boolean | undefined;
  const serving = second.serve((request, { retried }) => {
    isRetried = retried;
    return answerTo(request);
  });
  assert(isAnswer(await call, payload(1, 20)));
  assertEquals(isRetried, true);
  second.close();
  await serving;
});

Deno.test("callSync() returns although its server has gone, once another one answers", async () => {
  await using team = new Team({ retry: true });
  const first = team.join();
  using inside = new Inside(team.name.name);
  await using other = startProcess();
  const answer = other.run(({ bytesCalls, payload }, { name, options }) => {
    using client = bytesCalls(name, options).client();
    return [...client.callSync(payload(3, 3)) as Uint8Array];
  }, team.place);
  await until("it is held", () => first.held.length === 1);
  const second = team.join();
  first.server.close();
  await until("the other one has it", () => second.held.length === 1);
  second.answer();
  assertEquals(await answer, [...answerTo(payload(3, 3))]);
  assert(inside.board.servers[0]!.state.load() === 2);
});

/** Starts a server in another process, which holds what is asked and answers nothing. */
async function startHolder(place: Team["place"]) {
  const process = startProcess();
  await process.run(({ bytesCalls, servers, underWay }, { name, options }) => {
    const server = bytesCalls(name, options).server();
    servers.push(server);
    underWay.push(server.serve(() => new Promise(() => {}), { concurrency: 1 }));
  }, place);
  return process;
}

for (const retry of [false, true]) {
  const title = retry ? "is retried" : "fails";
  test(`the call that a killed server had taken ${title}; the others go to another one`, async () => {
    await using team = new Team({ retry });
    const victim = await startHolder(team.place);
    await using _victim = victim;
    const taken = team.client.call(payload(0, 10));
    const fate = reasonOf(taken);
    using inside = new Inside(team.name.name);
    const tail = inside.laneWord(0, "requests", "tail");
    await until("it is taken", () => tail.load() > 0);
    const others = [1, 2].map((i) => team.client.call(payload(i, 30)));
    await until("they are in its lane", () => team.client.inFlight === 3);
    const second = team.join();
    await victim.kill();
    await until("the other one has them", () => second.held.length === (retry ? 3 : 2));
    assertEquals(second.retried.filter(Boolean).length, retry ? 1 : 0);
    second.answer();
    for (const [i, call] of others.entries()) assert(isAnswer(await call, payload(i + 1, 30)));
    const reason = await fate;
    if (retry) assert(isAnswer(await taken, payload(0, 10)));
    else assert(reason instanceof PeerLostError, `${reason}`);
    assertEquals(inside.board.servers[0]!.generation.load(), 2); // it was emptied
    using _third = await openSoon(() => team.definition.server());
  });
}

test("a stopped server gets no new calls while another one is free", async () => {
  await using team = new Team();
  await using stopped = startProcess();
  await stopped.run(({ bytesCalls, servers, underWay, answerTo }, { name, options }) => {
    const server = bytesCalls(name, options).server();
    servers.push(server);
    underWay.push(server.serve(answerTo));
  }, team.place);
  stopped.signal("SIGSTOP");
  await until("it is stopped", () => stopped.state === "T");
  using free = team.definition.server();
  const serving = free.serve(answerTo);
  using inside = new Inside(team.name.name);
  const head = inside.laneWord(0, "requests", "head"); // of the stopped one's lane
  const stuck: Promise<Uint8Array>[] = [];
  for (let i = 0; i < 50; i++) {
    const before = head.load();
    let isAnswered = false;
    const call = team.client.call(payload(i, 10));
    call.then(() => isAnswered = true);
    await until("it is answered or stuck", () => isAnswered || head.load() !== before);
    if (!isAnswered) stuck.push(call);
  }
  assert(stuck.length <= 1, `${stuck.length} calls went to the stopped server`);
  stopped.signal("SIGCONT");
  await Promise.all(stuck);
  free.close();
  await serving;
});

Deno.test("loads and a dead server's words that mean nothing cost only balance", async () => {
  await using team = new Team();
  using inside = new Inside(team.name.name);
  for (let i = 0; i < 2; i++) team.join();
  for (const load of [2 ** 32 - 1, 2 ** 31, 0]) {
    inside.board.servers[0]!.load.store(load);
    const calls = await team.ask(4);
    for (const server of team.servers) server.answer();
    for (const [i, answer] of (await Promise.all(calls)).entries()) {
      assert(isAnswer(answer as Uint8Array, payload(i, 10 + i)));
    }
  }
});

Deno.test("a server that corrupts its lanes costs its own calls, and the client uses the others", async () => {
  await using team = new Team();
  for (let i = 0; i < 2; i++) team.join();
  using inside = new Inside(team.name.name);
  const calls = await team.ask(2);
  inside.laneWord(0, "responses", "head").store(2 ** 31); // of server 0
  inside.board.clients[0]!.bell.ring();
  const reason = await reasonOf(calls[0]!);
  assert(reason instanceof CorruptRegionError, `${reason}`);
  team.servers[1]!.answer();
  assert(isAnswer(await calls[1] as Uint8Array, payload(1, 11)));
  await team.ask(3);
  assertEquals(team.servers.map(({ held }) => held.length), [1, 3]);
  assert(team.client.inFlight === 3);
});

Deno.test("an error of a call that was retried still has its code", async () => {
  await using team = new Team({ retry: true });
  const first = team.join();
  const [call] = await team.ask(1);
  using second = team.definition.server();
  first.server.close();
  const serving = second.serve(() => {
    throw Object.assign(new Error("gone"), { code: "EGONE" });
  });
  const error = await assertRejects(() => call!);
  assertEquals((error as { code?: unknown }).code, "EGONE");
  second.close();
  await serving;
});

Deno.test("calls that are made at once are shared by a busy server and one that has not woken up", () => {
  using name = new Name();
  const definition = bytesCalls(name.name, { clients: 1, servers: 2 });
  using busy = definition.server();
  using idle = definition.server();
  using client = definition.client();
  const call = (number: number) => void client.call(payload(number, 8)).catch(() => {});
  call(0);
  const handled = busy.tryHandle((request) => {
    for (let i = 1; i <= 10; i++) call(i);
    return request;
  }, { limit: 1 });
  assertEquals(handled, 1);
  const shares = [busy.tryHandle(answerTo), idle.tryHandle(answerTo)];
  assertEquals(shares, [4, 6]); // the busy one still has the first
});
