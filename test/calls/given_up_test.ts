/**
 * Calls that end with an error before a server has taken them: no handler ever gets their requests.
 */

import { assert, assertEquals } from "@std/assert";
import { Name } from "../shared/scene.ts";
import { payload } from "../circular/scene.ts";
import {
  answerTo,
  bytesCalls,
  Cast,
  type Client,
  isAnswer,
  NOT_TAKEN,
  reasonOf,
  type Server,
} from "./scene.ts";

const REQUEST = payload(1, 10);

/** A way in which a client gives up a call; the server may close before. */
type Way = (client: Client, server: Server) => Promise<unknown>;

const WAYS: Readonly<Record<string, Way>> = {
  "by a time-out": (client) => reasonOf(client.call(REQUEST, { timeout: 1 })),
  "by a time-out that blocks the thread": (client) =>
    reasonOf((async () => await client.callSync(REQUEST, { timeout: 1 }))()),
  "by its signal": (client) => {
    const { signal, abort } = new Abort();
    const reason = reasonOf(client.call(REQUEST, { signal }));
    abort();
    return reason;
  },
  "as its client closes": (client) => {
    const reason = reasonOf(client.call(REQUEST));
    client.close();
    return reason;
  },
  "as no server is left": (client, server) => {
    const reason = reasonOf(client.call(REQUEST));
    server.close();
    return reason;
  },
};

class Abort {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  readonly abort = () => this.#controller.abort();
}

const TAKERS: Readonly<
  Record<string, (server: Server, handler: typeof answerTo) => Promise<unknown> | number>
> = {
  tryHandle: (server, handler) => server.tryHandle(handler, { limit: 2 }),
  handleSync: (server, handler) => server.handleSync(handler, { limit: 2, timeout: 30_000 }),
  serve: (server, handler) => server.serve(handler, { concurrency: 1 }),
};

for (const [way, giveUp] of Object.entries(WAYS)) {
  Deno.test(`a call that ends ${way} before a server takes it never runs`, async () => {
    for (const [taker, take] of Object.entries(TAKERS)) {
      using cast = new Cast({ vacant: 1 });
      const { server, client } = cast;
      const error = await giveUp(client, server);
      assert(error instanceof Error);
      if (error.name === "PeerLostError") assert(error.message.endsWith(`it ${NOT_TAKEN}`));
      using next = server.closed ? cast.succeed() : server;
      using other = cast.open(); // in the seat of a client that has closed
      const asked = other.call(payload(2, 20));
      const seen: number[] = [];
      const taking = take(next, (request) => {
        seen.push(request.length);
        return answerTo(request);
      });
      assert(isAnswer(await asked, payload(2, 20)));
      assertEquals(seen, [20], taker);
      if (typeof taking === "number") assertEquals(taking, 1, taker); // it counts no other one
      next.close();
      await taking;
    }
  });
}

Deno.test("calls that were given up in a full lane free their numbers and their room", async () => {
  using name = new Name();
  const defined = bytesCalls(name.name, { capacity: 2 ** 15 });
  using client = defined.client();
  for (let round = 0; round < 3; round++) {
    const { signal, abort } = new Abort();
    const calls = Array.from({ length: 1024 }, () => reasonOf(client.call(REQUEST, { signal })));
    abort();
    await Promise.all(calls);
    using server = defined.server();
    let runs = 0;
    const serving = server.serve((request) => {
      runs++;
      return answerTo(request);
    });
    await client.call(new Uint8Array(1)); // it waits for a number, and for room
    assertEquals(runs, 1);
    await server.shutdown();
    await serving;
  }
});
