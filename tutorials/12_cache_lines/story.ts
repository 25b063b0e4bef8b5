/**
 * Chapter 12 for the stage: cache lines, false sharing, batching.
 *
 * @module
 */

import { readAll } from "../../src/os/files.ts";
import { LANE } from "../../src/lane/lane.ts";
import { guesses, type Spread, spreadPicture, verdictOf } from "../spread.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { Partner, playPartner, Ring } from "./partner.ts";
import { besides, ROUNDS, sendInBatches, TIMES } from "./rounds.ts";

const LINE = 64;

/** The story of chapter 12. */
export const story: Story = {
  cast: { other: playPartner },
  steps: () => {
    const beside = new Beside();
    return [
      ...wordsOfTheirOwn(beside),
      ...lines(beside),
      theWordsOfALane(),
      ...batches(beside),
      {
        title: "Lay out the words first",
        text:
          `Words may share a line if the same process stores them and the same one loads them. Others
          need lines of their own. And a word that the other side waits for is stored as rarely as the
          message allows.

          In the exercise, you lay out words on lines.`,
      },
    ];
  },
};

/** The other process, once it was started. */
class Beside {
  #partner: Partner | undefined;

  /** Starts it, unless it runs already. */
  async start(scene: Scene): Promise<Partner> {
    if (this.#partner !== undefined) return this.#partner;
    scene.start("other");
    const partner = new Partner(scene.name);
    await scene.until(() => partner.isReady);
    return this.#partner = partner;
  }
}

/** What a computer with one processor has to say, if it is one. */
function onOneProcessor(): string {
  return navigator.hardwareConcurrency > 1 ? "" : `

    This computer has one processor. The two take turns on it and have one cache, so it cannot show
    what this chapter is about. Read the recorded course, or another computer's.`;
}

function wordsOfTheirOwn(beside: Beside): Step[] {
  let spreads: Spread[] = [];
  let twice: Spread[] = [];
  return [{
    title: "Words of their own",
    text: () =>
      `A second process starts. Each of the two has a word of its own in shared memory, and
      adds 1 to it, again and again. Nobody looks at the other's word.

      We measure ${
        TIMES.toLocaleString("en")
      } additions of ours, with the other's word 8 bytes away or
      1024 bytes away. Each layout gets ${ROUNDS} rounds, in turn, and we compare what 8 of 10 rounds took.
      ${onOneProcessor()}`,
    ask: {
      kind: "choice",
      text: "Which is faster?",
      options: guesses(() => spreads, [
        {
          text: "8 bytes apart",
          right: "That is a surprise. Run it again, and see whether it stays so.",
          wrong:
            "Near is good for one process. With two of them, the words get in each other's way.",
        },
        {
          text: "No difference: they share nothing",
          right:
            "This run did not show one. If both ran on processors that share a cache, there may " +
            "be none; or too few rounds count.",
          wrong: "The two share no word. But a processor does not move words: it moves whole " +
            "lines.",
        },
        {
          text: "1024 bytes apart",
          right: "Much faster, although nobody ever touched the other's word.",
          wrong: "On most computers, words 1024 bytes apart are faster. This run does not show it.",
        },
      ]),
    },
    run: async (scene) => {
      const other = await beside.start(scene);
      const near = { name: "8 bytes apart", apart: 8 };
      const far = { name: "1024 bytes apart", apart: 1024 };
      scene.look(() => {
        spreads = besides(other, "add", [near, far]);
      });
      scene.show(spreadPicture("spread", spreads, "Nanoseconds for an addition"));
      scene.look(() => verdictOf(spreads[0]!, spreads[1]!));
    },
  }, {
    title: "Would we believe anything?",
    text: `A measurement should be able to say "no difference". So we measure one layout against
      itself: 1024 bytes apart, under two names.`,
    ask: {
      kind: "choice",
      text: "What should the verdict be?",
      options: guesses(() => twice, [
        {
          text: "The first is faster: it was measured first",
          right: "The first should not be faster. Chance has done this; run the step again.",
          wrong: "The two names take turns, so neither has the better moment.",
        },
        {
          text: "No difference",
          right:
            "The medians differ a little, as they always do. The spreads touch, so we say nothing.",
          wrong: "Equal layouts should show no difference. Chance has made one; run the step " +
            "again.",
        },
        {
          text: "The second is faster: it is compiled by then",
          right: "The second should not be faster. Chance has done this; run the step again.",
          wrong: "The first round of each compiles, and is not counted.",
        },
      ]),
    },
    run: async (scene) => {
      const other = await beside.start(scene);
      const [one, same] = [{ name: "one", apart: 1024 }, { name: "the same", apart: 1024 }];
      scene.look(() => {
        twice = besides(other, "add", [one, same]);
      });
      scene.show(spreadPicture("spread", twice, "Nanoseconds for an addition"));
      scene.look(() => verdictOf(twice[0]!, twice[1]!));
    },
  }];
}

/** The length of a line, as the kernel has read it from the processor. */
function lineLength(): number {
  const path = "/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size";
  const bytes = readAll(path);
  return typeof bytes === "number" ? NaN : Number(new TextDecoder().decode(bytes));
}

function lines(beside: Beside): Step[] {
  let next: Spread[] = [];
  let loads: Spread[] = [];
  return [{
    title: "Lines",
    text:
      `Each processor has a [[cache]]: a small, fast memory with copies of what it has used. Copies are
      not made byte by byte, but in [[line|lines]]. This computer says how long one is.

      To store, a processor must have the line alone. It takes it away from the others first. Two
      that store in one line take it from each other all the time, even if each stores a word of its
      own. This is called [[false sharing]].`,
    ask: {
      kind: "number",
      text:
        `Lines of ${LINE} bytes begin at multiples of ${LINE}. In which line is the word at offset 200, if ` +
        "the first is line 0?",
      answer: () => Math.floor(200 / LINE),
      right: "Line 3 has the bytes 192 to 255.",
      often: [
        {
          number: 4,
          because: "The word is in the fourth line, which is number 3: we count from 0.",
        },
        { number: 8, because: "8 is the place of the word in its line." },
      ],
      otherwise: "200 divided by 64 is 3, and 8 is left.",
    },
    run: (scene) => {
      scene.look(() => lineLength());
      const rows = [0, 8, 63, 64, 200].map((offset) => [
        offset,
        Math.floor(offset / LINE),
        offset % LINE,
      ]);
      scene.show(tablePicture("lines", "Offsets and lines", [
        ["offset", "line", "place in the line"],
        ...rows,
      ]));
    },
  }, {
    title: "How far is far enough?",
    text:
      `So 8 bytes were too near: both words were in one line. Now we try ${LINE} bytes: the next line.`,
    ask: {
      kind: "choice",
      text: `How does that compare with 1024 bytes?`,
      options: guesses(() => next, [
        {
          text: "64 bytes apart is faster",
          right: "A surprise. Run it again.",
          wrong: "Each of the two words has a line of its own at both distances, and that is " +
            "all that counts.",
        },
        {
          text: "No difference",
          right: "The next line is enough. More room would only be wasted.",
          wrong: "This run shows a difference. Some processors fetch two lines at a time, and " +
            "other programs disturb us.",
        },
        {
          text: "1024 bytes apart is faster",
          right: "Here it is. Some processors fetch two lines at a time.",
          wrong: "Two words on two lines do not meet, however near the lines are.",
        },
      ]),
    },
    run: async (scene) => {
      const other = await beside.start(scene);
      const line = { name: "64 bytes apart", apart: 64 };
      const far = { name: "1024 bytes apart", apart: 1024 };
      scene.look(() => {
        next = besides(other, "add", [line, far]);
      });
      scene.show(spreadPicture("spread", next, "Nanoseconds for an addition"));
      scene.look(() => verdictOf(next[0]!, next[1]!));
    },
  }, {
    title: "And if both only read?",
    text: `Again 8 bytes apart, in one line. But now both processes only load their words.`,
    ask: {
      kind: "choice",
      text: "Do they slow each other down?",
      options: guesses(() => loads, [
        {
          text: "No, the near words are even faster",
          right: "In this run they are. It does not matter much.",
          wrong: "Near words are neither faster nor slower: both processors have a copy of the " +
            "line.",
        },
        {
          text: "No, it makes no difference",
          right:
            "Any number of processors may have a copy of a line, as long as nobody stores in it.",
          wrong: "This run shows a difference. Other programs may have disturbed it; run it " +
            "again.",
        },
        {
          text: "Yes, as before",
          right: "In this run they do. Run it again: loads alone need no line for themselves.",
          wrong: "A line is fetched back only after a store. To load, both processors have a " +
            "copy of it.",
        },
      ]),
    },
    run: async (scene) => {
      const other = await beside.start(scene);
      const near = { name: "8 bytes apart", apart: 8 };
      const far = { name: "1024 bytes apart", apart: 1024 };
      scene.look(() => {
        loads = besides(other, "load", [near, far]);
      });
      scene.show(spreadPicture("spread", loads, "Nanoseconds for a load"));
      scene.look(() => verdictOf(loads[0]!, loads[1]!));
    },
  }];
}

function theWordsOfALane(): Step {
  const { head, tail, taken, counts } = LANE.fields;
  const rows = ([
    ["head", head, "the writer"],
    ["tail", tail, "the reader"],
    ["taken", taken, "the reader"],
    ["counts", counts, "the reader"],
  ] as const).map(([name, { offset }, who]) => [name, offset, Math.floor(offset / LINE), who]);
  return {
    title: "The words of the library's ring",
    text: `Here is how the ring of this library lays out its words. The writer polls
      \`tail\`: it looks at the word again and again while it waits. The reader polls \`head\`, and nobody
      polls the others.`,
    ask: {
      kind: "choice",
      text: "The reader stores both `tail` and `taken`. Why are they on two lines?",
      options: [
        {
          text: "Every word needs a line of its own",
          because: "Words that the same process stores and the same one loads may share a line.",
        },
        {
          text: "Each store of `taken` would take the line from the writer",
          right: true,
          because:
            "The writer polls `tail`, and the reader stores `taken` much more often. On one " +
            "line, the writer would fetch it again and again, and find nothing new.",
        },
        {
          text: "They would not fit on one line",
          because: "The two words have 4 bytes each, and a line has 64.",
        },
      ],
    },
    run: (scene) => {
      scene.show(tablePicture("lane", "From the layout in src/lane/lane.ts", [
        ["word", "offset", "line", "stored by"],
        ...rows,
      ]));
    },
  };
}

function batches(beside: Beside): Step[] {
  let spreads: Spread[] = [];
  return [{
    title: "Sharing on purpose",
    text:
      `\`head\` must be shared: with it, the writer tells the reader that there is more. Each time, its
      line goes over to the reader and back.

      We send ${
        TIMES.toLocaleString("en")
      } numbers to the other process. First we store \`head\` after each number.
      Then we write 64 numbers, and store \`head\` once: a batch.`,
    ask: {
      kind: "choice",
      text: "What does a number cost in a batch?",
      options: guesses(() => spreads, [
        {
          text: "More: the reader has to wait",
          right: "A surprise. Run it again.",
          wrong:
            "The reader waits a little, and then takes 64 at once. Sending as a whole is faster.",
        },
        {
          text: "The same: each number is written and read",
          right:
            "This run shows no difference. On one processor there is none, or too few rounds count.",
          wrong:
            "Writing a number is cheap. What costs is the line that travels, and it travels less.",
        },
        {
          text: "Much less",
          right: "The line of `head` travels once for 64 numbers.",
          wrong:
            "On most computers, a number in a batch costs much less. This run does not show it.",
        },
      ]),
    },
    run: async (scene) => {
      const other = await beside.start(scene);
      scene.look(() => {
        spreads = sendInBatches(other, [1, 64]);
      });
      scene.show(spreadPicture("spread", spreads, "Nanoseconds for a number"));
      scene.look(() => verdictOf(spreads[0]!, spreads[1]!));
    },
  }, {
    title: "What a batch costs",
    text:
      `We write 10 numbers, in a batch of 64. They are in shared memory. Then we look at \`head\`, as the
      reader does.`,
    ask: {
      kind: "number",
      text: "How many new numbers does the reader see?",
      answer: () => 0,
      right: "None: the first number waits for the last one of its batch.",
      often: [
        {
          number: 10,
          because: "The ten numbers are in memory. But the reader goes by `head`, which was not " +
            "stored.",
        },
        { number: 64, because: "Only 10 were written, and `head` was not stored yet." },
      ],
      otherwise: "`head` is stored once the batch is full. Until then the reader sees none.",
    },
    run: async (scene) => {
      const { words } = await beside.start(scene);
      const before = words[Ring.head]!;
      scene.look(() => {
        for (let at = before; at < before + 10; at++) {
          words[Ring.slots + (at & Ring.capacity - 1)] = at;
        }
      });
      scene.look(() => words[Ring.head]! - before);
    },
    after:
      `So a batch must end when there is nothing more to send, and not only when it is full. The
      handles of this library have \`flush\` and batches that publish what there is.`,
  }];
}
