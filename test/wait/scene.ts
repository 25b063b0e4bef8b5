/**
 * Something to wait for: bells and counters in shared memory, each on a line of its own.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { close, memfd, Open, open, truncate } from "../../src/os/files.ts";
import { pageSize, wholePages } from "../../src/os/page.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import type { Condition } from "../../src/wait/condition.ts";

const LINE = 64;
const BELL = { path: "bell", offset: 0 };
const LOOP = { path: "loop", offset: 4 };

/** A counter that one waits for, and its bell. */
export interface Place {
  /** Rung when the counter has grown. */
  readonly bell: Doorbell;
  /** The counter. */
  readonly count: Word32;
  /** Waiting until the counter has reached a number. */
  reaches(count: number, more?: Partial<Condition>): Condition;
  /** Counts one up and rings. */
  publish(): void;
}

/** Places in a file that other threads and processes can map too. */
export class Scene implements Disposable {
  /** The memory. */
  readonly mapping: Mapping;
  /** The places. */
  readonly places: readonly Place[];
  readonly #fd: number;

  private constructor(fd: number, places: number) {
    if (fd < 0) throw new Error(`No file: ${fd}`);
    this.#fd = fd;
    const length = Scene.sizeOf(places);
    this.mapping = Mapping.ofFile(fd, { length, what: "a test" });
    this.places = Array.from({ length: places }, (_, i) => makePlace(this.mapping, i));
  }

  /** How many bytes a file needs for this many places. */
  static sizeOf(places: number): number {
    return wholePages(2 * LINE * places, pageSize());
  }

  /** In memory of this process, which other threads reach by the fd. */
  static make(places = 1): Scene {
    const fd = memfd("scene");
    truncate(fd, Scene.sizeOf(places));
    return new Scene(fd, places);
  }

  /** In a file with a name. */
  static at(path: string, places = 1): Scene {
    return new Scene(open(path, Open.write | Open.follow), places);
  }

  /** The first place. */
  get place(): Place {
    return this.places[0]!;
  }

  /** A path that leads every thread of this process to the file. */
  get path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Unmaps and closes. */
  [Symbol.dispose](): void {
    this.mapping.close();
    close(this.#fd);
  }
}

function makePlace(mapping: Mapping, index: number): Place {
  const base = 2 * LINE * index;
  const bell = new Doorbell(mapping, BELL, base, LOOP);
  const count = new Word32(mapping, { path: "count", offset: LINE }, base);
  return {
    bell,
    count,
    reaches: (needed, more = {}) => ({
      bell,
      watch: count,
      ready: () => count.load() >= needed,
      ...more,
    }),
    publish: () => {
      count.add(1);
      bell.ring();
    },
  };
}
