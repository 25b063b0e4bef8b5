/** Slots: the name is that of a domain, which has one slot. @module */

import { domain } from "../../../src/babus/definition.ts";
import type { SlotClaim } from "../../../src/babus/slot.ts";
import { Listener } from "../../../src/babus/listener.ts";
import type { SlotOptions } from "../../../src/babus/geometry.ts";
import type { Slot } from "../../../src/babus/slot.ts";
import {
  type Arrival,
  CODECS,
  definedRole,
  fillInHalves,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Product,
  waitOf,
} from "../product.ts";

const SLOT_NAME = "slot";

/** A slot as a carrier of messages: this handle receives the messages that it has not seen. */
function carrying(
  slot: Slot,
): Pick<Handle, "acts" | "arrivals" | "giveTurn" | "receive" | "takeTurn" | "trySend" | "waits"> {
  const listener = new Listener().add(slot);
  let seen = 0;
  let claim: SlotClaim | undefined;
  const arrivals = (limit = Infinity): Arrival[] => {
    const shown = slot.since(seen).slice(0, limit);
    seen = shown.at(-1)?.sequence ?? seen;
    listener.look();
    return shown.flatMap(({ lost, value }) => [
      ...lost > 0 ? [{ lost }] : [],
      { message: value },
    ]);
  };
  return {
    acts: {
      write: (_, message) => void slot.writeSync(message),
      publish(at, message) {
        const claim = slot.claimSync(message.length);
        fillInHalves(claim.bytes, message, () => at("half filled"));
        claim.publish();
      },
      writeInPlace(at, message) {
        slot.tryFill(
          ({ bytes }) => fillInHalves(bytes, message, () => at("half filled")),
          message.length,
        );
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
        using _claim = slot.claimSync(MARK.length, o);
      }, async (o) => {
        using _claim = await slot.claim(MARK.length, o);
      }),
      next: waitOf("message", (o) => slot.nextSync(o), (o) => slot.next(o)),
      listen: waitOf("message", (o) => listener.waitSync(o), (o) => listener.wait(o)),
    },
    takeTurn: () => void (claim = slot.tryClaim(MARK.length)),
    giveTurn: () => claim![Symbol.dispose](),
    arrivals,
    async receive(options) {
      if (slot.sequence === seen) await listener.wait(options);
      const [next] = arrivals(1);
      if (next === undefined) return { state: "empty" };
      if ("message" in next) return { state: "ok", message: next.message };
      seen--; // the message after the loss is for the next call
      return { state: "lost", messages: next.lost };
    },
    trySend: (message) => slot.writeSync(message, { timeout: 60_000 }) > 0,
  };
}

const PARTY = definedRole({ title: "slot" }, {
  define: (name, { codec: type, depth, size, ...options }) =>
    domain(name, { [SLOT_NAME]: { type, depth, size } as SlotOptions }, options),
  open: (definition, { codec: _, ...options }) => definition.open(options).slots[SLOT_NAME],
}, (slot) => ({
  ...handleOf(slot, { depth: slot.depth, size: slot.size }),
  ...carrying(slot),
  mark: () => void slot.writeSync(MARK),
  finds() {
    return isMark(slot.latest()?.value);
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
    size: { is: 100, other: 99, usual: 65_536, never: [0, -1, 2 ** 31 + 1, 1.5, NaN, Infinity] },
  },
  succession: { depth: 3, size: 10_000 },
  broadcasts: true,
  neverTogether: { depth: 1024, size: 2 ** 30 },
  types: CODECS,
  defines: true,
  longest: 195, // the name of the slot follows
};
