/**
 * Chapter 18 for the stage: the vring on paper.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Picture, Scene as Stage, Step, Story } from "../stage/story.ts";
import { BelievingWriter, ForgetfulReader } from "./broken.ts";
import { type Cast, cells, HEADS, type Scene } from "./film.ts";
import { DEPTH, type Operations, Reader, SmallRing, textOf, Writer } from "./small_ring.ts";

/** The story of chapter 18. */
export const story: Story = {
  chapter: 18,
  folder: "18_vring",
  title: "The vring on paper",
  lead: "How many processes read one sample, and which word each repair starts from.",
  steps: () => [...goRound(), ...dropOne(), ...killThem(), ...broken(), {
    title: "Numbers, and words that are the truth",
    text:
      `Each word has the number of its sample, so a successor sees what was done. Rings and counts are hints,
      which save a search. That is \`src/vdds/vring.ts\`, with bells for those that wait.

      In the exercise you publish a sample, and are killed before any operation.`,
  }],
};

function newCast(): Cast {
  const ring = new SmallRing();
  return { ring, writer: new Writer(ring, 0), readers: [new Reader(ring, 0), new Reader(ring, 1)] };
}

/** Does all of it, unseen. */
function quietly(does: Operations<unknown>): void {
  while (!does.next().done);
}

/** Performs scenes, and shows each operation with the words after it. */
function film(stage: Stage, cast: Cast, ...scenes: readonly Scene[]): void {
  const parties = [...new Set(scenes.map(([who]) => who))];
  const rows: { party: number; text: string; values: string[] }[] = [];
  for (const [who, does, killedAfter = Infinity] of scenes) {
    for (let count = 0;; count++) {
      const killed = count === killedAfter;
      const { done, value } = killed ? { done: false, value: "is killed" } : does.next();
      if (done === true) break;
      rows.push({ party: parties.indexOf(who), text: `${value}`, values: cells(cast).slice(0, 4) });
      if (killed) break;
    }
  }
  const title = "Operations, and the words after each: - none, r ready, h held";
  stage.show({ kind: "tracks", id: "film", title, parties, words: HEADS.slice(2, 6), rows });
}

/** The descriptors, with the words of each in full. */
function descriptors({ ring }: Cast): Picture {
  const rows = Array.from({ length: DEPTH }, (_, d) => [
    `${d}`,
    `${ring.descriptions[d]![0]}`,
    ring.descriptions[d]![0] === 0 ? "" : ring.read(d),
    ...ring.rows.map((row) => textOf(row[d]!.load())),
    `${ring.references[d]!.load()}`,
  ]);
  return tablePicture("descriptors", "The samples and their words", [
    ["", "number", "sample", "row 0", "row 1", "count"],
    ...rows,
  ]);
}

function goRound(): Step[] {
  return [{
    title: "Give away an index",
    text:
      `A camera makes frames of 6 MB, and three processes want each of them. A ring would copy each frame in and
      out. Here nothing is copied: the samples are in shared memory, all may read them, and only an index
      goes through the rings.

      Each sample has a word for each reader. None: not for this reader. Ready: published, and not taken yet.
      Held: being read. The words alone decide who may use the memory of a sample.`,
    run: (scene) => scene.show(descriptors(newCast())),
    after:
      `AVAIL is a ring with the indexes of the free samples, for the writer. Each reader has a ring USED with the
      indexes of its samples. All of this is real memory.`,
  }, {
    title: "A sample goes round",
    text: `The writer publishes a sample, and both readers take it and release it.`,
    ask: {
      kind: "choice",
      text: "Which process puts it back into AVAIL?",
      options: [
        {
          text: "The last one that is done with it",
          right: true,
          because:
            "The count shows which one that is. It began at 3, because the writer counts too until " +
            "it has published to all.",
        },
        {
          text: "The writer, when it looks for a free one",
          because: "It need not search: whoever lowers the count to 0 puts the index into AVAIL.",
        },
        {
          text: "Reader 0, which got it first",
          because: "Reader 1 may still read it then. The last one to release it does that.",
        },
      ],
    },
    run: (scene) => {
      const cast = newCast();
      const [first, second] = cast.readers;
      film(
        scene,
        cast,
        ["writer", cast.writer.publish("21.5 C")],
        ["reader 0", first!.receive()],
        ["reader 1", second!.receive()],
      );
    },
    after:
      `The order is: sample, description, journal, word. So a reader that sees the word sees every store before
      it. No process waited, and nothing was copied.`,
  }];
}

function dropOne(): Step[] {
  let cast = newCast();
  const slow = () => {
    cast = newCast();
    const [first, second] = cast.readers;
    quietly(cast.writer.publish("21.5 C"));
    quietly(first!.receive());
    quietly(second!.take());
    for (const text of ["21.6 C", "21.7 C"]) {
      quietly(cast.writer.publish(text));
      quietly(first!.receive());
    }
  };
  return [{
    title: "A slow reader",
    text:
      `Reader 0 is quick. Reader 1 takes the first sample, and keeps reading it. The writer has sent three, and wants
      to send a fourth.`,
    ask: {
      kind: "choice",
      text: "Which sample may it take back, without waiting?",
      options: [
        {
          text: "The oldest that is ready, and not held",
          right: true,
          because:
            "A compare-and-exchange from ready to none. If the reader takes the sample at the same " +
            "moment, one of the two comes too late, and knows it.",
        },
        {
          text: "The oldest of all",
          because:
            "Reader 1 holds it, and reads it in place. The writer never takes back a held sample.",
        },
        {
          text: "None: it must wait for reader 1",
          because:
            "It may wait. But a sample that is only ready can be dropped, if that is the policy.",
        },
      ],
    },
    run: (scene) => {
      slow();
      scene.show(descriptors(cast));
      film(
        scene,
        cast,
        ["writer", cast.writer.drop(1)],
        ["writer", cast.writer.publish("21.8 C")],
      );
      scene.show(descriptors(cast));
    },
  }, {
    title: "It notices the loss",
    text:
      `Reader 1 releases its sample, and follows its ring USED. The next entry there is for the sample that was
      dropped.`,
    run: (scene) => {
      const second = cast.readers[1]!;
      film(scene, cast, ["reader 1", second.release(0)], ["reader 1", second.receive()]);
      quietly(second.receive());
      scene.look(() => second.seen);
    },
    after:
      `It finds that the descriptor has another sample by now. It has lost one, and the next number shows that.
      Reader 0 has lost nothing.`,
  }];
}

function killThem(): Step[] {
  let cast = newCast();
  return [{
    title: "A reader is killed",
    text:
      `Reader 1 is killed during a release: its word is none, but it has not lowered the count.`,
    ask: {
      kind: "choice",
      text: "No process will ever put descriptor 0 into AVAIL. Is it lost?",
      options: [
        {
          text: "No: the words show that it is free",
          right: true,
          because:
            "AVAIL, USED and the counts are hints. When they show nothing, the writer looks at the " +
            "words.",
        },
        {
          text: "Yes, until the ring is made anew",
          because:
            "The count is only a hint. By the words it is free, and the writer looks at them.",
        },
        {
          text: "No: a time-out frees it",
          because:
            "No time-out could tell a dead reader from a slow one. The words tell what is free.",
        },
      ],
    },
    run: (scene) => {
      const before = newCast();
      const [first, second] = before.readers;
      quietly(before.writer.publish("21.5 C"));
      quietly(first!.receive());
      const dying = second!.receive();
      for (let i = 0; i < 4; i++) dying.next();
      for (const text of ["21.6 C", "21.7 C"]) {
        quietly(before.writer.publish(text));
        quietly(first!.receive());
      }
      film(scene, before, ["writer", before.writer.publish("21.8 C")]);
    },
    after:
      `The dead reader's other words are ready, and would stay so for ever. But each reader holds a lock on a byte,
      which the kernel releases. So the writer takes that role, and clears the words while it holds it.`,
  }, {
    title: "The writer is killed",
    text:
      `The writer is killed after it has published a sample to reader 0, and before reader 1. Reader 0 is quick: it
      has taken and released the sample.`,
    run: (scene) => {
      cast = newCast();
      film(
        scene,
        cast,
        ["writer", cast.writer.publish("21.5 C"), 7],
        ["reader 0", cast.readers[0]!.receive()],
      );
      const { ring } = cast;
      scene.look(() => ring.sequence.load());
      scene.look(() => ring.journal.load() >>> 2);
    },
    after: `The journal is one ahead of \`sequence\`: its sample was begun and not finished.`,
  }, {
    title: "The heir",
    text: `Another writer takes over. Sample 1 is complete, or the journal would not name it.`,
    ask: {
      kind: "choice",
      text: "To whom does the heir give it?",
      options: [
        {
          text: "To reader 1 only",
          right: true,
          because:
            "Reader 0's word has its number: it has had sample 1. So every reader gets it once.",
        },
        {
          text: "To both",
          because: "Then reader 0 would get it twice. Its word has the number of the sample.",
        },
        {
          text: "To nobody: the sample was never finished",
          because: "Reader 0 has had it, so reader 1 must get it too.",
        },
      ],
    },
    run: (scene) => {
      const [first, second] = cast.readers;
      cast.writer = new Writer(cast.ring);
      film(scene, cast, ["heir", cast.writer.finish()], ["reader 1", second!.receive()]);
      scene.look(() => [first!.seen, second!.seen]);
    },
    after:
      `If the heir is killed too, the next one repeats the work, and still no reader gets a sample twice.`,
  }];
}

function broken(): Step[] {
  return [{
    title: "Words without numbers",
    text:
      `Would a bit be enough: published, or not? This reader 0 stores a plain none when it releases a sample, without
      the number. The writer is killed at the same place as before.`,
    ask: {
      kind: "choice",
      text: "What does the heir do with reader 0?",
      options: [
        {
          text: "It sends the sample again",
          right: true,
          because: '"Has had it" and "never had it" look the same.',
        },
        {
          text: "It leaves it out, as before",
          because: "Before, the number told it. Now the word says none, and no more.",
        },
        {
          text: "It asks the reader",
          because:
            "Nobody can be asked: the reader may be dead, or asleep. Only the words are there.",
        },
      ],
    },
    run: (scene) => {
      const forgetful = newCast();
      const reader = new ForgetfulReader(forgetful.ring, 0);
      const cast: Cast = { ...forgetful, readers: [reader, forgetful.readers[1]!] };
      const dying = cast.writer.publish("21.5 C");
      for (let i = 0; i < 7; i++) dying.next();
      quietly(reader.receive());
      cast.writer = new Writer(cast.ring);
      film(scene, cast, ["heir", cast.writer.finish()], ["reader 0", reader.receive()]);
      scene.look(() => reader.seen);
    },
  }, {
    title: "Trusted hints",
    text:
      `This writer looks only at AVAIL. Reader 1 is killed three times in the middle of a release.`,
    ask: {
      kind: "choice",
      text: "What does the writer do when it wants to send?",
      options: [
        {
          text: "It waits for ever, with three free samples",
          right: true,
          because:
            "By the counts a reader still has them, but that reader is dead. By the words all three " +
            "are free.",
        },
        {
          text: "It takes the oldest sample",
          because: "It looks only at AVAIL, and AVAIL is empty. It never looks at the words.",
        },
        {
          text: "It notices that the reader is dead",
          because: "That would free the words, and these are free already. It only looks at AVAIL.",
        },
      ],
    },
    run: (scene) => {
      const ring = new SmallRing();
      const readers = [new Reader(ring, 0), new Reader(ring, 1)];
      const cast: Cast = { ring, writer: new BelievingWriter(ring, 0), readers };
      for (const text of ["21.5 C", "21.6 C", "21.7 C"]) {
        quietly(cast.writer.publish(text));
        quietly(readers[0]!.receive());
        const dying = readers[1]!.receive();
        for (let i = 0; i < 4; i++) dying.next();
      }
      film(scene, cast, ["writer", cast.writer.publish("21.8 C")]);
      scene.show(descriptors(cast));
    },
  }];
}
