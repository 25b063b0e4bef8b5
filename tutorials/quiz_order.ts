/**
 * The questions of quiz.ts about tutorials 11, 14 and 24.
 *
 * @module
 */

import type { Dice, Question } from "./quiz.ts";

/** An order of two stores and two looks, and whether a processor keeps to it. */
export function askForSeen(dice: Dice): Question {
  const stores = [0, 1].map(() => dice(2) === 0 ? "a plain store" : "an exchange");
  const left = [["x = 1", "look at y"], ["y = 1", "look at x"]];
  const order: string[] = [];
  while (left.some((side) => side.length > 0)) {
    const sides = left.filter((side) => side.length > 0);
    order.push(sides[dice(sides.length)]!.shift()!);
  }
  const seen = (word: string) => order.indexOf(`${word} = 1`) < order.indexOf(`look at ${word}`);
  const mayMiss = stores.includes("a plain store");
  return {
    question: `x and y are 0. One process does x = 1 with ${stores[0]} and looks at y; the other ` +
      `does y = 1 with ${stores[1]} and looks at x. What do they see if the order is: ` +
      `${order.join("; ")}? And can a processor show 0 to both?`,
    answer: `y is ${Number(seen("y"))} and x is ${Number(seen("x"))}; ${
      mayMiss ? "yes: a plain store may be late" : "no: both stores are in order with the look"
    }`,
  };
}

/** A job, and the one of four tools that it needs. */
export function askForTool(dice: Dice): Question {
  const [job, tool, why] = [
    ["stores `head` when its message is written", "a release", "what it wrote is visible before"],
    [
      "sees a new `head`, and then reads the message",
      "an acquire",
      "what it reads is served after",
    ],
    [
      "stores a flag, and then looks at another word",
      "an exchange",
      "a release would let the look pass",
    ],
    [
      "has copied bytes, and looks again whether they were overwritten",
      "a barrier",
      "an acquire would let the look pass the copy",
    ],
  ][dice(4)]!;
  return {
    question:
      `A process ${job}. Which is just enough: a release, an acquire, an exchange, or a barrier and a load?`,
    answer: `${tool}: ${why}`,
  };
}

/** A message and the word that announces it. */
export function askForPair(dice: Dice): Question {
  const isRelease = dice(2) === 0;
  const isAcquire = dice(2) === 0;
  const faults = [
    ...isRelease ? [] : ["the count may be visible before the message"],
    ...isAcquire ? [] : ["the message may be read before the count"],
  ];
  return {
    question: `A writer writes a message and then stores a count with ${
      isRelease ? "`store`" : "`storePlainly`"
    }. A reader looks at the count with ${
      isAcquire ? "`load`" : "`glance`"
    } and then reads the message. What can go wrong on a processor that reorders?`,
    answer: faults.length === 0 ? "nothing" : faults.join("; "),
  };
}

/** How many orders two parties have. */
export function askForOrders(dice: Dice): Question {
  const [a, b] = [1 + dice(4), 2 + dice(4)];
  let orders = 1;
  for (let i = 1; i <= a; i++) orders = orders * (b + i) / i;
  return {
    question:
      `One party does ${a} operations and another one ${b}, each in its own order. In how ` +
      "many orders can they happen?",
    answer: `${orders}: choose which ${a} of ${a + b} places belong to the first party`,
  };
}

/** Which moves are possible in a state, and whether a wake-up is lost there. */
export function askForMoves(dice: Dice): Question {
  const kinds = ["awake", "asleep", "ended", "dead"];
  const is = ["reader", "writer", "other writer"].map((name) => [name, kinds[dice(4)]!] as const);
  const steps = is.flatMap(([name, kind]) => kind === "awake" ? [`step of ${name}`] : []);
  const kills = is.flatMap(([name, kind]) => /awake|asleep/.test(kind) ? [`kill ${name}`] : []);
  const isLost = steps.length === 0 && is.some(([, kind]) => kind === "asleep");
  return {
    question: `A state: ${is.map(([name, kind]) => `${name} ${kind}`).join(", ")}. Each may die, ` +
      "and enough deaths are left. Which moves does a search take, and is a wake-up lost here?",
    answer: `${[...steps, ...kills].join(", ") || "none"}; ${
      isLost ? "lost: it sleeps, and nobody can take a step" : "not lost"
    }`,
  };
}

/** What is left in a ring whose two sides were killed. */
export function askForLeft(dice: Dice): Question {
  const size = 8 * (1 + dice(8));
  const [received, unread] = [1 + dice(50), 1 + dice(9)];
  const used = dice(unread + 1);
  const tail = received * size;
  const head = tail + unread * size;
  return {
    question:
      `Messages have ${size} bytes. The head is ${head}, the tail ${tail}. The producer was ` +
      `killed in the middle of the next copy. The consumer has used ${used} more messages, and was ` +
      "killed before it stored the tail. How many messages does the next consumer receive, and how " +
      "many of them were used before?",
    answer: `${unread}, ${used} of them again; what the producer had begun is free space`,
  };
}
