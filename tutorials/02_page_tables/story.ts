/**
 * Chapter 2 for the stage: the page-table machine.
 *
 * @module
 */

import { map, MapFlag, Protection, readAll } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Step, Story } from "../stage/story.ts";
import { fillIn } from "./fill_in.ts";
import { runTheRing } from "./ring_steps.ts";
import { theTableOfAPi } from "./pi_steps.ts";

/** The story of chapter 2. */
export const story: Story = {
  steps: () => [
    aByteTooFar(),
    ...fillIn(),
    ...runTheRing(),
    theTableOfAPi(),
    {
      title: "The answer is in the tables",
      text:
        `Linux fills in the tables of every process, with four levels where this machine has two. From here on you ask Linux to do it, by [[mmap]].

        In the exercise, you fill in a mirror. \`play.ts\` lets
        you try entries of your own.`,
    },
  ],
};

const GIB = 2 ** 30;

/** The memory of this computer, as the kernel counts it. */
function memoryOfThisComputer(): number {
  const bytes = readAll("/proc/meminfo");
  if (typeof bytes === "number") throw new Error("Cannot read /proc/meminfo");
  return 1024 * Number(/MemTotal: +(\d+)/.exec(new TextDecoder().decode(bytes))![1]);
}

function aByteTooFar(): Step {
  return {
    title: "A byte too far",
    text:
      `In chapter 1, the [[address]] of our [[page]] was a large number. We take another page, and ask how much memory this computer has.`,
    ask: {
      kind: "choice",
      text: "Does the memory of this computer have a byte with so large a number?",
      options: [
        {
          text: "Yes, memory is numbered like that",
          because: "The memory would have to be more than a thousand times as large. The number " +
            "does not name a place in it.",
        },
        {
          text: "Yes, but on a disk",
          because: "The number names no place on a disk either: it is looked up.",
        },
        {
          text: "No, it is not that large",
          right: true,
          because: "The number is not a place. For every load and store, the processor looks it " +
            "up in tables, and they say which place is meant.",
        },
      ],
    },
    run: (scene) => {
      const flags = MapFlag.private | MapFlag.anonymous;
      const protection = Protection.read | Protection.write;
      const address = scene.run("address", () => map({ length: pageSize(), protection, flags }));
      const memory = scene.run("memory", () => memoryOfThisComputer());
      const inGib = (bytes: number) => `${Math.round(bytes / GIB).toLocaleString("en")} GiB`;
      scene.show(tablePicture("far", "Read from this computer just now", [
        ["", ""],
        ["our page begins at", inGib(address)],
        ["the memory of this computer", inGib(memory)],
      ]));
    },
    after:
      `An address is not a place in memory. For each page of addresses, [[page table|page tables]] say where in memory it is. A kernel fills them in, and the processor reads them. In this chapter, you fill them in.`,
  };
}
