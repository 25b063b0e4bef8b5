/**
 * Chapter 8: a process that is stopped, and then killed, while it holds the lock.
 *
 * @module
 */

import { lock, type Permit, sharedMemory } from "../../mod.ts";
import type { Step } from "../stage/story.ts";
import { forEver, type Here, showPurses } from "./here.ts";
import { Purses } from "./purses.ts";

/** The owner: acquires the lock, takes 30 coins from Ann, and never comes to give them to Ben. */
export function ownTheLock(name: string): Promise<void> {
  const memory = sharedMemory(name, { size: Purses.size }).open();
  const purses = memory.view(Purses);
  const permit = lock(name).open().lockSync();
  purses.ann -= 30;
  return forEver().then(() => permit.release());
}

function errorOf(code: () => unknown): string {
  try {
    code();
  } catch (error) {
    return (error as Error).name;
  }
  return "no error";
}

/** The steps with the owner. */
export function theDeadOwner(here: Here): Step[] {
  let permit: Permit | undefined;
  const door = () => lock(here.name).open();
  return [
    {
      title: "The owner falls silent",
      text:
        `A process moves 30 coins from Ann to Ben. It acquires the lock, and takes the coins from Ann.
        Then it is stopped, as by Ctrl-Z or by a debugger.

        \`waiting\` is our handle on the lock. It waits for 100 ms at most, and \`errorOf\` shows the error
        of a call that fails.`,
      ask: {
        kind: "choice",
        text: "Do we get the lock?",
        options: [
          {
            text: "No, and rightly",
            right: true,
            because:
              "The owner may continue at any moment. A stopped process is alive, and keeps " +
              "its locks.",
          },
          {
            text: "Yes: the owner does not answer",
            because:
              "An owner that does not answer may continue at any moment. A stopped process " +
              "is silent and alive.",
          },
          {
            text: "Yes, after a while",
            because: "No wait is long enough: a stopped process keeps its locks.",
          },
        ],
      },
      run: async (scene) => {
        const { purses } = here;
        purses.ann = 100;
        purses.ben = 100;
        scene.start("owner");
        await scene.until(() => purses.ann === 70);
        scene.signal("owner", "SIGSTOP");
        using waiting = door();
        scene.look(() => errorOf(() => waiting.lockSync({ timeout: 100 })));
        showPurses(scene, here);
      },
    },
    {
      title: "Killed while holding the lock",
      text: `Kill the owner by its card, or answer, and it is killed for you. The number in the
        semaphore is 0 and stays 0. In C, no process would ever get such a lock.`,
      ask: {
        kind: "choice",
        text: "Do we get the lock now?",
        options: [
          {
            text: "Yes, and we learn that its owner died",
            right: true,
            because:
              "The owner also held a record lock, which the kernel has released. So we inherit " +
              "the permit, and \`recovered\` is true.",
          },
          {
            text: "No: the number is 0",
            because: "A number of 0 is the end only in C. The library also takes a record lock, " +
              "which dies with its owner.",
          },
          {
            text: "Yes, as if nothing had happened",
            because: "The purses may be half changed. So the permit says \`recovered\`.",
          },
        ],
      },
      run: async (scene) => {
        scene.signal("owner", "SIGKILL");
        const { memory } = here;
        await scene.until(() => memory.references === 1);
        const mine = door();
        permit = scene.run("permit", () => mine.lockSync());
        showPurses(scene, here);
      },
    },
    {
      title: "The data is yours to repair",
      text: `There were 200 coins. Only you know how to repair what the lock guards.`,
      ask: {
        kind: "choice",
        text: "Now Ann has 70, and Ben has 100. How far had the owner come?",
        options: [
          {
            text: "It took 30 from Ann, and did not give them to Ben",
            right: true,
            because: "30 of 200 coins are missing. So we give them to Ben, and only then release.",
          },
          {
            text: "It was done: the lock was passed on",
            because: "The kernel drops the lock of a dead owner at any point of its work. Of 200 " +
              "coins, 170 are here.",
          },
          {
            text: "It had not begun: the kernel undoes half a move",
            because: "The kernel knows locks and no coins, and undoes nothing. Ann's 30 are gone.",
          },
        ],
      },
      run: (scene) => {
        const { purses } = here;
        scene.look(() => purses.ann + purses.ben);
        scene.look(() => {
          purses.ben = 200 - purses.ann;
          permit!.release();
        });
        showPurses(scene, here);
      },
      after:
        `Here we know the sum. If you cannot know the right state, write down beforehand what you are
        about to do.`,
    },
  ];
}
