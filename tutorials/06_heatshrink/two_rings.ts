/**
 * Chapter 6: the same repeat on a masked ring and on a mirror ring.
 *
 * @module
 */

import { type History, MaskedHistory, MirrorHistory } from "../../examples/heatshrink/history.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";

const CAPACITY = 4096;
/** A repeat whose first byte is 50 bytes before the end of the memory. */
const [DISTANCE, LENGTH] = [250, 200];

/** Fills a ring with bytes that differ, up to `DISTANCE` bytes behind that first byte. */
function fill(history: History): void {
  const bytes = Uint8Array.from({ length: CAPACITY }, (_, i) => i * 7 + (i >> 8));
  history.append(bytes);
  history.append(bytes.subarray(0, DISTANCE - 50));
  Object.assign(history.counts, { copies: 0, branches: 0, seams: 0 });
}

function showCounts(scene: Scene, histories: Readonly<Record<string, History>>): void {
  const rows = Object.entries(histories).map(([name, { counts }]) => [
    name,
    counts.copies,
    counts.branches,
    counts.seams,
  ]);
  scene.show(tablePicture("counts", "Counted by the rings", [
    ["ring", "copies", "checks for the end", "crossings"],
    ...rows,
  ]));
}

/** The steps with both rings. */
export function twoRings(): Step[] {
  let masked = new MaskedHistory(CAPACITY);
  let mirror: MirrorHistory | undefined;
  return [{
    title: "The last bytes, in a ring",
    text:
      `A repeat reaches back a few hundred bytes, or a few thousand: the settings say how far. So a
      decoder keeps only its last bytes, in a [[ring]]. A range of bytes there may cross the end of
      the memory.

      The first of our two rings is one piece of ${CAPACITY} bytes. It is called masked: \`position & ${
        CAPACITY - 1
      }\` keeps
      the lowest bits of a position, which is the place in the memory. A repeat of ${LENGTH} bytes begins to read
      50 bytes before the end.`,
    ask: {
      kind: "number",
      text: "Into how many pieces must the copy be cut?",
      unit: "pieces",
      answer: () => masked.counts.copies,
      right: "50 bytes up to the end, and 150 from the beginning.",
      often: [
        { number: 1, because: "The copy reads across the end, so its bytes are not in one piece." },
        {
          number: 3,
          because: "Only the bytes that are read cross the end. Those that are written come " +
            "later, and do not.",
        },
      ],
      otherwise: "50 bytes up to the end, and 150 from the beginning: two pieces.",
    },
    run: (scene) => {
      masked = new MaskedHistory(CAPACITY);
      fill(masked);
      scene.look(() => {
        masked.repeat(DISTANCE, LENGTH);
      });
      showCounts(scene, { masked });
    },
    after: `For each piece, its code asks twice how far the end is.`,
  }, {
    title: "The same in a mirror ring",
    text:
      `Now the ring of chapter 5: its memory of ${CAPACITY} bytes is mapped twice in a row. The same
      bytes, the same repeat.`,
    ask: {
      kind: "number",
      text: "Into how many pieces is the copy cut?",
      unit: "pieces",
      answer: () => mirror!.counts.copies,
      right: "One. The bytes begin in the first window, and simply continue in the second.",
      often: [
        { number: 2, because: "The second window follows the first, so the end is gone." },
      ],
      otherwise: "The second window follows the first, so nothing is cut.",
    },
    run: (scene) => {
      const ring = mirror = new MirrorHistory(CAPACITY);
      fill(ring);
      scene.look(() => {
        ring.repeat(DISTANCE, LENGTH);
      });
      showCounts(scene, { masked, mirror: ring });
      const lastOf = (history: History) => history.copy(history.head - LENGTH, LENGTH).toHex();
      scene.look(() => lastOf(ring) === lastOf(masked));
    },
    after: `Both have copied the same bytes.`,
  }, {
    title: "And its code",
    text:
      `This is all that the mirror ring does, for short and for long repeats. The masked ring needs
      more, with a loop over pieces: \`examples/heatshrink/history.ts\`.`,
    run: (scene) => {
      scene.code(mirror!.repeat);
      mirror![Symbol.dispose]();
    },
    after:
      `\`from\` is masked once. \`to\` follows it, perhaps in the second window. No code asks for
      the end.`,
  }];
}
