/**
 * Chapter 15: reads that are torn, and the second look that notices.
 *
 * @module
 */

import type { Step } from "../stage/story.ts";
import { type Ends, textOf } from "./ends.ts";
import { LENGTH, price, text } from "./messages.ts";
import { tornAndNoticed } from "./two_looks.ts";

/** The steps about torn reads. */
export function torn(ends: Ends): Step[] {
  let position = 0;
  const salt = () => {
    for (let i = 0; i < 31; i++) ends.writer.trySend(price("SALT", 20));
  };
  return [
    {
      title: "Read in place",
      text:
        `\`tryReceive\` copies a message. \`poll\` shows messages to a handler in place, and returns how
        many of them were whole. That saves the copy, but the writer does not wait for the handler. The ring is full of prices: SALT at 20.00.

        The handler reads the symbol, then the price. In between, the writer goes round once, with PEPPER
        at 80.00.`,
      ask: {
        kind: "choice",
        text: "What does the handler see, and what does `poll` return?",
        options: [
          {
            text: "SALT at 80.00, and 0",
            right: true,
            because:
              "The read is torn. But \`poll\` looked again after the handler, and did not count the " +
              "message: forget what you have seen.",
          },
          {
            text: "SALT at 20.00, and 1",
            because: "The bytes are those of the ring itself, and the writer has overwritten them.",
          },
          {
            text: "SALT at 80.00, and 1",
            because:
              "\`poll\` looks again after the handler. It returned 0, so the message does not count.",
          },
        ],
      },
      run: (scene) => {
        const { writer, reader } = ends;
        salt();
        let seen = "";
        scene.look(() =>
          reader.poll(({ bytes }) => {
            seen = text(bytes.subarray(0, 8));
            for (let i = 0; i < 32; i++) {
              writer.trySend(price("PEPPER", 80));
            }
            seen += ` at ${text(bytes.subarray(8))}`;
          }, 1)
        );
        scene.look(() => seen);
      },
    },
    {
      title: "Look, then copy",
      text:
        `A reader made by hand. \`window\` shows the ring as it is: the position of the oldest message, and
        the payload behind a position. The reader looks where the oldest message is, and then copies it. In
        the middle of the copy it is interrupted for a whole lap.`,
      ask: {
        kind: "choice",
        text: "How can this reader tell that its copy is wrong?",
        options: [
          {
            text: "It cannot",
            right: true,
            because:
              "The reader looked, the message was intact, and it copied. In tests that works " +
              "for months.",
          },
          {
            text: "By the length of the message",
            because: "All lengths are right, and every byte was once written.",
          },
          {
            text: "The copy throws an error",
            because: "Every address was valid. Nothing fails.",
          },
        ],
      },
      run: (scene) => {
        const { writer, window } = ends;
        salt();
        position = scene.run("position", () => window.oldest);
        let copy = "";
        scene.look(() => {
          copy = text(window.payload(position, 8));
        });
        scene.look(() => {
          for (let i = 0; i < 32; i++) {
            writer.trySend(price("PEPPER", 80));
          }
        });
        scene.look(() => {
          copy += ` at ${text(window.payload(position, LENGTH).subarray(8))}`;
        });
        scene.look(() => copy);
      },
    },
    {
      title: "Copy, then look",
      text:
        `We ask the same question after the last byte was copied: is the message intact now? Below
        is the same on a ring with one place, whose message has two halves.`,
      run: (scene) => {
        const { window } = ends;
        scene.look(() => window.oldest <= position);
        scene.show(tornAndNoticed());
      },
      after:
        `The copy has half of the new message, which the writer stored in row 5. It had moved \`oldest\`
        still earlier, in row 3. The reader looks only after row 6. So its look sees row 3. On a
        processor that reorders, both sides need a barrier for that: chapter 11.`,
    },
    {
      title: "The opposite mistake",
      text: `The writer claims space for a message, and writes nothing yet. The reader reads on.`,
      ask: {
        kind: "choice",
        text: "Can the reader discard a message that is still whole?",
        options: [
          {
            text: "Yes",
            right: true,
            because:
              "The writer has announced that it may write there at any moment. So the reader may no " +
              "longer accept it, although every byte is still there.",
          },
          {
            text: "No: it looks at the bytes",
            because:
              "The reader cannot tell from the bytes. It looks at `oldest`, which the writer " +
              "has moved.",
          },
          {
            text: "No: the writer has not written",
            because: "The writer may write at any moment. The reader cannot know that it has not " +
              "begun.",
          },
        ],
      },
      run: (scene) => {
        const { writer, reader } = ends;
        while (reader.tryReceive() !== undefined);
        salt(); // now the oldest message is the one that the reader wants next
        const before = scene.run("before", () => reader.lost);
        const claim = scene.run("claim", () => writer.tryClaim(LENGTH));
        scene.look(() => textOf(reader.tryReceive()));
        scene.look(() => reader.lost - before);
        claim[Symbol.dispose]();
      },
    },
  ];
}
