/**
 * The ring of the library, on the machine: the shipped code of `src/lane`, whose every load and
 * store walks page tables that this program has filled in.
 *
 *     deno run --import-map tutorials/02_page_tables/import_map.json tutorials/02_page_tables/ring.ts
 *     deno run --import-map tutorials/02_page_tables/import_map.json tutorials/02_page_tables/ring.ts sections
 *
 * @module
 */

import { LaneReceiver, LaneSender } from "../../src/lane/lane.ts";
import { receiveRecord, recordBytes, recordLength, sendRecord } from "../../src/lane/record.ts";
import type { Mapping } from "../../src/memory/mapping.ts";
import type { Word32 } from "../../src/memory/word.ts";
import { wrap } from "../picture.ts";
import { Fault } from "./fault.ts";
import { virtualMemory } from "./leaf/word.ts";
import { Machine } from "./machine.ts";
import { PageTables } from "./pages.ts";
import { FRAME, PhysicalMemory } from "./physical.ts";
import { drawMap, drawWalk } from "./picture.ts";
import { SECTION, SectionTables } from "./sections.ts";
import { hex } from "./tables.ts";

/** Where the ring is: its words in one page, and then its data, twice. */
const BASE = 0x4000_0000;

/** Nobody waits on this machine, so a bell only publishes. */
const SILENT = {
  ring() {},
  publish: (word: Word32, value: number) => word.store(value),
};

/** A machine with a ring, and both of its ends. */
export interface RingOnMachine {
  readonly machine: Machine;
  readonly tables: PageTables | SectionTables;
  readonly sender: LaneSender;
  readonly receiver: LaneReceiver;
  /** The virtual addresses of the words, and of both windows onto the data. */
  readonly pages: readonly [words: number, first: number, second: number];
}

/** Fills in the tables, with one frame for both windows, and opens both ends of a lane there. */
export function ringOnMachine(kind: "pages" | "sections"): RingOnMachine {
  const memory = new PhysicalMemory(kind === "pages" ? 64 * FRAME : 4 * SECTION);
  const tables = kind === "pages" ? new PageTables(memory) : new SectionTables(memory);
  const size = tables.pageSize;
  const pages = [BASE, BASE + size, BASE + 2 * size] as const;
  const [words, data] = [memory.allocate(size), memory.allocate(size)];
  tables.map(pages[0], words);
  tables.map(pages[1], data);
  tables.map(pages[2], data); // the same frame: a synonym
  const machine = new Machine(memory, tables);
  const place = {
    what: "the ring on the machine",
    mapping: virtualMemory(machine, BASE, 3 * size) as unknown as Mapping,
    control: 0,
    data: size,
    capacity: size,
    dataBell: SILENT,
    spaceBell: SILENT,
  };
  const sender = new LaneSender(place);
  return { machine, tables, sender, receiver: new LaneReceiver(place), pages };
}

/** Sends messages and receives each; returns how many crossed the end of the first window. */
export function pass({ sender, receiver, pages }: RingOnMachine, count: number): number {
  let crossed = 0;
  for (let number = 0; number < count; number++) {
    const length = 1 + (number * 37) % 300;
    const message = Uint8Array.from({ length }, (_, i) => number * 7 + i * 31);
    if (!sender.hasRoom(recordBytes(length))) throw new Error("The ring is full");
    const begin = BASE + sender.offset;
    if (begin < pages[2] && begin + recordBytes(length) > pages[2]) crossed++;
    sendRecord(sender, message, length);
    const target = new Uint8Array(recordLength(receiver));
    receiveRecord(receiver, target, target.length);
    if (target.toHex() !== message.toHex()) throw new Error(`Message ${number} was damaged`);
  }
  return crossed;
}

function main(): void {
  const kind = Deno.args[0] === "sections" ? "sections" : "pages";
  const ring = ringOnMachine(kind);
  const { machine, tables, pages, sender } = ring;
  console.log(`The ring of the library, on a machine with ${kind}\n`);
  console.log(drawMap(tables, pages));
  const count = kind === "pages" ? 500 : 8000;
  const crossed = pass(ring, count);
  console.log(`\n${count} messages sent and received; ${crossed} crossed the seam in one piece`);
  const { hits, misses } = machine.tlb;
  console.log(`The TLB had ${hits} translations, and ${misses} accesses had to walk:\n`);
  machine.tlb.invalidateAll();
  machine.load8(pages[2]);
  console.log(drawWalk(machine.last!));

  console.log("\nNow without the second window, and one message that crosses the seam:\n");
  tables.unmap(pages[2]);
  machine.tlb.invalidate(pages[2]);
  try {
    const room = pages[2] - (BASE + sender.offset);
    sendRecord(sender, new Uint8Array(room + 8), room + 8);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    console.log(wrap(error.message, 78).replace(/^/gm, "  "));
  }
  console.log(`\nThe frame did not move: ${hex(pages[1])} still shows it.`);
}

if (import.meta.main) main();
