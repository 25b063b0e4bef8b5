/** Calls from clients to a server. @module */

import { RpcClient } from "../../../src/calls/client.ts";
import { RpcServer } from "../../../src/calls/server.ts";
import { codec } from "../../../src/codec.ts";
import { layout } from "../../../src/layout/layout.ts";
import {
  type Arrival,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Product,
  roleOf,
  waitOf,
} from "../product.ts";
import { CAPACITY } from "./lane.ts";

function senderOf(client: RpcClient<Uint8Array, Uint8Array<ArrayBuffer>>): Handle {
  const call = (request: Uint8Array) => {
    try {
      client.callSync(request, { timeout: 0 });
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error; // nobody answers, at once
    }
  };
  return {
    ...handleOf(client, { capacity: client.capacity }),
    mark: () => call(MARK),
    acts: { call: (_, request) => call(request) },
    waits: {
      call: waitOf("room", (o) => client.callSync(MARK, o), (o) => client.call(MARK, o)),
    },
    trySend(request) {
      call(request);
      return true;
    },
  };
}

function receiverOf(server: RpcServer<Uint8Array<ArrayBuffer>, Uint8Array>): Handle {
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

export const CALLS: Product = {
  name: "calls",
  noun: "ring",
  file: (name) => `vring.rpc.${name}`,
  sender: roleOf(
    { title: "client", most: 2 },
    RpcClient<Uint8Array, Uint8Array<ArrayBuffer>>,
    senderOf,
  ),
  receiver: roleOf(
    { title: "server", most: 1 },
    RpcServer<Uint8Array<ArrayBuffer>, Uint8Array>,
    receiverOf,
  ),
  sizes: {
    capacity: CAPACITY,
    clients: { is: 2, other: 3, usual: 8, never: [0, -1, 65, 1.5, NaN, Infinity] },
    servers: { is: 1, other: 2, usual: 1, never: [0, -1, 17, 1.5, NaN, Infinity] },
  },
  endsWithPeer: {},
  succession: { clients: 1, keepOpen: true },
  atMostOnce: true,
  types: [
    { options: {}, name: "bytes -> bytes" },
    { options: { request: codec.text }, name: "text -> bytes" },
    { options: { response: codec.text }, name: "bytes -> text" },
    {
      options: { request: codec.struct(layout("point", { x: "f64" })), response: codec.text },
      name: "point -> text",
    },
    {
      options: { request: codec.struct(layout("point", { x: "f32" })), response: codec.text },
      name: "point -> text",
    },
  ],
};
