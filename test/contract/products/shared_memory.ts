/** Shared memory. @module */

import { type SharedMemory, sharedMemory } from "../../../src/shared/shared_memory.ts";
import {
  definedRole,
  type Handle,
  handleOf,
  isMark,
  MARK,
  type Options,
  type Product,
  type Role,
} from "../product.ts";

const SIZE = 100;

function handle(memory: SharedMemory): Handle {
  return {
    ...handleOf(memory, { size: memory.size }),
    mark: () => memory.bytes.set(MARK),
    finds: () => isMark(memory.bytes.subarray(0, MARK.length)),
  };
}

const OPENED = definedRole({ title: "shared memory", usual: { size: SIZE } }, {
  define: (name, { size = SIZE, ...options }) =>
    sharedMemory(name, { size: size as number, ...options }),
  open: (definition, options) => definition.open(options),
}, handle);

const PARTY: Role = {
  ...OPENED,
  joins: {
    ...OPENED.joins,
    observer: (name: string, options: Options = {}) =>
      handle(sharedMemory(name, { size: SIZE, ...options }).observer()),
  },
};

export const SHARED_MEMORY: Product = {
  name: "shared memory",
  noun: "shared memory",
  file: (name) => `vring.shm.${name}`,
  sender: PARTY,
  receiver: PARTY,
  sizes: {
    size: { is: SIZE, other: 101, never: [0, -1, 1.5, NaN, Infinity, 2 ** 46 + 1, 2 ** 53] },
  },
  types: [],
  defines: true,
};
