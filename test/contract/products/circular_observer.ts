/** A circular buffer with an observer as its receiver, which waits as a reader does. @module */

import { CircularBufferObserver } from "../../../src/circular/observer.ts";
import { allArrivals, handleOf, type Product, roleOf, waitOf } from "../product.ts";
import { CIRCULAR } from "./circular.ts";

const OBSERVER = roleOf(
  { title: "observer" },
  { open: (name) => CircularBufferObserver.open(name) },
  (observer) => ({
    ...handleOf(observer),
    waits: { observe: waitOf("message", (o) => observer.readSync(o), (o) => observer.read(o)) },
    arrivals: () => allArrivals(() => observer.readSync({ timeout: 0 })),
  }),
);

const { endsWithPeer: _ends, succession: _succession, ...rest } = CIRCULAR;

export const CIRCULAR_OBSERVER: Product = {
  ...rest,
  name: "circular buffer under observation",
  receiver: OBSERVER,
};
