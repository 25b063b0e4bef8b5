/**
 * The hints of clients to their server: one that calls alone need not renew its hint, and one that
 * joins is heard at once.
 */

import { assert, assertEquals } from "@std/assert";
import { ALONE } from "../../src/lane/fan_in.ts";
import { Word32 } from "../../src/memory/word.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { answerTo, Cast, type Client, handle, Inside, isAnswer, type Server } from "./scene.ts";

/** Makes calls one after the other. */
async function callOften(server: Server, client: Client, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const answer = client.call(payload(i, 16));
    await until("it is handled", () => server.tryHandle(answerTo) === 1);
    assert(isAnswer(await answer, payload(i, 16)));
  }
}

/** Counts the changes of the word of hints while something runs. */
async function hintChanges(run: () => Promise<void>): Promise<number> {
  const { or, exchange } = Word32.prototype;
  let count = 0;
  const note = (word: Word32) => {
    if (word.path.endsWith(".hint")) count++;
  };
  Word32.prototype.or = function (bits) {
    note(this);
    return or.call(this, bits);
  };
  Word32.prototype.exchange = function (value) {
    note(this);
    return exchange.call(this, value);
  };
  try {
    await run();
  } finally {
    Object.assign(Word32.prototype, { or, exchange });
  }
  return count;
}

Deno.test("a client that calls alone leaves its hint up, and neither side changes the word", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients: [first, second] } = cast;
  using inside = new Inside(cast.name.name);
  assert(await hintChanges(() => callOften(server, first!, ALONE)) >= ALONE);
  await callOften(server, first!, 2);
  assertEquals(await hintChanges(() => callOften(server, first!, 1000)), 0);
  assertEquals(inside.server.hint.load(), 1);
  await callOften(server, second!, 1);
  assert(await hintChanges(() => callOften(server, first!, ALONE)) >= ALONE);
  await callOften(server, second!, ALONE + 2);
  assertEquals(await hintChanges(() => callOften(server, second!, 100)), 0);
});

Deno.test("a client that calls alone has one turn before a client that joins", async () => {
  using cast = new Cast({ clients: 2 });
  const { server, clients: [alone, joining] } = cast;
  await callOften(server, alone!, ALONE + 2);
  const calls = Array.from({ length: 40 }, (_, i) => alone!.call(payload(i, 16)));
  const joined = joining!.call(payload(7, 16));
  const order: number[] = [];
  await handle(server, 41, (request, { client }) => {
    order.push(client);
    return answerTo(request);
  });
  assert(order.indexOf(joining!.id) <= 16, `after ${order.indexOf(joining!.id)} others`);
  await Promise.all([...calls, joined]);
});
