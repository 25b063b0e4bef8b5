/** A circular buffer with an observer as its receiver, which waits as a reader does. @module */

import { handleOf, type Product, type Role, waitOf } from "../product.ts";
import { arrivalsOf, CIRCULAR, define } from "./circular.ts";

const OBSERVER: Role = {
  title: "observer",
  most: Infinity,
  open(name, options) {
    const observer = define(name, { ...options }).observer();
    return {
      ...handleOf(observer),
      waits: {
        receive: waitOf("message", (o) => observer.receiveSync(o), (o) => observer.receive(o)),
        wait: waitOf("message", (o) => observer.waitSync(o), (o) => observer.wait(o)),
      },
      arrivals: () => arrivalsOf(observer),
    };
  },
};

const { endsWithPeer: _ends, succession: _succession, ...rest } = CIRCULAR;

export const CIRCULAR_OBSERVER: Product = {
  ...rest,
  name: "circular buffer under observation",
  receiver: OBSERVER,
};
