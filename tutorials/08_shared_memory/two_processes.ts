/**
 * Chapter 8 in two terminals: two processes count together, and then the reader kills one of them.
 *
 * @module
 */

import {
  array,
  lock,
  type Permit,
  type SemaphoreLock,
  type SharedMemory,
  sharedMemory,
  struct,
  type View,
} from "../../mod.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";
import { showFiles } from "./here.ts";
import { Purses } from "./purses.ts";

const COUNT_MS = 200;
const COUNT_LOCKED = 2000;

/** Where the two processes meet: each place counts the arrivals. */
const MEETINGS = ["start", "count", "counted", "countLocked", "countedLocked", "locked"] as const;
type Meeting = (typeof MEETINGS)[number];

/** What the two share. */
const Shared = struct("two_processes", {
  meetings: { type: array("i32", MEETINGS.length), doc: "how many have arrived at each" },
  steps: { type: array("f64", 2), doc: "how often each of the two has counted" },
  counter: { type: "f64", doc: "the counter that both increase without a lock" },
  guarded: { type: "f64", doc: "the counter that both increase under the lock" },
  pid: { type: "u32", doc: "the process that has the lock" },
  purses: Purses,
});

/** One of the two processes. */
class Party {
  memory!: SharedMemory;
  mine!: SemaphoreLock;
  shared!: View<typeof Shared>;
  /** 0 for the process that started first, 1 for the other. */
  place = 0;

  /** Arrives at a meeting, and waits for so many. */
  async meet(scene: Scene, meeting: Meeting): Promise<void> {
    this.arrive(meeting);
    await this.until(scene, meeting);
  }

  arrive(meeting: Meeting): number {
    return Atomics.add(this.shared.meetings, MEETINGS.indexOf(meeting), 1);
  }

  /** Waits until so many have arrived; throws if the other one is gone, unless this one is early. */
  async until(scene: Scene, meeting: Meeting, count = 2): Promise<void> {
    const { memory, shared } = this;
    const index = MEETINGS.indexOf(meeting);
    await scene.until(() => {
      const isThere = Atomics.load(shared.meetings, index) >= count;
      if (!isThere && meeting !== "start" && memory.references < 2) {
        throw new Error("the other process is gone; start both again");
      }
      return isThere;
    });
  }
}

/** The process that the reader kills. */
export function firstProcess(): Step[] {
  const party = new Party();
  let permit: Permit;
  return [...counting(party, "second"), {
    title: "Be killed",
    text: `This process acquires the lock, and takes 30 coins from Ann.`,
    run: (scene) => {
      const { purses } = party.shared;
      const { mine } = party;
      scene.look(() => {
        purses.ann = 100;
        purses.ben = 100;
      });
      permit = scene.run("permit", () => mine.lockSync());
      scene.look(() => {
        purses.ann -= 30;
      });
      party.shared.pid = Deno.pid;
      party.arrive("locked");
    },
    after: () =>
      `It holds the lock, and 30 coins that are in nobody's purse. Go on in the other terminal until
      it waits for the lock. Then kill this process from a third terminal, and watch the other one:

      \`kill -9 ${Deno.pid}\`

      Or take the next step here, and let it survive.`,
  }, {
    title: "Survive",
    text: `This process puts the coins into Ben's purse, and releases the lock.`,
    run: (scene) => {
      const { purses } = party.shared;
      scene.look(() => {
        purses.ben += 30;
        permit.release();
      });
    },
    after: `That was the peaceful end: the second process acquires the lock, and has nothing to
      repair.`,
  }];
}

/** The process that finds the half-done work. */
export function secondProcess(): Step[] {
  const party = new Party();
  let permit: Permit;
  return [...counting(party, "first"), {
    title: "Inherit",
    text: `The first process acquires the lock, and stops half-way through a move of coins. Only the
      kernel knows whether it is still alive. This process waits for the lock, however long it takes.`,
    run: async (scene) => {
      const { mine } = party;
      await party.until(scene, "locked", 1);
      permit = scene.run("permit", () => mine.lockSync());
    },
    after: () =>
      permit.recovered
        ? `The owner is dead. We got the lock while the semaphore was still 0, so \`recovered\` is
          true. The half-done move is ours to finish.`
        : `The owner released the lock in order, so nothing needs repair.`,
  }, {
    title: "Repair, and remove",
    text: `200 coins belong in the two purses.`,
    run: async (scene) => {
      const { memory, shared: { purses } } = party;
      // The kernel takes the locks of a dead process one by one.
      if (permit.recovered) await scene.until(() => memory.references === 1);
      scene.look(() => memory.references);
      scene.look(() => purses.ann + purses.ben);
      if (permit.recovered) {
        scene.look(() => {
          purses.ben = 200 - purses.ann;
        });
      }
      scene.look(() => {
        permit.release();
      });
      scene.look(() => lock(memory.name).unlink());
      scene.look(() => {
        memory.close();
      });
      showFiles(scene);
    },
  }];
}

/** What both begin with. */
function counting(party: Party, other: string): Step[] {
  const sum = (counter: number) => {
    const { steps } = party.shared;
    const [mine, others] = [steps[party.place]!, steps[1 - party.place]!];
    return { lost: mine + others - counter, rows: rowsOf(mine, others, counter) };
  };
  return [{
    title: "Meet",
    text:
      `This process opens its memory and its lock by name, and waits for the other one. Start that
      in another terminal:

      \`deno task learn --term 8/${other}\``,
    run: async (scene) => {
      const { name } = scene;
      const memory = scene.run("memory", () => sharedMemory(name, { size: Shared.size }).open());
      party.memory = memory;
      party.mine = scene.run("mine", () => lock(name).open());
      party.shared = memory.view(Shared);
      party.place = party.arrive("start");
      if (party.place > 1) {
        throw new Error("two have been here before, and one of them still runs; start both again");
      }
      await party.until(scene, "start");
      scene.look(() => memory.references);
    },
    after: `Both are here, with the same memory and the same lock.`,
  }, {
    title: "Count, both at once",
    text:
      `Both processes add 1 to the same counter, as often as they can in ${COUNT_MS} ms. Each counts
      its own additions. Go on in both terminals: each waits for the other.`,
    run: async (scene) => {
      const { shared, place } = party;
      await party.meet(scene, "count");
      let steps = 0;
      const end = performance.now() + COUNT_MS;
      scene.look(() => {
        while (performance.now() < end) {
          shared.counter++;
          steps++;
        }
      });
      shared.steps[place] = steps;
      await party.meet(scene, "counted");
      scene.show(tablePicture("counts", "Additions", sum(shared.counter).rows));
    },
    after: () =>
      sum(party.shared.counter).lost > 0
        ? "`counter++` is read, add, write. An addition that the other one made in between is gone."
        : "Nothing was lost this time: the two shared one processor and took turns. Start again.",
  }, {
    title: "Count, one after the other",
    text: `Now each addition happens under the lock, ${COUNT_LOCKED} by each process.`,
    run: async (scene) => {
      const { shared, mine, place } = party;
      await party.meet(scene, "countLocked");
      const steps = COUNT_LOCKED;
      scene.look(() => {
        for (let i = 0; i < steps; i++) {
          using _permit = mine.lockSync();
          shared.guarded++;
        }
      });
      shared.steps[place] = steps;
      await party.meet(scene, "countedLocked");
      scene.show(tablePicture("counts", "Additions", sum(shared.guarded).rows));
    },
    after: `Slower, and right.`,
  }];
}

function rowsOf(mine: number, others: number, counter: number): (readonly (string | number)[])[] {
  return [
    ["", "additions"],
    ["counted by this process", mine],
    ["counted by the other", others],
    ["together", mine + others],
    ["the counter", counter],
    ["lost", mine + others - counter],
  ];
}
