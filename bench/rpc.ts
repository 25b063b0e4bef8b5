/**
 * Calls between a client and a server, next to the rings below them, to C and to Deno's own means.
 * The answer is the request.
 *
 * @module
 */

import { RpcClient } from "../src/calls/client.ts";
import type { Handler } from "../src/calls/handling.ts";
import { RpcServer } from "../src/calls/server.ts";
import { compareAll, type Comparison, ROUND_TRIPS } from "./harness/comparison.ts";
import { takePart } from "./harness/peer.ts";
import { type Bar, printBars } from "./harness/report.ts";
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

type Bytes = Uint8Array<ArrayBuffer>;

/** The client. */
abstract class Client implements Asking, Disposable {
  protected readonly client: RpcClient;
  readonly #request: Numbered;
  #number = 0;

  constructor({ name, bytes, capacity }: Order) {
    this.client = RpcClient.open(name, { capacity });
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

class PromisedClient extends Client {
  override async ask(): Promise<void> {
    this.check(await this.client.call(this.next(), USUAL));
  }
}

/** The server. */
abstract class Server implements Answering, Disposable {
  protected readonly server: RpcServer<Bytes, Bytes>;
  #number = 0;

  constructor({ name, capacity }: Order) {
    this.server = RpcServer.open(name, { capacity, clients: 1 });
  }

  abstract answer(times: number): void | Promise<void>;

  protected readonly handler: Handler<Bytes, Bytes> = (request) => {
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
    }, { signal: enough.signal });
    await promise;
    enough.abort();
    await serving.catch((error) => {
      if (error !== enough.signal.reason) throw error;
    });
  }
}

/** The ways. */
const RPC_WAYS: Ways = {
  "RPC": {
    asking: (order) => new BlockingClient(order),
    answering: (order) => new BlockingServer(order),
  },
  "RPC, promises": {
    asking: (order) => new PromisedClient(order),
    answering: (order) => new PromisedServer(order),
  },
};

const WAYS: Ways = { ...RPC_WAYS, ...SPSC_WAYS };

const COMPARISONS = [64, 1024].map((bytes): Comparison => ({
  title: `call of ${bytes} B`,
  traffic: { bytes, capacity: 2 ** 20, answerEvery: 1, answerBytes: bytes },
  ...ROUND_TRIPS,
  ways: {
    "RPC": bytes === 64 ? 650 : undefined,
    "RPC, promises": bytes === 64 ? 20e3 : undefined,
    "SPSC": undefined,
  },
}));

/** Measures, prints the times and returns the bars. */
export function measureRpc(): Promise<Bar[]> {
  return compareAll(COMPARISONS, WAYS, import.meta.url);
}

if (import.meta.main) {
  if (Deno.args.length === 0) {
    printBars(await measureRpc());
  } else {
    const ways = wayHandlers(WAYS);
    await takePart({ ...socketHandlers(), ...ways });
    ways.close();
  }
}
