/**
 * Chapter 5: the ring of the library, its two positions, and how it closes.
 *
 * @module
 */

import { MirrorRing } from "../../mod.ts";
import type { RingPicture, Scene, Step } from "../stage/story.ts";
import { alphabet, readAtOf } from "./ring_state.ts";

const CELLS = 32;

/** Draws a ring: a letter for each of its cells, the first byte of the cell in memory. */
function draw(ring: MirrorRing, title = "The ring, a letter for 1/32 of it"): RingPicture {
  const { bytes, capacity, available } = ring;
  const readAt = readAtOf(ring);
  const cellBytes = capacity / CELLS;
  const cells = Array.from(
    { length: CELLS },
    (_, cell) => String.fromCharCode(bytes[cell * cellBytes] || "·".charCodeAt(0)),
  ).join("");
  return { kind: "ring", id: "ring", title, cells, cellBytes, readAt, available, mirrored: true };
}

/** The steps with the library's ring. */
export function useTheLibrary(): Step[] {
  let ring: MirrorRing;
  /** The bytes of a cell. */
  let cell = 0;
  const show = (scene: Scene) => scene.show(draw(ring));
  return [
    {
      title: "The ring of the library",
      text:
        `The library's \`MirrorRing\` makes the three calls, rounds its capacity up to whole pages,
        and keeps two positions. The next read begins at R, and the next write at W.

        We draw the ring as 32 cells. \`alphabet\` fills 24 of them, each with a letter of its own, from A
        to X.`,
      run: (scene) => {
        scene.look(() => {
          ring = new MirrorRing(1000);
        });
        scene.look(() => ring.capacity);
        cell = ring.capacity / CELLS;
        scene.look(() => {
          ring.write(alphabet("A", 24 * cell, cell));
        });
        show(scene);
      },
    },
    {
      title: "Read some of it",
      text: `The reader is done with 20 cells.`,
      run: (scene) => {
        scene.look(() => {
          ring.consume(20 * cell);
        });
        show(scene);
      },
      after: `\`consume\` copies nothing and clears nothing. It only moves R.`,
    },
    {
      title: "Write past the end",
      text: `W is at cell 24, so 8 cells are left before the end of the first window. We write 18.`,
      ask: {
        kind: "number",
        picture: "ring",
        text: "At which cell is W then, counted from the beginning of the first window?",
        answer: () => (readAtOf(ring) + ring.available) / cell,
        right: "Past the seam, in the second window. From R to W the bytes are in one piece.",
        often: [
          {
            number: 10,
            because:
              "Cell 10 is the same memory. But W goes on into the second window, so that the " +
              "bytes from R to W are in one piece.",
          },
          { number: 32, because: "W does not stop at the end: the second window follows." },
        ],
        otherwise: "24 cells and 18 more: W simply continues into the second window.",
      },
      run: (scene) => {
        scene.look(() => {
          ring.write(alphabet("a", 18 * cell, cell));
        });
        show(scene);
        scene.look(() => ring.peek());
      },
      after: `\`peek()\` returns the unread bytes in one piece: a view of the ring itself, without a
        copy.`,
    },
    {
      title: "Full is not empty",
      text:
        `When the writer has caught up with the reader, both are at the same byte. Many plain rings
        cannot tell then whether they are full or empty. So they never fill the last byte.

        We empty the ring, and then fill all of it.`,
      ask: {
        kind: "choice",
        picture: "ring",
        text: "How does this ring tell the difference?",
        options: [
          {
            text: "W is one capacity ahead of R",
            right: true,
            because:
              "At the same byte, but in the other window. R is always in the first window, and " +
              "W is ahead of it by the number of unread bytes.",
          },
          {
            text: "It leaves one byte free",
            because:
              "This ring fills its last byte too. Its positions then differ by the capacity, " +
              "although the byte is the same.",
          },
          {
            text: "It keeps a flag",
            because: "The two positions are enough, because they may differ by the whole capacity.",
          },
        ],
      },
      run: (scene) => {
        scene.look(() => {
          ring.consume(ring.available);
          ring.write(alphabet("A", ring.capacity, cell));
        });
        show(scene);
        scene.look(() => ring.free);
      },
    },
    {
      title: "Close it safely",
      text: `We hold a view of everything in the ring. Then we close the ring.`,
      ask: {
        kind: "choice",
        text: "What can we still read through the view?",
        options: [
          {
            text: "Nothing: its length is 0",
            right: true,
            because: "`close()` detaches every view before it unmaps the memory.",
          },
          {
            text: "All of it, until the view is gone",
            because: "If a view kept the memory, a forgotten view would keep it for ever. So " +
              "`close()` detaches the view.",
          },
          {
            text: "We crash",
            because: "A view of unmapped memory would crash us. So `close()` detaches it first.",
          },
        ],
      },
      run: (scene) => {
        const piece = scene.run("piece", () => ring.peek());
        scene.look(() => {
          ring.close();
        });
        scene.look(() => piece.length);
        scene.look(() => piece[0]);
      },
    },
  ];
}
