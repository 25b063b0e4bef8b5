/**
 * Chapter 11: a message and the word that announces it, in every order of weak memory.
 *
 * @module
 */

import type { Step } from "../stage/story.ts";
import { tracksOf } from "./tracks.ts";
import { FIRST_MESSAGE, type Found, type OrderedMemory, type Parties, tryOrders } from "./weak.ts";

const SECOND_MESSAGE = "RICE8.00";

/** Tries every order of a writer and a reader, and of what a processor may do to them. */
export function allOrders(
  writer: Parties[string],
  reader: Parties[string],
  reorderings = 2,
): Found {
  return tryOrders({
    parties: { writer, reader },
    check: ({ reader }) =>
      reader === undefined || reader === FIRST_MESSAGE || reader === SECOND_MESSAGE
        ? undefined
        : `the reader accepts ${reader}`,
    reorderings,
    shown: ["count", "message"],
  });
}

export function sendPlainly({ count, write }: OrderedMemory): void {
  write("RICE8.00");
  count.storePlainly(1);
}

export function send({ count, write }: OrderedMemory): void {
  write("RICE8.00");
  count.store(1);
}

export function receivePlainly({ count, read }: OrderedMemory): string | undefined {
  if (count.glance() === 1) return read();
}

export function receive({ count, read }: OrderedMemory): string | undefined {
  if (count.load() === 1) return read();
}

/** The steps about publishing. */
export function publishing(): Step[] {
  return [
    {
      title: "Publish last",
      text:
        `Chapter 10 writes the message first, and then stores the word that announces it. Here is the
        smallest such ring: one message and a \`count\`. The old message is SALT at 2.00, the new one
        RICE at 8.00. A copy takes two steps, four letters each.

        First a processor that reorders nothing, hence the 0, in every order of the two sides.`,
      run: (scene) => {
        scene.code(sendPlainly);
        scene.code(receive);
        scene.run("inOrder", () => allOrders(sendPlainly, receive, 0));
      },
      after: "The reader gets RICE at 8.00, or no message yet.",
    },
    {
      title: "Two plain stores",
      text:
        `Now the processor may reorder plain stores and loads, as Arm processors do. The code is the
        same.`,
      ask: {
        kind: "choice",
        text: "What can the reader get that has seen a count of 1?",
        options: [
          {
            text: "RICE at 2.00",
            right: true,
            because: "The second half of the copy waits in the buffer, and `count` is visible.",
          },
          {
            text: "Only RICE at 8.00: it was written first",
            because:
              "The program writes the message first. But two plain stores may become visible " +
              "in any order.",
          },
          {
            text: "Nothing: it waits for the message",
            because:
              "The reader waits only for the count, and has seen it. It reads what is there.",
          },
        ],
      },
      run: (scene) => {
        const result = scene.run("result", () => allOrders(sendPlainly, receive));
        scene.show(tracksOf(result, "Two plain stores"));
      },
      after: `The right order of lines is not enough. The announcement needs a store that stays
        behind everything before it.`,
    },
    {
      title: "Release",
      text:
        `Such a store is a [[release]]: \`store\` in place of \`storePlainly\`. Everything that the
        writer did before becomes visible before it.

        The reader still looks at \`count\` with a plain load, and then reads.`,
      ask: {
        kind: "choice",
        text: "Is the release enough?",
        options: [
          {
            text: "No",
            right: true,
            because: "The reader's processor may read a part of the message before it looks at " +
              "the count. The writer cannot prevent that.",
          },
          {
            text: "Yes: the message is visible before the count",
            because: "The writer does its part: the message is visible before the count. But the " +
              "reader's own loads may be served in any order.",
          },
          {
            text: "Yes: the reader looks first",
            because: "The program looks at the count first. But two plain loads may be served in " +
              "any order.",
          },
        ],
      },
      run: (scene) => {
        scene.code(receivePlainly);
        const result = scene.run("result", () => allOrders(send, receivePlainly));
        scene.show(tracksOf(result, "A release, and a plain load"));
      },
    },
    {
      title: "Release and acquire",
      text:
        `The counterpart is an [[acquire]]: \`load\` in place of \`glance\`. The loads that follow
        are served after it.`,
      run: (scene) => {
        scene.code(receive);
        scene.run("result", () => allOrders(send, receive));
      },
      after: `Every order is right. The two belong together: what came before the release is there
        after the acquire that saw it. In JavaScript, \`Atomics.store\` and \`Atomics.load\` are both,
        and more. A plain \`words[0] = 1\` is neither, and the compiler may move it too.

        On x86, processors keep two stores in order, and two loads (Intel's manual for developers,
        volume 3A, "Memory Ordering"). On Arm they may not.`,
    },
  ];
}

export function overwrite({ count, write }: OrderedMemory): void {
  count.storeFirst(1);
  write("RICE8.00");
  count.store(2);
}

export function copyThenLook({ count, read }: OrderedMemory): string | undefined {
  const before = count.load();
  if (before === 1) return;
  const copy = read();
  if (count.load() === before) return copy;
}

export function copyThenLookLast({ count, read }: OrderedMemory): string | undefined {
  const before = count.load();
  if (before === 1) return;
  const copy = read();
  if (count.loadLast() === before) return copy;
}

/** The steps about a message that is overwritten. */
export function overwriting(): Step[] {
  return [
    {
      title: "Copy, then look",
      text: `Some writers never wait, and write over a message while a reader copies it. Chapter 15
        builds such a ring. The writer makes \`count\` odd before it writes, and even after it. The
        reader looks, copies, and looks again. It accepts its copy only if \`count\` has not changed.

        Both looks are acquires. \`storeFirst\` is a store that stays before all that follows; the
        step after the next says how. First the processor reorders nothing.`,
      run: (scene) => {
        scene.code(overwrite);
        scene.code(copyThenLook);
        scene.run("inOrder", () => allOrders(overwrite, copyThenLook, 0));
      },
    },
    {
      title: "The second look",
      text: `The same code, on a processor that may reorder.`,
      ask: {
        kind: "choice",
        text: "Can the reader accept half of each message?",
        options: [
          {
            text: "Yes",
            right: true,
            because: "An acquire stays before what follows. Nothing keeps it behind the copy, so " +
              "the second look can be served before the second half.",
          },
          {
            text: "No: it looks after the copy",
            because:
              "The program looks after the copy. But an acquire may be served earlier than " +
              "what is before it.",
          },
          {
            text: "No: the count would be odd",
            because:
              "The count is odd by then. But the second look was served before, and saw the " +
              "old value.",
          },
        ],
      },
      run: (scene) => {
        const result = scene.run("result", () => allOrders(overwrite, copyThenLook));
        scene.show(tracksOf(result, "The second look comes early"));
      },
    },
    {
      title: "A barrier",
      text:
        `A [[barrier]] stands between two operations, and keeps what is before it from what is after it.
        \`loadLast\` is a barrier for loads, and then a load. \`storeFirst\` is a store, and then a
        barrier.`,
      run: (scene) => {
        scene.code(copyThenLookLast);
        scene.run("result", () => allOrders(overwrite, copyThenLookLast));
      },
      after: `A barrier makes the processor wait, so code has as few as it can. In the exercise you
        choose them.`,
    },
  ];
}

/** The step about a barrier in the library. */
export function removeOne(): Step {
  return {
    title: "Remove one from the library",
    text:
      `The reader of the library's circular buffer has this barrier, in \`copyOutThenLoad\`. Take it
        out, and let the explorer run the shipped code in weak memory:

        \`deno run --allow-read --allow-write --allow-run tutorials/11_memory_order/torn_read.ts\`

        With \`copy\` behind it, you get the reader's source as a file of your own, and with \`mine\` it
        searches what you have made of it. It finds the torn read within a second.

        Or be the scheduler of the shipped reader yourself: [[play circular-lap|play circular-lap]],
        and tick "weak memory". Then give the words of your own ring their order.`,
  };
}
