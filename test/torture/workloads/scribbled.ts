/**
 * A hostile process that writes anything anywhere at any time into the regions of every product: the
 * random scribbler. It aims at the words that matter, which are those that change while it looks,
 * those that are not zero, and their neighbours; and it writes values that code is fooled by: those
 * at the ends of their types, those of other words, and those next to the present one. Readers and
 * writers run meanwhile. None of them ends by a signal, hangs, or throws an error that is not
 * documented. A ring that each has for itself is not disturbed. At the end every place can be used
 * again once its name is unlinked.
 *
 * @module
 */

import { sleep } from "../../../src/os/clock.ts";
import * as files from "../../../src/os/files.ts";
import { Mapping } from "../../../src/memory/mapping.ts";
import { pageSize } from "../../../src/os/page.ts";
import { NUMBERS, WORDS } from "../../corruption.ts";
import type { Random } from "../../random.ts";
import { CELLS, FACTS, filesOf, type Hostility, suffer } from "../pieces/hostile.ts";
import { unlinkAll, useAfresh, VICTIMS } from "../pieces/hostile.ts";
import { type Actor, defineWorkload, type Workload } from "../workload.ts";

/** A scribbler can write other bytes into a payload, and make a lock look held. */
const SCRIBBLING: Hostility = { kinds: ["any"], isExact: () => false, holdsLocks: true };

const ALL_CELLS = { ...CELLS, scribbled: 1, aimed: 1 };

type Party = Actor<keyof typeof ALL_CELLS>;

/** At most so many bytes at the beginning of a file are looked at: control blocks, rows and entries. */
const LOOKED_AT = 2 ** 16;

/** The memory of a file, as the scribbler sees it. */
class Target implements Disposable {
  readonly view: DataView;
  readonly #words: Uint32Array;
  readonly #mapping: Mapping;

  private constructor(mapping: Mapping) {
    const { buffer } = mapping;
    this.#mapping = mapping;
    this.view = mapping.values;
    this.#words = new Uint32Array(buffer, 0, Math.min(mapping.length, LOOKED_AT) >> 2);
  }

  /** Maps a file; undefined if it is gone. */
  static at(path: string): Target | undefined {
    const fd = files.open(path, files.Open.write);
    if (fd < 0) return undefined;
    try {
      const status = files.stat(fd);
      if (typeof status === "number" || status.size < pageSize()) return undefined;
      return new Target(Mapping.ofFile(fd, { length: status.size, what: path }));
    } finally {
      files.close(fd);
    }
  }

  /** Returns the places of words that matter: those that change in a moment first. */
  async aim(): Promise<{ changing: number[]; used: number[] }> {
    const before = this.#words.slice();
    await sleep(0.3);
    const changing: number[] = [];
    const used: number[] = [];
    for (let i = 0; i < before.length; i++) {
      if (this.#words[i] !== before[i]) changing.push(4 * i);
      else if (before[i] !== 0) used.push(4 * i);
    }
    return { changing, used };
  }

  [Symbol.dispose](): void {
    this.#mapping.close();
  }
}

/** Writes a value that code is fooled by. */
function scribble({ view }: Target, at: number, random: Random, others: readonly number[]): void {
  const present = view.getUint32(at, true);
  const choice = random.next();
  if (choice < 0.25) view.setUint32(at, Number(BigInt(random.pick(WORDS)) & 0xffffffffn), true);
  else if (choice < 0.5) {
    view.setUint32(at, present + random.pick([1, -1, 2, 8, -8, 64, -64]), true);
  } else if (choice < 0.6) view.setUint32(at, present ^ 1 << random.below(32), true);
  else if (choice < 0.75) view.setUint32(at, view.getUint32(random.pick(others), true), true);
  else if (choice < 0.8) view.setUint32(at, random.below(2 ** 32), true);
  else if (choice < 0.9) view.setBigUint64(at & ~7, BigInt(random.pick(WORDS)), true);
  else view.setFloat64(at & ~7, Number(random.pick(NUMBERS)), true);
}

/** Scribbles for a moment into one file. */
async function attack(party: Party, path: string): Promise<void> {
  const { random } = party;
  using target = Target.at(path);
  if (target === undefined) return;
  const { changing, used } = await target.aim();
  const all = [...changing, ...used];
  if (all.length === 0) return;
  for (let left = random.small(80); left > 0; left--) {
    const choice = random.next();
    const isAimed = choice < 0.85;
    const at = choice < 0.5 && changing.length > 0
      ? random.pick(changing)
      : isAimed
      ? random.pick(all)
      : random.below(target.view.byteLength / 4) * 4;
    // A neighbour is often a word of the same party that is still zero.
    const near = random.chance(0.15) ? at + random.pick([4, 8, 64]) : at;
    if (near + 8 > target.view.byteLength) continue;
    scribble(target, near, random, all);
    party.count("scribbled");
    if (isAimed) party.count("aimed");
    if (random.chance(0.2)) await sleep(random.between(0, 1));
  }
}

async function scribbleAround(party: Party): Promise<void> {
  while (!party.over) {
    const found = filesOf(party, "any").filter((path) => path.includes("/vring."));
    if (found.length === 0) await sleep(1);
    else await attack(party, party.random.pick(found));
  }
}

/** The workload, with the part that uses the products. */
export const SCRIBBLED: Workload<keyof typeof ALL_CELLS> = defineWorkload({
  about: "words of every product that a hostile process overwrites",
  cells: ALL_CELLS,
  facts: { ...FACTS, "words scribbled": "scribbled", "of them aimed": "aimed" },
  parts: {
    party: {
      seats: VICTIMS,
      harm: { steps: ["load", "store", "copy", "close"], lifeMs: [200, 5000] },
      run: (actor) => suffer(actor, SCRIBBLING),
    },
    scribbler: { seats: 1, run: scribbleAround },
  },
  begin: (scene) => ({
    alone: () => useAfresh(scene, SCRIBBLING),
    [Symbol.dispose]: () => unlinkAll(scene, SCRIBBLING),
  }),
});

export default SCRIBBLED;
