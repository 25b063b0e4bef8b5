/**
 * Questions with fresh numbers: `deno run tutorials/quiz.ts 1 --seed 7` asks about tutorial 1, and
 * `--answers` adds the answers. A seed always gives the same questions. Needs no permission.
 *
 * @module
 */

import { hex, wrap } from "./picture.ts";
import { chapterOf, CHAPTERS, keyOf } from "./stage/chapters.ts";
import {
  askForBehind,
  askForEntries,
  askForLine,
  askForPieces,
  askForRepeat,
  askForStale,
  askForStores,
  askForWindow,
} from "./quiz_memory.ts";
import {
  askForLeft,
  askForMoves,
  askForOrders,
  askForPair,
  askForSeen,
  askForTool,
} from "./quiz_order.ts";
import {
  askForCalls,
  askForEntry,
  askForFreeOnes,
  askForHeir,
  askForLost,
  askForMoment,
  askForNew,
  askForNumber,
  askForNumbers,
  askForOutcome,
  askForSince,
  askForWire,
  askForWoken,
} from "./quiz_topics.ts";
import {
  askForByte,
  askForDeath,
  askForHeirs,
  askForRollCall,
  askForSigns,
  askForWrap,
} from "./quiz_deaths.ts";

/** A question and its answer. */
export interface Question {
  readonly question: string;
  readonly answer: string;
}

/** Returns whole numbers below a limit. */
export type Dice = (limit: number) => number;

const PAGE = 4096;

/** The dice that a seed throws: Mulberry32, a well-known generator of a few lines. */
function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor(((x ^ (x >>> 14)) >>> 0) / 2 ** 32 * limit);
  };
}

/** Questions by the key of the chapter. */
const QUESTIONS: Readonly<Record<string, readonly ((dice: Dice) => Question)[]>> = {
  one_byte: [askForWrap, askForByte],
  pages: [askForSplit, askForPagesTouched, askForRange],
  page_tables: [askForEntries, askForStale],
  memory_file: [askForAllocated, askForCut],
  two_addresses: [askForOtherAddress, askForSameByte],
  mirror_ring: [askForCopies, askForWindows, askForPositions],
  heatshrink: [askForRepeat, askForPieces],
  who_is_alive: [askForSigns, askForRollCall],
  shared_memory: [askForUpdates, askForUsers],
  semaphore_lock: [askForDeath, askForHeirs],
  four_rings: [askForFree, askForLooks],
  memory_order: [askForSeen, askForPair, askForTool],
  cache_lines: [askForLine, askForStores],
  doorbell: [askForBell, askForSleep],
  explorer: [askForOrders, askForMoves],
  overwriting_buffer: [askForLoss, askForRoom],
  leapfrog_ring: [askForWindow, askForBehind],
  many_producers: [askForTurn, askForHint],
  vring: [askForFreeOnes, askForHeir, askForMoment],
  vdds: [askForLost, askForNumbers],
  any_of_many: [askForWoken, askForCalls],
  slots: [askForSince, askForEntry],
  calls: [askForOutcome, askForNumber],
  bridge: [askForWire, askForNew],
  your_ring: [askForLeft],
};

function anyPage(dice: Dice): number {
  return 0x7f0000000000 + dice(2 ** 24) * PAGE;
}

function count(amount: number, noun: string): string {
  const ending = noun.endsWith("s") ? "es" : "s";
  return `${amount} ${noun}${amount === 1 ? "" : ending}`;
}

function askForSplit(dice: Dice): Question {
  const page = anyPage(dice);
  const offset = 1 + dice(PAGE - 1);
  return {
    question: `In which page is the byte at ${hex(page + offset)}, and how far into it?`,
    answer: `page ${hex(page / PAGE)}, offset ${offset} (${hex(offset)})`,
  };
}

function askForPagesTouched(dice: Dice): Question {
  const offset = dice(PAGE);
  const length = 1 + dice(3 * PAGE);
  const last = Math.floor((offset + length - 1) / PAGE);
  return {
    question:
      `${length} bytes are written from ${hex(anyPage(dice) + offset)} on. How many pages ` +
      "are touched?",
    answer: `${
      last + 1
    }: the first byte is ${offset} bytes into page 0, the last is in page ${last}`,
  };
}

function askForRange(dice: Dice): Question {
  const start = anyPage(dice);
  const pages = 1 + dice(9);
  const end = start + pages * PAGE;
  const address = [start - 1, start, end - 1, end][dice(4)]!;
  const isInside = start <= address && address < end;
  return {
    question: `How many pages does this range have, and is ${hex(address)} in it?\n` +
      `${line(start, end, "rw-p", 0, 0)}`,
    answer: `${count(pages, "page")}; ${isInside ? "yes" : "no"}: the range begins at its first ` +
      "address and ends before its second",
  };
}

function line(
  ...[start, end, permissions, offset, inode]: readonly [number, number, string, number, number]
): string {
  const device = inode === 0 ? "00:00" : "00:01";
  const range = `${start.toString(16)}-${end.toString(16)}`;
  return `    ${range} ${permissions} ${offset.toString(16).padStart(8, "0")} ${device} ${inode}`;
}

function askForAllocated(dice: Dice): Question {
  const touches = Array.from({ length: 4 }, () => ({
    how: dice(2) === 0 ? "read" : "written",
    offset: dice(5) * PAGE + dice(PAGE),
  }));
  const pages = new Set(touches.map(({ offset }) => Math.floor(offset / PAGE)));
  const list = touches.map(({ how, offset }) => `the byte at ${offset} is ${how}`).join(", ");
  return {
    question: "A new memory file is extended to 5 pages and mapped, shared. Then " +
      `${list}. How many bytes of memory does the file have?`,
    answer: `${pages.size * PAGE}: ${count(pages.size, "page")} (${
      Array.from(pages).sort().join(", ")
    }); reading a hole fills it too`,
  };
}

function askForCut(dice: Dice): Question {
  const [before, kept] = [4 + dice(5), 1 + dice(3)];
  const after = before + dice(4);
  return {
    question: `All ${before} pages of a memory file are written. It is shortened to ` +
      `${count(kept, "page")}, then extended to ${after}. How many bytes are allocated, and what ` +
      `does the last page hold?`,
    answer: `${kept * PAGE}; the last page is a hole and reads as zeros, and reading it makes it ` +
      `${(kept + 1) * PAGE}`,
  };
}

function askForOtherAddress(dice: Dice): Question {
  const [first, second] = [anyPage(dice), anyPage(dice)];
  const [inode, skipped] = [100 + dice(900), 1 + dice(3)];
  const place = dice(4) * PAGE + dice(PAGE);
  const there = place - skipped * PAGE;
  return {
    question:
      `At which address of the second range is the byte that is at ${hex(first + place)}?\n` +
      `${line(first, first + 4 * PAGE, "rw-s", 0, inode)}\n` +
      `${line(second, second + 4 * PAGE, "rw-s", skipped * PAGE, inode)}`,
    answer: there < 0
      ? `at none: the second range begins ${skipped * PAGE} bytes into the file, and the byte is ` +
        `at ${place}`
      : `at ${hex(second + there)}: ${place} bytes into the file, and so ${there} bytes into the ` +
        "second range",
  };
}

function askForSameByte(dice: Dice): Question {
  const [first, second] = [anyPage(dice), anyPage(dice)];
  const inode = 100 + dice(900);
  const offset = dice(PAGE);
  const [permissions, otherInode, otherOffset, answer] = ([
    ["rw-s", inode, offset, "yes: the same file, the same place in it, both shared"],
    [
      "rw-p",
      inode,
      offset,
      "no: the second is private, and gets its own copy at the first write",
    ],
    ["rw-s", inode + 1, offset, "no: these are two files"],
    ["rw-s", inode, (offset + 1) % PAGE, "no: the same file, but another byte of it"],
  ] as const)[dice(4)]!;
  return {
    question: `Do ${hex(first + offset)} and ${hex(second + otherOffset)} mean the same byte, ` +
      "through whichever of them you write?\n" +
      `${line(first, first + PAGE, "rw-s", 0, inode)}\n` +
      `${line(second, second + PAGE, permissions, 0, otherInode)}`,
    answer,
  };
}

function askForCopies(dice: Dice): Question {
  const at = PAGE - 1 - dice(200);
  const length = 1 + dice(300);
  const first = Math.min(length, PAGE - at);
  return {
    question: `A plain ring has ${PAGE} bytes. How many copies does a message of ${length} bytes ` +
      `take, written from offset ${at} on, and how long are they? And in a mirror ring?`,
    answer: first === length
      ? `one of ${length}: it ends at or before the end of the ring; in a mirror ring the same`
      : `two, of ${first} and ${length - first} bytes; in a mirror ring one of ${length}`,
  };
}

function askForWindows(dice: Dice): Question {
  const base = anyPage(dice);
  const offset = dice(PAGE);
  const address = base + offset + dice(2) * PAGE;
  const other = address < base + PAGE ? address + PAGE : address - PAGE;
  return {
    question:
      `A mirror ring of ${PAGE} bytes begins at ${hex(base)}. What is the other address of ` +
      `the byte at ${hex(address)}?`,
    answer: `${hex(other)}, ${PAGE} bytes ${other > address ? "further" : "before"}`,
  };
}

function askForPositions(dice: Dice): Question {
  const read = dice(PAGE);
  const available = dice(PAGE + 1);
  const written = read + available;
  const seam = written > PAGE ? "crosses the seam" : "does not cross the seam";
  return {
    question:
      `A mirror ring of ${PAGE} bytes: R = ${read} and W = ${written}. How many bytes are ` +
      "available, how many are free, and do the unread bytes cross the seam?",
    answer: `${available} available, ${PAGE - available} free; it ${seam}`,
  };
}

/** Two processes add to one number; each reads it and writes it, in one of the possible orders. */
function askForUpdates(dice: Dice): Question {
  const start = 10 * (1 + dice(9));
  const added = [1 + dice(9), 10 + dice(9)];
  const seen = [start, start];
  const done = [0, 0];
  let value = start;
  const story: string[] = [];
  while (done[0]! + done[1]! < 4) {
    const who = done[0] === 2 ? 1 : done[1] === 2 ? 0 : dice(2);
    const name = ["first", "second"][who]!;
    if (done[who] === 0) {
      seen[who] = value;
      story.push(`the ${name} reads it`);
    } else {
      value = seen[who]! + added[who]!;
      story.push(`the ${name} writes`);
    }
    done[who]!++;
  }
  const all = start + added[0]! + added[1]!;
  return {
    question:
      `A number in shared memory is ${start}. The first process adds ${added[0]} to it, the ` +
      `second adds ${added[1]}, without a lock: ${story.join(", ")}. Which number is stored then?`,
    answer: value === all
      ? `${value}: nothing is lost, because one wrote before the other read`
      : `${value}: ${all - value} too few, because both read before one wrote`,
  };
}

function askForUsers(dice: Dice): Question {
  const opened = 3 + dice(4);
  const killed = 1 + dice(opened);
  const closed = Math.min(opened - killed, dice(opened));
  const left = opened - killed - closed;
  const happened = [
    ...(closed > 0 ? [`${count(closed, "process")} closed it`] : []),
    `${killed === 1 ? "one was" : `${killed} were`} killed`,
  ];
  return {
    question: `${opened} processes opened one \`sharedMemory\`, each once. Then ${
      happened.join(", and after that ")
    }. How many references does it have? And what happens to its file?`,
    answer: left === 0
      ? "0; the file is still there, because a killed process removes nothing. But no process has " +
        "it locked, so the next one to open it begins with a new file"
      : `${left}; the file stays until the last of them closes it`,
  };
}

function askForLoss(dice: Dice): Question {
  const [wanted, size] = [10 + dice(90), 50 + dice(100)];
  const lost = 1 + dice(400);
  const [payload, more] = [wanted * size, lost * size + dice(50)];
  return {
    question:
      `A reader wants message ${wanted}, and has read or lost ${payload} bytes so far. It finds ` +
      `that the head at \`oldest\` has the sequence ${wanted + lost} and the payload ${
        payload + more
      }. What does it report?`,
    answer: `lost: ${count(lost, "message")} with ${more} bytes; ${wanted + lost} comes next`,
  };
}

function askForRoom(dice: Dice): Question {
  const length = dice(500);
  const record = 32 + Math.ceil(length / 8) * 8;
  return {
    question:
      `An overwriting ring has ${PAGE} bytes, a head has 32, and messages begin at multiples ` +
      `of 8 bytes. How many bytes does a message of ${length} take, and how many can be intact at ` +
      "once? The head of the next one is always there.",
    answer: `${record}; at most ${
      Math.floor((PAGE - 32) / record)
    }: the next head takes 32 of the bytes`,
  };
}

function askForFree(dice: Dice): Question {
  const used = dice(PAGE + 1);
  const tail = dice(2) === 0 ? dice(2 ** 32) : 2 ** 32 - 1 - dice(PAGE);
  const head = (tail + used) >>> 0;
  return {
    question: `A ring has ${PAGE} bytes. Its head is ${head} and its tail is ${tail}. How many ` +
      "bytes are free, and at which place is the next one written?",
    answer: `${PAGE - used}; at ${head % PAGE}` +
      (head < tail ? ": the head has wrapped to 0, and is still ahead" : ""),
  };
}

function askForLooks(dice: Dice): Question {
  const record = 8 * (2 + dice(10));
  const tail = 1000 * dice(100);
  const head = tail + dice(PAGE / 2);
  const seen = head - dice(head - tail + PAGE / 4);
  const fitting = Math.floor((PAGE - (head - Math.max(seen, 0))) / record);
  return {
    question:
      `A writer with cached positions is at ${head}, and has seen the tail at ${
        Math.max(seen, 0)
      }. The ring has ${PAGE} bytes, and a message takes ${record}. How many can it write before ` +
      "it has to look at the tail?",
    answer: `${fitting}; however far the tail is by now`,
  };
}

interface BellStory {
  readonly to: number;
  readonly calls: number;
  readonly story: string;
}

/** A bell that is `sequence << 1 | waiting`, raised and rung at random. */
function bellStory(dice: Dice, from: number, length: number): BellStory {
  let [to, calls] = [from, 0];
  const story = Array.from({ length }, () => {
    if (dice(2) === 0) {
      to |= 1;
      return "a reader raises it";
    }
    calls += to & 1;
    to += to & 1;
    return "a writer rings it";
  });
  return { to, calls, story: story.join(", ") };
}

function askForBell(dice: Dice): Question {
  const from = 2 * dice(50);
  const { to, calls, story } = bellStory(dice, from, 4 + dice(4));
  return {
    question: `A bell is ${from}. Then ${story}. Which value does it have, and how many system ` +
      "calls did that take?",
    answer: `${to}; ${count(calls, "system call")}: only ringing an odd bell makes one`,
  };
}

function askForSleep(dice: Dice): Question {
  const from = 2 * dice(50);
  const raised = from + 1;
  const { to, story } = bellStory(dice, raised, 1 + dice(4));
  return {
    question:
      `A bell is ${from}. A reader raises it, sees no message, and is about to sleep. Then ${
        story.replaceAll("a reader", "another reader")
      }. What does the kernel compare, and does the first reader sleep?`,
    answer: `${raised} with ${to}: ${raised === to ? "it sleeps" : "it does not, and looks again"}`,
  };
}

const LANES = 8;

function askForTurn(dice: Dice): Question {
  const bits = 1 + dice(2 ** LANES - 1);
  const last = dice(LANES);
  const order = Array.from({ length: LANES }, (_, i) => (last + 1 + i) % LANES)
    .filter((lane) => (bits & 1 << lane) !== 0);
  return {
    question:
      `There are ${LANES} lanes, and lane ${last} was served last. The consumer takes the ` +
      `hints: ${bits}, and each is right. In which order are the lanes served?`,
    answer: order.join(", "),
  };
}

/** A producer and a consumer at one lane, in one of the possible orders. */
function askForHint(dice: Dice): Question {
  const clearsFirst = dice(2) === 0;
  const steps = [["stores its head", "sets its bit"], ["clears the bit", "looks into the lane"]];
  if (!clearsFirst) steps[1]!.reverse();
  const story: string[] = [];
  while (story.length < 4) {
    const who = steps[0]!.length === 0 ? 1 : steps[1]!.length === 0 ? 0 : dice(2);
    story.push(`the ${["producer", "consumer"][who]} ${steps[who]!.shift()}`);
  }
  const at = (what: string) => story.findIndex((line) => line.includes(what));
  const seen = at("looks") > at("stores");
  const hinted = at("sets") > at("clears");
  return {
    question: `A lane is empty, but its bit is set. Then ${story.join(", ")}. Does the ` +
      "consumer know of the message then?",
    answer: seen
      ? `yes, it has seen it${hinted ? "; and the bit will cost it a needless look" : ""}`
      : hinted
      ? "not yet, but the bit is set, so it will look again"
      : "no, and the bit is gone: it has cleared a hint that it has not followed",
  };
}

/** Returns the questions about the tutorial with this number. */
function questionsOf(
  tutorial: string | undefined,
): readonly ((dice: Dice) => Question)[] | undefined {
  const chapter = tutorial === undefined ? undefined : chapterOf(tutorial);
  return chapter && QUESTIONS[keyOf(chapter)];
}

/** Parses the command line; prints the usage and exits if it cannot. */
function parse(args: readonly string[]): { tutorial: string; seed: number; answers: boolean } {
  const [tutorial, ...rest] = args;
  let [seed, answers, understood] = [1, false, questionsOf(tutorial) !== undefined];
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === "--answers") answers = true;
    else if (rest[i] === "--seed" && /^\d+$/.test(rest[i + 1] ?? "")) seed = Number(rest[++i]);
    else understood = false;
  }
  if (understood) return { tutorial: tutorial!, seed, answers };
  const last = CHAPTERS.at(-1)!.number;
  console.error(
    wrap(`Cannot ask: pass the number of a tutorial (0 to ${last}), and --seed N, --answers`),
  );
  Deno.exit(2);
}

function main(): void {
  const { tutorial, seed, answers } = parse(Deno.args);
  const dice = diceOf(seed);
  console.log(`\nTutorial ${tutorial}, seed ${seed}. A page has ${PAGE} bytes.`);
  for (const [i, ask] of questionsOf(tutorial)!.entries()) {
    const { question, answer } = ask(dice);
    const [words, ...lines] = question.split("\n");
    console.log(["", wrap(`${i + 1}. ${words}`), ...lines].join("\n"));
    if (answers) console.log(wrap(`→ ${answer}`));
  }
  if (!answers) {
    console.log("\nPass --answers to see the answers, and --seed N for other questions.");
  }
  console.log();
}

main();
