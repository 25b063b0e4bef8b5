/**
 * Chapter 13: a flag without a second look, a flag, and the bell of the library.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { wait } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import type { Scene, Step } from "../stage/story.ts";
import { type Bell, flag, sequence, sleeper, unlooked, waker } from "./bells.ts";
import { explore, Machine, type Party, putWords, words } from "./machine.ts";
import { deathsIn, sleepersAt, tracksOf } from "./tracks.ts";

const MS = 1e6;

/** Shows the code of a way to sleep and to wake. */
export function showBell(scene: Scene, { sleep, ring }: Bell): void {
  scene.code(sleep);
  scene.code(ring);
}

/** Shows the shortest order in which a wake-up is lost, and leaves the words as they are then. */
export function showLoss(scene: Scene, parties: readonly Party[]): void {
  const { states, lost } = explore(parties);
  if (lost === undefined) throw new Error(`None of ${states} states loses a wake-up`);
  const end = sleepersAt(lost, parties);
  const title = "The shortest of all orders that lose";
  scene.show(tracksOf(lost, parties, { title, end, deaths: deathsIn(lost, parties) }));
  putWords(lost.at(-1)!.state);
}

/** The steps from a flag to the bell. */
export function theBells(): Step[] {
  return [...aFlag(), ...aNumber(), ...shipped()];
}

function aFlag(): Step[] {
  const two = [sleeper("reader", unlooked), waker("writer", unlooked)];
  const three = [sleeper("reader 0", flag), sleeper("reader 1", flag), waker("writer", flag)];
  return [
    {
      title: "A flag for the sleeper",
      text:
        `A second word, the bell, is a flag. A reader that is about to sleep raises it, and sleeps on
        it. The writer lowers it, and calls the kernel only if it was up. Our first try:

        sleep: \`bell.store(1); bell.sleepWhile(1);\`

        ring: \`if (bell.exchange(0) === 1) bell.wakeAll();\``,
      ask: {
        kind: "choice",
        text: "When does the reader sleep although there is a message?",
        options: [
          {
            text: "If the message comes after its look and before its flag",
            right: true,
            because:
              "The writer sees no flag and wakes nobody. Then the reader raises it, and sleeps.",
          },
          {
            text: "If the message comes after its flag and before its sleep",
            because:
              "A writer that comes then lowers the flag, and the kernel sees 0 in place of " +
              "1: no sleep.",
          },
          {
            text: "Never: it raises the flag before it sleeps",
            because: "The flag comes before the sleep, but after the look. A message may come " +
              "between these two.",
          },
        ],
      },
      run: (scene) => showLoss(scene, two),
      after: `You can play this yourself: [[play broken-unlooked|can you lose a wake-up?]]`,
    },
    {
      title: "Does it ever wake up?",
      text:
        `We bring two real words to the values of the last row. We sleep on the bell as the reader did, for
        100 ms at most.`,
      run: (scene) => {
        scene.look(() => words.count.load());
        scene.look(() => wait(words.bell.address, 1, now() + 100 * MS));
      },
      after: `That was real sleep. Without the limit it would last for ever.`,
    },
    {
      title: "Raise, look again, sleep",
      text:
        `So the reader raises the flag, looks again, and only then sleeps. In any order, at least one
        of the two sees the store of the other.`,
      run: (scene) => {
        showBell(scene, flag);
        const parties = [sleeper("reader", flag), waker("writer", flag)];
        scene.run("result", () => explore(parties));
      },
      after: `No wake-up is lost. With one reader this is right.`,
    },
    {
      title: "Two sleepers",
      text: `Then a second reader waits for the same word.`,
      ask: {
        kind: "choice",
        text: "Whose fault is it if a reader sleeps for ever now?",
        options: [
          {
            text: "The other reader's: it raises the flag again",
            right: true,
            because: "Reader 0 goes to sleep on a flag of 1. But that 1 is no longer its own.",
          },
          {
            text: "The writer's: it wakes only one of the two",
            because: "The writer wakes all that sleep. But one of them does not sleep yet.",
          },
          {
            text: "Nobody's: the flag works for any number",
            because: "The flag cannot say whose 1 it is: a 1 looks like any other 1.",
          },
        ],
      },
      run: (scene) => showLoss(scene, three),
      after: `Tests do not find this: it takes a window of some nanoseconds, twice.`,
    },
  ];
}

function aNumber(): Step[] {
  const two = [
    sleeper("reader 0", sequence),
    sleeper("reader 1", sequence),
    waker("writer", sequence),
  ];
  const more = [
    ...two.slice(0, 2),
    sleeper("reader 2", sequence, 2),
    waker("writer", sequence, { publishes: 2 }),
  ];
  return [
    {
      title: "A bell that knows how often it rang",
      text:
        `A 1 looks like any other 1. So the word gets a number that is never used twice: how often the
        bell was rung. The lowest bit says that a reader waits; the rest is the number.

        A reader sets the bit, and sleeps on the value that it made. \`addAndWake\` adds 1: the bit becomes
        0, and the number one more. In the same system call it wakes all.`,
      run: (scene) => showBell(scene, sequence),
    },
    {
      title: "The same order",
      text: `We take the order in which the flag lost a wake-up.`,
      ask: {
        kind: "choice",
        text: "What does the kernel return to reader 0 now?",
        options: [
          {
            text: "EAGAIN: the bell differs",
            right: true,
            because: "Reader 1 has raised the bell again, but it rang in between: 3 is not 1.",
          },
          {
            text: "Nothing: it sleeps, as before",
            because: "Reader 0 sleeps only while the bell is 1. The bell has rung since, and is 3.",
          },
          {
            text: "0: the writer wakes it",
            because: "The writer was done before reader 0 came to its sleep.",
          },
        ],
      },
      run: (scene) => {
        const machine = new Machine(two);
        const order = [0, 0, 0, 1, 2, 2, 2, 1, 1, 1, 0, 0, 0];
        const events = order.flatMap((i) => machine.canRun(i) ? [machine.step(i)] : []);
        scene.show(
          tracksOf(events, two, {
            title: "The order that failed before",
            deaths: deathsIn(events, two),
          }),
        );
      },
    },
    {
      title: "Every order, with more readers",
      text: `Two readers and one message, then three readers and two messages.`,
      run: (scene) => {
        scene.run("result", () => explore(two));
        scene.run("more", () => explore(more));
      },
      after: `No wake-up is lost in any of them. The same is tried on the shipped code:
        [[play doorbell-2-1|be its scheduler]].`,
    },
  ];
}

/** The library's bell. */
function shipped(): Step[] {
  let made: { count: Word32; bell: Doorbell } | undefined;
  const both = () => {
    if (made !== undefined) return made;
    const mapping = Mapping.anonymous(pageSize(), "a count and a bell");
    const count = new Word32(mapping, { path: "count", offset: 0 });
    return made = { count, bell: new Doorbell(mapping, { path: "bell", offset: 64 }) };
  };
  let raised = 0;
  return [
    {
      title: "The bell in the library",
      text: `\`src/wait/doorbell.ts\` does just that. A writer calls \`ring\` after each message. A
        thousand messages, and no reader sleeps. The bell was 0.`,
      ask: {
        kind: "number",
        text: "Which value does the bell have afterwards?",
        answer: () => both().bell.word.load(),
        right: "The bell never rang: nobody waits, so there is no system call. A load told it " +
          "so.",
        often: [
          { number: 1000, because: "The bell rings only for a reader that waits, and none does." },
          { number: 2000, because: "Each ring adds 2, but only if a reader waits. None does." },
        ],
        otherwise: "Nobody waits, so the bell never rings, and keeps its value.",
      },
      run: (scene) => {
        const { count, bell } = both();
        scene.look(() => {
          for (let i = 0; i < 1000; i++) {
            count.add(1);
            bell.ring();
          }
        });
        scene.run("after", () => bell.word.load());
      },
    },
    {
      title: "The order in which the flag failed",
      text: `Reader 0 raises the bell. A message rings it, and another reader raises it again.
        Then reader 0 sleeps on its value, for a minute at most.`,
      run: (scene) => {
        const { count, bell } = both();
        raised = scene.run("raised", () => bell.raise());
        scene.look(() => {
          count.add(1);
          bell.ring();
        });
        scene.run("other", () => bell.raise());
        scene.look(() => wait(bell.word.address, raised, now() + 60_000 * MS));
      },
      after: `It does not sleep. The bell differs from its value, so it looks again.`,
    },
  ];
}
