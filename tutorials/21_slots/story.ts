/**
 * Chapter 21 for the stage: slots.
 *
 * @module
 */

import type { Domain } from "../../mod.ts";
import type { SlotWords } from "../../src/babus/slot_words.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step, Story } from "../stage/story.ts";
import {
  entriesOf,
  painter,
  robotOf,
  showEntries,
  textOf,
  type TextSlot,
  wheel,
  wordsOf,
  write,
} from "./inside.ts";
import { oneWrite } from "./one_write.ts";

/** The story of chapter 21. */
export const story: Story = {
  cast: { wheel, painter },
  steps: () => {
    const here = new Here();
    return [
      ...newest(here),
      inPlace(here),
      ...aDeadWriter(here),
      twoMoments(here),
      observers(here),
    ];
  },
};

/** The slots as this process has them. */
class Here {
  robot!: Domain & { readonly slots: Readonly<Record<"speed" | "left" | "right", TextSlot>> };
  words!: SlotWords;

  get speed(): TextSlot {
    return this.robot.slots.speed;
  }
}

function newest(here: Here): Step[] {
  let lost = 0;
  let entry = 0;
  return [
    {
      title: "The newest value",
      text: `A topic delivers each picture of a camera once to each reader. The speed of a wheel is
        another matter. A program wants to know it now, even if it has just started, and does not care
        for every value before.

        That is a [[slot]]. Another process, the wheel, writes two values into one: see its card. Then we
        read twice.`,
      ask: {
        kind: "choice",
        text: "What does the second read return?",
        options: [
          {
            text: "The same message again",
            right: true,
            because:
              "Reading takes nothing away. Any number of processes may read it, at any time.",
          },
          {
            text: "Nothing: it was read",
            because:
              "A ring gives away what was read. In a slot the newest message stays, however " +
              "often it is read.",
          },
          {
            text: "The message before it",
            because: "\`latest\` always returns the newest one. \`at(1)\` returns number 1.",
          },
        ],
      },
      run: async (scene) => {
        const { name } = scene;
        here.robot = robotOf(name).open();
        here.words = wordsOf(name);
        const { speed } = here;
        scene.start("wheel");
        await scene.until(() => speed.sequence === 2);
        scene.look(() => speed.latest()!.value);
        scene.look(() => speed.latest()!.value);
      },
      after: `And the writer? It never waits for readers.`,
    },
    {
      title: "A late reader",
      text:
        `A slot keeps the last few messages, here three. A reader has seen number 2. While it is busy
        elsewhere, the writers come to number 7. It asks for all messages after number 2.`,
      ask: {
        kind: "number",
        text: "How many are lost to it?",
        unit: "messages",
        answer: () => lost,
        right:
          "Numbers 3 and 4. It gets 5, 6 and 7, and number 5 says that two are lost before it.",
        often: [
          { number: 0, because: "The slot keeps three: 5, 6 and 7. Numbers 3 and 4 are gone." },
          {
            number: 4,
            because: "The reader has missed 3 to 6, but of these the slot still has 5 and 6.",
          },
        ],
        otherwise: "5, 6 and 7 are kept. The two between number 2 and those are lost.",
      },
      run: (scene) => {
        const { speed } = here;
        scene.look(() => {
          write(speed, 7);
        });
        scene.look(() => speed.since(2).map(({ value, lost }) => [value, lost]));
        lost = speed.since(2)[0]!.lost;
        showEntries(scene, here.words);
      },
      after:
        `In memory a slot has one entry more than it keeps. A [[stamp]] is the number of the complete message in its entry.`,
    },
    {
      title: "Where the next one goes",
      text: `Message 8 is next. While it is written, the slot must not lose any of the three that it
        keeps.`,
      ask: {
        kind: "number",
        picture: "entries",
        text: "Into which entry is message 8 written?",
        answer: () => entry,
        right:
          "Message n is in entry n % 4. Number 4 was there, which nobody can ask for any more.",
        often: [
          {
            number: 1,
            because: "Entry 1 has number 5, which the slot still keeps. Entry 0 has the oldest.",
          },
          {
            number: 3,
            because:
              "Entry 3 has the newest message. The next one replaces the oldest, in entry 0.",
          },
        ],
        otherwise: "Message n is in entry n % 4, so that the next one replaces the oldest.",
      },
      run: (scene) => {
        const { speed } = here;
        scene.look(() => speed.writeSync("speed is 8"));
        showEntries(scene, here.words);
        entry = entriesOf(here.words).findIndex(([stamp]) => stamp === 8);
      },
      after: `So a reader of number 8 has time: three more messages do not touch its entry.`,
    },
  ];
}

function inPlace(here: Here): Step {
  return {
    title: "In place, and only for a while",
    text:
      `A reader looks at message 8 in place: \`peek\` copies nothing. But no writer waits for it.
      Four more messages are written. Then it reads the bytes.`,
    ask: {
      kind: "choice",
      text: "What does it read, and does it notice?",
      options: [
        {
          text: "Bytes of message 12, and `valid` is false",
          right: true,
          because: "The bytes are cut to the length of number 8. The writer makes the stamp 0 " +
            "before it changes the first byte, and `valid` reads the stamp again.",
        },
        {
          text: "Message 8: the writer spares what is being read",
          because: "The writer knows of no reader. It uses the entry again, four messages later.",
        },
        {
          text: "Bytes of message 12, and nothing tells it",
          because: "The stamp tells it: it is not 8 any more. So \`valid\` is false.",
        },
      ],
    },
    run: (scene) => {
      const { speed } = here;
      const peek = speed.peek()!;
      scene.look(() => {
        write(speed, 11);
      });
      scene.look(() => peek.valid);
      scene.look(() => {
        write(speed, 12);
      });
      scene.look(() => textOf(peek.bytes));
      scene.look(() => peek.valid);
      showEntries(scene, here.words);
    },
    after: `So read first, then ask \`valid\`, and only then use what you have read.`,
  };
}

function aDeadWriter(here: Here): Step[] {
  let number = 0;
  return [
    {
      title: "In the middle of a write",
      text:
        `Any process may write, one at a time. Another process, the painter, begins a message. It
        writes "SPEED" into shared memory, and rests in the middle.`,
      ask: {
        kind: "choice",
        text: "What do readers get meanwhile?",
        options: [
          {
            text: "Message 12, at once",
            right: true,
            because:
              "The painter writes into the entry that no reader looks at. It has stored no number.",
          },
          {
            text: "Half a message",
            because:
              "Readers look only at entries whose number was published. The painter's entry " +
              "has stamp 0.",
          },
          {
            text: "Nothing until the painter has finished",
            because: "Readers never wait for a writer. The three messages before are untouched.",
          },
        ],
      },
      run: async (scene) => {
        const { speed, words } = here;
        scene.start("painter");
        await scene.until(() => entriesOf(words)[1]![1].startsWith("SPEED"));
        showEntries(scene, words);
        scene.look(() => speed.latest()!.value);
        scene.look(() => speed.tryWrite("speed is 9000"));
      },
      after:
        `Another writer has to wait, however long, because the painter is alive. Each writer has a
        seat, a byte that it locks. A word holds the seat of the one that writes.`,
    },
    {
      title: "Kill the painter",
      text:
        `Kill the painter by its card, or answer. It leaves half a message, and its seat in the word.
        Then this process writes.`,
      ask: {
        kind: "number",
        text: "Which number does the new message get?",
        answer: () => number,
        right:
          "Number 13 was never published. So the next writer begins there again, in that entry.",
        often: [
          { number: 14, because: "Number 13 was begun and not published. Nobody has seen it." },
          {
            number: 12,
            because: "Number 12 is complete and stays. The dead one had begun number 13.",
          },
        ],
        otherwise: "The dead writer had begun number 13, and not published it.",
      },
      run: (scene) => {
        const { speed, words } = here;
        scene.signal("painter", "SIGKILL");
        scene.look(() => speed.writeSync("speed is thirteen"));
        number = speed.sequence;
        showEntries(scene, words);
      },
      after:
        `The kernel had dropped the lock on the seat. The new writer saw that, and put its own seat
        into the word. There was nothing to repair.`,
    },
    {
      title: "Killed anywhere",
      text:
        `A machine writes the first message of a slot as the library does: number 1, in two halves. It
        stores the stamp after the halves, and \`sequence\` after the stamp.`,
      ask: {
        kind: "choice",
        text: "After which operation must the painter die, so that a reader gets half a message?",
        options: [
          {
            text: "After none of them",
            right: true,
            because:
              "Until \`sequence\` is 1, no reader looks. The next painter begins number 1 again.",
          },
          {
            text: "After its first half",
            because: "\`sequence\` is still 0 then, so no reader looks into the entry.",
          },
          {
            text: "After the stamp",
            because: "Both halves are there by then. And \`sequence\` is still 0.",
          },
        ],
      },
      run: (scene) => scene.show(oneWrite()),
    },
  ];
}

function twoMoments(here: Here): Step {
  return {
    title: "Two slots are two moments",
    text:
      `The robot has two wheels, and a slot for each. A writer always stores the same speed in both.
      We read the left one. Just then both change. Then we read the right one.`,
    ask: {
      kind: "choice",
      text: "The two never differ for long. Can we see two that do?",
      options: [
        {
          text: "Yes, and nothing tells us",
          right: true,
          because: "Each message is whole by itself. Two slots are read at two moments.",
        },
        {
          text: "No: a domain is read as a whole",
          because: "A domain is only a name for many slots. Each is read by itself.",
        },
        {
          text: "Yes, but `valid` is false then",
          because: "\`valid\` speaks of one message, and each of these is whole.",
        },
      ],
    },
    run: (scene) => {
      const { left, right } = here.robot.slots;
      const both = (speed: string) => {
        left.writeSync(speed);
        right.writeSync(speed);
      };
      both("slow");
      scene.look(() => left.latest()!.value);
      scene.look(() => {
        both("fast");
      });
      scene.look(() => right.latest()!.value);
    },
    after: `So put values that belong together into one slot: a struct with two fields.`,
  };
}

function observers(here: Here): Step {
  return {
    title: "Only looking",
    text:
      `A tool should not be able to harm what it watches. An [[observer]] opens the slot with the right
      to read, and no more.`,
    ask: {
      kind: "choice",
      text: "How do writers notice that it is there?",
      options: [
        {
          text: "Not at all",
          right: true,
          because:
            "An observer takes no lock and stores nothing: the kernel lists its mapping as " +
            "r--s.",
        },
        {
          text: "It is one more peer",
          because: "Peers hold a lock on a byte of the file. An observer takes none.",
        },
        {
          text: "It raises the bell when it waits",
          because: "An observer cannot store anything, not even in a bell. So it polls.",
        },
      ],
    },
    run: (scene) => {
      const { name } = scene;
      const { speed } = here;
      scene.look(() => speed.peers);
      using observer = scene.run("observer", () => robotOf(name).observer().slots.speed);
      scene.look(() => observer.latest()!.value);
      scene.look(() => speed.peers);
      scene.show(tablePicture("maps", "Our mappings of the slot, as the kernel lists them", [
        ["permissions", "file"],
        ...mappedRanges().filter(({ path }) => path.includes("speed"))
          .map(({ permissions, path }) => [permissions, path.replace(name, "...")]),
      ]));
    },
    after: `In the exercise you read all messages after a number, while a writer overwrites them.`,
  };
}
