/**
 * Calls that fail: what a handler throws, and what cannot be sent or understood.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { calls } from "../../src/calls/definition.ts";
import { CorruptRegionError, RemoteError } from "../../src/errors.ts";
import { json, text } from "../../src/codec.ts";
import { errorBody, errorFrom } from "../../src/calls/message.ts";
import { until } from "../os/until.ts";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import { answerTo, BYTES, Cast, handle, isAnswer, reasonOf } from "./scene.ts";

class OwnError extends Error {
  override name = "OwnError";
}

const MUTE = "The handler threw a value that has no text";

/** Thrown values, and the error that the client gets. */
const THROWN: readonly [thrown: unknown, name: string, message: string][] = [
  [new Error("plain"), "Error", "plain"],
  [new RangeError("out of it"), "RangeError", "out of it"],
  [new OwnError("my own"), "OwnError", "my own"],
  [new DOMException("called off", "AbortError"), "AbortError", "called off"],
  [new Error(""), "Error", ""],
  [new Error("„Größe“ 😀"), "Error", "„Größe“ 😀"],
  ["a text", "", "a text"],
  [42, "", "The handler threw 42"],
  [undefined, "", "The handler threw undefined"],
  [null, "", "The handler threw null"],
  [{ a: 1 }, "", 'The handler threw {"a":1}'],
  [Symbol("sign"), "", "The handler threw Symbol(sign)"],
  [Object.create(null), "", "The handler threw {}"],
  [Object.assign(new Error("numbered"), { name: 5 }), "5", "numbered"],
  [Object.assign(new Error("x"), { name: Symbol("n") }), "", MUTE],
  [
    Object.defineProperty(new Error("x"), "message", {
      get() {
        throw new Error("not even that");
      },
    }),
    "",
    MUTE,
  ],
  [new Error("0123456789".repeat(10_000)), "Error", "0123456789".repeat(50)],
  [new Error("\0".repeat(10_000)), "Error", "\0".repeat(500)],
  [new Error("\ud800".repeat(10_000)), "Error", "\ud800".repeat(500)],
  [Object.assign(new Error("long"), { name: "n".repeat(1000) }), "n".repeat(50), "long"],
];

Deno.test("a handler that returns nothing is told so, with the type that is missing", async () => {
  using name = new Name();
  const types = { request: text(), response: text() };
  const definition = calls(name.name, types);
  using server = definition.server();
  using client = definition.client();
  const serving = server.serve((() => {}) as unknown as (request: string) => string);
  const told = `Cannot answer ${`calls "${name.name}"`}: the handler returned undefined, not text`;
  const error = await assertRejects(() => client.call("x"), RemoteError, told);
  assertEquals(error.remoteName, "TypeError");
  await server.shutdown();
  await serving;
});

Deno.test("any error of a handler reaches only its caller", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const serving = server.serve(([which, later, ...rest]) => {
    if (which === 255) return answerTo(Uint8Array.of(which, later!, ...rest));
    const [thrown] = THROWN[which!]!;
    if (later === 1) return Promise.reject(thrown);
    throw thrown;
  });
  for (const later of [0, 1]) {
    const calls = THROWN.map((_, i) => client.call(Uint8Array.of(i, later)));
    const fine = client.call(Uint8Array.of(255, later, 3));
    for (const [i, [, name, message]] of THROWN.entries()) {
      const error = await reasonOf(calls[i]!);
      assert(error instanceof RemoteError, `thing ${i}: ${error}`);
      assertEquals([error.remoteName, error.message], [name, message], `thing ${i}`);
    }
    assert(isAnswer(await fine, Uint8Array.of(255, later, 3)));
  }
  server.close();
  await serving;
});

Deno.test("errorBody() fits any thrown value into the smallest lane", () => {
  for (const [thrown] of THROWN) assert(errorBody(thrown).length <= 4096 - 24);
});

Deno.test("errorFrom() refuses bytes that are not an error", () => {
  const encoder = new TextEncoder();
  const texts = ["", "{", "null", "5", "[]", '{"name":5,"message":""}', '{"name":""}', "\xff"];
  for (const text of texts) {
    const error = errorFrom(encoder.encode(text), "the responses");
    assert(error instanceof CorruptRegionError, text);
    assert(error.message.includes("Cannot read from the responses: an error of"));
  }
});

Deno.test("a response that cannot be encoded, or is too long, is an error of its call", async () => {
  using name = new Name();
  const options = { request: json<number>(), response: json<unknown>() };
  const defined = calls(name.name, { ...options, capacity: 4096 });
  using server = defined.server();
  using client = defined.client();
  const answers: unknown[] = [1n, "x".repeat(4096 - 24 - 1), "y".repeat(4096 - 24 - 2), [5]];
  const serving = server.serve((which) => answers[which]);
  const first = await assertRejects(() => client.call(0), RemoteError, "BigInt");
  assertEquals(first.remoteName, "TypeError");
  const second = await assertRejects(
    () => client.call(1),
    RemoteError,
    "Cannot answer with 4073 bytes: a response can have 4072",
  );
  assertEquals(second.remoteName, "RangeError");
  assertEquals(await client.call(2), answers[2]);
  assertEquals(await client.call(3), [5]);
  server.close();
  await serving;
});

Deno.test("a request that is too long is a RangeError at once, also when the lane is full", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const tooLong = new Uint8Array(client.maxRequest + 1);
  const check = async () => {
    await assertRejects(
      () => client.call(tooLong),
      RangeError,
      "has 4073 bytes, and can have 4072",
    );
    assertThrows(() => client.callSync(tooLong), RangeError, "has 4073 bytes, and can have 4072");
  };
  await check();
  const filling = client.call(payload(1, client.maxRequest));
  await until("it is asked", () => client.inFlight === 1);
  await check();
  await handle(server, 1);
  assert(isAnswer(await filling, payload(1, client.maxRequest)));
});

Deno.test("an error of a codec fails only that call", async () => {
  using name = new Name();
  const picky = (from: string) => (bytes: Uint8Array<ArrayBuffer>) => {
    if (bytes.length === 3) throw new SyntaxError(`too short for the ${from}`);
    return bytes;
  };
  using server = calls(name.name, {
    request: { ...BYTES, decode: picky("server") },
  }).server();
  using client = calls(name.name, {
    request: {
      ...BYTES,
      encode: (bytes, into) => bytes.length === 4 ? fail() : BYTES.encode(bytes, into),
    },
    response: { ...BYTES, decode: picky("client") },
  }).client();
  function fail(): never {
    throw new SyntaxError("not sent");
  }
  const serving = server.serve((request) => request.length === 5 ? payload(0, 3) : request);
  const all = [2, 3, 4, 5, 6].map((length) => client.call(payload(length, length)));
  const outcomes = await Promise.allSettled(all);
  assertEquals(
    outcomes.map((outcome) => outcome.status === "fulfilled" ? outcome.value : `${outcome.reason}`),
    [
      payload(2, 2),
      "RemoteError: too short for the server",
      "SyntaxError: not sent",
      "SyntaxError: too short for the client",
      payload(6, 6),
    ],
  );
  assertThrows(() => client.callSync(payload(4, 4)), SyntaxError, "not sent");
  server.close();
  await serving;
});

Deno.test("an error's code travels if it is a number or a short string", async () => {
  using cast = new Cast();
  const { server, client } = cast;
  const codes = ["ENOENT", 404, "x".repeat(50), "x".repeat(51), NaN, { code: 1 }, undefined];
  const serving = server.serve(([which]) => {
    if (which! < codes.length) throw Object.assign(new Error("no"), { code: codes[which!] });
    throw Object.defineProperty(new Error("no"), "code", { get: () => assert(false) });
  });
  for (const [i, sent] of ["ENOENT", 404, "x".repeat(50)].entries()) {
    const error = await assertRejects(() => client.call(Uint8Array.of(i)), RemoteError);
    assertEquals(error.code, sent);
  }
  for (let i = 3; i <= codes.length; i++) {
    const error = await assertRejects(() => client.call(Uint8Array.of(i)), RemoteError);
    assertEquals([error.message, error.code], ["no", undefined]);
  }
  server.close();
  await serving;
});
