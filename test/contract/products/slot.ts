/** Slots: the name is that of a domain, which has one slot. @module */

import { Domain } from "../../../src/babus/domain.ts";
import { CODECS, handleOf, isMark, MARK, type Product, roleOf } from "../product.ts";

const SLOT_NAME = "slot";

const PARTY = roleOf({ title: "slot" }, {
  open: (name, options) => Domain.open(name).slot(SLOT_NAME, options),
  unlink: (name) => Domain.open(name).unlink(SLOT_NAME),
}, (slot) => ({
  ...handleOf(slot, { depth: slot.depth, maxSize: slot.maxSize }),
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
  neverTogether: { depth: 1024, maxSize: 2 ** 30 },
  types: CODECS,
  longest: 195, // the name of the slot follows
};
