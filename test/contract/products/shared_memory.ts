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
} from "../product.ts";

function handle(memory: SharedMemory): Handle {
  return {
    ...handleOf(memory, { size: memory.size }),
    mark: () => memory.bytes.set(MARK),
    finds: () => isMark(memory.bytes.subarray(0, MARK.length)),
  };
}

const PARTY: Role = {
  title: "shared memory",
  most: Infinity,
  open: (name, options) => handle(SharedMemory.open(name, options as { size: number })),
  create: (name, options) => handle(SharedMemory.create(name, options as { size: number })),
  joins: {
    connect: (name: string, options?: Options) => handle(SharedMemory.connect(name, options)),
    "connect with readOnly": (name: string, options?: Options) =>
      handle(SharedMemory.connect(name, { ...options, readOnly: true })),
  },
  unlink: (name) => SharedMemory.unlink(name),
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
