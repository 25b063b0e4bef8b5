/**
 * Chapter 11: the outcome that no order allows, counted on this processor, between two processes.
 *
 * @module
 */

import { sharedMemory } from "../../mod.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";
import {
  type Counts,
  countSeen,
  exchangeAndLook,
  hasEnded,
  HEAD_BYTES,
  isReady,
  type Kind,
  play,
  sayReady,
  storeAndLook,
} from "./rounds.ts";
import { tracksOf } from "./tracks.ts";
import { type Found, type OrderedMemory, type Parties, tryOrders } from "./weak.ts";

const ROUNDS = 300_000;
/** A busy machine plays fewer rounds. */
const LIMIT_MS = 1200;

function memoryFor(name: string, kind: Kind) {
  return sharedMemory(`${name}-${kind}`, { size: HEAD_BYTES + 2 * ROUNDS });
}

/** The names of the other processes. */
export const ACTORS: Readonly<Record<Kind, string>> = { store: "other", exchange: "another" };

/** The other process of a count. */
export function otherSide(kind: Kind): (name: string) => void {
  return (name) => {
    using memory = memoryFor(name, kind).open();
    sayReady(memory.bytes);
    play("other", kind, memory.bytes, { rounds: ROUNDS, limitMs: LIMIT_MS });
  };
}

/** Plays all rounds with another process, and shows what the two have seen. */
async function count(scene: Scene, kind: Kind): Promise<Counts> {
  using memory = memoryFor(scene.name, kind).open();
  scene.start(ACTORS[kind]);
  await scene.until(() => isReady(memory.bytes));
  scene.code(kind === "store" ? storeAndLook : exchangeAndLook);
  play("one", kind, memory.bytes, { rounds: ROUNDS, limitMs: LIMIT_MS });
  await scene.until(() => hasEnded(memory.bytes));
  const counts = countSeen(memory.bytes, ROUNDS);
  const how = kind === "store" ? "a plain store" : "an exchange";
  scene.show(tablePicture("counts", `${counts.played} rounds with ${how}`, [
    ["this process saw", "the other saw", "rounds"],
    ["the new value", "the new value", counts.both],
    ["the new value", "the old value", counts.onlyOne],
    ["the old value", "the new value", counts.onlyOther],
    ["the old value", "the old value", counts.neither],
  ]));
  return counts;
}

function one({ x, y }: OrderedMemory): number {
  x.storePlainly(1);
  return y.glance();
}

function other({ x, y }: OrderedMemory): number {
  y.storePlainly(1);
  return x.glance();
}

export function oneExchanges({ x, y }: OrderedMemory): number {
  x.exchange(1);
  return y.glance();
}

export function otherExchanges({ x, y }: OrderedMemory): number {
  y.exchange(1);
  return x.glance();
}

/** Tries every order of two sides, each of which stores and looks. */
export function allOrders(one: Parties[string], other: Parties[string]): Found {
  return tryOrders({
    parties: { one, other },
    check: ({ one, other }) => one === 0 && other === 0 ? "neither saw the other" : undefined,
    reorderings: 2,
    shown: ["x", "y"],
  });
}

function rounds(number: number): string {
  return number === 1 ? "1 round" : `${number} rounds`;
}

/** The steps with the counts. */
export function counting(): Step[] {
  let plain: Counts | undefined;
  let exchanged: Counts | undefined;
  return [
    {
      title: "Two words, two processes",
      text: `Two words of shared memory, \`x\` and \`y\`. Two processes, one on each. In each round,
        both do this at the same time: store the number of the round in your own word, then look at
        the other's word.

        One stores x and looks at y. The other stores y and looks at x. We play ${
        ROUNDS.toLocaleString("en")
      } rounds, or as many as fit into a second. On a busy machine these are few.`,
      ask: {
        kind: "choice",
        text: "Can both see the old value in one round?",
        options: [
          {
            text: "Yes",
            right: true,
            because: "The last row counts those rounds. If it shows 0, this machine did not show " +
              "it now: it may be busy, or have one processor.",
          },
          {
            text: "No: the last of the four steps is a look",
            because:
              "In every order of the four steps, that look would see the store. But a processor " +
              "does not keep to any order of the four: see the last row.",
          },
          {
            text: "No: memory has only one value",
            because:
              "Memory has one value, but a store does not reach it at once. Until it does, " +
              "only its own processor knows of it.",
          },
        ],
      },
      run: async (scene) => {
        plain = await count(scene, "store");
      },
      after: () =>
        plain!.neither === 0
          ? `This machine did not show it now. That proves nothing: a count can show that something
            happens, and never that it cannot.`
          : `In ${
            rounds(plain!.neither)
          } the four steps had no order at all. Nothing is broken: each
            processor is allowed to do this.`,
    },
    {
      title: "The store waits",
      text:
        `A store goes into a buffer of its own processor first. The word is with the other processor,
        and takes time to come. Meanwhile the processor does the next line: the look.

        To watch that, we need a machine that we can stop between any two operations. The library's
        explorer simulates one. It tries every order of both sides' operations, and a plain store may
        become visible late. \`storePlainly\` is such a store, and \`glance\` a plain load.`,
      run: (scene) => {
        scene.code(one);
        scene.code(other);
        scene.run("result", () => allOrders(one, other));
      },
      after: "It finds a run in which neither sees the other.",
    },
    {
      title: "Late",
      text:
        `Here is that run. Each row is one operation. The columns at the right show what everybody
        can see after it.`,
      ask: {
        kind: "choice",
        text: "When must the store of x become visible, so that neither sees the other?",
        options: [
          {
            text: "After the other's look at x",
            right: true,
            because: "Until then it is known to its own processor alone.",
          },
          {
            text: "Never",
            because: "Every store becomes visible some day. It is enough that this one comes late.",
          },
          {
            text: "Before its own look at y",
            because: "If each store were visible before the look of its own side, the last look " +
              "would see one.",
          },
        ],
      },
      run: (scene) => {
        scene.show(tracksOf(allOrders(one, other), "Both look before both stores are visible"));
      },
    },
    {
      title: "Store and read at once",
      text:
        `An exchange stores a value and returns the one before: a read-modify-write. It must read the
        word, so it waits until the word has come, and its value is visible before the look begins.

        We play the same rounds with an exchange on both sides.`,
      ask: {
        kind: "number",
        text: "In how many rounds do both see the old value?",
        unit: "rounds",
        answer: () => exchanged!.neither,
        right: "None. A read-modify-write is in order with all that follows.",
        often: [
          { number: 1, because: "Even 1 is too many: the exchange is visible before the look." },
        ],
        otherwise: "The exchange is visible before the look begins. So the last look sees it.",
      },
      run: async (scene) => {
        exchanged = await count(scene, "exchange");
      },
    },
    {
      title: "Is one exchange enough?",
      text: `An exchange takes longer than a store. So we try it on one side only, and let the other
        side store plainly.`,
      ask: {
        kind: "choice",
        text: "Can both still see the old value?",
        options: [
          {
            text: "Yes",
            right: true,
            because: "The side with the plain store looks while its store waits. Both sides of " +
              "such a pair must keep their order.",
          },
          {
            text: "No: the exchange sees the other's store",
            because: "The exchange cannot see the other's store, which is not visible yet.",
          },
          {
            text: "Only the side with the exchange",
            because: "The other side can see it too: it looked first of all, before the exchange.",
          },
        ],
      },
      run: (scene) => {
        const result = scene.run("result", () => allOrders(oneExchanges, other));
        scene.show(tracksOf(result, "One exchange, and one plain store"));
        scene.run("both", () => allOrders(oneExchanges, otherExchanges));
      },
      after:
        `Exchanges on both sides leave no such run. Chapter 13 needs that: a sleeper raises a flag and
        looks for a message, while a sender stores a message and looks for the flag.`,
    },
  ];
}
