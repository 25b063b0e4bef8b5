/**
 * Chapter 2: a table of the first Raspberry Pi, recorded there and walked by our machine.
 *
 * @module
 */

import type { Step } from "../stage/story.ts";
import { attempt, mapPicture } from "./desk.ts";
import { Machine } from "./machine.ts";
import { PhysicalMemory } from "./physical.ts";
import { PI_ENTRIES, RECORDED_ON } from "./recorded_pi.ts";
import { SECTION, SectionTables } from "./sections.ts";

const WINDOW = 0x4000_0000;

/** The step with the table of a Pi. */
export function theTableOfAPi(): Step {
  return {
    title: "A mirror is one number, stored twice",
    text:
      `How little is a mirror? We asked a real processor, without Linux in between. Our program in \`native/pi\` boots on the first Raspberry Pi alone, and fills in its table itself. An entry there leads to 1 MiB, a [[section]], and the first three digits of an address choose it.

      The whole mirror is the number 0x0030040e, stored in two neighbouring entries: the section at 0x00300000, and bits that say who may use it. Here are the recorded entries, in our machine.`,
    ask: {
      kind: "number",
      text:
        "The entries for 0x40000000 and its neighbour 0x40100000 are the same. A word is stored " +
        "at 0x40000004. At which other address is it loaded?",
      hexadecimal: true,
      answer: () => WINDOW + SECTION + 4,
      right: "1 MiB further: both entries lead to the section at 0x00300000.",
      often: [
        { number: 0x0030_0004, because: "0x00300004 is its place in physical memory." },
        { number: 0x4000_1004, because: "A section has 1 MiB, and a page only 4 KiB." },
        { number: 0x4020_0004, because: "The entry for 0x40200000 is 0: it leads nowhere." },
      ],
      otherwise: "Both entries lead to one section, so it is 1 MiB further: 0x40100004.",
    },
    run: (scene) => {
      const memory = new PhysicalMemory(4 * SECTION);
      const tables = new SectionTables(memory);
      const machine = new Machine(memory, tables);
      machine.isPrivileged = true;
      for (const [address, entry] of PI_ENTRIES) memory.store32(tables.entryAt(address), entry);
      scene.show(mapPicture(tables, PI_ENTRIES.map(([address]) => address)));
      scene.look(() => {
        machine.store32(WINDOW + 4, 1234);
      });
      scene.look(() => attempt(() => machine.load32(WINDOW + SECTION + 4)));
      scene.look(() => attempt(() => machine.load32(WINDOW + 2 * SECTION)));
    },
    after:
      `The program on the Pi has checked the same, and also that its TLB shows the old memory until it is told. (Recorded on ${RECORDED_ON}; with the emulator installed, \`deno task pi\` runs it again.)`,
  };
}
