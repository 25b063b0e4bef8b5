/**
 * Chapter 18 for the stage: the vring on paper, in four acts.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Step, Story } from "../stage/story.ts";
import {
  AVAIL,
  type Cast,
  countOf,
  film,
  JOURNAL,
  killAfter,
  newCast,
  quietly,
  samples,
  usedOf,
  wordsOf,
} from "./film.ts";
import { Writer } from "./small_ring.ts";

/** The story of chapter 18. */
export const story: Story = {
  steps: () => [...theIndex(), ...theWords(), ...theDeaths(), ...theHints(), ...theJournal()],
};

function microseconds(work: () => void): number {
  const start = performance.now();
  work();
  return 1000 * (performance.now() - start);
}

function theIndex(): Step[] {
  return [{
    title: "Act 1, the index: give away a number",
    text:
      `A camera makes frames of 6 MB, and three processes want each of them. Rings would copy each
      frame three times in, and three times out.

      So a frame is written once, into a place in shared memory that all can read. Only the number of
      the place, its index, goes through rings. That is a [[vring]].`,
    ask: {
      kind: "choice",
      text: "Six copies of a frame, or three indexes: how much longer do the copies take?",
      options: [
        {
          text: "Thousands of times as long",
          right: true,
          because:
            "A copy touches every byte of the frame. An index is one store, whatever its size.",
        },
        {
          text: "About a hundred times",
          because: "A store takes about a nanosecond, and a copy of 6 MB hundreds of microseconds.",
        },
        {
          text: "About six times",
          because: "Six times would be right for one copy beside six. An index is one store of 4 " +
            "bytes.",
        },
      ],
    },
    run: (scene) => {
      const [frame, room] = [new Uint8Array(6e6).fill(1), new Uint8Array(6e6)];
      const index = new Uint32Array(3);
      const copies = () => {
        for (let i = 0; i < 6; i++) room.set(frame);
      };
      const indexes = () => {
        for (let i = 0; i < 1000; i++) {
          for (let k = 0; k < 3; k++) Atomics.store(index, k, i);
        }
      };
      for (const warm of [copies, indexes]) warm();
      const [long, short] = [microseconds(copies), microseconds(indexes) / 1000];
      scene.show(tablePicture("times", "Measured here, just now", [
        ["what", "microseconds"],
        ["six copies of 6 MB", long.toFixed(0)],
        ["three indexes", short.toFixed(3)],
      ]));
    },
    after: `Our vring is small: three places, one writer, two readers.`,
  }, {
    title: "An index goes round",
    text:
      `AVAIL holds the indexes of free places. The writer takes one, writes a sample into that place, and
      puts the index into a ring for each reader, USED 0 and USED 1. A count says how many still use the
      place: the two readers, and the writer until it has told both. So it begins at 3. When all are
      done, the index must go back into AVAIL.`,
    ask: {
      kind: "choice",
      text: "Which process puts it back?",
      options: [
        {
          text: "The last one that is done with it",
          right: true,
          because: "The count shows which one that is: the one that lowers it to 0.",
        },
        {
          text: "The writer, when it looks for a free one",
          because: "The writer need not search. The process that lowers the count to 0 puts the " +
            "index back.",
        },
        {
          text: "Reader 0, which got it first",
          because: "Reader 1 may still read the sample when reader 0 is done. The last one to " +
            "release it puts the index back.",
        },
      ],
    },
    run: (scene) => {
      const cast = newCast();
      film(
        scene,
        cast,
        {
          title: "The way of an index",
          about: ["index", "count", "sample"],
          columns: [AVAIL, usedOf(0), usedOf(1), countOf(0)],
        },
        ["writer", cast.writer.publish("21.5 C")],
        ["reader 0", cast.readers[0].receive()],
        ["reader 1", cast.readers[1].receive()],
      );
    },
  }];
}

/** A slow reader holds sample 0; two more are ready for it. */
function slowReader(): Cast {
  const cast = newCast();
  const [first, second] = cast.readers;
  quietly(cast.writer.publish("21.5 C"));
  quietly(first.receive());
  quietly(second.take());
  for (const text of ["21.6 C", "21.7 C"]) {
    quietly(cast.writer.publish(text));
    quietly(first.receive());
  }
  return cast;
}

function theWords(): Step[] {
  return [{
    title: "Act 2, the words: who owns a sample?",
    text:
      `Each reader has a word for each place, with the number of the sample there. \`ready 2\`: sample 2 is
      published for it. \`held 2\`: it reads the sample. \`none 2\`: it is done with it. The writer may
      write into a place only while all its words say none.

      Reader 0 is quick. Reader 1 holds the first sample. Three are published, no place is free, and the
      writer has a fourth.`,
    ask: {
      kind: "choice",
      text: "Which sample may it take back, without waiting?",
      options: [
        {
          text: "The oldest that is ready, and not held",
          right: true,
          because:
            "The word changes from ready to none. Reader 1 has lost that sample, and nothing else.",
        },
        {
          text: "The oldest of all",
          because: "Reader 1 holds the oldest of all, and reads it in place. No other process " +
            "writes there.",
        },
        {
          text: "None: it must wait for reader 1",
          because: "The writer may wait, if that is the policy. But a sample that is only ready " +
            "can be taken back.",
        },
      ],
    },
    run: (scene) => {
      const cast = slowReader();
      scene.show(samples(cast));
      film(
        scene,
        cast,
        {
          title: "The words of readers 0 and 1 for place 1",
          about: ["word"],
          columns: wordsOf(1),
        },
        ["writer", cast.writer.drop(1)],
      );
    },
  }, {
    title: "At the same moment",
    text:
      `The writer wants place 1, and sees \`ready 2\`. Just then reader 1 takes it. Both use a [[compare-and-exchange]]: change the word only if it is still \`ready 2\`.`,
    ask: {
      kind: "choice",
      text: "The reader's is first. What does the writer's do?",
      options: [
        {
          text: "It changes nothing, and the writer sees why",
          right: true,
          because:
            "The operation returns what it found, `held 2`. So the writer looks at another " +
            "place.",
        },
        {
          text: "It changes the word to none, and the reader reads on",
          because: "If the writer changed it to none, it would overwrite what is being read. It " +
            "changes only `ready 2`.",
        },
        {
          text: "It waits until the word is ready again",
          because: "A compare-and-exchange never waits. It compares, and returns what it found.",
        },
      ],
    },
    run: (scene) => {
      const cast = slowReader();
      const dropping = cast.writer.drop(1);
      dropping.next(); // it has seen `ready 2`
      const second = cast.readers[1];
      quietly(second.release(0));
      film(
        scene,
        cast,
        { title: "The first one wins", about: ["word", "sample"], columns: wordsOf(1) },
        ["reader 1", second.take()],
        ["writer", dropping],
      );
    },
    after: `Every change that two processes may want is one such operation.`,
  }];
}

/** A film of reader 1, which is killed after so many operations, and of the writer that clears its words. */
function killed(operations: number, title: string): NonNullable<Step["run"]> {
  return (scene) => {
    const cast = newCast();
    quietly(cast.writer.publish("21.5 C"));
    quietly(cast.readers[0].receive());
    film(
      scene,
      cast,
      {
        title,
        about: ["word", "sample", "index"],
        columns: [usedOf(1), wordsOf(0)[1]!, AVAIL],
      },
      ["reader 1", cast.readers[1].receive(), operations],
      ["writer", cast.writer.clear(1)],
    );
  };
}

function theDeaths(): Step[] {
  return [{
    title: "Killed while a sample is ready",
    text: `Reader 1 may be killed at four moments. The first: sample 1 is \`ready\`
      for it, and it has not looked yet.

      Each reader holds a [[record lock]] on a byte of the file, which the kernel drops with the reader. The writer
      takes that lock itself. Then it clears the words of the dead one, and puts the place into AVAIL.`,
    ask: {
      kind: "choice",
      text: "Why must it hold the lock, and not just see it free?",
      options: [
        {
          text: "A new reader could join in between, and use the same words",
          right: true,
          because:
            "The writer would clear a word of the new one, and overwrite what that one reads.",
        },
        {
          text: "The dead reader could come back",
          because: "A dead process stays dead. But a new one may take its place at any moment.",
        },
        {
          text: "The other reader could clear the words, too",
          because: "Clearing twice would do no harm. A new reader that joins is the danger.",
        },
      ],
    },
    run: killed(0, "Ready: USED 1 has the index, and the word says ready"),
  }, {
    title: "Killed when it has taken the index",
    text:
      `The second moment: reader 1 has taken the index out of USED 1, and has not changed the word to held
      yet. Now no ring has the index.`,
    ask: {
      kind: "choice",
      text: "How does the place come back?",
      options: [
        {
          text: "As before, by its word",
          right: true,
          because:
            "The word still says ready. The writer goes through the words, and needs no index.",
        },
        {
          text: "It does not: the index is lost",
          because: "An index is only a number. The writer finds the place by its word.",
        },
        {
          text: "The writer puts the index back into USED 1",
          because: "Nobody reads USED 1: its reader is dead. The index goes into AVAIL.",
        },
      ],
    },
    run: killed(1, "Taken, not held: no ring has the index, and the word says ready"),
  }, {
    title: "Killed while it holds",
    text:
      `The third moment: reader 1 reads the sample, and its word says \`held 1\`. While it lives, no other
      process may change that word: else the writer would write where it reads.`,
    ask: {
      kind: "choice",
      text: "May the writer change `held 1` now?",
      options: [
        {
          text: "Yes: it holds the reader's lock",
          right: true,
          because: "No living process has that lock. So nobody reads there any more.",
        },
        {
          text: "No: only the reader may",
          because:
            "Only the reader may while it lives. It is dead, and its word would say `held 1` " +
            "for ever.",
        },
        {
          text: "Yes, after a time-out",
          because:
            "A stopped reader may hold a sample for an hour. Only the lock tells it from a " +
            "dead one.",
        },
      ],
    },
    run: killed(3, "Held: the word says held"),
  }];
}

function theHints(): Step[] {
  return [{
    title: "Act 3, the hints: killed while it releases",
    text:
      `The words are the truth. AVAIL, USED and the count only save a search: they are [[hint|hints]]. The
      fourth moment: reader 1 has stored \`none 1\`, and is killed before it lowers the count. Two more samples
      are ready for it, and the writer has a fourth.`,
    ask: {
      kind: "choice",
      text: "No process will ever put 0 into AVAIL. Is the place lost?",
      options: [
        {
          text: "No: its words show that it is free",
          right: true,
          because: "When AVAIL is empty, the writer looks at the words. The words decide.",
        },
        {
          text: "Yes, until the ring is made anew",
          because: "No new ring is needed: only the count is wrong. The words say none, so the " +
            "writer may use the place.",
        },
        {
          text: "No: a time-out frees it",
          because: "No time-out could tell a dead reader from a slow one. The words say none.",
        },
      ],
    },
    run: (scene) => {
      const cast = newCast();
      const [first, second] = cast.readers;
      quietly(cast.writer.publish("21.5 C"));
      quietly(first.receive());
      killAfter(second.receive(), 4);
      for (const text of ["21.6 C", "21.7 C"]) {
        quietly(cast.writer.publish(text));
        quietly(first.receive());
      }
      film(
        scene,
        cast,
        {
          title: "The writer's fourth sample",
          about: ["word", "sample", "index"],
          columns: [...wordsOf(0), countOf(0), AVAIL],
        },
        ["writer", cast.writer.publish("21.8 C")],
      );
    },
    after: `The dead one had left a count of 1. The writer does not add to it: it stores 3.`,
  }, {
    title: "A hint that is out of date",
    text: `Back to the slow reader 1: the writer took place 1 back from it, and wrote a newer
      sample there.
      But the ring USED 1 still holds the old index.`,
    ask: {
      kind: "choice",
      text: "What does reader 1 do with that index?",
      options: [
        {
          text: "It looks at the word, finds another number, and takes the next",
          right: true,
          because:
            "The hint says number 2, and the word says another. Number 2 is lost, and it knows.",
        },
        {
          text: "It reads the newer sample, twice in the end",
          because: "Reader 1 takes only what its word calls ready, under the number in the hint. " +
            "So it gets no sample twice.",
        },
        {
          text: "It stops: the ring is corrupt",
          because: "A hint may be out of date at any time. The word decides.",
        },
      ],
    },
    run: (scene) => {
      const cast = slowReader();
      quietly(cast.writer.drop(1));
      quietly(cast.writer.publish("21.8 C"));
      const second = cast.readers[1];
      quietly(second.release(0));
      film(
        scene,
        cast,
        {
          title: "Reader 1, its ring, and its word for place 1",
          about: ["word", "sample", "index"],
          columns: [usedOf(1), wordsOf(1)[1]!],
        },
        ["reader 1", second.receive()],
      );
      quietly(second.receive());
      scene.look(() => second.seen);
    },
  }];
}

/** The writer is killed when it has published to reader 0 only, which takes and releases the sample. */
const BETWEEN = 6;

function theJournal(): Step[] {
  return [{
    title: "Act 4, the journal: between two readers",
    text:
      `The writer has published a sample to reader 0, and is killed before reader 1. Reader 0 is quick:
      it has read and released it. Another writer takes over, the heir.

      Before the first reader gets a sample, a writer notes its number in the journal. After the last
      one, it stores the number in \`sequence\`.`,
    ask: {
      kind: "choice",
      text: "To whom does the heir give the sample?",
      options: [
        {
          text: "To reader 1 only",
          right: true,
          because:
            "The journal is one ahead of \`sequence\`. Reader 0's word has the number: it had it.",
        },
        {
          text: "To both",
          because: "Reader 0 would get the sample twice. Its word `none 1` shows that it has had " +
            "sample 1.",
        },
        {
          text: "To nobody: it was never finished",
          because: "Reader 0 has had it, so reader 1 must get it too. The journal names it.",
        },
      ],
    },
    run: (scene) => {
      const cast = newCast();
      const [first, second] = cast.readers;
      const publishing = cast.writer.publish("21.5 C");
      film(
        scene,
        cast,
        {
          title: "A writer that dies, and its heir",
          about: ["word", "journal"],
          columns: [...wordsOf(0), ...JOURNAL],
        },
        ["writer", publishing, BETWEEN],
        ["reader 0", first.receive()],
        ["heir", (cast.writer = new Writer(cast.ring)).finish()],
        ["reader 1", second.receive()],
      );
    },
    after:
      `If the heir is killed too, the next one does the same again, and nothing happens twice.`,
  }, {
    title: "Choose the moment",
    text:
      `Now you kill the writer: your answer is the moment. Reader 0 looks, then the heir comes, and then
      both readers look.`,
    ask: {
      kind: "choice",
      text: "When must the writer die so that no reader ever gets the sample?",
      options: [
        {
          text: "When the sample is written, and not the journal",
          right: true,
          because:
            "No word and no journal mentions it. It was never published, and its place is free.",
        },
        {
          text: "After the journal, before the first reader has it",
          because: "Once the journal is written, the heir finishes: the journal is one ahead of " +
            "`sequence`, and both readers get the sample.",
        },
        {
          text: "When the first reader has it",
          because: "When the first reader has it, the heir gives it to the other one. Both get " +
            "it, once.",
        },
      ],
    },
    run: (scene) => {
      const cast = newCast();
      const [first, second] = cast.readers;
      const publishing = cast.writer.publish("21.5 C");
      film(
        scene,
        cast,
        {
          title: "The writer that you killed, and its heir",
          about: ["word", "journal"],
          columns: [...wordsOf(0), ...JOURNAL],
        },
        ["writer", publishing, [2, 3, BETWEEN][scene.answer ?? 0]!],
        ["reader 0", first.receive()],
        ["heir", (cast.writer = new Writer(cast.ring)).finish()],
        ["reader 0", first.receive()],
        ["reader 1", second.receive()],
      );
      scene.look(() => [first.seen, second.seen]);
    },
    after:
      `In every list of operations here you can let a process die: {{by the button beside the number of
      one|by the key \`d\`}}. Say first which word the repair starts from.`,
  }, {
    title: "What each repair starts from",
    text:
      `Truth is small: a word for each reader and place, and the journal. Everything else is a hint.`,
    run: (scene) => {
      scene.show(tablePicture("repairs", "Killed, and what the repair looks at", [
        ["killed", "what it leaves", "the repair looks at"],
        ["a reader: ready for it", "ready, and the index in USED", "its lock, then its words"],
        ["a reader: taken, not held", "ready, and the index nowhere", "its lock, then its words"],
        ["a reader: held", "held", "its lock, then its words"],
        ["a reader: releasing", "none, and a count too high", "the words: all say none"],
        ["the writer, filling", "no word mentions the sample", "the words: all say none"],
        ["the writer, publishing", "some readers have it", "the journal, and the numbers"],
        ["an heir, repairing", "a part of the repair", "the same once more"],
      ]));
    },
    after:
      `That is \`src/vdds/vring.ts\`, with bells for those that wait. In the exercise you publish a
      sample, and are killed before any operation.`,
  }];
}
