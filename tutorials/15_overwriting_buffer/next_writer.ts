/**
 * Chapter 15: a writer in another process that dies in the middle of a message, and the next one.
 *
 * @module
 */

import { circular } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import type { Step } from "../stage/story.ts";
import { type Ends, textOf } from "./ends.ts";
import { LENGTH, signed } from "./messages.ts";

/** Writes X, begins Y, and never comes to its end. */
export function dieInTheMiddle(name: string): Promise<void> {
  const writer = circular(name, { capacity: pageSize() }).writer();
  writer.trySend(signed("X", "another process"));
  writer.tryClaim(LENGTH).bytes.set(signed("Y", "another process").subarray(0, 4));
  return new Promise(() => setInterval(() => {}, 60_000));
}

/** The steps with the writer that dies. */
export function theNextWriter(ends: Ends): Step[] {
  return [
    {
      title: "Another writer",
      text:
        `A ring has one writer. Ours closes, and another process becomes the writer: see its card. It writes
        X, and begins Y: it has claimed the space and filled a part of it.`,
      run: async (scene) => {
        const { writer, reader, window } = ends;
        while (reader.tryReceive() !== undefined);
        const before = window.published;
        scene.look(() => {
          writer.close();
        });
        scene.start("writer");
        await scene.until(() => window.published > before);
        scene.look(() => textOf(reader.tryReceive()));
        ends.show(scene);
      },
    },
    {
      title: "Killed in the middle of a message",
      text: `Kill the writer by its card, or answer, and the stage does it. Then this process
        becomes the writer again, as \`next\`, and sends Z.`,
      ask: {
        kind: "choice",
        picture: "ring",
        text: "What does the reader get next?",
        options: [
          {
            text: "Z",
            right: true,
            because:
              "Y was never published, so it is not a message. Its place is free space, and nothing " +
              "needs repair.",
          },
          {
            text: "A part of Y, and then Z",
            because: "\`published\` never moved past Y. For a reader, Y does not exist.",
          },
          {
            text: "Nothing: the ring is broken",
            because:
              "The head before Y is intact, and so are all positions. The next writer continues.",
          },
        ],
      },
      run: async (scene) => {
        const { reader, writer: { name } } = ends;
        scene.signal("writer", "SIGKILL");
        const ring = circular(name, { capacity: pageSize() });
        const next = await ring.nextWriter({ timeout: 5000 });
        scene.look(() => {
          next.trySend(signed("Z", "the next writer"));
        });
        scene.look(() => textOf(reader.tryReceive()));
        ends.show(scene);
      },
      after:
        `The next writer continues where the dead one ended, in the same ring, and the readers follow.`,
    },
  ];
}
