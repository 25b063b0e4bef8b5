/**
 * A program that forgets something, lets the garbage collector run and tells what became of it.
 * Run with `--v8-flags=--expose-gc`.
 *
 * @module
 */

import { LockFile } from "../../src/region/liveness.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { MirrorRing } from "../../src/mirror_ring/mirror_ring.ts";
import { Word32, Word64 } from "../../src/memory/word.ts";
import { map, MapFlag, Protection } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
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

const STORIES: Record<string, () => Promise<unknown>> = {
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
