/**
 * Chapter 6: a whole stream on both rings, counted and timed, and where a mirror pays.
 *
 * @module
 */

import { MirrorRing } from "../../mod.ts";
import type { Counts, RingKind } from "../../examples/heatshrink/history.ts";
import { guesses, measureInTurn, type Spread, spreadPicture, verdictOf } from "../spread.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { compress, expand } from "./elements.ts";

/** Long repeats from far away: they are copied by calls. */
const FORMAT = { window: 12, lookahead: 10 };
const LINE = 1500;
const LINES = 100;
const ROUNDS = 20;
/** How often a round expands the image. */
const TIMES = 4;

/** An image whose lines are equal. */
function image(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LINES * LINE);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i % LINE, 0x9e3779b1) >>> 24;
  return bytes;
}

/** The steps with a whole stream. */
export function aWholeStream(): Step[] {
  let small = new Uint8Array();
  let counts: Record<RingKind, Counts> | undefined;
  let spreads: readonly Spread[] = [];
  const options = guesses(() => spreads, [
    {
      text: "The masked ring, clearly",
      right: "On your computer, now, it is. A mirror takes system calls to make.",
      wrong: "The masked ring has more to do, not less: it asks for the end, and copies in " +
        "pieces.",
    },
    {
      text: "This run will not show a difference",
      right: "The two spreads touch. The next run could name either of them as the winner.",
      wrong: "This run did show one: the spreads do not touch. Run it again to see whether " +
        "they stay apart.",
    },
    {
      text: "The mirror ring, clearly",
      right: "On your computer, now, it is: the spreads do not touch.",
      wrong: "The mirror ring asks no questions and copies less, but the spread of the " +
        "times is larger than that saves.",
    },
  ]);
  return [{
    title: "A whole stream",
    text:
      `An image of ${LINES} lines, all equal, of ${LINE} bytes each. Compressed, it is a line and many long
      repeats. The same decoder expands it, first with a masked ring and then with a mirror ring.

      The masked ring asks a few hundred times whether a range crosses the end.`,
    ask: {
      kind: "choice",
      text: "How often is the answer yes?",
      options: [
        {
          text: "Nearly always",
          because: "A repeat crosses the end only if it lies just there, and most do not.",
        },
        {
          text: "Every 20th time or so",
          right: true,
          because:
            "The ring has 8 KiB and a repeat at most 1 KiB, in pieces. The end is seldom near. " +
            "But the code has to ask each time.",
        },
        {
          text: "Never",
          because: "Each lap of the ring crosses the end, somewhere within a repeat.",
        },
      ],
    },
    run: (scene) => {
      small = compress(image(), FORMAT).bytes;
      scene.look(() => [image().length, small.length]);
      counts = {
        masked: expand(small, FORMAT, "masked").counts,
        mirror: expand(small, FORMAT, "mirror").counts,
      };
      scene.show(tablePicture("counts", "Counted while the image was expanded", [
        ["ring", "copies", "checks for the end", "crossings"],
        ...Object.entries(counts).map(([ring, { copies, branches, seams }]) => [
          ring,
          copies,
          branches,
          seams,
        ]),
      ]));
    },
    after:
      `These counts are the same in every run. The mirror ring copies a little less, and never asks.`,
  }, {
    title: "And the time?",
    text:
      `Now both expand the image ${ROUNDS} times in turn. One round says little while other programs run. So
      we look at the spread: what 8 of 10 rounds took. Only if the two spreads do not touch, one ring
      is faster.`,
    ask: { kind: "choice", text: "Which ring is faster?", options },
    run: (scene) => {
      const round = (ring: RingKind) => () => {
        const begin = performance.now();
        for (let i = 0; i < TIMES; i++) expand(small, FORMAT, ring);
        return (performance.now() - begin) * 1000 / TIMES;
      };
      spreads = measureInTurn({ masked: round("masked"), mirror: round("mirror") }, ROUNDS);
      scene.show(spreadPicture("spread", spreads, "Microseconds for the image"));
      scene.look(() => verdictOf(spreads[0]!, spreads[1]!));
    },
    after:
      `The bytes take the time, not the questions. A processor asks while it waits for memory, and
      guesses the answer right. And a mirror is made by system calls, which a short stream notices.`,
  }];
}

/** The steps that show what a mirror does for other code. */
export function whereItPays(): Step[] {
  const message = new TextEncoder().encode('{"name":"Zoë","coins":42}');
  const plain = new Uint8Array(4096);
  const at = 4096 - 12; // the end cuts the two bytes of ë
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [{
    title: "Code that knows no rings",
    text:
      `\`JSON.parse\` and a system call know no rings: they want one piece. Here is a message in UTF-8, in
      which ë has two bytes. In a plain ring, the end falls just between them. We decode both pieces,
      and put the text together.`,
    ask: {
      kind: "choice",
      text: "What is the name in the message then?",
      options: [
        {
          text: "Zoë",
          because: "Each piece was decoded alone, and each has one half of ë.",
        },
        {
          text: "Nothing: decoding fails",
          because: "A TextDecoder replaces what it cannot read, and says nothing.",
        },
        {
          text: "Two wrong characters in place of ë",
          right: true,
          because:
            "Neither half of ë means anything alone. Every decoder of text would have to know " +
            "about the end.",
        },
      ],
    },
    run: (scene) => {
      const untilEnd = 4096 - at;
      plain.set(message.subarray(0, untilEnd), at);
      plain.set(message.subarray(untilEnd), 0);
      const [first, rest] = [plain.subarray(at), plain.subarray(0, message.length - untilEnd)];
      scene.look(() => text(first) + text(rest));
    },
  }, {
    title: "One piece for everybody",
    text: `In a \`MirrorRing\`, \`peek()\` returns the message in one piece, wherever it lies.`,
    run: (scene) => {
      using ring = new MirrorRing(4096);
      ring.write(new Uint8Array(ring.capacity - 12));
      ring.consume(ring.available);
      scene.look(() => ring.write(message));
      scene.look(() => JSON.parse(text(ring.peek())));
    },
    after: `No copy was made for it. The larger the messages, the more this saves:
      \`deno task bench mirror_ring\` measures it.`,
  }];
}
