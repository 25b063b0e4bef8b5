/** Shared memory. @module */

import { SharedMemory } from "../../../src/shared/shared_memory.ts";
import {
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Options,
  type Product,
  type Role,
  roleOf,
} from "../product.ts";

function handle(memory: SharedMemory): Handle {
  return {
    ...handleOf(memory, { size: memory.size }),
    mark: () => memory.bytes.set(MARK),
    finds: () => isMark(memory.bytes.subarray(0, MARK.length)),
  };
}

const PARTY: Role = {
  ...roleOf({ title: "shared memory" }, {
    open: (name, options) => SharedMemory.open(name, options),
    create: (name, options) => SharedMemory.create(name, options),
    unlink: (name) => SharedMemory.unlink(name),
  }, handle),
  joins: {
    connect: (name: string, options?: Options) => handle(SharedMemory.connect(name, options)),
    "connect with readOnly": (name: string, options?: Options) =>
      handle(SharedMemory.connect(name, { ...options, readOnly: true })),
  },
};

export const SHARED_MEMORY: Product = {
  name: "shared memory",
  noun: "shared memory",
  file: (name) => `vring.shm.${name}`,
  sender: PARTY,
  receiver: PARTY,
  sizes: {
    size: { is: 100, other: 101, never: [0, -1, 1.5, NaN, Infinity, 2 ** 46 + 1, 2 ** 53] },
  },
  types: [],
};
