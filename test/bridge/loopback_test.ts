/** The carrier within this process, by the suite of all carriers. */

import { Loopback, type LoopbackCarrier } from "../../src/bridge/loopback.ts";
import { carrierTests } from "./carriers.ts";

carrierTests("loopback", () => {
  const network = new Loopback();
  return Promise.resolve({
    connect: () => Promise.resolve(network.connect()),
    interrupt: (carrier) => {
      (carrier as LoopbackCarrier).setConnected(false);
      (carrier as LoopbackCarrier).setConnected(true);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}, Deno.test);
