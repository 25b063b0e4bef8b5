/**
 * Chapter 13 for the stage: sleeping without losing a wake-up.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { wait, wake } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import type { Step, Story } from "../stage/story.ts";
import { onPosition, sleeper, waker } from "./bells.ts";
import { explore, Machine, type Party } from "./machine.ts";
import { aDeath } from "./a_death.ts";
import { theBells } from "./the_bells.ts";
import { tracksOf } from "./tracks.ts";

const MS = 1e6;
const SPIN_MS = 20;
const everyone = 2 ** 31 - 1;

/** The story of chapter 13. */
export const story: Story = {
  steps: () => [...sleepOnAWord(), ...theBells(), ...aDeath(), {
    title: "Sleep on the bell",
    text:
      `The library sleeps like this everywhere, and for no longer than 250 ms at a time. A writer
      can be killed between its message and the bell, and no protocol helps against that.

      In the exercise you fix a bell that loses wake-ups. Then give your own ring a bell, and a
      \`receive\` that sleeps.`,
  }],
};

/** Runs parties in this order; a party that cannot run is left out. */
function played(parties: readonly Party[], order: readonly number[]) {
  const machine = new Machine(parties, ["count"]);
  return order.flatMap((index) => machine.canRun(index) ? [machine.step(index)] : []);
}

function sleepOnAWord(): Step[] {
  let count: Word32 | undefined;
  const word = () =>
    count ??= new Word32(Mapping.anonymous(pageSize(), "a count"), { path: "count", offset: 0 });
  let looks = 0;
  let calls = 0;
  const parties = [sleeper("reader", onPosition), waker("writer", onPosition)];
  return [
    {
      title: "Look until it changes",
      text:
        `A ring is empty, and its reader wants the next message. Memory does not call. So the reader
        looks again and again: it spins.

        Here no writer comes, and it spins for ${SPIN_MS} ms.`,
      ask: {
        kind: "number",
        text: "How often does it look? Half or twice as often counts as right.",
        answer: () => looks,
        within: 2,
        right: "The loop looks, and asks the clock, which takes far longer.",
        often: [
          {
            number: SPIN_MS,
            because: "20 looks in 20 ms would be one each millisecond. The loop is much faster, " +
              "even with its clock.",
          },
          { number: 1, because: "The reader looks again and again, as fast as it can." },
        ],
        otherwise: "A look takes some nanoseconds. The loop also asks the clock each time, and " +
          "that takes far longer.",
      },
      run: (scene) => {
        const count = word();
        scene.look(() => {
          const end = performance.now() + SPIN_MS;
          while (count.load() === 0 && performance.now() < end) {
            looks++;
          }
        });
        scene.look(() => looks);
      },
      after: `Nothing is faster if the message arrives within microseconds. If it takes a second, a
        processor is busy for a second. So spin for a moment, and then sleep.`,
    },
    {
      title: "Sleep on a word",
      text:
        `The kernel can put a thread to sleep on a word of memory: a [[futex]]. You pass the value
        that you have seen. The kernel compares, and the thread sleeps only if the word still has it.
        Nothing can happen between the comparison and the sleep.

        The word is 7. We sleep on 6, and then on 7, each for 50 ms at most. A result below 0 is the
        number of an error: 11 is EAGAIN, "look again", and 110 is ETIMEDOUT, "the time is up".`,
      ask: {
        kind: "choice",
        text: "What does the kernel return for the sleep on 6?",
        options: [
          {
            text: "EAGAIN, at once",
            right: true,
            because:
              "The word differs from what we have seen, so we must look again, and not sleep.",
          },
          {
            text: "ETIMEDOUT, after 50 ms",
            because: "The sleep on 7 takes 50 ms, because nobody wakes it. For the 6 the thread " +
              "does not sleep.",
          },
          {
            text: "0, once the word is 6",
            because: "The kernel does not watch the word. It compares once, at the beginning.",
          },
        ],
      },
      run: (scene) => {
        const count = word();
        scene.look(() => {
          count.store(7);
        });
        scene.look(() => wait(count.address, 6, now() + 50 * MS));
        scene.look(() => wait(count.address, 7, now() + 50 * MS));
      },
    },
    {
      title: "Two parties",
      text:
        `So a reader can sleep on the count of messages, and a writer that adds one wakes it. The
        reader loads the count to see whether there is a message, notes it for its sleep, and looks once
        more. Each row of the picture is one operation, and then the word.

        Any order is possible. So the two run on a simulated machine, one operation at a time.`,
      ask: {
        kind: "choice",
        text: "The reader sees 0, and then a message arrives. Does the reader go to sleep?",
        options: [
          {
            text: "No: the word differs",
            right: true,
            because:
              "The reader wants to sleep on 0, and the count is 1. The kernel's comparison " +
              "saves it.",
          },
          {
            text: "Yes, until the next message",
            because:
              "A reader that slept without a value would. But the kernel compares the word " +
              "with 0.",
          },
          {
            text: "Yes, until the writer wakes it",
            because:
              "The writer's wake-up may have come before. But the kernel compares: 1 is not 0.",
          },
        ],
      },
      run: (scene) => {
        scene.show(
          tracksOf(played(parties, [0, 0, 0, 1, 0, 1, 0]), parties, { title: "One order of many" }),
        );
      },
    },
    {
      title: "Every order",
      text:
        `We chose that order. A program can try all orders: it remembers every state, and lets each
        party take its next operation from it. If an order ends with a reader asleep although a message
        is there, a wake-up is lost.`,
      run: (scene) => {
        scene.run("result", () => explore(parties));
      },
      after:
        `None is lost. But the writer does not know whether a reader sleeps. So it calls the kernel
        for each message.`,
    },
    {
      title: "The price of not knowing",
      text: `A thousand messages, and no reader sleeps.`,
      ask: {
        kind: "number",
        text: "How many system calls does the writer make?",
        answer: () => calls,
        right: "One for each message, and none of them was needed.",
        often: [
          { number: 0, because: "The writer cannot know that nobody sleeps. It calls every time." },
          {
            number: 1,
            because: "The writer knows no more after the first call. It calls every time.",
          },
        ],
        otherwise: "One for each message: the writer cannot know that nobody sleeps.",
      },
      run: (scene) => {
        const count = word();
        scene.look(() => {
          for (let i = 0; i < 1000; i++) {
            count.add(1);
            wake(count.address, everyone);
            calls++;
          }
        });
        scene.look(() => calls);
      },
      after: `A system call costs many times as much as a message.`,
    },
  ];
}
