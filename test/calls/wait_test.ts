/**
 * Calls that are called off, and answers that come too late.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { calls } from "../../src/calls/definition.ts";
import { CorruptRegionError } from "../../src/errors.ts";
import { Word32 } from "../../src/memory/word.ts";
import { sleepSync } from "../../src/os/clock.ts";
import { LaneReceiver, LaneSender } from "../../src/lane/lane.ts";
import { Kind, post } from "../../src/calls/message.ts";
import { until, within } from "../os/until.ts";
import { programArguments } from "../shared/party.ts";
import { NO_PROCESS } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import {
  answerTo,
  BYTES,
  bytesCalls,
  Cast,
  type Client,
  handle,
  Inside,
  isAnswer,
  Puppet,
  reasonOf,
} from "./scene.ts";

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** Fills the lane of requests with a call that nobody answers for now; returns its outcome. */
async function fill(client: Client): Promise<{ readonly end: Promise<unknown> }> {
  const end = client.call(payload(99, client.maxRequest)).catch((error) => error);
  await until("the lane is full", () => client.inFlight === 1);
  return { end };
}

Deno.test("signals call calls off with their reason, wherever they wait", async () => {
  using cast = new Cast({ clients: 2 });
  const { server } = cast;
  const [free, full] = cast.clients as [Client, Client];
  const filling = await fill(full);
  const reason = new Error("enough");
  for (const client of [free, full]) {
    const before = reasonOf(client.call(payload(1, 1), { signal: AbortSignal.abort(reason) }));
    assertEquals(await before, reason);
    const once = new AbortController();
    const atOnce = reasonOf(client.call(payload(2, 2), { signal: once.signal }));
    once.abort(reason);
    assertEquals(await within("the end of a call", atOnce), reason);
    const later = new AbortController();
    const call = reasonOf(client.call(payload(3, 3), { signal: later.signal, timeout: 1e9 }));
    const short = client.call(payload(4, 4), { timeout: 30 });
    assert(isTimeout(await reasonOf(short))); // by now it waits
    later.abort(reason);
    assertEquals(await call, reason);
  }
  assertEquals([free.inFlight, full.inFlight], [0, 1]);
  await handle(server, 1, (request) => {
    assertEquals(request.length, full.maxRequest); // no call that was called off is handled
    return request;
  });
  await filling.end;
  assertEquals(server.tryHandle(answerTo), 0);
});

Deno.test("an answer that comes too late reaches no other call", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const held: (() => void)[] = [];
  const late = Array.from({ length: 10 }, (_, i) => {
    return reasonOf(client.call(payload(i, 40), { timeout: 20 }));
  });
  await handle(
    server,
    10,
    (request) => new Promise((resolve) => held.push(() => resolve(answerTo(request)))),
  );
  for (const reason of await Promise.all(late)) assert(isTimeout(reason));
  const serving = server.serve(answerTo);
  for (let i = 0; i < 300; i++) {
    if (i % 30 === 0) held[i / 30]!();
    assert(isAnswer(await client.call(payload(100 + i, 40)), payload(100 + i, 40)), `call ${i}`);
  }
  server.close();
  await serving;
});

Deno.test("answers to an earlier client of the seat reach no later one", async () => {
  using cast = new Cast({ clients: 0, vacant: 1 });
  const { server } = cast;
  const first = cast.open();
  const gone = [reasonOf(first.call(payload(1, 40))), reasonOf(first.call(payload(2, 40)))];
  const held: (() => void)[] = [];
  await handle(
    server,
    2,
    (request) => new Promise((resolve) => held.push(() => resolve(answerTo(request)))),
  );
  held[0]!(); // it is in the lane when the first leaves
  await until("it is answered", () => server.inFlight === 1);
  first.close();
  await Promise.all(gone);
  using second = cast.open();
  assertEquals([second.id, second.generation], [first.id, first.generation + 1]);
  using inside = new Inside(cast.name.name);
  const head = inside.laneWord(0, "responses", "head");
  const before = head.load();
  held[1]!();
  await until("that is answered too", () => server.inFlight === 0);
  assertEquals(head.load(), before); // it takes no room
  const calls = [second.call(payload(3, 40)), second.call(payload(4, 40))];
  await handle(server, 2);
  assert(isAnswer(await calls[0]!, payload(3, 40)));
  assert(isAnswer(await calls[1]!, payload(4, 40)));
});

Deno.test("an answer counts only with the number of the call and the generation of the client", async () => {
  using name = new Name();
  using inside = new Inside(name.name);
  using client = bytesCalls(name.name).client();
  const call = client.call(payload(1, 40)); // there has never been a server
  await until("it is asked", () => client.inFlight === 1);
  const responses = new LaneSender(inside.seats[0]!.responses);
  const { generation } = client;
  const answer = (call: number, from: number, body: Uint8Array) => {
    post(responses, { call, kind: Kind.ok, generation: from, body });
  };
  answer(1, generation - 1, payload(2, 40));
  answer(1, generation + 1, payload(3, 40));
  answer(0, generation, payload(4, 40));
  answer(2, generation, payload(5, 40));
  answer(1, generation, payload(6, 40));
  answer(1, generation, payload(7, 40));
  assertEquals(await call, payload(6, 40));
});

Deno.test("a client that reads no answers has no more requests taken, and others are served", async () => {
  using cast = new Cast({ clients: 1, vacant: 1 });
  const { server, client } = cast;
  using inside = new Inside(cast.name.name);
  using puppet = new Puppet(inside, 1);
  let asked = 0;
  while (puppet.ask(asked + 1, payload(asked, 8))) asked++;
  let taken = 0;
  const serving = server.serve((request, caller) => {
    if (caller.client === 1) taken++;
    return payload(request[0]!, 1000); // four fit into a lane
  });
  for (let i = 0; i < 100; i++) {
    assertEquals(await client.call(Uint8Array.of(i)), payload(i, 1000));
  }
  assertEquals(taken, 5); // and one waits for room
  puppet[Symbol.dispose](); // it dies: what it had asked is handled, for nobody
  await until("its requests are handled", () => taken === asked);
  using next = cast.open();
  assertEquals([next.id, next.generation], [1, 2]);
  assertEquals(await next.call(Uint8Array.of(7)), payload(7, 1000));
  server.close();
  await serving;
});

Deno.test("a request is taken at once after the answer that it waited for was sent", async () => {
  using cast = new Cast({ clients: 0, vacant: 1 });
  const { server } = cast;
  using inside = new Inside(cast.name.name);
  using puppet = new Puppet(inside, 0);
  for (let call = 1; call <= 8; call++) puppet.ask(call, payload(call, 8));
  const handler = () => payload(1, 2000); // two fit, and one waits for room
  assertEquals([server.tryHandle(handler), server.tryHandle(handler)], [3, 0]);
  const responses = new LaneReceiver(puppet.seat.responses);
  responses.release(responses.look());
  assertEquals(server.tryHandle(handler), 2);
  await server.shutdown({ timeout: 1 }).catch(() => {});
});

Deno.test("a signal that a codec aborts calls the call off", async () => {
  using name = new Name();
  const stop = new AbortController();
  const encode = (bytes: Uint8Array, into: Uint8Array<ArrayBuffer>) => {
    stop.abort("by the codec");
    return BYTES.encode(bytes, into);
  };
  using client = calls(name.name, { request: { ...BYTES, encode } }).client();
  const call = reasonOf(client.call(payload(1, 1), { signal: stop.signal }));
  assertEquals(await within("the end of a call", call), "by the codec");
});

Deno.test("a client whose seat was corrupted gets an error, newcomers take another, a server clears it", async () => {
  using cast = new Cast({ clients: 2, vacant: 1 });
  const { server, clients: [victim, other] } = cast;
  using inside = new Inside(cast.name.name);
  const calls = [reasonOf(victim!.call(payload(1, 10))), reasonOf(victim!.call(payload(2, 10)))];
  await until("they are asked", () => victim!.inFlight === 2);
  inside.setNumber(0, "requests", { at: 0, number: 1, value: NaN });
  const failure = await reasonOf(server.serve(answerTo));
  assert(failure instanceof CorruptRegionError, `${failure}`);
  assert(failure.message.includes("does not begin with the header of a call"), failure.message);
  for (const reason of await Promise.all(calls)) {
    assert(reason instanceof CorruptRegionError, `${reason}`);
    assert(reason.message.includes("in the seat of client 0"), reason.message);
  }
  const serving = server.serve(answerTo); // again: the others are served as before
  assert(isAnswer(await other!.call(payload(3, 10)), payload(3, 10)));
  const again = await reasonOf(victim!.call(payload(4, 10)));
  assert(again instanceof CorruptRegionError, `${again}`);
  const syncAgain = reasonOf((async () => await victim!.callSync(payload(5, 10)))());
  assert(await syncAgain instanceof CorruptRegionError);
  while (!(await reasonOf(victim!.call(payload(6, 1000))) as Error).message.includes("seat of"));
  victim!.close();
  using newcomer = cast.open();
  assertEquals(newcomer.id, 2);
  assert(isAnswer(await newcomer.call(payload(7, 10)), payload(7, 10)));
  server.close();
  await serving;
  using successor = cast.succeed();
  using restored = cast.open();
  assertEquals(restored.id, 0);
  const call = restored.call(payload(8, 10));
  await handle(successor, 1);
  assert(isAnswer(await call, payload(8, 10)));
});

/** A client whose codec sends itself the next answer whenever it decodes one, as a fast server may. */
function chatty(name: Name, inside: Inside, calls: number) {
  const responses = new LaneSender(inside.seats[0]!.responses);
  let answered = 0;
  const answer = () => {
    const message = { call: ++answered, kind: Kind.ok, body: payload(1, 1) };
    if (answered <= calls) post(responses, { ...message, generation: client.generation });
  };
  const decode = (bytes: Uint8Array<ArrayBuffer>) => {
    sleepSync(1);
    answer();
    return bytes;
  };
  const client: Client = bytesCalls(name.name, {
    response: { ...BYTES, decode },
  }).client();
  return { client, answer, count: () => answered };
}

Deno.test("callSync() ends in time while answers to other calls keep coming", async () => {
  using name = new Name();
  using inside = new Inside(name.name);
  const { client, answer, count } = chatty(name, inside, 400);
  const requests = new LaneReceiver(inside.seats[0]!.requests);
  const calls = Array.from({ length: 400 }, () => reasonOf(client.call(payload(1, 8))));
  await until("all are asked", () => {
    requests.release(requests.look());
    return client.inFlight === 400;
  });
  answer();
  assertThrows(() => client.callSync(payload(1, 8), { timeout: 5 }), DOMException);
  assert(count() < 400, `${count()} answers came first`);
  client.close();
  await Promise.all(calls);
});

/** Sends an answer to none of the client's calls whenever the client looks, up to a number of times. */
function flood(inside: Inside, most: number): Disposable & { readonly sent: number } {
  const lane = new LaneSender(inside.seats[0]!.responses);
  const stray = { call: 0, kind: Kind.ok, generation: 0, body: new Uint8Array(0) };
  const { load } = Word32.prototype;
  let sent = 0;
  Word32.prototype.load = function (this: Word32): number {
    const looks = this.path === lane.head.path && this !== lane.head; // of the client's mapping
    if (looks && sent < most && lane.hasRoom(64)) {
      sent++;
      post(lane, stray);
    }
    return load.call(this);
  };
  return {
    get sent() {
      return sent;
    },
    [Symbol.dispose]: () => void (Word32.prototype.load = load),
  };
}

Deno.test("call() ends in time while answers to none of its client's calls keep coming", async () => {
  const most = 200_000;
  using name = new Name();
  using inside = new Inside(name.name);
  using client = bytesCalls(name.name).client();
  using flooding = flood(inside, most);
  assert(isTimeout(await reasonOf(client.call(payload(1, 8), { timeout: 5 }))));
  assert(flooding.sent > 0 && flooding.sent < most, `${flooding.sent} came first`);
});

if (NO_PROCESS !== undefined) {
  console.warn(`A test of forgotten clients does not run: ${NO_PROCESS}`);
}

Deno.test({
  name: "a client whose calls are over does not keep its process from ending",
  ignore: NO_PROCESS !== undefined,
  async fn() {
    using name = new Name();
    const args = [...programArguments(new URL("./child_idle.ts", import.meta.url)), name.name];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    try {
      const { code, stdout } = await within("the end of the process", child.output());
      assertEquals([code, new TextDecoder().decode(stdout)], [0, "TimeoutError AbortError\n"]);
    } catch (error) {
      child.kill("SIGKILL");
      await child.status;
      throw error;
    }
  },
});

/** The rest of the message of a wait that timed out after a millisecond. */
async function seen(waiting: Promise<unknown>): Promise<string> {
  const error = await reasonOf(waiting);
  assert(isTimeout(error), `${error}`);
  return (error as Error).message.split("1 ms have passed, and ")[1]!;
}

Deno.test("a call that times out says what it sees of its server", async () => {
  using name = new Name();
  const defined = bytesCalls(name.name);
  using client = defined.client({ onPeerGone: "wait" });
  const sync = (length: number) =>
    (async () => {
      await client.callSync(payload(1, length), { timeout: 1 });
    })();
  const call = (length = 8) => client.call(payload(1, length), { timeout: 1 });
  const fails = async (why: string, length = 8) => {
    for (const ask of [call, sync]) {
      assertEquals(await seen(ask(length)), `${why}; the request will not run`);
    }
  };
  await fails("no server has connected");
  using server = defined.server();
  await fails("its server is stopped or busy");
  const filling = call(client.maxRequest - 500);
  await fails("its server is stopped or busy", client.maxRequest); // these do not fit
  await reasonOf(filling);
  assertEquals(server.tryHandle(answerTo), 0);
  const taken = client.call(payload(1, 8), { timeout: 20 });
  const reason = reasonOf(taken);
  await until("it is taken", () => server.tryHandle(() => new Promise(() => {})) === 1);
  const { message } = await reason as Error;
  assert(message.endsWith("and a server has taken the request and not answered it"), message);
  server.close();
  await fails("its server is gone");
});

Deno.test("a server whose wait times out says whether it has a client", async () => {
  using name = new Name();
  const defined = bytesCalls(name.name);
  using server = defined.server();
  const wait = async () => await server.handleSync(answerTo, { timeout: 1 });
  assertEquals(await seen(wait()), "it has no client");
  using client = defined.client();
  assertEquals(await seen(wait()), "no client has called");
  const call = client.call(payload(1, 8));
  await handle(server, 1, () => new Promise(() => {}));
  assertEquals(await seen(server.shutdown({ timeout: 1 })), "a handler has not finished");
  server.close();
  await reasonOf(call);
});

Deno.test("calls that wait for room are sent in their order, unless they are given up", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const length = client.maxRequest - 100; // one fills the lane
  const over = new AbortController();
  const calls = [0, 1, 2, 3, 4].map((number) =>
    client.call(payload(number, length), number === 2 ? { signal: over.signal } : {})
  );
  const late = client.call(payload(5, length), { timeout: 20 });
  await assertRejects(() => late, DOMException, "its server is stopped or busy");
  over.abort("no longer");
  assertEquals(await reasonOf(calls[2]!), "no longer");
  const small = client.call(payload(6, 8)); // fits, and waits for its turn
  const order: number[] = [];
  await handle(server, 5, (request) => {
    order.push([0, 1, 2, 3, 4, 5, 6].find((n) => isPayload(request, n))!);
    return request.subarray(0, 8);
  });
  assertEquals(order, [0, 1, 3, 4, 6]);
  await Promise.all([0, 1, 3, 4].map((number) => calls[number]).concat(small));
});
