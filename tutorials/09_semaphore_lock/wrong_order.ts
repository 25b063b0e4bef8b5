/**
 * Chapter 9: the operations of the lock by hand, and a release in the wrong order.
 *
 * @module
 */

import { closeLockFile, Lock, openLockFile, setLock, testLock } from "../../src/os/locks.ts";
import { closeSemaphore, openSemaphore, post, tryWait } from "../../src/os/semaphore.ts";
import type { Step } from "../stage/story.ts";
import type { Here } from "./story.ts";

/** The byte of the record lock, as in src/shared/semaphore_lock.ts and src/region/liveness.ts. */
const OWNER = 2 ** 52 + 2 ** 22;

/** Whether a living process holds the record lock of a lock. */
export function isOwned(name: string): boolean {
  const fd = openLockFile(`/dev/shm/sem.${name}`, true);
  const held = fd >= 0 && testLock(fd, Lock.write, OWNER) !== Lock.none;
  closeLockFile(fd);
  return held;
}

/** The steps about the order of the last two operations. */
export function wrongOrder(here: Here): Step[] {
  let semaphore = 0;
  let [a, b] = [-1, -1];

  return [
    {
      title: "The wrong order",
      text: `Operation 5 sets the number to 1, and 6 drops the record lock. What if we swapped them?

        A and B are two users of the lock, and A is inside. It drops the record lock, the lock on the
        byte \`OWNER\`. Before it sets the number to 1, B comes. \`tryWait\` takes the number if it is 1, and
        \`post\` gives it back: so POSIX calls them.`,
      ask: {
        kind: "choice",
        text: "What must B believe?",
        options: [
          {
            text: "That A died",
            right: true,
            because:
              "The record lock is free and the number is 0: just what a dead owner leaves. " +
              "But A is alive.",
          },
          {
            text: "That the lock is free",
            because: "The number is still 0. A free lock has a 1.",
          },
          {
            text: "That A is still inside",
            because: "The record lock is free, and that says that no living owner is inside.",
          },
        ],
      },
      run: (scene) => {
        const path = `/dev/shm/sem.${here.name}`;
        semaphore = openSemaphore(here.name, 0o600);
        [a, b] = [openLockFile(path, true), openLockFile(path, true)];
        setLock(a, Lock.write, OWNER);
        tryWait(semaphore);
        scene.look(() => setLock(a, Lock.none, OWNER));
        scene.look(() => setLock(b, Lock.write, OWNER));
        scene.look(() => tryWait(semaphore));
        here.showState(scene);
      },
      after: `B inherits, and repairs what is whole. It becomes worse.`,
    },
    {
      title: "Two inside",
      text:
        `B is inside now. Then A makes its second operation, the \`post\`. And a program in C comes,
        which knows only the number: it calls \`tryWait\`.`,
      ask: {
        kind: "choice",
        text: "What does the program in C get?",
        options: [
          {
            text: "The lock, while B has it",
            right: true,
            because:
              "A's late post set the number to 1, so the program takes it. Now two are inside.",
          },
          {
            text: "EAGAIN, because B has the lock",
            because:
              "The number was 0 while A was inside. A's late `post` has made it 1, although " +
              "B has the lock.",
          },
          {
            text: "EAGAIN, because B holds the record lock",
            because: "A program in C does not know of the record lock. It sees a 1.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => post(semaphore));
        scene.look(() => tryWait(semaphore));
        here.showState(scene);
        post(semaphore);

        for (const fd of [a, b]) closeLockFile(fd);
        closeSemaphore(semaphore);
      },
      after:
        `So the record lock is taken first and dropped last: only a process that holds it may change
        the number.`,
    },
  ];
}
