/**
 * Chapter 10 for the stage: a ring in four stages.
 *
 * @module
 */

import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { publishFirst } from "./publish_first.ts";
import { SlotRing } from "./ring1_slots.ts";
import { PositionRing } from "./ring2_positions.ts";
import { CachedRing } from "./ring3_cached.ts";
import { MirroredRing } from "./ring4_mirrored.ts";
import { HEAD, makeMemory, type Ring, TAIL } from "./ring_memory.ts";
import { messageOf } from "./rings.ts";

const encoder = new TextEncoder();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(/\0+$/, "");

/** The story of chapter 10. */
export const story: Story = {
  steps: () => {
    const target = new Uint8Array(pageSize());
    const textOf = (length: number | undefined) => length && text(target.subarray(0, length));
    return [
      ...slots(target, textOf),
      ...positions(target, textOf),
      cached(target),
      mirrored(target),
      ...publishFirst(),
      {
        title: "The base of every ring here",
        text:
          `The fourth stage is the base of every message ring of this library. Compare the four files, such
          as \`ring1_slots.ts\` and \`ring2_positions.ts\`: each is one idea further.

          In the exercise, one function of each stage has a mistake. Then give your own ring positions, and
          let it publish last. How much time each idea saves is for chapter 12.`,
      },
    ];
  },
};

/** Sends a hundred messages through a ring; returns how often its ends looked at each other. */
function sendHundred(ring: Ring, target: Uint8Array<ArrayBuffer>): number {
  for (let i = 0; i < 100; i++) ring.write(messageOf(i));
  for (let i = 0; i < 100; i++) ring.read(target);
  return ring.looks;
}

type TextOf = (length: number | undefined) => string | number | undefined;

/** Empties the ring, and moves on until the next message begins at this place. */
function comeTo(place: number, ring: Ring, tail: Word32, target: Uint8Array<ArrayBuffer>): void {
  while (ring.read(target) !== undefined);
  while (tail.load() % pageSize() !== place) {
    ring.write(new Uint8Array(0)); // which takes 4 bytes, those of its length
    ring.read(target);
  }
}

function slots(target: Uint8Array<ArrayBuffer>, textOf: TextOf): Step[] {
  let memory: ReturnType<typeof makeMemory> | undefined;
  let ring: SlotRing | undefined;
  const show = (scene: Scene) => {
    const data = memory!.bytes.subarray(memory!.data);
    const rows = [0, 1, 2].map((slot) => {
      const content = text(data.subarray(slot * 64 + 4, slot * 64 + 64));
      return [`slot ${slot}`, data[slot * 64]!, content];
    });
    scene.show(tablePicture("slots", "The first slots", [["", "flag", "message"], ...rows]));
  };
  return [
    {
      title: "Stage 1: slots",
      text:
        `A ring between one writer and one reader, without a lock. The first idea: slots of one size, each
        with a flag in front that says whose turn it is. 0: the writer may fill the slot. Anything else is
        the length of a message plus 1, and the reader may have it.`,
      ask: {
        kind: "choice",
        text: "The writer stores the bytes of a message, and the flag. Which comes last?",
        options: [
          {
            text: "The flag",
            right: true,
            because:
              "The flag hands the slot over. Once it is stored, the reader may read at once.",
          },
          {
            text: "The bytes",
            because:
              "If the bytes came last, the reader could read the slot before the message is " +
              "complete.",
          },
          {
            text: "It makes no difference",
            because:
              "The reader may look between the two stores. If the flag came first, it would " +
              "read half a message.",
          },
        ],
      },
      run: (scene) => {
        memory = makeMemory();
        const slots = ring = scene.run("slots", () => new SlotRing(memory!));
        scene.look(() => slots.write(encoder.encode("hello")));
        scene.look(() => slots.write(encoder.encode("ring")));
        show(scene);
      },
    },
    {
      title: "Read a slot",
      text:
        `The reader takes the first message. It copies it into \`target\`, an array of its own.`,
      ask: {
        kind: "choice",
        text: "What is left in slot 0 afterwards?",
        options: [
          {
            text: "The flag is 0, and hello is still there",
            right: true,
            because:
              "The flag is enough: at 0 the reader ignores what is behind it. Clearing would cost " +
              "time for nothing.",
          },
          {
            text: "Only zeros",
            because: "Nobody clears the message. The flag says that it is not to be read.",
          },
          {
            text: "All as before",
            because: "The reader stores 0 in the flag, so that the writer may fill the slot again.",
          },
        ],
      },
      run: (scene) => {
        const slots = ring!;
        scene.look(() => textOf(slots.read(target)));
        show(scene);
      },
      after: `A message of 4 bytes takes a slot like one of 60 bytes, and 61 bytes fit into none.`,
    },
  ];
}

function positions(target: Uint8Array<ArrayBuffer>, textOf: TextOf): Step[] {
  const page = pageSize();
  let memory: ReturnType<typeof makeMemory> | undefined;
  let ring: PositionRing | undefined;
  const word = (place: typeof HEAD) => new Word32(memory!, place);
  const showWords = (scene: Scene) =>
    scene.show(tablePicture("words", "The two words", [
      ["word", "value", "meaning"],
      ["head", word(HEAD).load(), "bytes ever written"],
      ["tail", word(TAIL).load(), "bytes ever read"],
    ]));
  return [
    {
      title: "Stage 2: positions",
      text:
        `The second idea: two words in place of the flags. \`head\` counts all bytes ever written, and
        \`tail\` all bytes ever read. Only the writer stores \`head\`, and only the reader stores \`tail\`.

        Each message follows its length, which has 4 bytes, and is padded to a multiple of 4. We write
        messages of 23 and of 4 bytes, and read the first.`,
      ask: {
        kind: "number",
        text: "What is `head` then?",
        unit: "bytes",
        answer: () => word(HEAD).load(),
        right:
          "The first takes 4 of length, 23, and 1 of padding: 28. The second takes 4 and 4: 8. " +
          "Reading moves `tail` alone.",
        often: [
          { number: 27, because: "Each message also has 4 bytes of length, and is padded." },
          {
            number: 8,
            because: "8 bytes are unread. `head` counts all that was ever written.",
          },
          { number: 35, because: "The 23 bytes are padded to 24." },
        ],
        otherwise:
          "The first takes 4 of length, 23, and 1 of padding: 28. The second takes 4 + 4: 8.",
      },
      run: (scene) => {
        memory = makeMemory();
        ring = scene.run("ring", () => new PositionRing(memory!));
        scene.look(() => ring!.write(encoder.encode("a message of any length")));
        scene.look(() => ring!.write(encoder.encode("ring")));
        scene.look(() => textOf(ring!.read(target)));
        showWords(scene);
      },
      after:
        `Both only grow. The place in the ring is the remainder by ${page}. After 32 bits they wrap to 0,
        and the difference is still right.`,
    },
    {
      title: "Cut in two",
      text:
        `Messages came and went, and both positions are 16 bytes before the end now. We write a message of 21 bytes. Its length comes
        first, as a number of 4 bytes: \`15 00 00 00\`, which is 0x15, or 21. Its lowest byte comes first:
        that is [[little-endian]].`,
      ask: {
        kind: "choice",
        text: "Where does it go?",
        options: [
          {
            text: "A part before the end, the rest to the beginning",
            right: true,
            because: "Two copies to write it, two to read it, and no reader can use it in place.",
          },
          {
            text: "All of it to the beginning",
            because: "This ring has no gaps: the next byte follows the last one, round the end.",
          },
          {
            text: "It does not fit",
            because: "The ring is empty. There is room, but in two pieces.",
          },
        ],
      },
      run: (scene) => {
        comeTo(page - 16, ring!, word(TAIL), target);
        showWords(scene);
        scene.look(() => ring!.write(encoder.encode("cut in two by the end")));
        const data = memory!.bytes.subarray(memory!.data, memory!.data + page);
        const part = { address: 0, length: 16 };
        scene.show(bytesPicture(data, { ...part, id: "end", title: "The end", from: page - 16 }));
        scene.show(bytesPicture(data, { ...part, id: "begin", title: "The beginning" }));
        scene.look(() => textOf(ring!.read(target)));
      },
    },
  ];
}

function cached(target: Uint8Array<ArrayBuffer>): Step {
  let looks = 0;
  return {
    title: "Stage 3: cached positions",
    text:
      `For each message the writer looks at \`tail\`, and the reader at \`head\`. Each time, the other processor has changed the word, so the word must come from there. That takes far longer than a load of your own word; chapter 12 shows why.

      The third idea: remember the value that you saw. The other side can only have moved forward since, so
      free space is still free. You look again when it is used up.

      We send a hundred messages through the old ring, \`before\`, and through the new one: all in, then
      all out. The old one takes 200 looks.`,
    ask: {
      kind: "number",
      text: "How many looks does it take now?",
      answer: () => looks,
      right:
        "The writer knew from the start that the ring was empty. The reader looked once, and saw them all.",
      often: [
        {
          number: 2,
          because: "The writer need not look at all: it knows that a new ring is empty.",
        },
        {
          number: 100,
          because: "Neither side looks for each message. One look shows all hundred.",
        },
        {
          number: 200,
          because: "The old ring takes 200 looks. Here one look shows all hundred messages.",
        },
      ],
      otherwise:
        "The writer knows that a new ring is empty, and one look shows the reader everything.",
    },
    run: (scene) => {
      const before = new PositionRing(makeMemory());
      const ring = new CachedRing(makeMemory());
      scene.code(sendHundred);
      scene.look(() => sendHundred(before, target));
      scene.look(() => sendHundred(ring, target));
      looks = ring.looks;
    },
  };
}

function mirrored(target: Uint8Array<ArrayBuffer>): Step {
  const page = pageSize();
  return {
    title: "Stage 4: mirrored",
    text:
      `The fourth idea is chapter 5: map the data twice, one window behind the other. The code that cuts
      messages in two is gone, and a reader can use a message in place.`,
    ask: {
      kind: "choice",
      text: "When may the reader store `tail`: before the handler reads the message, or after?",
      options: [
        {
          text: "After",
          right: true,
          because: "Once `tail` has moved, the writer may write into the message.",
        },
        {
          text: "Before",
          because: "If `tail` moved before, the writer could write into the message while the " +
            "handler reads it.",
        },
        {
          text: "It makes no difference",
          because:
            "The handler reads the bytes of the ring itself. Once \`tail\` has moved, the writer may " +
            "overwrite them.",
        },
      ],
    },
    run: (scene) => {
      const memory = makeMemory();
      const ring = new MirroredRing(memory);
      comeTo(page - 16, ring, new Word32(memory, TAIL), target);
      scene.look(() => ring.write(encoder.encode("not cut by the end")));
      const data = memory.bytes.subarray(memory.data);
      const part = { address: 0, length: 16 };
      scene.show(
        bytesPicture(data, { ...part, id: "end", title: "First window, its end", from: page - 16 }),
      );
      scene.show(
        bytesPicture(data, { ...part, id: "begin", title: "Second window, behind it", from: page }),
      );
      let seen = "";
      scene.look(() =>
        ring.readInPlace((message) => {
          seen = text(message);
        })
      );
      scene.look(() => seen);
    },
  };
}
