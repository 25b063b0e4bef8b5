/**
 * Chapter 6 for the stage: heatshrink, and what a mirror is for.
 *
 * @module
 */

import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { Step, Story } from "../stage/story.ts";
import { compress, type Element, elementsOf, expand, FORMAT, streamOf } from "./elements.ts";
import { aWholeStream, whereItPays } from "./honest.ts";
import { twoRings } from "./two_rings.ts";

/** The story of chapter 6. */
export const story: Story = {
  steps: () => [
    ...compressAVerse(),
    ...overlaps(),
    ...twoRings(),
    ...aWholeStream(),
    ...whereItPays(),
    {
      title: "Simpler, and sometimes faster",
      text:
        `A mirror removes questions and pieces from code. It pays where a message is moved by one
        call, or goes to code that knows no rings. It does not make single bytes faster.

        All of this was the example in \`examples/heatshrink\`, which can replace the C program. In
        the exercise, you copy a repeat that overlaps itself, with few calls.`,
    },
  ],
};

const VERSE =
  "row, row, row your boat, gently down the stream; merrily, merrily, merrily, merrily, " +
  "life is but a dream";
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** An element in words. */
function inWords(element: Element): [kind: string, what: string, bits: string] {
  if ("byte" in element) {
    return ["literal", JSON.stringify(String.fromCharCode(element.byte)), "9"];
  }
  const { distance, length } = element;
  return ["repeat", `${distance} back, ${length} bytes`, `${1 + FORMAT.window + FORMAT.lookahead}`];
}

function compressAVerse(): Step[] {
  const verse = new TextEncoder().encode(VERSE);
  let small = new Uint8Array();
  return [{
    title: "A verse, compressed",
    text:
      `You have built a mirror. Is it worth it? Make a bet now: a program that looks back into its last
      bytes all the time, with a mirror and without. How much faster is it? You collect near the end.

      heatshrink is such a program. It compresses for devices with very little memory, such as a sensor
      with a radio. It sends "row, row, row your boat, gently down the stream; merrily, merrily, merrily, merrily,
      life is but a dream". This is ${verse.length} bytes.`,
    ask: {
      kind: "number",
      text: "How many bytes are sent? Guess.",
      unit: "bytes",
      within: 1.25,
      answer: () => small.length,
      right: "About three quarters. Bytes that were sent before need not be sent again.",
      often: [{
        number: verse.length,
        because: "The verse itself has so many bytes. But it repeats itself.",
      }],
      otherwise: 'It saves about a quarter: only the "row" and the "merrily" repeat at length.',
    },
    run: (scene) => {
      small = scene.run("small", () => compress(verse).bytes);
      scene.show(bytesPicture(small, {
        id: "small",
        title: "What is sent",
        address: 0,
        length: small.length,
      }));
      scene.look(() => text(expand(small).bytes) === VERSE);
    },
    after: `The receiver has made the verse of it again, byte for byte.`,
  }, {
    title: "Bytes, and repeats",
    text:
      `The stream consists of two kinds of [[element|elements]]. A literal is a byte as it is, and takes 9
      bits. A repeat says how far back to look, and how many bytes to copy from there. It takes 13
      bits here.`,
    ask: {
      kind: "choice",
      text: 'The stream begins with "row, " as five literals. What may come next?',
      options: [
        {
          text: "A repeat: 5 back, 8 bytes",
          right: true,
          because:
            'From 5 back on, the bytes are "row, row": the copy continues into what it has ' +
            "just written.",
        },
        {
          text: "A repeat: 5 back, 5 bytes, and another one",
          because: "Two repeats would be right, and take 13 bits more. One repeat can do both.",
        },
        {
          text: 'The literals of "row" once more',
          because: 'The letters of "row" are behind us already, and a repeat takes fewer bits ' +
            "than two literals.",
        },
      ],
    },
    run: (scene) => {
      const elements = elementsOf(small, FORMAT);
      scene.show(tablePicture("elements", `The first 8 of ${elements.length} elements`, [
        ["element", "meaning", "bits"],
        ...elements.slice(0, 8).map(inWords),
      ]));
    },
  }];
}

function overlaps(): Step[] {
  const bytes = new Uint8Array(16);
  const picture = () =>
    bytesPicture(bytes, { id: "bytes", title: "The last bytes", address: 0, length: 16 });
  const clear = () => {
    bytes.fill(0);
    bytes[0] = 0x61;
  };
  return [{
    title: "A repeat that overlaps itself",
    text:
      `Here is a stream of two elements: the literal "a", and a repeat: 1 back, 9 bytes. There is
      only one byte behind us.`,
    ask: {
      kind: "choice",
      text: "What comes out?",
      options: [
        {
          text: "Two times the letter a, and 8 zeros",
          because: "Zeros would come out if all nine bytes were read first. They are copied one " +
            "after the other.",
        },
        {
          text: "Ten times the letter a",
          right: true,
          because:
            "Each byte that is copied is there for the next one. So 1 back means: this byte, " +
            "nine more times.",
        },
        {
          text: "An error",
          because: "Nothing is wrong with this stream: a repeat may be longer than its distance.",
        },
      ],
    },
    run: (scene) => {
      const stream = streamOf([{ byte: 0x61 }, { distance: 1, length: 9 }], FORMAT);
      scene.look(() => stream);
      scene.look(() => text(expand(stream).bytes));
    },
  }, {
    title: "A copy that is too careful",
    text:
      `JavaScript has a call that copies within an array: \`copyWithin(to, from, end)\`. In C it is
      \`memmove\`. We let it copy the nine bytes, from 0 to 1.`,
    ask: {
      kind: "choice",
      text: "Byte 0 is an a, the others are 0. What is there afterwards?",
      options: [
        {
          text: "Ten a",
          because: "A loop from the first byte on would make ten. This call copies as if it had " +
            "taken all nine bytes first.",
        },
        {
          text: "One a, as before",
          because: "Byte 0 was copied to byte 1, so there are at least two.",
        },
        {
          text: "Two a, and then zeros",
          right: true,
          because: "The call takes care that no byte is overwritten before it was read. A repeat " +
            "must not do that.",
        },
      ],
    },
    run: (scene) => {
      clear();
      scene.show(picture());
      scene.look(() => {
        bytes.copyWithin(1, 0, 9);
      });
      scene.show(picture());
    },
    after: `So a decoder copies byte by byte, or in pieces that do not overlap.`,
  }];
}
