/** Slots: the name is that of a domain, which has one slot. @module */

import { Domain } from "../../../src/babus/domain.ts";
import { Listener } from "../../../src/babus/listener.ts";
import type { Slot } from "../../../src/babus/slot.ts";
import {
  type Arrival,
  CODECS,
  fillInHalves,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Product,
  roleOf,
  waitOf,
} from "../product.ts";

const SLOT_NAME = "slot";

/** A slot as a carrier of messages: this handle receives the messages that it has not seen. */
function carrying(
  slot: Slot<Uint8Array>,
): Pick<Handle, "acts" | "arrivals" | "giveTurn" | "receive" | "takeTurn" | "trySend" | "waits"> {
  const listener = new Listener().add(slot);
  let seen = 0;
  const arrivals = (limit = Infinity): Arrival[] => {
    const { messages, lost } = slot.since(seen);
    const shown = messages.slice(0, limit);
    seen += lost + shown.length;
    listener.look();
    return [...lost > 0 ? [{ lost }] : [], ...shown.map(({ value }) => ({ message: value }))];
  };
  return {
    acts: {
      write: (_, message) => void slot.writeSync(message),
      publish(at, message) {
        fillInHalves(slot.claimSync(message.length), message, () => at("half filled"));
        slot.publish();
      },
      wait() {
        arrivals();
        try {
          listener.waitSync({ timeout: 1, spin: 0 });
        } catch (error) {
          if ((error as Error).name !== "TimeoutError") throw error;
        }
      },
    },
    waits: {
      write: waitOf("turn", (o) => slot.writeSync(MARK, o), (o) => slot.write(MARK, o)),
      claim: waitOf("turn", (o) => {
        slot.claimSync(MARK.length, o);
        slot.discard();
      }, async (o) => {
        await slot.claim(MARK.length, o);
        slot.discard();
      }),
      listen: waitOf("message", (o) => listener.waitSync(o), (o) => listener.wait(o)),
    },
    takeTurn: () => void slot.tryClaim(MARK.length),
    giveTurn: () => slot.discard(),
    arrivals,
    async receive(options) {
      if (slot.sequence === seen) await listener.wait(options);
      const [next] = arrivals(1);
      if (next === undefined) return { state: "empty" };
      return "lost" in next
        ? { state: "lost", messages: next.lost }
        : { state: "ok", message: next.message };
    },
    trySend: (message) => slot.writeSync(message, { timeout: 60_000 }) > 0,
  };
}

const PARTY = roleOf({ title: "slot" }, {
  open: (name, options) => Domain.open(name).slot(SLOT_NAME, options),
  unlink: (name) => Domain.open(name).unlink(SLOT_NAME),
}, (slot) => ({
  ...handleOf(slot, { depth: slot.depth, maxSize: slot.maxSize }),
  ...carrying(slot),
  mark: () => void slot.writeSync(MARK),
  finds() {
    const outcome = slot.latest();
    return outcome.state === "ok" && isMark(outcome.message.value);
  },
}));

export const SLOT: Product = {
  name: "slot",
  noun: "slot",
  file: (name) => `vring.slot.${name}~${SLOT_NAME}`,
  sender: PARTY,
  receiver: PARTY,
  sizes: {
    depth: { is: 3, other: 4, usual: 8, never: [0, -1, 1025, 1.5, NaN, Infinity] },
    maxSize: { is: 100, other: 99, usual: 65_536, never: [0, -1, 2 ** 31 + 1, 1.5, NaN, Infinity] },
  },
  succession: { depth: 3, maxSize: 10_000 },
  broadcasts: true,
  neverTogether: { depth: 1024, maxSize: 2 ** 30 },
  types: CODECS,
  longest: 195, // the name of the slot follows
};
