/** Calls from clients to a server. @module */

import type { CallClient } from "../../../src/calls/client.ts";
import { calls, type CallsOptions } from "../../../src/calls/definition.ts";
import type { CallServer } from "../../../src/calls/server.ts";
import { text } from "../../../src/codec.ts";
import { VringError } from "../../../src/errors.ts";
import { struct } from "../../../src/struct.ts";
import { hadTurn } from "../../../src/wait/fairness.ts";
import { until } from "../../os/until.ts";
import {
  type Arrival,
  definedRole,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Options,
  type Product,
  waitOf,
} from "../product.ts";
import { CAPACITY } from "./lane.ts";

function senderOf(client: CallClient): Handle {
  // It stays open until the client closes, as a server never runs what its client has given up.
  const call = (request: Uint8Array) => {
    hadTurn(); // so it is sent at once
    client.call(request).catch((error) => {
      if (!(error instanceof VringError)) throw error;
    });
  };
  const callInVain = (request: Uint8Array) => {
    try {
      client.callSync(request, { timeout: 0 });
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error; // nobody answers, at once
    }
  };
  return {
    ...handleOf(client, { capacity: client.capacity }),
    mark: () => call(MARK),
    acts: { call: (_, request) => callInVain(request) },
    waits: {
      call: waitOf("room", (o) => client.callSync(MARK, o), (o) => client.call(MARK, o)),
    },
    trySend(request) {
      call(request);
      return true;
    },
    settle: () => until("all calls have their answers", () => client.inFlight === 0),
  };
}

function receiverOf(server: CallServer): Handle {
  return {
    ...handleOf(server, { capacity: server.capacity, clients: server.clients }),
    finds() {
      let found = false;
      server.tryHandle((request) => {
        found = isMark(request);
        return request;
      });
      return found;
    },
    acts: {
      handle(at) {
        server.tryHandle((request) => {
          at("shown");
          return request;
        }, { limit: 1 });
      },
    },
    arrivals() {
      const arrivals: Arrival[] = [];
      const handler = (request: Uint8Array) => {
        arrivals.push({ message: request.slice() });
        return request;
      };
      try {
        while (server.handleSync(handler, { timeout: 0 }) > 0);
      } catch (error) {
        if ((error as Error).name !== "TimeoutError") throw error;
      }
      return arrivals;
    },
  };
}

const define = (name: string, options: Options) => calls(name, options as CallsOptions);

export const CALLS: Product = {
  name: "calls",
  noun: "calls",
  file: (name) => `vring.calls.${name}`,
  sender: definedRole(
    { title: "client", most: 2 },
    { define, open: (definition, options) => definition.client(options) },
    senderOf,
  ),
  receiver: definedRole(
    { title: "server", most: 1 },
    { define, open: (definition, options) => definition.server(options) },
    receiverOf,
  ),
  defines: true,
  sizes: {
    capacity: CAPACITY,
    clients: { is: 2, other: 3, usual: 8, never: [0, -1, 65, 1.5, NaN, Infinity] },
    servers: { is: 1, other: 2, usual: 1, never: [0, -1, 17, 1.5, NaN, Infinity] },
  },
  policies: { retry: { usual: false, other: true } },
  endsWithPeer: {},
  succession: { clients: 1, onPeerGone: "wait" },
  atMostOnce: true,
  withdraws: true,
  types: [
    { options: {}, name: "bytes -> bytes" },
    { options: { request: text() }, name: "text -> bytes" },
    { options: { response: text() }, name: "bytes -> text" },
    {
      options: { request: struct("point", { x: "f64" }), response: text() },
      name: "point -> text",
    },
    {
      options: { request: struct("point", { x: "f32" }), response: text() },
      name: "point -> text",
    },
  ],
};
