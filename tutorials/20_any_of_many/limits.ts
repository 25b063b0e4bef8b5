/**
 * Chapter 20: one word for the events of all slots, bits that choose who wakes up, and their limits.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { wait, wake } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { tablePicture } from "../stage/pictures.ts";
import { describe } from "../stage/source.ts";
import type { Scene, Step } from "../stage/story.ts";
import { Herd, listen, sleepersOn, sleepOn, until } from "./herd.ts";

const MS = 1e6;
const everyone = 2 ** 31 - 1;
const FOUR = [1, 2, 3, 4];

/** The bit of a slot; the kernel takes 32 of them. */
export function bitOf(slot: number): number {
  return (1 << slot - 1) >>> 0;
}

function showTold(scene: Scene, { waiters }: Herd): void {
  const rows = waiters.map(({ slot, wakes, news }) => [slot, wakes, news, wakes - news]);
  const head = ["listens to slot", "woken", "news", "needlessly"];
  scene.show(tablePicture("told", "The listeners, after ten events", [head, ...rows]));
}

/** Two words that are 0. */
function newWords(): [Word32, Word32] {
  const memory = Mapping.anonymous(pageSize(), "a few words");
  return [0, 64].map((offset) => new Word32(memory, { path: "word", offset })) as [Word32, Word32];
}

/** The steps with one word for all. */
export function oneWordForAll(): Step[] {
  let woken = 0;
  return [
    {
      title: "One word for all",
      text:
        `A robot has many sensors. Each writes into a place of its own, a [[slot]], and each program
        waits for some of them. The simplest way is one word that counts all events. Every listener
        sleeps on it, and looks at its slot when it wakes up.

        Here are four listeners, for slots 1 to 4. Each is a thread that really sleeps.`,
      ask: {
        kind: "number",
        text: "Ten events, all in slot 3. How often does a thread wake up?",
        unit: "wake-ups",
        answer: () => woken,
        right:
          "Four for each event, and three of them find nothing. That is a thundering herd: of " +
          "a hundred listeners, 99 would wake up in vain.",
        often: [{
          number: 10,
          because:
            "The kernel does not know of slots. Each event changes the word, and wakes all four.",
        }],
        otherwise: "Each of the ten events wakes all four.",
      },
      run: async (scene) => {
        scene.code(listen);
        const herd = new Herd(FOUR);
        woken = await herd.write(3, 10);
        showTold(scene, herd);
        await herd.dismiss();
      },
    },
    {
      title: "A bit for each",
      text:
        `The kernel can help. A sleeper may pass 32 bits, and so may a waker. The kernel wakes only
        those that share a bit with the waker. So each slot gets a bit.`,
      ask: {
        kind: "number",
        text: "Again ten events in slot 3. How often does a thread wake up?",
        unit: "wake-ups",
        answer: () => woken,
        right: "Only the listener of slot 3, once for each event.",
        often: [{
          number: 40,
          because: "Without bits, each event woke all four. Now only sleepers with the bit of " +
            "slot 3 wake up.",
        }],
        otherwise: "Only one of the sleepers shares its bit with the waker.",
      },
      run: async (scene) => {
        const herd = new Herd(FOUR, bitOf);
        scene.look(() => [bitOf(1), bitOf(2), bitOf(3)]);
        woken = await herd.write(3, 10, bitOf(3));
        showTold(scene, herd);
        await herd.dismiss();
      },
      after: `One word, one call, and no needless wake-up. So why not always?`,
    },
    {
      title: "Slot 33",
      text:
        `A word has 32 bits. So slot 33 shares its bit with slot 1. Here are listeners to slots 1, 2
        and 33, and ten events in slot 1.`,
      ask: {
        kind: "choice",
        text: "Suppose that a writer wakes only one of the sleepers with its bit. What happens?",
        options: [
          {
            text: "It may be the wrong one, and the right one sleeps on",
            right: true,
            because:
              "The kernel wakes whichever slept first. A waker must wake all that share a bit.",
          },
          {
            text: "The kernel wakes the one that has news",
            because: "The kernel knows bits, and no slots. It wakes whichever slept first.",
          },
          {
            text: "A wrong one passes it on",
            because: "The wrong listener finds nothing in its slot, and sleeps again. It cannot " +
              "know which slot has news.",
          },
        ],
      },
      run: async (scene) => {
        const herd = new Herd([1, 2, 33], bitOf);
        await herd.write(1, 10, bitOf(1));
        showTold(scene, herd);
        await herd.dismiss();
      },
      after: `So all with the bit wake up, and the listener of slot 33 does so in vain.`,
    },
    aBusyNeighbour(),
    aDeath(),
  ];
}

function aBusyNeighbour(): Step {
  let slept = 0;
  return {
    title: "A busy neighbour",
    text:
      `The word is still one for all. A listener to slot 3 notes the word, looks at its slot, and
      wants to sleep. Just then there is an event in slot 5. That happens a thousand times.`,
    ask: {
      kind: "number",
      text: "How often does it sleep?",
      unit: "times",
      answer: () => slept,
      right: "The kernel compares the word and not the bits, so it refuses each time.",
      often: [{
        number: 1000,
        because: "The listener passes its bit, but the kernel compares the word first, and that " +
          "has changed.",
      }],
      otherwise: "Each time the word has changed, so the kernel refuses to sleep.",
    },
    run: (scene) => {
      const [events] = newWords();
      const results = new Map<number, number>();
      scene.look(() => {
        for (let i = 0; i < 1000; i++) {
          const seen = events.load();
          events.add(1); // by the writer of slot 5
          const result = wait(events.address, seen, now() + 50 * MS, bitOf(3));
          results.set(result, (results.get(result) ?? 0) + 1);
        }
      });
      scene.show(tablePicture("results", "What the kernel said", [
        ["result", "times"],
        ...Array.from(results, ([result, times]) => [describe(result), times]),
      ]));
      slept = 1000 - results.get(-11)!;
    },
    after: `A busy neighbour keeps it awake, at a system call each time.`,
  };
}

function aDeath(): Step {
  return {
    title: "Two steps, and a death between them",
    text: `A writer does not want to call the kernel while nobody sleeps. So another word holds the
      bits of the sleepers. The writer lowers the bit, and then wakes. Here a thread sleeps for slot
      3. The first writer is killed between the two. Then a second event comes.`,
    ask: {
      kind: "choice",
      text: "Does the second writer wake the listener?",
      options: [
        {
          text: "No: the bit is down, so nobody seems to sleep",
          right: true,
          because: "The listener would sleep for ever. Lowering and waking must be one step.",
        },
        {
          text: "Yes: the word has changed",
          because: "The word has changed, but the kernel compares it only when a thread goes to " +
            "sleep. This listener sleeps already.",
        },
        {
          text: "Yes: it sets the bit again",
          because: "Only a listener sets the bit, before it sleeps. This one is asleep already.",
        },
      ],
    },
    run: async (scene) => {
      const [events, asleep] = newWords();
      asleep.or(bitOf(3));
      const sleeping = sleepOn(events, events.load(), bitOf(3));
      await until(() => sleepersOn(events).length === 1);
      scene.look(() => {
        events.add(1);
        asleep.and(~bitOf(3)); // and here the writer is killed
      });
      scene.look(() => {
        events.add(1);
        if ((asleep.load() & bitOf(3)) !== 0) {
          wake(events.address, everyone, bitOf(3));
        }
      });
      scene.show(tablePicture("asleep", "The threads that sleep", [
        ["thread", "sleeps while the word is", "the word is"],
        ...sleepersOn(events).map(({ thread, value }) => [thread, value, events.load()]),
      ]));
      wake(events.address, everyone);
      await sleeping;
    },
    after:
      `The bell of chapter 13 does both in one call, FUTEX_WAKE_OP. But that call takes no bits:
      a waker lowers and wakes in one step, or it chooses by bits. It cannot do both.`,
  };
}
