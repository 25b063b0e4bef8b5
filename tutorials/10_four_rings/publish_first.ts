/**
 * Chapter 10: a writer that publishes before it has written, and a mirror that was forgotten.
 *
 * @module
 */

import { Word32 } from "../../src/memory/word.ts";
import { bufferAt, close, map, MapFlag, memfd, Protection, truncate } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { pagesPicture, tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";
import { HEAD, makeMemory, TAIL } from "./ring_memory.ts";

const encoder = new TextEncoder();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(/\0+$/, "");

/** The steps with the mistakes; the last one crashes. */
export function publishFirst(): Step[] {
  return [...wrongOrder(), ...noMirror()];
}

function wrongOrder(): Step[] {
  let memory: ReturnType<typeof makeMemory> | undefined;
  const word = (place: typeof HEAD) => new Word32(memory!, place);
  const read = () => {
    const [head, tail] = [word(HEAD), word(TAIL)];
    const place = memory!.data + tail.load() % memory!.capacity;
    const message = text(memory!.bytes.subarray(place, place + head.load() - tail.load()));
    tail.store(head.load());
    return message;
  };
  const show = (scene: Scene) =>
    scene.show(tablePicture("state", "The ring", [
      ["", "value"],
      ["head", word(HEAD).load()],
      ["tail", word(TAIL).load()],
      ["bytes at the beginning", text(memory!.bytes.subarray(memory!.data, memory!.data + 13))],
    ]));
  return [
    {
      title: "Write, then publish",
      text:
        `Every ring depends on the order of two stores. First the right order, by hand, in the memory of a
        ring, whose bytes begin at \`data\`: the message, then \`head\`. \`read\` returns everything from
        \`tail\` to \`head\`, and then moves \`tail\`.`,
      run: (scene) => {
        const { bytes, data } = memory = makeMemory();
        const head = word(HEAD);
        scene.look(() => {
          bytes.set(encoder.encode("SALT at 20.00"), data);
          head.store(13);
        });
        scene.look(() => read());
        show(scene);
      },
    },
    {
      title: "Publish, then write",
      text:
        `Some time later both positions have gone round once, and are at the same place again. Now the wrong
        order: the writer stores \`head\`, and is interrupted. The reader is not. Then the writer goes on, and
        writes its message, SAGE at 80.00, of the same 13 bytes.`,
      ask: {
        kind: "choice",
        text: "What does the reader get?",
        options: [
          {
            text: "The salt again, and the sage never",
            right: true,
            because:
              "The reader read the bytes that were there before. Nothing failed, and every length is " +
              "right.",
          },
          {
            text: "The sage, a moment later",
            because: "The reader has read already, and moved `tail`. It will not look there again.",
          },
          {
            text: "Nothing, until the writer is done",
            because: "\`head\` says that the message is there. The reader has no other sign.",
          },
        ],
      },
      run: (scene) => {
        const { bytes, data, capacity } = memory!;
        const [head, tail] = [word(HEAD), word(TAIL)];
        head.store(capacity);
        tail.store(capacity);
        show(scene);
        scene.look(() => {
          head.store(capacity + 13);
        });
        scene.look(() => read());
        scene.look(() => {
          bytes.set(encoder.encode("SAGE at 80.00"), data);
        });
        scene.look(() => read());
        show(scene);
      },
      after:
        `A test with equal messages would not notice. And the right order of lines is not enough: a compiler
        and a processor may reorder plain stores. So the ring stores \`head\` with \`Atomics\`. The next
        chapter shows what that prevents.`,
    },
  ];
}

function noMirror(): Step[] {
  const page = pageSize();
  const message = encoder.encode("not cut by the end");
  let bytes = new Uint8Array();
  return [
    {
      title: "Without the second window",
      text:
        `The code of stage 4 relies on its memory: bytes written past the end arrive at the beginning. In this
        memory, both windows are reserved, but only the first is mapped.`,
      run: (scene) => {
        const fd = memfd("ring");
        truncate(fd, page);
        const flags = MapFlag.private | MapFlag.anonymous;
        const base = map({ length: 2 * page, protection: Protection.none, flags });
        const protection = Protection.read | Protection.write;
        const shared = MapFlag.shared | MapFlag.fixed;
        map({ address: base, length: page, protection, flags: shared, fd });
        close(fd);
        bytes = new Uint8Array(bufferAt(base, 2 * page));
        scene.look(() => {
          bytes.set(message, page - 100);
        });
        scene.show(
          pagesPicture("windows", "The two windows", [["memory", "first"], ["closed", "second"]]),
        );
      },
      after: `That goes well, until a message crosses the end. A test with one message would pass.`,
    },
    {
      title: "Across the end",
      text: `The next line writes the message 10 bytes before the end.`,
      ask: {
        kind: "choice",
        text: "What happens?",
        options: [
          {
            text: "The kernel ends the process",
            right: true,
            because: "The page behind the first window has no access: [[SIGSEGV]].",
          },
          {
            text: "10 bytes are written, and the rest is ignored",
            because:
              "The processor cannot ignore a store. It reports it, and the kernel ends the process.",
          },
          {
            text: "JavaScript throws a RangeError",
            because: "The array reaches over both windows, so the message is within it.",
          },
        ],
      },
      crash: "SIGSEGV",
      run: (scene) => {
        scene.look(() => {
          bytes.set(message, page - 10);
        });
      },
      after: `With the second window, the other 8 bytes would have arrived at the beginning.`,
    },
  ];
}
