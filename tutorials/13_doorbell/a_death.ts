/**
 * Chapter 13: a writer that is killed between taking the bell and waking.
 *
 * @module
 */

import type { Step } from "../stage/story.ts";
import { type Bell, inTwoSteps, sequence, sleeper, waker } from "./bells.ts";
import { explore, type Party } from "./machine.ts";
import { showBell, showLoss } from "./the_bells.ts";

/** A reader, a writer that may be killed, and one that comes after it. */
function withHeir(bell: Bell): Party[] {
  return [
    sleeper("reader", bell),
    waker("writer", bell, { mayDie: true }),
    waker("heir", bell, { after: "writer" }),
  ];
}

/** The steps about a death. */
export function aDeath(): Step[] {
  return [
    {
      title: "A bell in two steps",
      text:
        `The bell again, but without the kernel's operation for it. The writer first adds 1, and then
        wakes all.`,
      run: (scene) => {
        showBell(scene, inTwoSteps);
        const both = [sleeper("reader", inTwoSteps), waker("writer", inTwoSteps)];
        scene.run("result", () => explore(both));
      },
      after: `Nothing is lost. Is the extra step only slow?`,
    },
    {
      title: "Killed in between",
      text: `Now the writer may be killed at any moment. Then another writer takes over: the heir
        publishes, and rings too.`,
      ask: {
        kind: "choice",
        text: "Where must the writer die, so that the reader never wakes up?",
        options: [
          {
            text: "After it has changed the bell, before it wakes",
            right: true,
            because:
              "The bell is down, and the reader sleeps. To every later writer, nobody waits.",
          },
          {
            text: "After its message, before the bell",
            because: "Before the bell is changed, it is still up, and the heir rings it.",
          },
          {
            text: "Nowhere: the heir rings too",
            because:
              "The heir rings only if the bell is up. The dead writer may have taken it down.",
          },
        ],
      },
      run: (scene) => showLoss(scene, withHeir(inTwoSteps)),
      after:
        `You can kill it yourself: [[play broken-clear-then-wake|strand a sleeper with one kill]].`,
    },
    {
      title: "In one operation",
      text:
        `The kernel can add and wake in one system call, FUTEX_WAKE_OP. If the writer dies before it,
        the bell is still up, and the next writer rings it. If it dies after it, all readers are awake.`,
      run: (scene) => {
        showBell(scene, sequence);
        const parties = withHeir(sequence);
        scene.run("result", () => explore(parties));
      },
    },
  ];
}
