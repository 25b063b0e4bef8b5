/**
 * Chapter 2: sections of 1 MiB, on the machine and in the table of a Raspberry Pi.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { attempt, mapPicture, showWalk } from "./desk.ts";
import { Machine } from "./machine.ts";
import { PhysicalMemory } from "./physical.ts";
import { PI_CHECKS, PI_ENTRIES, RECORDED_ON } from "./recorded_pi.ts";
import { SECTION, SectionTables } from "./sections.ts";

const WINDOW = 0x4000_0000;

/** The steps with the Pi. */
export function sectionsOfThePi(): Step[] {
  let memory = new PhysicalMemory(4 * SECTION);
  let tables = new SectionTables(memory);
  let machine = new Machine(memory, tables);
  return [{
    title: "One step, of one megabyte",
    text:
      `The processor of the first Raspberry Pi can do with one table. An entry leads to a [[section]] of 1 MiB: twelve bits choose it, and twenty stay. It also says what privileged code, the kernel, may do there, and what user code may. (Each section has a domain; ours is 0.)

      We want one memory at 0x40000000 and at its neighbour 0x40100000.`,
    ask: {
      kind: "number",
      text: "Which entry of the table is for 0x40100000?",
      answer: () => (WINDOW + SECTION) >>> 20,
      right: "The first three digits, 0x401. It is the neighbour of entry 1024.",
      often: [
        { number: 1024, because: "That is 0x400, the entry for 0x40000000." },
        { number: 256, because: "Ten bits would give that. Here the first twelve choose." },
        { number: 401, because: "0x401 is right, in hexadecimal. In decimal it is 1025." },
      ],
      otherwise: "The first twelve bits are the first three digits: 0x401, which is 1025.",
    },
    run: (scene) => {
      memory = new PhysicalMemory(4 * SECTION);
      tables = scene.run("tables", () => new SectionTables(memory));
      machine = new Machine(memory, tables);
      const base = memory.allocate(SECTION);
      scene.look(() => {
        tables.map(WINDOW, base);
        tables.map(WINDOW + SECTION, base);
      });
      scene.look(() => {
        machine.store32(WINDOW + 4, 1234);
      });
      scene.look(() => attempt(() => machine.load32(WINDOW + SECTION + 4)));
      showWalk(scene, machine, WINDOW + SECTION + 4, "load");
    },
  }, {
    title: "The same picture, from the table of a Pi",
    text:
      `The program in \`native/pi\` boots on a Raspberry Pi without an operating system, fills in such a table, and runs a ring. We put the entries of a recorded run into our machine, and let it walk.`,
    ask: {
      kind: "number",
      text:
        "Entries 1024 and 1025 are both 0x0030040e. On the Pi, a word is stored at 0x40000004. " +
        "At which other address of these is it loaded?",
      hexadecimal: true,
      answer: () => WINDOW + SECTION + 4,
      right: "One MiB further: both entries lead to the section at 0x00300000.",
      often: [
        { number: 0x0030_0004, because: "That is its place in physical memory." },
        { number: 0x4020_0004, because: "Entry 1026 is 0: it leads nowhere." },
      ],
      otherwise: "Both entries lead to one section, so it is 1 MiB further: 0x40100004.",
    },
    run: (scene) => {
      memory = new PhysicalMemory(4 * SECTION);
      tables = new SectionTables(memory);
      machine = new Machine(memory, tables);
      machine.isPrivileged = true;
      for (const [address, entry] of PI_ENTRIES) memory.store32(tables.entryAt(address), entry);
      scene.show(mapPicture(tables, PI_ENTRIES.map(([address]) => address)));
      scene.look(() => {
        machine.store32(WINDOW + 4, 1234);
      });
      scene.look(() => attempt(() => machine.load32(WINDOW + SECTION + 4)));
      scene.look(() => attempt(() => machine.load32(WINDOW + 2 * SECTION)));
    },
  }, {
    title: "What the Pi itself has seen",
    text:
      `The program on the Pi has checked what our machine has just shown. It also changed an entry, and looked before it told the TLB.`,
    run: (scene) => {
      scene.show(tablePicture("pi", `Recorded: ${RECORDED_ON}`, [
        ["some of its 20 checks"],
        ...PI_CHECKS.map((line) => [line]),
      ]));
    },
    after:
      `Both agree, also about the old memory that a TLB shows. The Pi was an emulated one. With the emulator installed, \`deno task pi\` runs it again.`,
  }];
}
