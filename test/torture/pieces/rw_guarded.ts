/**
 * The words that the lock of the rw_lock workload guards.
 *
 * @module
 */

import { layout } from "../../../src/layout/layout.ts";
import type { Region } from "../../../src/region/region.ts";
import type { RegionType } from "../../../src/region/header.ts";
import { regionPath } from "../../../src/region/names.ts";
import { Word32 } from "../../../src/memory/word.ts";
import type { Scene } from "../workload.ts";
import { openRegion } from "../../region/opening.ts";

const CONTROL = layout("torture_guarded", {
  first: { type: "u32", line: true, doc: "counted by writers, without atomic additions" },
  second: { type: "u32", line: true, doc: "the same, a little later" },
  third: { type: "u32", line: true, doc: "the same, at last" },
});

const GUARDED: RegionType = { name: "torture_guarded", control: CONTROL, mirrored: false };

/** Three words that are the same unless somebody is writing. */
export class Guarded implements Disposable {
  readonly #region: Region;
  readonly #words: readonly Word32[];

  constructor(scene: Pick<Scene, "name">) {
    const path = regionPath(GUARDED.name, scene.name("guarded"));
    this.#region = openRegion(GUARDED, path, { dataBytes: 0 });
    const { mapping, controlOffset } = this.#region;
    const { first, second, third } = CONTROL.fields;
    this.#words = [first, second, third].map((field) => new Word32(mapping, field, controlOffset));
  }

  /** The words, for comparing. */
  get state(): string {
    return this.#words.map((word) => word.load()).join(" ");
  }

  get count(): number {
    return this.#words[0]!.load();
  }

  get isWhole(): boolean {
    const { count } = this;
    return this.#words.every((word) => word.load() === count);
  }

  /** Stores a count everywhere, and does something before the last. */
  store(count: number, pause = () => {}): void {
    const [first, second, third] = this.#words as [Word32, Word32, Word32];
    first.store(count);
    second.store(count);
    pause();
    third.store(count);
  }

  [Symbol.dispose](): void {
    this.#region.close();
  }
}
