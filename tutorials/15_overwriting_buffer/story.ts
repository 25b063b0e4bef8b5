/**
 * Chapter 15 for the stage: the overwriting buffer.
 *
 * @module
 */

import { circular } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import type { Step, Story } from "../stage/story.ts";
import { Ends, textOf } from "./ends.ts";
import { LENGTH, message } from "./messages.ts";
import { dieInTheMiddle, theNextWriter } from "./next_writer.ts";
import { torn } from "./torn.ts";

/** The story of chapter 15. */
export const story: Story = {
  cast: { writer: dieInTheMiddle },
  steps: () => {
    const ends = new Ends();
    return [...laps(ends), ...torn(ends), ...theNextWriter(ends), {
      title: "For values that soon go stale",
      text:
        `Prices, camera frames, the state of a machine: only the newest values count, and nobody may
        hold up the writer. \`examples/prices/writer.ts\` shows it at work between programs.

        In the exercise, you write the reading end. The judge is the writer, and it may write at any
        moment, also in the middle of your copy.`,
    }];
  },
};

function laps(ends: Ends): Step[] {
  return [
    {
      title: "A writer that never waits",
      text:
        `The mirror ring refuses writes when it is full. That is right if every byte counts. If only the
        newest values count, a slow reader must hold up neither the writer nor the other readers.

        This ring overwrites its oldest messages. Each reader gets every message, or learns exactly how
        many it has lost.`,
      run: (scene) => {
        const { name } = scene;
        const capacity = pageSize();
        const ring = scene.run("ring", () => circular(name, { capacity }));
        const writer = ring.writer();
        ends.open(writer, ring.reader());
        scene.look(() => {
          for (let i = 0; i < 3; i++) {
            writer.trySend(message(i));
          }
        });
        ends.show(scene);
      },
      after:
        `Our messages all have ${LENGTH} bytes, so that they can be drawn: A, B and C. In front of
        each is a head of 32 bytes, with its number and its length. Together that is a cell of the
        picture, 128 bytes.`,
    },
    {
      title: "Read one",
      text: `A reader takes the first message.`,
      ask: {
        kind: "choice",
        picture: "ring",
        text: "What does that change in the ring?",
        options: [
          {
            text: "Nothing",
            right: true,
            because:
              "Readers store nothing there. So the writer need not know how many there are, or " +
              "whether one of them has died.",
          },
          {
            text: "A's place becomes free",
            because:
              "Another reader may still want A. Only the writer decides what is overwritten.",
          },
          {
            text: "A is marked as read",
            because: "Readers store nothing in the ring, not even a mark.",
          },
        ],
      },
      run: (scene) => {
        const { reader } = ends;
        scene.look(() => textOf(reader.tryReceive()));
        ends.show(scene);
      },
    },
    {
      title: "Once round",
      text:
        `The reader is away for a while. The writer continues, until 31 messages are there. The last
        cell holds the head of the next one: the ring is full. Then it writes one more.`,
      ask: {
        kind: "choice",
        picture: "ring",
        text: "What happens to that message?",
        options: [
          {
            text: "It takes the place of A",
            right: true,
            because:
              "First the writer moves `oldest` past A, and only then it overwrites A's place.",
          },
          {
            text: "It waits until the reader comes",
            because: "A writer that waits is held up by its slowest reader. This one never waits.",
          },
          {
            text: "It is dropped",
            because: "The newest values count here. The oldest one goes.",
          },
        ],
      },
      run: (scene) => {
        const { writer } = ends;
        scene.look(() => {
          for (let i = 3; i < 32; i++) {
            writer.trySend(message(i));
          }
        });
        ends.show(scene);
      },
    },
    {
      title: "Lapped",
      text:
        `The writer sends 8 more. The reader has read A, and wants B next. The ring holds 31 messages, and
        40 were written.`,
      ask: {
        kind: "number",
        picture: "ring",
        text: "How many messages has the reader lost when it gets the next one?",
        answer: () => ends.reader.lost,
        right: "The reader continues at the oldest message, and knows how many came before.",
        often: [
          { number: 9, because: "A is gone too, but the reader has read it: it is not lost." },
          {
            number: 0,
            because: "B was overwritten long ago. The reader continues at the oldest message.",
          },
          { number: 31, because: "31 messages are still there. Count those that are gone." },
        ],
        otherwise:
          "40 were written, 31 are there, so 9 are gone; and the reader has read one of these.",
      },
      run: (scene) => {
        const { reader, writer } = ends;
        scene.look(() => {
          for (let i = 32; i < 40; i++) {
            writer.trySend(message(i));
          }
        });
        scene.look(() => textOf(reader.tryReceive()));
        scene.look(() => reader.lost);
        ends.show(scene);
      },
      after:
        `No process has kept count for it. Each message has its number, and the difference is what was
        lost.`,
    },
    {
      title: "Exact, however late",
      text:
        `The writer goes on to message 10,000: three hundred laps. So far the reader has read 2 messages and
        lost 8. Then it reads all that is there.`,
      ask: {
        kind: "choice",
        text: "Can it still say exactly how many it has lost?",
        options: [
          {
            text: "Yes",
            right: true,
            because:
              "The first message that it finds has its number, and the reader knows the last " +
              "one that it had. The difference is as exact after three hundred laps as after one.",
          },
          {
            text: "No: it counts only up to a lap",
            because: "Positions and numbers do not begin again with each lap. They only grow.",
          },
          {
            text: "No: the writer has not counted for it",
            because: "The writer knows no readers. It numbers its messages, and that is enough.",
          },
        ],
      },
      run: (scene) => {
        const { reader, writer } = ends;
        scene.look(() => {
          for (let i = 40; i < 10_000; i++) {
            writer.trySend(message(i));
          }
        });
        let read = 2;
        scene.look(() => {
          while (reader.tryReceive() !== undefined) {
            read++;
          }
        });
        scene.look(() => read + reader.lost);
        scene.look(() => reader.lost);
      },
      after:
        `Positions only grow. So a reader never mistakes a new message for an old one in the same place.`,
    },
  ];
}
