/**
 * A tour of the machine: fill in entries, watch a walk, make two pages synonyms, forget to
 * invalidate the TLB, and be refused.
 *
 *     deno run tutorials/machine/tour.ts
 *     deno run tutorials/machine/tour.ts sections
 *
 * @module
 */

import { wrap } from "../picture.ts";
import { Fault } from "./fault.ts";
import { Machine } from "./machine.ts";
import { PageTables } from "./pages.ts";
import { FRAME, PhysicalMemory } from "./physical.ts";
import { drawMap, drawWalk } from "./picture.ts";
import { Domain, Permission, SECTION, SectionTables } from "./sections.ts";
import { hex } from "./tables.ts";

function main(): void {
  if (Deno.args[0] === "sections") sections();
  else pages();
}

function pages(): void {
  const memory = new PhysicalMemory(32 * FRAME);
  const tables = new PageTables(memory);
  const machine = new Machine(memory, tables);
  const [first, second] = [0x0040_0000, 0x0040_1000];

  title("Nothing is mapped. A load faults, and says where the walk ended");
  attempt(() => machine.load8(first));
  const frame = memory.allocate();
  tables.map(first, frame);
  title(`Now page ${hex(first)} leads to frame ${hex(frame)}`);
  machine.store32(first + 8, 0x1234);
  console.log(drawWalk(machine.last!));

  title("Again: the TLB remembers, and no table is read");
  machine.load32(first + 8);
  console.log(drawWalk(machine.last!));

  title("A second page with the same frame: a synonym. Nothing was copied");
  tables.map(second, frame);
  console.log(drawMap(tables, [first, second]));
  console.log(
    `\n  stored through ${hex(first + 8)}, loaded through ${hex(second + 8)}: ` +
      hex(machine.load32(second + 8)),
  );
  machine.store8(second - 1, 0x41);
  console.log(
    `  the byte before ${hex(second)} is the last one of both pages: ` +
      hex(machine.load8(second + FRAME - 1)),
  );

  title("The second page gets another frame, without invalidating its TLB entry");
  tables.map(second, memory.allocate());
  console.log(`  loaded: ${hex(machine.load32(second + 8))}, from the old frame`);
  machine.tlb.invalidate(second);
  console.log(`  and after the page was invalidated: ${hex(machine.load32(second + 8))}`);

  title("Permissions");
  tables.map(first, frame, { writable: false });
  machine.tlb.invalidate(first);
  console.log(`  a load works: ${hex(machine.load32(first + 8))}`);
  attempt(() => machine.store8(first, 1));
  tables.map(first, frame, { user: false });
  machine.tlb.invalidate(first);
  attempt(() => machine.load8(first));
  machine.isPrivileged = true;
  console.log(`  privileged code loads: ${hex(machine.load32(first + 8))}`);
}

function sections(): void {
  const memory = new PhysicalMemory(4 * SECTION);
  const tables = new SectionTables(memory);
  const machine = new Machine(memory, tables);
  const base = memory.allocate(SECTION);
  const [first, second] = [0x4000_0000, 0x4010_0000];

  title("Two section descriptors with one base");
  tables.map(first, base);
  tables.map(second, base);
  console.log(drawMap(tables, [first, second]));

  title("A walk reads one descriptor, and 20 bits of the address are the offset");
  machine.store32(first + 0x1234, 0xcafe);
  console.log(drawWalk(machine.last!));
  console.log(
    `\n  loaded through ${hex(second + 0x1234)}: ${hex(machine.load32(second + 0x1234))}`,
  );

  title("Permissions: user code may load only");
  tables.map(first, base, { permission: Permission.userReads });
  machine.tlb.invalidate(first);
  attempt(() => machine.store8(first, 1));

  title("Domains: a second check, for 16 groups of sections");
  tables.map(first, base, { domain: 5 });
  machine.tlb.invalidate(first);
  attempt(() => machine.load8(first));
  tables.setDomain(5, Domain.client);
  console.log(`  as a client of the domain: ${hex(machine.load32(first + 0x1234))}`);
}

function title(text: string): void {
  console.log(`\n${text}\n`);
}

function attempt(access: () => void): void {
  try {
    access();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    console.log(wrap(`Fault: ${error.message}`, 78).replace(/^/gm, "  "));
    return;
  }
  throw new Error("The access should have been refused");
}

main();
