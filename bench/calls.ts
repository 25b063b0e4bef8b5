/**
 * Calls between a client and a server, next to the rings below them, to C and to Deno's own means.
 * The answer is the request.
 *
 * @module
 */

import type { CallClient } from "../src/calls/client.ts";
import { calls } from "../src/calls/definition.ts";
import type { Handler } from "../src/calls/handling.ts";
import type { CallServer } from "../src/calls/server.ts";
import { compareAll, type Comparison, ROUND_TRIPS } from "./harness/comparison.ts";
import { takePart } from "./harness/peer.ts";
import type { Bar } from "./harness/report.ts";
import {
  type Answering,
  type Asking,
  Numbered,
  type Order,
  wayHandlers,
  type Ways,
} from "./harness/traffic.ts";
import { socketHandlers } from "./harness/unix_socket.ts";
import { SPINNING, SPSC_WAYS, USUAL } from "./spsc.ts";

/** The client. */
abstract class Client implements Asking, Disposable {
  protected readonly client: CallClient;
  readonly #request: Numbered;
  #number = 0;

  constructor({ name, bytes, capacity }: Order) {
    this.client = calls(name, { capacity, clients: 1 }).client();
    this.#request = new Numbered(bytes);
  }

  abstract ask(): void | Promise<void>;

  protected next(): Uint8Array {
    this.#request.number = ++this.#number;
    return this.#request.bytes;
  }

  protected check(response: Uint8Array): void {
    if (response[0] !== (this.#number & 0xff)) throw new Error("That is another answer");
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

class BlockingClient extends Client {
  override ask(): void {
    this.check(this.client.callSync(this.next(), SPINNING));
  }
}

class IntoClient extends Client {
  readonly #answer = new Uint8Array(2 ** 16);

  override ask(): void {
    this.client.callSyncInto(this.next(), this.#answer, SPINNING);
    this.check(this.#answer);
  }
}

class PromisedClient extends Client {
  override async ask(): Promise<void> {
    this.check(await this.client.call(this.next(), USUAL));
  }
}

/** The server. */
abstract class Server implements Answering, Disposable {
  protected readonly server: CallServer;
  #number = 0;

  constructor({ name, capacity }: Order) {
    this.server = calls(name, { capacity, clients: 1 }).server();
  }

  abstract answer(times: number): void | Promise<void>;

  protected readonly handler: Handler = (request) => {
    if ((++this.#number & 0xff) !== request[0]) throw new Error("That is another request");
    return request;
  };

  [Symbol.dispose](): void {
    this.server.close();
  }
}

class BlockingServer extends Server {
  override answer(times: number): void {
    while (times > 0) times -= this.server.handleSync(this.handler, SPINNING);
  }
}

class PromisedServer extends Server {
  override async answer(times: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const enough = new AbortController();
    const serving = this.server.serve((request, caller) => {
      if (--times === 0) resolve();
      return this.handler(request, caller);
    }, { until: enough.signal });
    await promise;
    enough.abort();
    await serving;
  }
}

/** The ways. */
const CALL_WAYS: Ways = {
  "calls": {
    asking: (order) => new BlockingClient(order),
    answering: (order) => new BlockingServer(order),
  },
  "calls into an array": {
    asking: (order) => new IntoClient(order),
    answering: (order) => new BlockingServer(order),
  },
  "calls, promises": {
    asking: (order) => new PromisedClient(order),
    answering: (order) => new PromisedServer(order),
  },
};

const WAYS: Ways = { ...CALL_WAYS, ...SPSC_WAYS };

const COMPARISONS = [64, 1024].map((bytes): Comparison => ({
  title: `call of ${bytes} B`,
  traffic: { bytes, capacity: 2 ** 20, answerEvery: 1, answerBytes: bytes },
  ...ROUND_TRIPS,
  ways: {
    "calls": bytes === 64 ? { near: 6, far: 3 } : undefined,
    "calls into an array": undefined,
    "calls, promises": bytes === 64 ? { near: 20, far: 8 } : undefined,
    "SPSC": undefined,
  },
}));

/** Measures, prints the times and returns the bars. */
export function measureCalls(): Promise<Bar[]> {
  return compareAll(COMPARISONS, WAYS, import.meta.url);
}

if (import.meta.main) {
  const ways = wayHandlers(WAYS);
  await takePart({ ...socketHandlers(), ...ways });
  ways.close();
}
