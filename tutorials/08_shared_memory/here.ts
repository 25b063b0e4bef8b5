/**
 * Chapter 8: the memory of a telling, and pictures of it.
 *
 * @module
 */

import type { SharedMemory, View } from "../../mod.ts";
import { list, statPath } from "../../src/os/files.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene } from "../stage/story.ts";
import type { Purses } from "./purses.ts";

/** The memory as this process has it. */
export class Here {
  name = "";
  #memory: SharedMemory | undefined;
  #purses: View<typeof Purses> | undefined;

  /** Takes the memory that was opened. */
  open(memory: SharedMemory, purses: View<typeof Purses>): void {
    this.name = memory.name;
    this.#memory = memory;
    this.#purses = purses;
  }

  get memory(): SharedMemory {
    return this.#memory!;
  }

  get purses(): View<typeof Purses> {
    return this.#purses!;
  }
}

/** Keeps a process alive until it is killed. */
export function forEver(): Promise<void> {
  return new Promise(() => setInterval(() => {}, 60_000));
}

/** Shows the files in /dev/shm that belong to this telling. */
export function showFiles(scene: Scene): void {
  const names = list("/dev/shm");
  const own = typeof names === "number" ? [] : names.filter((each) => each.includes(scene.name));
  const rows = own.sort().map((name) => {
    const status = statPath(`/dev/shm/${name}`);
    return [`/dev/shm/${name}`, typeof status === "number" ? "gone" : `${status.size} bytes`];
  });
  const all = rows.length === 0 ? [["no file of ours", ""]] : rows;
  scene.show(tablePicture("files", "Our files", [["file", "length"], ...all]));
}

/** Shows both purses. */
export function showPurses(scene: Scene, { purses }: Here): void {
  const rows = [["Ann", purses.ann], ["Ben", purses.ben]];
  scene.show(tablePicture("purses", "The purses in shared memory", [["purse", "coins"], ...rows]));
}
