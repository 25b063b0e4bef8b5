/**
 * The machine in your hands: you fill in entries, load, store, walk, and forget to invalidate.
 *
 *     deno run tutorials/02_page_tables/play.ts
 *     deno run tutorials/02_page_tables/play.ts sections
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

/** A machine, and the pages that were named so far. */
class Desk {
  readonly memory: PhysicalMemory;
  readonly tables: PageTables | SectionTables;
  readonly machine: Machine;
  readonly #pages = new Set<number>();

  constructor(kind: string) {
    const isPages = kind !== "sections";
    this.memory = new PhysicalMemory(isPages ? 64 * FRAME : 8 * SECTION);
    this.tables = isPages ? new PageTables(this.memory) : new SectionTables(this.memory);
    this.machine = new Machine(this.memory, this.tables, { tlb: 4 });
  }

  map(page: number, frame: number, right: string): string {
    if (!["", "ro", "kernel"].includes(right)) {
      throw new RangeError("Cannot map: pass ro or kernel, or leave it out");
    }
    if (this.tables instanceof PageTables) {
      this.tables.map(page, frame, { writable: right !== "ro", user: right !== "kernel" });
    } else {
      const { all, allRead, privileged } = Permission;
      const permission = right === "" ? all : right === "ro" ? allRead : privileged;
      this.tables.map(page, frame, { permission });
    }
    this.#pages.add(page);
    return this.shown();
  }

  unmap(page: number): string {
    this.tables.unmap(page);
    return this.shown();
  }

  shown(): string {
    const pages = [...this.#pages].sort((a, b) => a - b);
    return pages.length === 0 ? "  nothing is mapped" : drawMap(this.tables, pages);
  }

  walk(address: number): string {
    this.machine.tlb.invalidate(address - address % this.tables.pageSize);
    this.machine.translate(address, "load");
    return drawWalk(this.machine.last!);
  }

  remembered(): string {
    const { entries, hits, misses } = this.machine.tlb;
    const lines = entries.map(({ page, frame }) => `  ${hex(page)} ---> ${hex(frame)}`);
    return [...lines, `  ${hits} hits, ${misses} misses`].join("\n");
  }

  domain(access: string): string {
    if (!(this.tables instanceof SectionTables)) {
      throw new RangeError("Cannot set a domain: only sections have one; play with sections");
    }
    if (!Object.hasOwn(Domain, access)) {
      throw new RangeError("Cannot set a domain: pass none, client or manager");
    }
    this.tables.setDomain(0, Domain[access as keyof typeof Domain]);
    return `  domain 0: ${access}`;
  }
}

const HELP = `  frame                        get an unused frame
  map PAGE FRAME [ro|kernel]   fill in an entry; unmap PAGE empties it
  load ADDRESS                 load a byte; store ADDRESS VALUE stores one
  walk ADDRESS                 walk the tables, without the TLB
  tlb                          the TLB; forget [PAGE] invalidates it
  kernel, user                 which code runs
  domain none|client|manager   what domain 0 gives; only with sections
  show, help, quit`;

/** Carries out one line, and returns what to print; undefined to end. */
function carryOut(desk: Desk, line: string): string | undefined {
  const [command = "", ...words] = line.trim().toLowerCase().split(/\s+/);
  const { machine, memory, tables } = desk;
  const number = (index: number) => numberOf(words[index], command);
  switch (command) {
    case "":
      return "";
    case "frame":
      return `  ${hex(memory.allocate(tables.pageSize))}`;
    case "map":
      return desk.map(number(0), number(1), words[2] ?? "");
    case "unmap":
      return desk.unmap(number(0));
    case "load":
      return `  ${machine.load8(number(0))}${machine.last!.hit ? "   (the TLB knew)" : ""}`;
    case "store":
      machine.store8(number(0), number(1));
      return `  stored at physical ${hex(machine.last!.physical)}`;
    case "walk":
      return desk.walk(number(0));
    case "tlb":
      return desk.remembered();
    case "forget":
      if (words.length === 0) machine.tlb.invalidateAll();
      else machine.tlb.invalidate(number(0));
      return desk.remembered();
    case "kernel":
    case "user":
      machine.isPrivileged = command === "kernel";
      return `  ${command} code runs`;
    case "domain":
      return desk.domain(words[0] ?? "");
    case "show":
      return desk.shown();
    case "help":
      return HELP;
    case "quit":
    case "q":
      return undefined;
  }
  return `  There is no command ${command}; help lists them`;
}

function numberOf(word: string | undefined, command: string): number {
  const value = Number(word);
  if (word !== undefined && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw new RangeError(
    `Cannot ${command}: ${word ?? "a number"} ${word === undefined ? "is missing" : "is none"}; ` +
      "pass one such as 0x400000",
  );
}

let unread = "";

/** Prints a question and reads one line; undefined at the end of the input. */
function ask(question: string): string | undefined {
  Deno.stdout.writeSync(new TextEncoder().encode(question));
  const buffer = new Uint8Array(1024);
  while (!unread.includes("\n")) {
    const length = Deno.stdin.readSync(buffer);
    if (length === null) {
      console.log();
      return undefined;
    }
    unread += new TextDecoder().decode(buffer.subarray(0, length));
  }
  const end = unread.indexOf("\n");
  const line = unread.slice(0, end);
  unread = unread.slice(end + 1);
  return line;
}

function main(): void {
  const desk = new Desk(Deno.args[0] ?? "pages");
  console.log(`A machine with ${hex(desk.memory.size)} bytes of memory, and nothing mapped.\n`);
  console.log(HELP);
  console.log(
    "\nTry: frame, map two pages in a row to it, store in one, load in the other.",
  );
  for (let line; (line = ask("\n> ")) !== undefined;) {
    try {
      const answer = carryOut(desk, line);
      if (answer === undefined) return;
      if (answer !== "") console.log(answer);
    } catch (error) {
      if (!(error instanceof Fault || error instanceof RangeError)) throw error;
      console.log(wrap(error.message, 74).replace(/^/gm, "  "));
    }
  }
}

main();
