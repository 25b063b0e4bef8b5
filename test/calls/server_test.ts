/**
 * Servers that stop, are shut down, close and follow each other.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, CorruptRegionError, PeerLostError, VringError } from "../../src/errors.ts";
import { LaneReceiver } from "../../src/lane/lane.ts";
import { Word32 } from "../../src/memory/word.ts";
import { until, within } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import {
  answerTo,
  bytesCalls,
  Cast,
  handle,
  Inside,
  isAnswer,
  MAY_HAVE_RUN,
  NOT_TAKEN,
  Puppet,
  reasonOf,
} from "./scene.ts";

/** A handler that answers at a test's request. */
class Holder {
  readonly held: (() => void)[] = [];

  readonly handler = (request: Uint8Array): Promise<Uint8Array> => {
    return new Promise((resolve) => this.held.push(() => resolve(answerTo(request))));
  };

  async hold(count: number): Promise<void> {
    await until(`${count} requests are held`, () => this.held.length === count);
  }
}

/** Lets all that is due now run. */
function asyncTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function lossOf(reason: unknown): string {
  assert(reason instanceof PeerLostError, `${reason}`);
  return reason.message.slice(reason.message.indexOf("its server"));
}

Deno.test("serve() ends with its signal's reason, answers the requests that it had taken, and can begin again", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const { held, handler } = new Holder();
  const stop = new AbortController();
  const serving = reasonOf(server.serve(handler, { signal: stop.signal }));
  const first = client.call(payload(1, 10));
  await until("it is held", () => held.length === 1);
  stop.abort("enough");
  assertEquals(await serving, "enough");
  const second = client.call(payload(2, 20));
  held[0]!();
  assert(isAnswer(await first, payload(1, 10))); // also while nobody serves
  const again = server.serve(answerTo);
  assert(isAnswer(await second, payload(2, 20)));
  assertEquals(await reasonOf(server.serve(handler, { signal: AbortSignal.abort("no") })), "no");
  server.close();
  await again;
});

Deno.test("shutdown() answers the requests that it had taken, refuses the rest, and closes", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients } = cast;
  const holder = new Holder();
  const serving = server.serve(holder.handler, { concurrency: 4 });
  const calls = Array.from({ length: 8 }, (_, i) => clients[i % 2]!.call(payload(i, 10 + i)));
  const outcomes = Promise.allSettled(calls);
  await holder.hold(4);
  const down = server.shutdown();
  await serving; // it takes no more
  assertThrows(() => server.tryHandle(answerTo), ClosedError, "it is being shut down");
  assertEquals(server.inFlight, 4);
  for (const answer of holder.held) answer();
  await down;
  assertEquals(holder.held.length, 4);
  let answered = 0;
  for (const [i, outcome] of (await outcomes).entries()) {
    if (outcome.status === "rejected") {
      assertEquals(lossOf(outcome.reason), `its server has closed; it ${NOT_TAKEN}`);
    } else if (isAnswer(outcome.value, payload(i, 10 + i))) answered++;
  }
  assertEquals(answered, 4);
  assertThrows(() => server.tryHandle(answerTo), ClosedError);
  await assertRejects(() => clients[0]!.call(payload(1, 1)), PeerLostError, "has closed");
});

Deno.test("shutdown() leaves requests of a client that waits for servers to the next one", async () => {
  using cast = new Cast({ clients: 2, onPeerGone: "wait" });
  const { server, clients: [patient, leaving] } = cast;
  leaving!.close();
  using hasty = cast.open();
  const holder = new Holder();
  const serving = server.serve(holder.handler, { concurrency: 1 });
  const taken = patient!.call(payload(1, 10));
  await holder.hold(1);
  const left = [patient!.call(payload(2, 20)), patient!.call(payload(3, 30))];
  const refused = reasonOf(hasty.call(payload(4, 40)));
  await until("all are asked", () => patient!.inFlight + hasty.inFlight === 4);
  const down = server.shutdown();
  holder.held[0]!();
  await down;
  await serving;
  assert(isAnswer(await taken, payload(1, 10)));
  assert(lossOf(await refused).endsWith(`it ${NOT_TAKEN}`));
  using next = cast.succeed();
  await handle(next, 2);
  assert(isAnswer(await left[0]!, payload(2, 20)));
  assert(isAnswer(await left[1]!, payload(3, 30)));
});

Deno.test("shutdown() sends answers that had no room before, and then closes", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const holder = new Holder();
  const serving = server.serve(holder.handler);
  const requests = Array.from({ length: 12 }, (_, i) => payload(i, 900)); // four fit into a lane
  const calls = requests.map((request) => client.call(request));
  await holder.hold(12);
  const down = server.shutdown();
  for (const answer of holder.held) answer();
  await Promise.all([down, serving]);
  (await Promise.all(calls)).forEach((answer, i) => assert(isAnswer(answer, requests[i]!)));
});

Deno.test("shutdown() gives up at its timeout or signal, and may be called again", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const holder = new Holder();
  const serving = server.serve(holder.handler);
  const call = client.call(payload(1, 10));
  await holder.hold(1);
  const reason = new Error("enough");
  assertEquals(await reasonOf(server.shutdown({ signal: AbortSignal.abort(reason) })), reason);
  assertEquals(await Promise.race([serving, Promise.resolve("still serving")]), "still serving");
  const late = await assertRejects(
    () => server.shutdown({ timeout: 10 }),
    DOMException,
    "shut down",
  );
  assertEquals(late.name, "TimeoutError");
  await serving;
  const stop = new AbortController();
  const stopped = reasonOf(server.shutdown({ signal: stop.signal }));
  stop.abort(reason);
  assertEquals(await stopped, reason);
  const down = server.shutdown({ timeout: 1e12 });
  holder.held[0]!();
  await down;
  assert(isAnswer(await call, payload(1, 10)));
});

Deno.test("a handler may ask for a shutdown, and is answered still", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const downs: Promise<void>[] = [];
  const serving = server.serve((request) => {
    downs.push(server.shutdown());
    return answerTo(request);
  });
  const calls = [client.call(payload(1, 10)), client.call(payload(2, 20))];
  const outcomes = await Promise.allSettled(calls);
  await Promise.all([...downs, serving]);
  assertEquals(downs.length, 1);
  assert(outcomes[0]!.status === "fulfilled" && isAnswer(outcomes[0]!.value, payload(1, 10)));
  assert(outcomes[1]!.status === "rejected");
  assert(lossOf(outcomes[1]!.reason).endsWith(`it ${NOT_TAKEN}`));
});

Deno.test("close() ends a shutdown, and calls being handled fail", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const holder = new Holder();
  const serving = server.serve(holder.handler);
  const call = reasonOf(client.call(payload(1, 10)));
  await holder.hold(1);
  const down = reasonOf(server.shutdown());
  server.close();
  assert(await within("the end of the shutdown", down) instanceof ClosedError);
  await serving;
  assertEquals(lossOf(await call), `its server has closed; it ${MAY_HAVE_RUN}`);
  holder.held[0]!(); // which interests nobody any more
  await until("it is out of the handler's hands", () => server.inFlight === 0);
});

Deno.test("calls fail when their server closes, and work again with the next one", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients } = cast;
  const holder = new Holder();
  const calls = clients.flatMap((
    client,
  ) => [client.call(payload(1, 10)), client.call(payload(2, 20))]);
  const outcomes = Promise.all(calls.map(reasonOf));
  await handle(server, 2, holder.handler);
  server.close();
  for (const reason of await outcomes) assert(reason instanceof PeerLostError);
  await assertRejects(() => clients[0]!.call(payload(3, 10)), PeerLostError, "has closed");
  using next = cast.succeed();
  const serving = next.serve(answerTo);
  for (const client of clients) {
    assert(isAnswer(await client.call(payload(4, 40)), payload(4, 40)));
  }
  next.close();
  await serving;
});

Deno.test('with onPeerGone "wait" only calls that were taken fail; the next server answers the others', async () => {
  using cast = new Cast({ onPeerGone: "wait" });
  const { server, client } = cast;
  const holder = new Holder();
  const calls = [1, 2, 3, 4].map((i) => client.call(payload(i, 10 * i)));
  const first = Promise.all(calls.slice(0, 2).map(reasonOf));
  await until("all are asked", () => client.inFlight === 4);
  server.tryHandle(holder.handler, { limit: 2 });
  server.close();
  for (const reason of await first) {
    assertEquals(lossOf(reason), `its server has closed; it ${MAY_HAVE_RUN}`);
  }
  const fifth = client.call(payload(5, 50)); // no server is open
  await until("it is asked", () => client.inFlight === 3);
  using next = cast.succeed();
  await handle(next, 3);
  for (const [i, call] of [...calls.slice(2), fifth].entries()) {
    assert(isAnswer(await call, payload(i + 3, 10 * (i + 3))), `call ${i + 3}`);
  }
  for (const answer of holder.held) answer();
});

Deno.test("a client that did not look for several servers knows which of its calls are lost", async () => {
  using cast = new Cast({ onPeerGone: "wait" });
  const { client } = cast;
  using inside = new Inside(cast.name.name);
  for (const start of [undefined, 2 ** 32 - 2]) {
    if (start !== undefined) {
      cast.server.close();
      inside.server.generation.store(start); // the next ones have the last number and the first
    }
    const calls = [1, 2, 3, 4, 5].map((i) => client.call(payload(i, 10 * i)));
    const outcomes = Promise.allSettled(calls);
    await until("all are asked", () => client.inFlight === 5);
    // all of this happens before the client has its next turn
    if (start === undefined) {
      cast.server.tryHandle(answerTo, { limit: 1 });
      cast.server.tryHandle(() => new Promise(() => {}), { limit: 1 });
      cast.server.close();
    } else {
      const first = cast.succeed();
      first.tryHandle(answerTo, { limit: 1 });
      first.tryHandle(() => new Promise(() => {}), { limit: 1 });
      first.close();
    }
    const second = cast.succeed();
    second.tryHandle(() => new Promise(() => {}), { limit: 1 });
    second.close();
    using third = cast.succeed();
    await reasonOf(calls[1]!); // it looked
    await handle(third, 2);
    const told = (await outcomes).map((outcome, i) => {
      if (outcome.status === "rejected") return lossOf(outcome.reason);
      return isAnswer(outcome.value, payload(i + 1, 10 * (i + 1)));
    });
    const lost = `its server died; it ${MAY_HAVE_RUN}`;
    assertEquals(told, [true, lost, lost, true, true]);
  }
});

Deno.test("a server that begins drops nothing, wherever the positions wrap", async () => {
  using name = new Name();
  using inside = new Inside(name.name);
  for (const lane of ["requests", "responses"] as const) {
    for (const word of ["head", "tail", "taken"] as const) {
      inside.laneWord(0, lane, word).store(2 ** 32 - 64);
    }
  }
  using client = bytesCalls(name.name).client({ onPeerGone: "wait" });
  const calls = [1, 2, 3, 4].map((i) => client.call(payload(i, 30)));
  const taken = reasonOf(calls[1]!);
  await until("all are asked", () => client.inFlight === 4);
  const first = bytesCalls(name.name).server();
  first.tryHandle(answerTo, { limit: 1 });
  first.tryHandle(() => new Promise(() => {}), { limit: 1 });
  first.close();
  using second = bytesCalls(name.name).server();
  await handle(second, 2);
  assert(await taken instanceof PeerLostError);
  for (const i of [0, 2, 3]) assert(isAnswer(await calls[i]!, payload(i + 1, 30)), `call ${i + 1}`);
});

Deno.test("serve() reports the failure of a late answer once", async () => {
  using cast = new Cast({ clients: 1, vacant: 1 });
  const { server, client } = cast;
  using inside = new Inside(cast.name.name);
  using puppet = new Puppet(inside, 1);
  const holder = new Holder();
  const serving = reasonOf(server.serve(holder.handler));
  for (let call = 1; call <= 3; call++) { // a lane holds two, and their answers
    assert(puppet.ask(call, payload(call, 2000)));
    await holder.hold(call);
  }
  inside.laneWord(1, "responses", "tail").store(2 ** 31);
  for (const answer of holder.held) answer();
  assert(await within("the end of serving", serving) instanceof CorruptRegionError);
  const again = server.serve(answerTo);
  assert(isAnswer(await client.call(payload(5, 50)), payload(5, 50)));
  assertEquals(puppet.seat.broken.load(), 1);
  server.close();
  await again;
});

Deno.test("serve() resolves when close() or shutdown() follows at once, and refuses after", async () => {
  for (const end of ["close", "shutdown", "dispose", "end in a moment"]) {
    using cast = new Cast();
    const { server } = cast;
    const serving = server.serve(answerTo);
    if (end === "end in a moment") await null;
    if (end === "shutdown") await server.shutdown();
    else server.close();
    assertEquals(await serving, undefined, end);
    await assertRejects(() => server.serve(answerTo), ClosedError, "it is closed");
  }
});

Deno.test("a second serve() is an error while the first has not ended, and during a shutdown", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const stop = new AbortController();
  const first = server.serve(answerTo, { signal: stop.signal });
  await assertRejects(() => server.serve(answerTo), VringError, "serve() is already running");
  assert(isAnswer(await client.call(payload(1, 10)), payload(1, 10))); // the first keeps running
  stop.abort("enough");
  assertEquals(await reasonOf(first), "enough");
  const holder = new Holder();
  const second = server.serve(holder.handler);
  const call = client.call(payload(2, 20));
  await holder.hold(1);
  const down = server.shutdown();
  await second;
  await assertRejects(() => server.serve(answerTo), ClosedError, "it is being shut down");
  holder.held[0]!();
  await down;
  assert(isAnswer(await call, payload(2, 20)));
});

Deno.test("a program that leaves the scope of a serving server ends without an error", async () => {
  using name = new Name();
  const source = `
    import { calls } from "${import.meta.resolve("../../mod.ts")}";
    for (const ending of [() => {}, (server) => void server.shutdown()]) {
      using server = calls("${name.name}").server();
      server.serve((request) => request);
      ending(server);
    }`;
  const args = ["eval", "--no-check", source];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
});

Deno.test("all calls of shutdown() resolve once the first has closed the server", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const holder = new Holder();
  const serving = server.serve(holder.handler);
  const requests = Array.from({ length: 12 }, (_, i) => payload(i, 900)); // four fit into a lane
  const calls = requests.map((request) => client.call(request));
  await holder.hold(12);
  const downs = [server.shutdown(), server.shutdown(), server.shutdown({ timeout: 1e9 })];
  for (const answer of holder.held) answer();
  await Promise.all([serving, ...downs]);
  (await Promise.all(calls)).forEach((answer, i) => assert(isAnswer(answer, requests[i]!)));
});

Deno.test("shutdown() finishes although a client corrupts its lanes, and then throws", async () => {
  using cast = new Cast({ clients: 1, vacant: 1 });
  const { server, client } = cast;
  using inside = new Inside(cast.name.name);
  using puppet = new Puppet(inside, 1);
  const holder = new Holder();
  const serving = server.serve(holder.handler);
  const requests = Array.from({ length: 12 }, (_, i) => payload(i, 900)); // four fit into a lane
  const calls = requests.map((request) => client.call(request));
  puppet.ask(1, payload(1, 10));
  await holder.hold(13);
  const down = reasonOf(server.shutdown());
  await serving;
  inside.laneWord(1, "responses", "tail").store(2 ** 31);
  inside.laneWord(1, "requests", "head").store(2 ** 31);
  for (const answer of holder.held) answer();
  assert(await within("the end of the shutdown", down) instanceof CorruptRegionError);
  (await Promise.all(calls)).forEach((answer, i) => assert(isAnswer(answer, requests[i]!)));
  assertThrows(() => server.tryHandle(answerTo), ClosedError, "it is closed");
});

Deno.test("a server opens beside corrupt positions, and the seat works for the next client", async () => {
  for (const [lane, word] of [["requests", "head"], ["responses", "tail"]] as const) {
    using cast = new Cast({ clients: 1, vacant: 1, onPeerGone: "wait" });
    const { server, client } = cast;
    using inside = new Inside(cast.name.name);
    const puppet = new Puppet(inside, 1);
    server.close();
    inside.laneWord(1, lane, word).store(2 ** 31 + 8);
    const kept = client.call(payload(1, 10)); // which was not broken waits for the next server
    await until("it is asked", () => client.inFlight === 1);
    using next = cast.succeed();
    puppet[Symbol.dispose]();
    const serving = next.serve(answerTo);
    assert(isAnswer(await kept, payload(1, 10)));
    using newcomer = cast.open();
    assertEquals(newcomer.id, 1);
    for (const length of [0, 10, newcomer.maxRequest]) {
      const request = payload(length, length);
      assert(isAnswer(await within("an answer", newcomer.call(request)), request), `${length}`);
    }
    next.close();
    await serving;
  }
});

Deno.test("a client opens in a seat with corrupt positions, and its calls are answered", async () => {
  for (const [lane, word] of [["requests", "tail"], ["responses", "head"]] as const) {
    using cast = new Cast({ clients: 0, vacant: 1 });
    cast.server.close();
    using inside = new Inside(cast.name.name, { clients: 1 });
    inside.laneWord(0, lane, word).store(2 ** 31 + 8);
    using client = cast.open();
    const call = client.call(payload(1, 100));
    await until("it is asked", () => client.inFlight === 1);
    using server = cast.succeed();
    await handle(server, 1);
    assert(isAnswer(await within("an answer", call), payload(1, 100)));
  }
});

Deno.test("shutdown() ends although a client asks again after each refusal", async () => {
  using cast = new Cast({ clients: 0, vacant: 1 });
  const { server } = cast;
  using inside = new Inside(cast.name.name);
  using puppet = new Puppet(inside, 0);
  const responses = new LaneReceiver(puppet.seat.responses);
  const most = 100_000;
  let asked = 0;
  const { load } = Word32.prototype;
  using _restored = { [Symbol.dispose]: () => void (Word32.prototype.load = load) };
  Word32.prototype.load = function (this: Word32): number { // between any two looks of the server
    const looks = this.path === puppet.requests.head.path && this !== puppet.requests.head &&
      this !== responses.head;
    if (looks && asked < most) {
      responses.release(responses.look());
      if (puppet.ask(asked + 1, payload(1, 8))) asked++;
    }
    return load.call(this);
  };
  await server.shutdown();
  assert(asked > 0 && asked < most, `${asked} requests came first`);
});

Deno.test("serve() ends quietly when `until` aborts, and answers what it had taken", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  assertEquals(await server.serve(answerTo, { until: AbortSignal.abort("before") }), undefined);
  for (const concurrency of [1, 2]) {
    const holder = new Holder();
    const stop = new AbortController();
    const serving = server.serve(holder.handler, { until: stop.signal, concurrency });
    const call = client.call(payload(1, 10));
    await holder.hold(1);
    stop.abort("enough");
    const order: string[] = [];
    const resolved = serving.then(() => order.push("serve"));
    await asyncTurn();
    order.push("handler");
    holder.held[0]!();
    assert(isAnswer(await call, payload(1, 10)));
    await resolved;
    assertEquals(order, ["handler", "serve"]);
  }
  const stuck = new Holder(); // its handler never finishes
  const [quiet, hard] = [new AbortController(), new AbortController()];
  const stopped = server.serve(stuck.handler, { until: quiet.signal, signal: hard.signal });
  const given = client.call(payload(1, 10));
  await stuck.hold(1);
  quiet.abort("quiet");
  await asyncTurn();
  hard.abort("hard");
  assertEquals(await reasonOf(stopped), "hard");
  stuck.held[0]!();
  await given;
  const both = server.serve(answerTo, {
    signal: AbortSignal.abort("reason"),
    until: AbortSignal.abort("quiet"),
  });
  assertEquals(await reasonOf(both), "reason");
  server.close();
  const closed = server.serve(answerTo, { until: AbortSignal.abort("before") });
  await assertRejects(() => closed, ClosedError);
});

Deno.test("serve() does not sleep before a handler that awaits settled promises has finished", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  using inside = new Inside(cast.name.name);
  const { word } = inside.server.bell;
  const raised: number[] = [];
  const serving = server.serve(async (request) => {
    for (let step = 0; step < 3; step++) {
      await null;
      raised.push(word.load() & 1);
    }
    return answerTo(request);
  });
  await until("the server sleeps", () => (word.load() & 1) === 1);
  for (let i = 0; i < 3; i++) {
    assert(isAnswer(await client.call(payload(i, 10)), payload(i, 10)));
  }
  assertEquals(raised, new Array(9).fill(0));
  server.close();
  await serving;
});
