/**
 * Calls between a server and clients of one thread: what is asked, what is answered, and in which
 * order.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { calls } from "../../src/calls/definition.ts";
import { ClosedError, RemoteError } from "../../src/errors.ts";
import { json } from "../../src/codec.ts";
import { struct } from "../../src/struct.ts";
import type { Caller } from "../../src/calls/in_hand.ts";
import { until, within } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { lengthOf, payload } from "../circular/scene.ts";
import {
  answerTo,
  BYTES,
  bytesCalls,
  Cast,
  type Client,
  handle,
  isAnswer,
  reasonOf,
  type Server,
} from "./scene.ts";

Deno.test("call() resolves with the answer to its own request, of any length", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const serving = server.serve(answerTo);
  for (const length of [0, 1, 7, 8, 9, 1000, client.maxRequest - 1, client.maxRequest]) {
    const request = payload(length, length);
    assert(isAnswer(await client.call(request), request), `${length} bytes`);
  }
  server.close();
  await serving;
});

Deno.test("a request without bytes can have an answer, and a request an answer without bytes", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const answers = Promise.all([client.call(new Uint8Array(0)), client.call(payload(1, 30))]);
  await handle(server, 2, (request) => request.length === 0 ? payload(2, 40) : new Uint8Array(0));
  assertEquals(await answers, [payload(2, 40), new Uint8Array(0)]);
});

Deno.test("calls are answered in the order in which the handler finishes", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const held: (() => void)[] = [];
  const settled: number[] = [];
  const requests = Array.from({ length: 20 }, (_, i) => payload(i, 20 + i));
  const calls = requests.map(async (request, i) => {
    assert(isAnswer(await client.call(request), request), `answer to ${i}`);
    settled.push(i);
  });
  await handle(
    server,
    20,
    (request) => new Promise((resolve) => held.push(() => resolve(answerTo(request)))),
  );
  assertEquals([server.inFlight, client.inFlight, settled], [20, 20, []]);
  const order = requests.map((_, i) => i * 7 % 20);
  for (const i of order) {
    held[i]!();
    await calls[i];
  }
  assertEquals([server.inFlight, client.inFlight, settled], [0, 0, order]);
});

Deno.test("handlers may answer at once or later, in any mix", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const serving = server.serve((request) => {
    const answer = answerTo(request);
    return request[0]! % 2 === 0 ? answer : Promise.resolve(answer);
  });
  const requests = Array.from({ length: 200 }, (_, i) => payload(i, 1 + lengthOf(i, 300)));
  const answers = await Promise.all(requests.map((request) => client.call(request)));
  answers.forEach((answer, i) => assert(isAnswer(answer, requests[i]!), `answer to ${i}`));
  server.close();
  await serving;
});

/** Answers later, as promises of other libraries do. */
class Later<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  then(resolve: (value: T) => void, reject: (error: unknown) => void): void {
    const value = this.#value;
    queueMicrotask(() => value instanceof Error ? reject(value) : resolve(value));
  }
}

Deno.test("a handler may answer with anything that has a then method", async () => {
  using name = new Name();
  const options = { request: json<number>(), response: json<unknown>() };
  using server = calls(name.name, options).server();
  using client = calls(name.name, options).client();
  const callable = Object.assign(() => {}, { then: (done: (value: number) => void) => done(4) });
  const unreadable = Object.defineProperty({}, "then", {
    get() {
      throw new Error("no");
    },
  });
  const answers = [
    new Later(1),
    new Later(new RangeError("two")),
    { then: 3 },
    callable,
    unreadable,
  ];
  const serving = server.serve((which) => answers[which]);
  const told = await Promise.allSettled(answers.map((_, i) => client.call(i)));
  assertEquals(
    told.map((one) => one.status === "fulfilled" ? one.value : `${one.reason.message}`),
    [1, "two", { then: 3 }, 4, "no"],
  );
  server.close();
  await serving;
});

Deno.test("many clients ask at the same time, and each has its own answers", async () => {
  using cast = new Cast({ clients: 8 });
  const { server, clients } = cast;
  const callers = new Map<number, Set<number>>();
  const serving = server.serve((request, { client, generation }: Caller) => {
    callers.set(client, (callers.get(client) ?? new Set()).add(generation));
    return answerTo(request);
  });
  const asking = clients.map(async (client, index) => {
    for (let i = 0; i < 50; i++) {
      const request = payload(1000 * index + i, lengthOf(i, 500));
      assert(isAnswer(await client.call(request), request), `call ${i} of client ${index}`);
    }
  });
  await Promise.all(asking);
  assertEquals([...callers.keys()].sort(), clients.map(({ id }) => id));
  assert([...callers.values()].every((generations) => generations.size === 1));
  server.close();
  await serving;
});

Deno.test("64 clients ask one server", async () => {
  using cast = new Cast({ clients: 64 });
  const { server, clients } = cast;
  const serving = server.serve(answerTo);
  for (let round = 0; round < 3; round++) {
    const requests = clients.map((_, i) => payload(64 * round + i, 50 + i));
    const answers = await Promise.all(clients.map((client, i) => client.call(requests[i]!)));
    answers.forEach((answer, i) => assert(isAnswer(answer, requests[i]!), `client ${i}`));
  }
  assertEquals(clients.map(({ id }) => id), Array.from({ length: 64 }, (_, i) => i));
  server.close();
  await serving;
});

Deno.test("1,000 calls are in flight through lanes of a page, both ways", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients } = cast;
  const serving = server.serve(answerTo);
  const calls = Array.from({ length: 1000 }, async (_, i) => {
    const request = payload(i, lengthOf(i, 1500));
    assert(isAnswer(await clients[i % 2]!.call(request), request), `answer to ${i}`);
  });
  await within("1,000 answers", Promise.all(calls), 60_000);
  server.close();
  await serving;
});

Deno.test("answers larger than requests wait for room, and no request is lost meanwhile", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const serving = server.serve((request) => payload(request[0]!, 2000)); // two at a time fit
  const requests = Array.from({ length: 100 }, (_, i) => Uint8Array.of(i));
  const answers = await Promise.all(requests.map((request) => client.call(request)));
  assertEquals(answers, requests.map(([i]) => payload(i!, 2000)));
  server.close();
  await serving;
});

Deno.test("codecs carry requests and responses", async () => {
  using name = new Name();
  const Point = struct("point", { x: "f64", y: "f64" });
  const options = { request: Point, response: json<{ sum: number }>() };
  using server = calls(name.name, options).server();
  using client = calls(name.name, options).client();
  const serving = server.serve(async ({ x, y }) => ({ sum: await Promise.resolve(x + y) }));
  assertEquals(await client.call({ x: 1.5, y: 2 }), { sum: 3.5 });
  assertEquals(await client.call({ x: -1, y: 1 }), { sum: 0 });
  await server.shutdown();
  await serving;
});

Deno.test("a handler that uses its array again spoils no answer that waits for room", async () => {
  using name = new Name();
  const array = new Uint8Array(900);
  using server = bytesCalls(name.name).server();
  using client = bytesCalls(name.name).client();
  const requests = Array.from({ length: 30 }, (_, i) => payload(i, 100));
  const calls = requests.map((request) => client.call(request));
  await until("all are asked", () => client.inFlight === 30);
  const serving = server.serve((request) => {
    array.set(payload(request[0]!, 900)); // four of them fit
    return array;
  });
  const answers = await Promise.all(calls);
  assertEquals(answers, requests.map((request) => payload(request[0]!, 900)));
  server.close();
  await serving;
});

Deno.test("tryHandle() handles waiting requests, up to a limit, and never waits", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  assertEquals(server.tryHandle(answerTo), 0);
  const calls = Array.from({ length: 5 }, (_, i) => client.call(payload(i, 10)));
  await until("all are asked", () => client.inFlight === 5);
  assertEquals(server.tryHandle(answerTo, { limit: 2 }), 2);
  assertEquals(server.tryHandle(answerTo, { limit: 100 }), 3);
  assertEquals(server.tryHandle(answerTo), 0);
  (await Promise.all(calls)).forEach((answer, i) => assert(isAnswer(answer, payload(i, 10))));
});

Deno.test("handleSync() handles up to a limit, and waits for the first only", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const calls = Array.from({ length: 5 }, (_, i) => client.call(payload(i, 10)));
  await until("all are asked", () => client.inFlight === 5);
  assertEquals(server.handleSync(answerTo, { limit: 4 }), 4);
  assertEquals(server.handleSync(answerTo), 1);
  const error = await reasonOf((async () => await server.handleSync(answerTo, { timeout: 20 }))());
  assert(error instanceof DOMException && error.name === "TimeoutError");
  await Promise.all(calls);
});

Deno.test("a limit is 1 or more, and a concurrency too", async () => {
  using cast = new Cast();
  const { server } = cast;
  for (const limit of [0, 0.5]) {
    assertThrows(() => server.tryHandle(answerTo, { limit }), RangeError, `limit is ${limit}`);
    const serving = () => server.serve(answerTo, { concurrency: limit });
    await assertRejects(serving, RangeError, `concurrency is ${limit}`);
  }
});

Deno.test("serve() handles at most as many requests at a time as its limit", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  let most = 0;
  const held: (() => void)[] = [];
  const serving = server.serve((request) => {
    most = Math.max(most, server.inFlight);
    return new Promise((resolve) => held.push(() => resolve(answerTo(request))));
  }, { concurrency: 3 });
  const calls = Array.from({ length: 30 }, (_, i) => client.call(payload(i, 10)));
  for (let i = 0; i < 30; i++) {
    await until("a request is held", () => held.length > 0);
    held.pop()!();
  }
  (await Promise.all(calls)).forEach((answer, i) => assert(isAnswer(answer, payload(i, 10))));
  assertEquals(most, 3);
  server.close();
  await serving;
});

Deno.test("serve() lets the event loop have its turn under a flood", async () => {
  using cast = new Cast({ clients: 8, capacity: 2 ** 15 });
  const { server, clients } = cast;
  const each = 1000; // requests of 24 bytes: all of them fit
  const total = each * clients.length;
  const calls = clients.flatMap((client) =>
    Array.from({ length: each }, () => client.call(new Uint8Array(0)))
  );
  await until("all are asked", () => clients.every(({ inFlight }) => inFlight === each));
  let handled = 0;
  let atTimer = -1;
  const serving = server.serve(() => {
    if (handled++ === 0) setTimeout(() => atTimer = handled, 0);
    return new Uint8Array(0);
  });
  await Promise.all(calls);
  assert(
    atTimer > 0 && atTimer < total / 2,
    `the timer came after ${atTimer} of ${total} requests`,
  );
  server.close();
  await serving;
});

Deno.test("a handler may have other requests handled before it answers", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const calls = Array.from({ length: 6 }, (_, i) => client.call(payload(i, 30 + i)));
  await until("all are asked", () => client.inFlight === 6);
  let depth = 0;
  let deepest = 0;
  const nested = (request: Uint8Array): Uint8Array => {
    deepest = Math.max(deepest, ++depth);
    server.tryHandle(nested, { limit: 1 });
    depth--;
    return answerTo(request);
  };
  server.tryHandle(nested);
  assertEquals(deepest, 6);
  (await Promise.all(calls)).forEach((answer, i) => assert(isAnswer(answer, payload(i, 30 + i))));
});

Deno.test("a codec may call, and close, while an answer is decoded", async () => {
  using name = new Name();
  using server = bytesCalls(name.name).server();
  let onDecode = () => {};
  using client = bytesCalls(name.name, {
    response: {
      ...BYTES,
      decode: (bytes: Uint8Array<ArrayBuffer>) => {
        onDecode();
        return bytes;
      },
    },
  }).client();
  const inner: Promise<Uint8Array>[] = [];
  onDecode = () => {
    if (inner.length === 0) inner.push(client.call(payload(2, 22)));
  };
  const outer = client.call(payload(1, 11));
  const serving = server.serve(answerTo);
  assert(isAnswer(await outer, payload(1, 11)));
  assert(isAnswer(await inner[0]!, payload(2, 22)));
  onDecode = () => client.close();
  const [first, second] = await Promise.all([
    client.call(payload(3, 33)),
    reasonOf(client.call(payload(4, 44))),
  ]);
  assert(isAnswer(first, payload(3, 33)));
  assertEquals((second as Error).name, "ClosedError");
  server.close();
  await serving;
});

Deno.test("a codec may close while callSync() looks for its answer", async () => {
  using name = new Name();
  using server = bytesCalls(name.name).server();
  const decode = (bytes: Uint8Array<ArrayBuffer>) => {
    client.close();
    return bytes;
  };
  using client: Client = bytesCalls(name.name, {
    response: { ...BYTES, decode },
  }).client();
  const calls = [client.call(payload(1, 11)), reasonOf(client.call(payload(2, 22)))];
  await until("they are asked", () => client.inFlight === 2);
  server.tryHandle(answerTo);
  assertThrows(() => client.callSync(payload(3, 33)), ClosedError);
  assert(isAnswer(await calls[0] as Uint8Array, payload(1, 11)));
  assert(await calls[1] instanceof ClosedError);
});

Deno.test("a codec that closes the client while a request is encoded ends that call", async () => {
  using name = new Name();
  const open = () => {
    const encode = (bytes: Uint8Array, into: Uint8Array<ArrayBuffer>) => {
      client.close();
      return BYTES.encode(bytes, into.length === 0 ? new Uint8Array(bytes.length) : into);
    };
    const client: Client = bytesCalls(name.name, {
      request: { ...BYTES, encode },
    }).client();
    return client;
  };
  assertThrows(() => open().callSync(payload(1, 1)), ClosedError);
  await assertRejects(() => open().call(payload(1, 1)), ClosedError);
});

Deno.test("a handler may close the server: its call fails, and nothing is thrown", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const call = reasonOf(client.call(payload(1, 10)));
  await until("it is asked", () => client.inFlight === 1);
  const count = server.tryHandle((request) => {
    server.close();
    return answerTo(request);
  });
  assertEquals([count, server.inFlight], [1, 0]);
  assertEquals(`${(await call as Error).name}`, "PeerLostError");
});

Deno.test("a response codec may close the server, and nothing is thrown", async () => {
  using name = new Name();
  const response = {
    ...BYTES,
    encode: (bytes: Uint8Array, into: Uint8Array<ArrayBuffer>) => {
      server.close();
      return BYTES.encode(bytes, into);
    },
  };
  using server: Server = bytesCalls(name.name, { response }).server();
  using client = bytesCalls(name.name).client();
  const call = reasonOf(client.call(payload(1, 10)));
  await server.serve(answerTo);
  assertEquals((await call as Error).name, "PeerLostError");
});

Deno.test("a client that closes rejects its calls, and its requests harm no other", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients: [leaving, staying] } = cast;
  const gone = reasonOf(leaving!.call(payload(1, 10)));
  const kept = staying!.call(payload(2, 20));
  await until("both are asked", () => leaving!.inFlight + staying!.inFlight === 2);
  const held: (() => void)[] = [];
  await handle(
    server,
    2,
    (request) => new Promise((resolve) => held.push(() => resolve(answerTo(request)))),
  );
  leaving!.close();
  assertEquals((await gone as Error).name, "ClosedError");
  for (const answer of held) answer();
  assert(isAnswer(await kept, payload(2, 20)));
});

Deno.test("a RemoteError differs from the client's own errors", async () => {
  using cast = new Cast();
  const call = cast.client.call(payload(1, 1));
  await handle(cast.server, 1, () => {
    throw new TypeError("not like this");
  });
  const error = await assertRejects(() => call, RemoteError, "not like this");
  assertEquals([error.name, error.remoteName], ["RemoteError", "TypeError"]);
});

Deno.test("callInto() copies the answer into an array, and returns its length", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const serving = server.serve(answerTo);
  const target = new Uint8Array(100);
  for (const length of [0, 1, 99, 100]) {
    const request = payload(length, length);
    assertEquals(await client.callInto(request, target), length);
    assert(isAnswer(target.subarray(0, length), request), `${length} bytes`);
  }
  const late = client.callInto(payload(2, 101), target);
  await assertRejects(() => late, RangeError, "it has 101 bytes and the array has 100");
  const lost = new Uint8Array(100);
  const call = client.callInto(payload(3, 30), lost);
  lost.buffer.transfer();
  await assertRejects(() => call, RangeError, "it has 30 bytes and the array has 0");
  await assertRejects(() => client.callInto(payload(4, 4), [] as never), TypeError);
  assert(isAnswer(await client.call(payload(5, 50)), payload(5, 50)));
  server.close();
  await serving;
});

Deno.test("callInto() rejects with the errors of call()", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const target = new Uint8Array(100).fill(7);
  const failing = client.callInto(payload(1, 10), target);
  await handle(server, 1, () => {
    throw new RangeError("no");
  });
  await assertRejects(() => failing, RemoteError, "no");
  const timeout = reasonOf(client.callInto(payload(2, 10), target, { timeout: 20 }));
  let answer: (() => void) | undefined;
  await handle(server, 1, (request) => new Promise((resolve) => answer = () => resolve(request)));
  assertEquals((await timeout as Error).name, "TimeoutError");
  answer!(); // too late
  const next = client.call(payload(3, 10));
  await handle(server, 1);
  assert(isAnswer(await next, payload(3, 10)));
  assertEquals(target, new Uint8Array(100).fill(7));
});

Deno.test("a response type that handles requests while it encodes fails its answer only", async () => {
  using name = new Name();
  let inner = "";
  const response = {
    ...BYTES,
    sizeBytes: 100,
    encode: (bytes: Uint8Array, into: Uint8Array<ArrayBuffer>) => {
      into.set(bytes);
      try {
        server.tryHandle(answerTo);
      } catch (error) {
        inner = `${error}`;
      }
      return bytes.length;
    },
  };
  const defined = bytesCalls(name.name, { response });
  using server: Server = defined.server();
  using client = defined.client();
  const calls = [1, 2].map((i) => client.call(payload(i, 10 * i)));
  await handle(server, 2);
  for (const [i, call] of calls.entries()) {
    assert(isAnswer(await call, payload(i + 1, 10 * (i + 1))), `call ${i}`);
  }
  assert(inner.includes("a value is being encoded into it"), inner);
});

Deno.test("calls give each request and answer its bytes, with `own` also a buffer", async () => {
  for (const own of [false, true]) {
    using name = new Name();
    const definition = bytesCalls(name.name);
    using server = definition.server({ own });
    using client = definition.client({ own });
    const requests: Uint8Array<ArrayBuffer>[] = [];
    const serving = server.serve((request) => {
      requests.push(request);
      return answerTo(request);
    });
    const sent = [1, 2, 3].map((seed) => payload(seed, 16));
    const answers = await Promise.all(sent.map((request) => client.call(request)));
    for (const [i, answer] of answers.entries()) assert(isAnswer(answer, sent[i]!), `answer ${i}`);
    assertEquals(requests, sent);
    for (const [first, second] of [requests, answers] as const) {
      assertEquals(first!.buffer === second!.buffer, !own);
      if (own) structuredClone(first, { transfer: [first!.buffer] });
    }
    server.close();
    await serving;
  }
});
