/**
 * A program that forgets something, lets the garbage collector run and tells what became of it.
 * Run with `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { LockFile } from "../../src/region/liveness.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { LeapfrogRing } from "../../src/mirror_ring/leapfrog_ring.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { Word32, Word64 } from "../../src/memory/word.ts";
import { close, map, MapFlag, memfd, Protection, ranges, retire } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { isMapped, rangesOf } from "../os/process_state.ts";

const page = pageSize();
const { gc } = globalThis as unknown as { gc(): void };

/** Collects until the condition holds, or has had every chance to. */
async function collect(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 50 && !condition(); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 1)); // finalizers run in a task of their own
  }
  return condition();
}

/** A mapping of which only the address is known afterwards. */
function forgotten(): number {
  return Mapping.anonymous(page, "a test").address;
}

/** A mapping of which, closed, only the address is known afterwards. */
function closed(): number {
  const mapping = Mapping.anonymous(page, "a test");
  mapping.close();
  return mapping.address;
}

const STORIES: Record<string, () => unknown> = {
  async mapping() {
    const addresses = Array.from({ length: 100 }, forgotten);
    return await collect(() => !addresses.some(isMapped));
  },

  async kept() {
    const view = Mapping.anonymous(page, "a test").bytes.subarray(5, 9);
    const words = [32, 64].map((size) => {
      const mapping = Mapping.anonymous(page, "a test");
      return new (size === 32 ? Word32 : Word64)(mapping, { path: "kept", offset: 8 });
    });
    const other = forgotten();
    const collected = await collect(() => !isMapped(other));
    view[0] = 7;
    words.forEach((word, i) => word.store(70 + i));
    return [collected, view[0], ...words.map((word) => word.load())];
  },

  async closed() {
    const flags = MapFlag.shared | MapFlag.anonymous | MapFlag.fixed;
    const addresses = Array.from({ length: 100 }, closed);
    for (const address of addresses) {
      map({ address, length: page, protection: Protection.read, flags }); // somebody else's from now
    }
    const other = forgotten();
    return [await collect(() => !isMapped(other)), addresses.every(isMapped)];
  },

  async ring() {
    const rings = () =>
      rangesOf("memfd:vring (").filter(({ permissions }) => permissions === "rw-s").length;
    const before = rings();
    const make = () => void new MirrorRing(page).write(new Uint8Array(9));
    for (let i = 0; i < 100; i++) make();
    const made = rings() > before;
    return [made, await collect(() => rings() === before)];
  },

  async leapfrog() {
    const rings = () => {
      const fd = memfd("probe"); // the lowest number that is free
      close(fd);
      return fd;
    };
    const before = rings();
    const make = () => void new LeapfrogRing(page).write(new Uint8Array(9));
    for (let i = 0; i < 20; i++) make();
    const made = rings() > before;
    return [made, await collect(() => rings() === before)];
  },

  /** A buffer that was transferred, of a mapping that is forgotten then. */
  async transferred() {
    const moved = (() => {
      const { bytes } = Mapping.anonymous(page, "a test");
      bytes[5] = 55;
      return structuredClone(bytes, { transfer: [bytes.buffer] });
    })();
    const seen = [moved.length, moved[5]];
    const isGone = await collect(() => moved[5] === 0);
    moved[5] = 66;
    return [...seen, isGone, moved[5]];
  },

  /** A mapping that is closed while the runtime writes it to a pipe, which is full. */
  async busy() {
    const fifo = Deno.args[1]!;
    using reader = Deno.openSync(fifo, { read: true, write: true });
    using writer = Deno.openSync(fifo, { write: true });
    const mapping = Mapping.anonymous(2 ** 20, "a test");
    mapping.bytes.fill(7);
    const writing = writer.write(mapping.bytes);
    const all = new Uint8Array(mapping.length);
    let length = reader.readSync(all.subarray(0, 1))!; // so it is under way
    mapping.close();
    while (length < (all.length)) length += (await reader.read(all.subarray(length)))!;
    const zeros = all.indexOf(0);
    return [await writing, zeros > 0, all.subarray(zeros).every((byte) => byte === 0)];
  },

  /** Ranges of a quarter of what can be retired. */
  bounded() {
    const { retiredBytesLimit } = ranges();
    const length = retiredBytesLimit / 4;
    const protection = Protection.none;
    const flags = MapFlag.private | MapFlag.anonymous | MapFlag.noReserve;
    const addresses = Array.from({ length: 6 }, () => map({ length, protection, flags }));
    const before = ranges();
    const counts = addresses.map((address) => {
      retire(address);
      const { retired, retiredBytes } = ranges();
      return [retired - before.retired, (retiredBytes - before.retiredBytes) / length];
    });
    const isTaken = (address: number) =>
      mappedRanges().some(({ start, end }) => start <= address && address < end);
    return [counts, addresses.map(isTaken), before.mapped - ranges().mapped];
  },

  async lock() {
    const [path] = Deno.args.slice(1);
    const options = { write: true, what: "a test" };
    const hold = () => new LockFile(path!, options).tryLock(5, "write");
    const held = hold();
    using looker = new LockFile(path!, options);
    const before = looker.isHeldByOther(5);
    return [held, before, await collect(() => !looker.isHeldByOther(5))];
  },
};

console.log(JSON.stringify(await STORIES[Deno.args[0]!]!()));
