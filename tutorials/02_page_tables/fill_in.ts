/**
 * Chapter 2: the reader fills in the entries of two tables, and the machine walks them.
 *
 * @module
 */

import { tablePicture } from "../stage/pictures.ts";
import type { Step } from "../stage/story.ts";
import { attempt, mapPicture, pageBytes, showWalk } from "./desk.ts";
import { Machine } from "./machine.ts";
import { PageTables } from "./pages.ts";
import { FRAME, PhysicalMemory } from "./physical.ts";

const [FIRST, SECOND] = [0x0040_0000, 0x0040_1000];
/** What is stored, and where in the page. */
const [VALUE, PLACE] = [1234, 8];

/** The steps; they share one machine. */
export function fillIn(): Step[] {
  let memory = new PhysicalMemory(32 * FRAME);
  let tables = new PageTables(memory);
  let machine = new Machine(memory, tables);
  let [table, frame] = [0, 0];
  const [address, other] = [FIRST + PLACE, SECOND + PLACE];
  return [{
    title: "A machine whose tables are empty",
    text:
      `Here is a small machine with 128 KiB of [[physical memory]]: bytes that exist, counted from 0. They form [[frame|frames]] of 4096 bytes. A frame can hold a page of a program, or a table.

      A program loads the number at 0x00400008, an address in [[hexadecimal]]. (\`attempt\` shows a fault in place of a result.)`,
    ask: {
      kind: "choice",
      text: "What does it get?",
      options: [
        {
          text: "The number 0",
          because: "A 0 would have to lie in some frame. No entry leads to a frame yet.",
        },
        {
          text: "The bytes there in physical memory",
          because: "A program never uses the numbers of physical memory. And this machine ends " +
            "long before.",
        },
        {
          text: "A fault: the processor refuses",
          right: true,
          because: "No entry leads anywhere, so no byte can be loaded.",
        },
      ],
    },
    run: (scene) => {
      memory = scene.run("memory", () => new PhysicalMemory(32 * FRAME));
      tables = scene.run("tables", () => new PageTables(memory));
      machine = scene.run("machine", () => new Machine(memory, tables));
      scene.look(() => attempt(() => machine.load32(0x0040_0008)));
    },
    after:
      `A [[fault]] is the answer "not here", and names the entry that said so. A kernel can fill it in and let the program try again: so the page of chapter 1 got its memory at the first touch.`,
  }, {
    title: "Three parts of an address",
    text:
      `An address of 32 bits has three parts. The first ten bits choose an entry of the first table, which leads to a second table. The next ten choose an entry there, which leads to the frame. The last twelve are the place in the frame.`,
    ask: {
      kind: "number",
      text: "A program uses 0x00403008. Which entry of the second table is that? (A hexadecimal " +
        "digit is four bits.)",
      answer: () => 0x0040_3008 >>> 12 & 1023,
      right: "Entry 1 of the first table covers 4 MiB, and page 3 of those is meant.",
      often: [
        { number: 1, because: "1 is the entry of the first table: the first ten bits." },
        { number: 8, because: "8 is the place in the frame: the last twelve bits." },
        {
          number: 0x403,
          because: "0x403 is the first 20 bits together. The first ten belong to the first table.",
        },
      ],
      otherwise: "The last three digits are the place in the frame. The ten bits before them are " +
        "0000000011, which is 3.",
    },
    run: (scene) => {
      const cut = (from: number, to: number) =>
        (0x0040_3008).toString(2).padStart(32, "0").slice(from, to);
      scene.show(tablePicture("parts", "0x00403008 in three parts", [
        ["bits", "as a number", "chooses"],
        [cut(0, 10), parseInt(cut(0, 10), 2), "an entry of the first table"],
        [cut(10, 20), parseInt(cut(10, 20), 2), "an entry of the second table"],
        [cut(20, 32), parseInt(cut(20, 32), 2), "a byte in the frame"],
      ]));
    },
  }, {
    title: "Fill in the first entry",
    text: `Tables are memory, so \`store32\` can fill in an entry. An entry is the address of the
      frame that it leads to, plus three bits:

      1 is "present": without it, the entry counts as empty. 2 is "writable", and 4 is "for all
      code", not only for the kernel. Entries of the first table need only the 1.

      The first table is in the frame at 0x1000. For the second, we have the frame at 0x2000.`,
    ask: {
      kind: "number",
      text: "Which number do you store in entry 1 of the first table? Type it with " +
        "0x. It is stored and used.",
      hexadecimal: true,
      answer: () => table | 1,
      right:
        "The address of the second table, and the bit that says: this entry counts. The walk " +
        "comes further now, and ends in the second table.",
      often: [
        { number: 0x2000, because: "The address is right. But without the 1, the entry is empty." },
        { number: 1, because: "The entry counts, but it leads to the frame at 0." },
        { number: 0x1001, because: "0x1001 leads back to the first table itself." },
        { number: 0x2007, because: "0x2007 works. But this entry needs only the 1." },
      ],
      otherwise: 'Store the address of the frame, 0x2000, plus 1 for "present".',
    },
    run: (scene) => {
      table = memory.allocate();
      const entry = scene.answer ?? table + 1;
      scene.look(() => {
        memory.store32(tables.root + 4 * 1, entry);
      });
      scene.look(() => attempt(() => machine.load32(0x0040_0008)));
      showWalk(scene, machine, address, "load");
    },
  }, {
    title: "Fill in the second entry",
    text:
      `Entry 1 of the first table is 0x2001 now. In the second table, entry 0 is for the page at 0x00400000. It should lead to the frame at 0x3000, where all code may load and store.

      The program stores ${VALUE} at 0x00400008.`,
    ask: {
      kind: "number",
      text: "Which number do you store in entry 0 of the second table?",
      hexadecimal: true,
      answer: () => frame | 7,
      right: "The address of the frame, and all three bits: 1, 2 and 4.",
      often: [
        { number: 0x3000, because: "Without the 1, the entry is empty." },
        {
          number: 0x3001,
          because: "Present, but only the kernel may use it. 2 and 4 are missing.",
        },
        { number: 0x3003, because: "4 is missing: only the kernel may use this page." },
        { number: 0x3005, because: "2 is missing: all code may load here, but nobody may store." },
        { number: 0x3006, because: "Without the 1, the other bits do not matter." },
        { number: 0x2007, because: "0x2007 leads to the frame of the table itself!" },
      ],
      otherwise: "Store 0x3000, plus 1 for present, 2 for writable and 4 for all code.",
    },
    run: (scene) => {
      memory.store32(tables.root + 4, (table | 1) >>> 0);
      frame = memory.allocate();
      const entry = scene.answer ?? frame + 7;
      scene.look(() => {
        memory.store32(table + 4 * 0, entry);
      });
      scene.look(() => attempt(() => machine.store32(0x0040_0008, 1234)));
      if (entry !== frame + 7) { // the picture shows the right one
        machine.tlb.invalidateAll();
        scene.look(() => {
          memory.store32(table + 4 * 0, frame + 7);
        });
        scene.look(() => attempt(() => machine.store32(0x0040_0008, 1234)));
      }
      showWalk(scene, machine, address, "store");
    },
  }, {
    title: "A walk, and another one",
    text:
      `With 0x2001 and 0x3007, the program stores, and then loads what it has stored. A walk reads two entries.`,
    ask: {
      kind: "number",
      text: "How many entries does the load read, right after the store?",
      answer: () => machine.last!.steps.length,
      right: "None. The processor remembers the last translations, because programs use the same " +
        "pages again and again.",
      often: [
        { number: 2, because: "The store read two. The processor remembers what it found." },
        { number: 1, because: "Even one is too many: the whole translation is remembered." },
      ],
      otherwise: "The processor remembers the last translations, so it reads none.",
    },
    run: (scene) => {
      memory.store32(table, (frame | 7) >>> 0);
      machine.tlb.invalidateAll();
      scene.look(() => attempt(() => machine.store32(0x0040_0008, 1234)));
      scene.look(() => machine.last!.steps.length);
      scene.look(() => attempt(() => machine.load32(0x0040_0008)));
      scene.look(() => machine.last!.steps.length);
      showWalk(scene, machine, address, "load");
    },
    after: `Its memory of translations is called the [[TLB]].`,
  }, {
    title: "A second page",
    text:
      `The next page begins at 0x00401000, and its entry is number 1. Nothing says that two entries must lead to two frames.`,
    ask: {
      kind: "number",
      text: "Which number there leads to the same frame, with the same rights?",
      hexadecimal: true,
      answer: () => frame | 7,
      right: "The same number as in entry 0. Two pages lead to one frame now.",
      often: [
        { number: 0x4007, because: "0x4000 is another frame, which is full of zeros." },
        { number: 0x1007, because: "0x1000 is the frame of the first table!" },
        {
          number: 0x2007,
          because: "0x2000 is the frame of the table itself: the program could fill in entries.",
        },
      ],
      otherwise:
        "The same as in entry 0: 0x3007. An entry does not say which page it is for; its " +
        "place in the table does.",
    },
    run: (scene) => {
      const entry = scene.answer ?? frame + 7;
      scene.look(() => {
        memory.store32(table + 4 * 1, entry);
      });
      scene.look(() => attempt(() => machine.load32(0x0040_1008)));
      if (entry !== frame + 7) { // the picture shows the right one
        machine.tlb.invalidateAll();
        scene.look(() => {
          memory.store32(table + 4 * 1, frame + 7);
        });
        scene.look(() => attempt(() => machine.load32(0x0040_1008)));
      }
      scene.show(mapPicture(tables, [FIRST, SECOND]));
    },
    after:
      `${VALUE} was stored at 0x00400008 only. Two addresses of one place are called synonyms.`,
  }, {
    title: "Neighbours",
    text:
      `Both pages lead to the frame at 0x3000 now. We store 90, which is 0x5a, at 0x00400fff: the last byte of the first page.`,
    ask: {
      kind: "number",
      text: "At which other address is it loaded?",
      hexadecimal: true,
      answer: () => SECOND + FRAME - 1,
      right: "At the last byte of the second page, which is the last byte of the same frame.",
      often: [{
        number: SECOND,
        because: "The next address leads to the first byte of the frame, not the last.",
      }],
      otherwise: "The offset 0xfff stays, and the second page leads to the same frame.",
    },
    run: (scene) => {
      memory.store32(table + 4, (frame | 7) >>> 0);
      machine.tlb.invalidateAll();
      const show = () => {
        const part = (id: string, title: string, address: number) =>
          scene.show(pageBytes(memory, tables, { id, title, address }));
        part("end", "The end of the first page", SECOND - 16);
        part("begin", "The beginning of the second", SECOND);
        part("end2", "The end of the second page", SECOND + FRAME - 16);
      };
      show();
      scene.look(() => {
        machine.store8(0x0040_0fff, 0x5a);
      });
      show();
    },
    after:
      `Behind the end of the first page comes the first byte of the same frame: a copy that runs over the end continues at the beginning. (The d2 04 is our ${VALUE}, 0x04d2. Its lowest byte lies first.)`,
  }, {
    title: "The TLB does not notice",
    text:
      `The second page gets another frame, full of zeros: we change its entry, and nothing else. Then the program loads at 0x00401008, where ${VALUE} was.`,
    ask: {
      kind: "choice",
      text: "What does it get?",
      options: [
        {
          text: `${VALUE}, from the old frame`,
          right: true,
          because: "The translation was in the TLB, so no table was read. The TLB does not watch " +
            "the tables.",
        },
        {
          text: "0, from the new frame",
          because: "The tables say so, but the processor did not read them: the TLB had the old " +
            "translation.",
        },
        {
          text: "A fault",
          because: "A fault needs a look at the tables. The TLB had the old translation.",
        },
      ],
    },
    run: (scene) => {
      machine.load32(other);
      const unused = memory.allocate();
      scene.look(() => {
        memory.store32(table + 4 * 1, unused + 7);
      });
      scene.look(() => attempt(() => machine.load32(0x0040_1008)));
      scene.look(() => {
        machine.tlb.invalidate(0x0040_1000);
      });
      scene.look(() => attempt(() => machine.load32(0x0040_1008)));
    },
    after:
      `So a kernel also has to [[invalidate]] it, in the TLB of every processor that runs the process.`,
  }];
}
