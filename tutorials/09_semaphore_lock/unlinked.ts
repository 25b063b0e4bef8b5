/**
 * Chapter 9: a semaphore that somebody unlinks while it has an owner.
 *
 * @module
 */

import { lock } from "../../mod.ts";
import type { Step } from "../stage/story.ts";
import { openBank } from "./owner.ts";
import type { Here } from "./story.ts";

/** How far the slow owner is, or may go, in `bank.at`. */
const At = { acquired: 1, mayGoOn: 2, done: 3 } as const;

/** An owner that reads Ann's purse, is slow, and then takes 30 coins of what it read. */
export async function slow(name: string): Promise<void> {
  const { bank } = openBank(name);
  const permit = lock(name).open().lockSync();
  const seen = bank.ann;
  bank.at = At.acquired;
  while (bank.at !== At.mayGoOn) await new Promise((resolve) => setTimeout(resolve, 1));
  bank.ann = seen - 30;
  permit.release();
  bank.at = At.done;
  await new Promise(() => setInterval(() => {}, 60_000));
}

/** The steps with the slow owner. */
export function unlinked(here: Here): Step[] {
  let left = 0;
  return [
    {
      title: "Somebody tidies up",
      text:
        `A process acquires the lock, reads that Ann has 100 coins, and is slow. Somebody is sure that
        it is dead, and deletes the semaphore. Then we open the lock by its name.`,
      ask: {
        kind: "choice",
        text: "Do we get the lock?",
        options: [
          {
            text: "Yes, and the slow one still has it",
            right: true,
            because:
              "The name was gone, so we made another semaphore. The owner holds the old one, " +
              "which has only lost its name.",
          },
          {
            text: "No: its owner is alive",
            because:
              "The slow process owns the old semaphore. We made another one under the same name.",
          },
          {
            text: "Yes, with `recovered: true`",
            because: "Our semaphore is new. Its number is 1, and it has never had an owner.",
          },
        ],
      },
      run: async (scene) => {
        const { bank, name } = here;
        [bank.ann, bank.ben, bank.at] = [100, 100, 0];
        scene.start("slow");
        await scene.until(() => bank.at === At.acquired);
        scene.look(() => lock(name).unlink());
        using door = lock(name).open();
        const permit = scene.run("permit", () => door.lockSync());
        scene.look(() => {
          bank.ann += 50;
          permit.release();
        });
        here.showState(scene);
      },
      after: `There are two locks now, and two processes were inside at the same time.`,
    },
    {
      title: "It was only slow",
      text: `Ann has 150 coins. The slow process continues, and takes its 30.`,
      ask: {
        kind: "number",
        text: "How many coins does Ann have afterwards?",
        unit: "coins",
        answer: () => left,
        right:
          "The slow process had read 100, and stores 70. Our 50 are lost, although both had a lock.",
        often: [
          {
            number: 120,
            because: "With one lock, yes. But the slow process had read 100 before we added 50.",
          },
          { number: 150, because: "150 is what Ann has before the slow process takes its 30." },
        ],
        otherwise: "The slow process stores what it read, less 30. It had read 100.",
      },
      run: async (scene) => {
        const { bank } = here;
        bank.at = At.mayGoOn;
        await scene.until(() => bank.at === At.done);
        left = scene.run("left", () => bank.ann);
        await here.kill(scene, "slow");
        here.showState(scene);
      },
      after:
        `Dead or only slow? From outside both look the same. The kernel knows, so the library asks it:
        the slow one kept its record lock. Unlink a semaphore when no process uses it, and never to get
        past its owner.`,
    },
  ];
}
