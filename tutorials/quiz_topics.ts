/**
 * The questions of quiz.ts about tutorials 18 to 20.
 *
 * @module
 */

import type { Dice, Question } from "./quiz.ts";

const WORDS = ["none", "ready", "held"];

/** Which descriptors the words of two readers leave free. */
export function askForFreeOnes(dice: Dice): Question {
  const table = Array.from({ length: 4 }, () => [dice(6), dice(6)].map((n) => n < 3 ? 0 : n - 3));
  const lines = table.map((words, d) =>
    `    place ${d}: ${words.map((word) => WORDS[word]).join(", ")}`
  );
  const those = (has: (words: number[]) => boolean) =>
    table.flatMap((words, d) => has(words) ? [d] : []).join(", ") || "none";
  const free = those((words) => words.every((word) => word === 0));
  const droppable = those((words) => words.includes(1) && !words.includes(2));
  return {
    question: "These are the words of two readers. Which places are free, and which can the " +
      `writer make free without waiting for a reader?\n${lines.join("\n")}`,
    answer: `free: ${free}; by dropping: ${droppable}`,
  };
}

/** Which readers the next writer has to serve. */
export function askForHeir(dice: Dice): Question {
  const last = 10 + dice(90);
  const journal = last + dice(2);
  const words = Array.from({ length: 3 }, () => [dice(3), last + dice(2)] as const)
    .map(([state, number]) => number === last ? [0, last] as const : [state, number] as const);
  const shown = words.map(([state, number]) => `${WORDS[state]} ${number}`).join(", ");
  const given = words.flatMap(([, number], k) => number === journal ? [] : [k]);
  return {
    question:
      `A writer is dead. \`sequence\` is ${last}, the journal says ${journal}, and in the ` +
      `place that it names the words of three readers are ${
        journal === last ? words.map(() => `none ${last}`).join(", ") : shown
      }. To which of them does the next writer give it?`,
    answer: journal === last
      ? `to none: sample ${last} was finished`
      : given.length === 0
      ? "to none: all have got it, and only `sequence` is missing"
      : `to ${given.join(", ")}: the words of all others have its number`,
  };
}

/** At which of four moments a reader was killed, by what it leaves. */
export function askForMoment(dice: Dice): Question {
  const number = 1 + dice(90);
  const place = dice(3);
  const [word, index, moment] = [
    ["ready", "has", "had not looked yet"],
    ["ready", "does not have", "had taken the index, and did not hold the sample yet"],
    ["held", "does not have", "held the sample"],
    ["none", "does not have", "was releasing the sample"],
  ][dice(4)]!;
  return {
    question:
      `Reader 1 is killed. Its word for place ${place} is \`${word} ${number}\`, and the count of the ` +
      `place is 1. USED 1 ${index} an entry for it. How far had the reader come with sample ${number}, ` +
      "and what does the writer change?",
    answer: `it ${moment}; ${
      word === "none"
        ? "no word: it is none already, and only the count is wrong"
        : `its word, to none, once it has the lock of reader 1`
    }`,
  };
}

/** A subscriber looks at a few numbers; some between them were dropped. */
export function askForLost(dice: Dice): Question {
  const first = 1 + dice(100);
  const gaps = Array.from({ length: 3 }, () => dice(3) === 0 ? 1 + dice(20) : 0);
  const numbers = [first];
  for (const gap of gaps) numbers.push(numbers.at(-1)! + 1 + gap);
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  return {
    question:
      `A subscriber gets the samples ${numbers.join(", ")}. What does each \`lost\` after ` +
      "the first say, and can the policy have been `block`?",
    answer: `${gaps.join(", ")}; ${
      total === 0 ? "yes: nothing is missing" : "no: nothing is lost where the publisher waits"
    }`,
  };
}

/** Publishers that follow each other continue the numbers. */
export function askForNumbers(dice: Dice): Question {
  const [sent, dropped, more] = [2 + dice(50), dice(10), 1 + dice(9)];
  const last = sent + dropped;
  return {
    question: `A publisher sends ${sent} samples, finds no room for ${dropped} more ` +
      `(\`dropNewest\`), and is killed while it fills a loan. The next one sends ${more}. Which ` +
      "numbers do they have?",
    answer: more === 1 ? `${last + 1}` : `${last + 1} to ${last + more}`,
  };
}

/** Which listeners a bit wakes that slots may share. */
export function askForWoken(dice: Dice): Question {
  const event = 1 + dice(64);
  const others = Array.from({ length: 4 }, () => 1 + dice(64));
  const shared = event > 32 ? event - 32 : event + 32;
  const slots = Array.from(new Set([event, shared, ...others].slice(dice(2))))
    .sort((one, other) => one - other);
  const woken = slots.filter((slot) => slot % 32 === event % 32);
  const nothing = woken.filter((slot) => slot !== event);
  return {
    question:
      `Slot n has bit (n - 1) % 32. On one word sleep listeners for the slots ${
        slots.join(", ")
      }, each with the bit of its slot. There is an event in slot ${event}. Which of them ` +
      "wake up, and which needlessly?",
    answer: `woken: ${woken.join(", ") || "nobody"}; needlessly: ${nothing.join(", ") || "nobody"}`,
  };
}

/** Which messages a reader gets that was away for a while. */
export function askForSince(dice: Dice): Question {
  const [depth, seen] = [2 + dice(6), dice(30)];
  const last = seen + dice(2 * depth);
  const first = Math.max(seen, last - depth) + 1;
  return {
    question: `A slot keeps ${depth} messages, and the newest has number ${last}. What does ` +
      `\`since(${seen})\` return, and how many are lost?`,
    answer: last === seen ? "none; 0 lost" : `${first} to ${last}; ${first - 1 - seen} lost`,
  };
}

/** How many system calls a few writers make, when some bells are up. */
export function askForCalls(dice: Dice): Question {
  const raised = Array.from({ length: 4 }, () => dice(2) === 1);
  const messages = Array.from({ length: 6 }, () => dice(4));
  const calls = new Set(messages.filter((slot) => raised[slot])).size;
  const up = raised.flatMap((isUp, slot) => isUp ? [slot] : []).join(", ") || "none";
  return {
    question: `Of four slots, numbered from 0, these bells are up: ${up}. Messages arrive in the ` +
      `slots ${messages.join(", ")}, and the listener does not come back meanwhile. How many ` +
      "system calls do the writers make?",
    answer: `${calls}: one for each bell that was up and got a message; then it is down`,
  };
}

/** Which message an entry of a slot holds. */
export function askForEntry(dice: Dice): Question {
  const [depth, last] = [3 + dice(5), 20 + dice(80)];
  const number = last - dice(depth);
  return {
    question: `A slot keeps ${depth} messages, and has ${depth + 1} entries. The newest message ` +
      `has number ${last}. In which entry is number ${number}, and after which number is it ` +
      "overwritten?",
    answer: `entry ${number % (depth + 1)}; when number ${number + depth + 1} is written`,
  };
}

/** What becomes of a call whose server dies. */
export function askForOutcome(dice: Dice): Question {
  const [isTaken, mayRetry, hasOther] = [dice(2) === 1, dice(2) === 1, dice(2) === 1];
  const other = hasOther ? "Another server is up" : "No other server is up";
  const moves = !isTaken || mayRetry;
  return {
    question: `A server dies when it has ${isTaken ? "taken a call" : "not yet taken a call"}. ` +
      `${other}. The definition ${mayRetry ? "says `retry: true`" : "does not say `retry`"}. ` +
      "What happens to the call, and can it run twice?",
    answer: `${
      moves && hasOther
        ? "it is sent to the other server"
        : moves
        ? 'it fails, or waits for another server with `onPeerGone: "wait"`'
        : "it fails at once"
    }; ${isTaken && mayRetry ? "it may run twice" : "it runs at most once"}`,
  };
}

/** Which numbers of calls may be used again. */
export function askForNumber(dice: Dice): Question {
  const says = [
    "was answered",
    "waits",
    "timed out, and was not answered",
    "was lost: its server died",
  ];
  const calls = Array.from({ length: 4 }, () => dice(says.length));
  const free = calls.flatMap((state, number) => state === 0 || state === 3 ? [number] : []);
  return {
    question: `Of the calls under the numbers 0 to 3, ${
      calls.map((state, number) => `${number} ${says[state]}`).join(", ")
    }. Which numbers may the client use again?`,
    answer: `${free.join(", ") || "none"}: no answer can come under them any more`,
  };
}

/** Where the samples are that a bridge did not deliver. */
export function askForWire(dice: Dice): Question {
  const [published, before, inside, wire, here] = [
    10 + dice(90),
    dice(6),
    dice(9),
    dice(7),
    dice(4),
  ] as const;
  const last = published + before + inside + wire + here;
  return {
    question: `The number of the last sample is ${last}. The far bridge has published ` +
      `${published}; ${before} were lost before the near bridge, ${inside} inside it, and ${here} ` +
      "at the far topic. How many were lost on the wire, and how many does `lost` say in all?",
    answer: `${wire} on the wire; ${last - published} in all`,
  };
}

/** What a far bridge does with the frames of a message. */
export function askForNew(dice: Dice): Question {
  const last = 20 + dice(50);
  const [first, count] = [last - 2 + dice(6), 1 + dice(5)];
  const end = first + count - 1;
  const begin = Math.max(first, last + 1);
  return {
    question: `The last number that a far bridge knows is ${last}. A message arrives with the ` +
      `samples ${first} to ${end}. Which of them does it publish, and how many are missing before?`,
    answer: end <= last
      ? "none: it has had all of them"
      : `${begin} to ${end}; ${begin - last - 1} are missing`,
  };
}
