/**
 * What the tests of regions and their child programs share: kinds, names that clean up after
 * themselves, regions without a living member, and bytes that tell where they belong.
 *
 * @module
 */

import { layout } from "../../src/layout/layout.ts";
import type { Region } from "../../src/region/region.ts";
import {
  composeHeader,
  dataOffsetOf,
  type MessageType,
  parseHeader,
  REGION_HEADER,
  RegionState,
  type RegionType,
} from "../../src/region/header.ts";
import { regionPath } from "../../src/region/names.ts";

/** A control block with two words on lines of their own. */
export const CONTROL = layout("test_control", {
  turn: { type: "u32", line: true },
  count: { type: "u32", line: true },
});

/** Data mapped once. */
export const TYPE: RegionType = { name: "test", control: CONTROL, mirrored: false };

/** Data mapped twice. */
export const MIRRORED: RegionType = {
  name: "test_mirror",
  control: CONTROL,
  mirrored: true,
  mostParts: 3,
};

/** The same name, another layout of the control block. */
export const OTHER_TYPE: RegionType = {
  name: "test",
  control: layout("test_control", { turn: "u32" }, { version: 2 }),
  mirrored: false,
};

/** Bytes of which none is zero or like its neighbours, nor like those of the next seed. */
export function patterned(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = 1 + (i * 31 + (i >> 8) * 17 + seed * 97) % 255;
  return bytes;
}

let serial = 0;

/** The path of a region that no other test uses; whatever is there goes when the test ends. */
export class Place implements Disposable {
  readonly name: string = `${Deno.pid}-${++serial}`;
  readonly path: string;

  constructor(regionType: RegionType = TYPE) {
    this.path = regionPath(regionType.name, this.name);
    removeFile(this.path);
  }

  /** Whether something has the name. */
  get exists(): boolean {
    try {
      Deno.lstatSync(this.path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    removeFile(this.path);
  }
}

/** Removes whatever has the name. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How to {@linkcode forge} a region. */
export interface ForgeOptions {
  readonly regionType?: RegionType;
  readonly data?: Uint8Array;
  readonly persist?: boolean;
  readonly message?: MessageType;
}

/** Makes a region without living members, as if they had been killed; returns its identity. */
export function forge(path: string, options: ForgeOptions = {}): string {
  const { regionType = TYPE, data = patterned(512), persist = false, message } = options;
  const creator = crypto.getRandomValues(new Uint8Array(16));
  const state = persist ? RegionState.persist : 0;
  const bytes = new Uint8Array(dataOffsetOf(regionType) + data.length);
  bytes.set(composeHeader(regionType, data.length, { creator, message, state }));
  bytes.set(data, dataOffsetOf(regionType));
  removeFile(path);
  Deno.writeFileSync(path, bytes, { mode: 0o600 });
  return creator.toHex();
}

/** The identity of a region. */
export function idOf(region: Region): string {
  return region.header.creator.toHex();
}

/** The identity of what has the name now; undefined if nothing has. */
export function idAt(path: string): string | undefined {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(REGION_HEADER.size);
    const header = parseHeader(bytes.subarray(0, file.readSync(bytes) ?? 0));
    return typeof header === "string" ? header : header.creator.toHex();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The data of a region. */
export function dataOf(region: Region): Uint8Array<ArrayBuffer> {
  const { mapping, dataOffset, dataBytes } = region;
  return mapping.bytes.subarray(dataOffset, dataOffset + dataBytes);
}

/** How many files of /dev/shm this process has open, with a name or without. */
export function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("/dev/shm/");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false; // it was the directory's own
      throw error;
    }
  }).length;
}
