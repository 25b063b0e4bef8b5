/**
 * Chapter 0 for the stage: two processes, one byte.
 *
 * @module
 */

import { sharedMemory } from "../../mod.ts";
import { now, sleepSync } from "../../src/os/clock.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";

/** A process that has nothing to do looks so often, and then sleeps for a moment before each look. */
const BUSY_LOOKS = 1_000_000;
const PLAY_NS = 1e8;
const WAIT_MS = 50;

/** The story of chapter 0. */
export const story: Story = {
  cast: { second: addOneToEven, third: addOneToEven },
  steps: () => {
    const table = new ByteTable();
    return [
      aByte(table),
      itChanges(table),
      store(table),
      play(table),
      kill(table),
      aThird(table),
      questions(),
    ];
  },
};

/** The byte of a telling. */
function byteOf(name: string): Uint8Array {
  return sharedMemory(name, { size: 1 }).open().bytes;
}

/** What the other processes do, for ever: a look at the byte, and 1 more if it is even. */
function addOneToEven(name: string): void {
  const byte = byteOf(name);
  for (let looks = 0;; looks++) {
    if (Atomics.load(byte, 0) % 2 === 0) {
      Atomics.add(byte, 0, 1);
      looks = 0;
    } else if (looks > BUSY_LOOKS) sleepSync(1);
  }
}

/** A table of events, each with the byte after it. */
class ByteTable {
  byte: Uint8Array = new Uint8Array(1);
  readonly #rows: [string, number][] = [];

  /** Notes the byte and shows all notes. */
  note(scene: Scene, what: string): void {
    this.#rows.push([what, this.byte[0]!]);
    const rows = [["what was done", "the byte"], ...this.#rows];
    scene.show(tablePicture("byte", "What this process reads", rows));
  }
}

function aByte(table: ByteTable): Step {
  return {
    title: "A byte to share",
    text: `A program that is running is called a [[process]]. Each has memory of its own, which no
      other process sees. This chapter is told by a process, too.

      It now asks the system for one [[byte]] of another kind: a byte that other processes may have
      as well. How the system does that comes later. First, see what it can do.`,
    run: (scene) => {
      const shareOneByte = () => byteOf(scene.name);
      const byte = scene.run("byte", () => shareOneByte());
      table.byte = byte;
      scene.look(() => byte[0]);
      table.note(scene, "this process asked for a byte");
    },
    after:
      `You see the lines of code that have just run, and behind each arrow what a line returned.
      A byte is a number from 0 to 255. This one is 0.`,
  };
}

function itChanges(table: ByteTable): Step {
  return {
    title: "A second process",
    text: `Now a second process starts, and asks for the same byte. It does only one thing, again
      and again: it looks at the byte, and if the number is even, it adds 1.

      Our process waits. It receives no message, and calls nothing. Then it reads \`byte[0]\`
      again.`,
    ask: {
      kind: "choice",
      text: "Which number does it read?",
      options: [
        {
          text: "1",
          right: true,
          because:
            "The second process found 0, which is even, and added 1. There is only one byte, " +
            "and both processes have it.",
        },
        {
          text: "0: nobody has told it of a change",
          because: "The process needs no message. The byte itself has changed, and there is only " +
            "one.",
        },
        {
          text: "An error: the byte is in use",
          because: "Any number of processes may have a byte. Nobody locks the others out.",
        },
      ],
    },
    run: async (scene) => {
      const { byte } = table;
      scene.start("second");
      await scene.until(() => byte[0] === 1);
      scene.look(() => byte[0]);
      table.note(scene, "the second process added 1");
    },
    after:
      `{{You see a card|Below is a line, its card,}} for each process: the number that the system gave
      it, whether it runs or sleeps, {{how much memory it has (resident), |}}and the shared memory that it
      uses, here called shm. {{|The key \`s\` chooses one: }}STOP halts it, and CONT lets it go on.`,
  };
}

function store(table: ByteTable): Step {
  return {
    title: "Store a number",
    text: `The second process is still there, and still looks. Now we store 64.`,
    ask: {
      kind: "number",
      text: "Which number do we read a moment later?",
      answer: () => 65,
      right: "64 is even, so the second process added 1.",
      often: [
        { number: 64, because: "The second process is still there, and 64 is even: it added 1." },
        {
          number: 66,
          because: "The second process adds 1 once. Then the number is odd, and it leaves the " +
            "byte alone.",
        },
      ],
      otherwise: "The second process adds 1 to an even number. 64 is even.",
    },
    run: async (scene) => {
      const { byte } = table;
      scene.look(() => {
        byte[0] = 64;
      });
      await scene.until(() => byte[0] === 65);
      scene.look(() => byte[0]);
      table.note(scene, "we stored 64, and it added 1");
    },
  };
}

function play(table: ByteTable): Step {
  let [rounds, shortest] = [0, Infinity];
  return {
    title: "As fast as they can",
    text:
      `Now we add 1 whenever the number is odd, so the byte goes to and fro. \`now()\` is the time in
      nanoseconds, billionths of a second.`,
    run: async (scene) => {
      const { byte } = table;
      const end = now() + PLAY_NS;
      scene.look(() => {
        while (now() < end) {
          const start = now();
          byte[0]!++;
          while (byte[0]! % 2 === 0 && now() < end);
          shortest = Math.min(shortest, now() - start);
          rounds++;
        }
      });
      await scene.until(() => byte[0]! % 2 === 1);
      table.note(scene, `we played ${rounds} rounds`);
    },
    after: () =>
      `They played ${rounds} rounds in a tenth of a second, the shortest in ${
        Math.round(shortest)
      } ns.
      Nothing was sent, packed, copied or delivered. ${
        shortest > 20_000 ? "On two idle processors it is far faster than here." : ""
      }`,
  };
}

function kill(table: ByteTable): Step {
  return {
    title: "Kill it",
    text: () =>
      `The byte is ${
        table.byte[0]
      } now, and the second process has added the last 1. Kill that process:
      {{press KILL on its card|press \`s\`, choose it, and press \`k\`}}. Or just answer, and it is killed for you. A killed process
      gets no chance to do anything more, not even to say goodbye.`,
    ask: {
      kind: "choice",
      text: "What becomes of the byte?",
      options: [
        {
          text: "It stays as it is",
          right: true,
          because: "The byte belongs to both. What the dead process stored stays.",
        },
        {
          text: "The last change of the dead process is undone",
          because:
            "There is one byte, and no copy of it from before. Nobody stores the old number.",
        },
        {
          text: "It is gone, and reading it fails",
          because: "The byte belongs to both processes, and ours lives. So it stays.",
        },
      ],
    },
    run: async (scene) => {
      const { byte } = table;
      scene.signal("second", "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      scene.look(() => byte[0]);
      table.note(scene, "the second process was killed");
      scene.look(() => {
        byte[0] = 42;
      });
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      table.note(scene, "we stored 42, and waited");
    },
    after: `Then we stored 42, which is even, and nobody added anything. But look at the byte alone:
      is the other process dead, or only slow? The byte cannot tell.`,
  };
}

function aThird(table: ByteTable): Step {
  return {
    title: "A third one continues",
    text: `We start a third process, with the same program. It has never heard of the second one.`,
    ask: {
      kind: "number",
      picture: "byte",
      text: "Which number do we read when it has looked at the byte?",
      answer: () => table.byte[0]!,
      right: "The third process found 42, and continued from there.",
      often: [
        {
          number: 1,
          because: "The third process does not begin at 0. The byte was 42 when it came.",
        },
        { number: 42, because: "42 is even, so the new process adds 1." },
      ],
      otherwise: "The byte was 42 when the third process came, and 42 is even.",
    },
    run: async (scene) => {
      const { byte } = table;
      scene.start("third");
      await scene.until(() => byte[0] === 43);
      scene.look(() => byte[0]);
      table.note(scene, "the third process added 1");
      scene.signal("third", "SIGKILL");
    },
    after: `The work went on, although a process was killed in the middle of it. Most of this course
      is about that.`,
  };
}

function questions(): Step {
  return {
    title: "What you have seen",
    text: `One byte, in several processes at once. A change needs no message, and a death does not
      undo it. That is shared memory, and it leaves us with questions.

      Where is this byte, if it belongs to no process? Chapters 1 to 4 look for it. How do two
      processes pass whole messages through such bytes? Chapters 5 and 10. How do we learn that a
      process is dead, and not only slow? Chapter 7. And who repairs what a dead process left half
      done? Chapters 8 and 9.

      First, an exercise of two minutes: be the other process.`,
  };
}
