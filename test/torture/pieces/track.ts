/**
 * One of several alike channels of a run, such as a ring or a topic, and its cells in the ledger.
 *
 * @module
 */

import type { Scene } from "../workload.ts";
import type { Cell } from "../ledger.ts";

/** Something that is missing, came twice, has wrong bytes or is never used again. */
export type Flaw = "lost" | "duplicated" | "corrupt" | "leaked";

/** A channel, known in complaints by a title such as `ring page`. */
export class Track<C extends string> {
  readonly scene: Scene<C>;
  readonly #title: string;
  readonly #index: number;

  constructor(scene: Scene<C>, title: string, index: number) {
    this.scene = scene;
    this.#title = title;
    this.#index = index;
  }

  /** Returns the cell of a name that belongs to this channel. */
  at(name: C): Cell {
    return this.scene.cells[name][this.#index]!;
  }

  count(name: C, amount = 1): void {
    this.scene.count(name, amount);
  }

  complain(text: string): void {
    this.scene.complain(`${this.#title}: ${text}`);
  }

  /** Counts a flaw and reports it. */
  find(flaw: Flaw & C, text: string): void {
    this.count(flaw);
    this.complain(text);
  }
}
