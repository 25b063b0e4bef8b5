import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Fault } from "../../tutorials/02_page_tables/fault.ts";
import { Machine } from "../../tutorials/02_page_tables/machine.ts";
import { PageBit, PageTables } from "../../tutorials/02_page_tables/pages.ts";
import { FRAME, PhysicalMemory } from "../../tutorials/02_page_tables/physical.ts";
import { drawWalk } from "../../tutorials/02_page_tables/picture.ts";
import {
  Domain,
  Permission,
  SECTION,
  sectionDescriptor,
  SectionTables,
} from "../../tutorials/02_page_tables/sections.ts";

Deno.test("an entry of the first table that leads out of memory is a fault, not an error", () => {
  const memory = new PhysicalMemory(8 * FRAME);
  const tables = new PageTables(memory);
  memory.store32(tables.root, 0x7fff_f001);
  const load = () => new Machine(memory, tables).load8(0);
  assertThrows(load, Fault, "a table at 0x7ffff000, where the machine has no memory");
});

/** The two formats, each with a few pages that lie together and far apart, and frames for them. */
const FORMATS = {
  pages() {
    const memory = new PhysicalMemory(64 * FRAME);
    const pages = [0, 1, 2, 1023, 1024, 0x80000, 0xfffff].map((number) => number * FRAME);
    return { memory, tables: new PageTables(memory), pages };
  },
  sections() {
    const memory = new PhysicalMemory(8 * SECTION);
    const pages = [0, 1, 2, 0x7ff, 0x800, 0xffe, 0xfff].map((number) => number * SECTION);
    return { memory, tables: new SectionTables(memory), pages };
  },
};

/** What is allowed, in both formats. */
const RIGHTS = [
  { user: "rw", page: {}, section: {} },
  { user: "r", page: { writable: false }, section: { permission: Permission.allRead } },
  { user: "", page: { user: false }, section: { permission: Permission.privileged } },
] as const;

type Step = readonly [
  action: "map" | "unmap" | "store" | "load",
  page: number,
  frame: number,
  offset: number,
  right: number,
];

const stories = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0]>("map", "unmap", "store", "store", "store", "load", "load", "load"),
    fc.nat(6),
    fc.nat(3),
    fc.oneof(fc.nat(FRAME - 1), fc.constantFrom(0, FRAME - 1)),
    fc.nat(2),
  ),
  { minLength: 40, maxLength: 120 },
);

for (const kind of ["pages", "sections"] as const) {
  /** Tells a story to a machine and to a plain map from pages to frames and rights. */
  const tell = (story: readonly Step[], tlb: number, invalidates: boolean) => {
    const { memory, tables, pages } = FORMATS[kind]();
    const machine = new Machine(memory, tables, { tlb });
    const frames = Array.from({ length: 4 }, () => memory.allocate(tables.pageSize));
    const now = new Map<number, { frame: number; user: string }>();
    const ever = new Map<number, Set<number>>(pages.map((page) => [page, new Set()]));
    const bytes = new Map<number, number>();
    for (const [i, page] of pages.entries()) {
      if (i === 3) continue; // one page is not mapped at first
      const frame = frames[i % 4]!;
      tables.map(page, frame);
      now.set(page, { frame, user: "rw" });
      ever.get(page)!.add(frame);
    }
    for (const [i, [action, pageIndex, frameIndex, offset, right]] of story.entries()) {
      const [page, frame] = [pages[pageIndex]!, frames[frameIndex]!];
      const { user, page: pageRights, section } = RIGHTS[right]!;
      if (action === "map" || action === "unmap") {
        if (action === "unmap") tables.unmap(page);
        else if (tables instanceof PageTables) tables.map(page, frame, pageRights);
        else tables.map(page, frame, section);
        if (action === "unmap") now.delete(page);
        else now.set(page, { frame, user });
        if (action === "map") ever.get(page)!.add(frame);
        if (invalidates) machine.tlb.invalidate(page);
        continue;
      }
      const known = now.get(page);
      const allowed = known?.user.includes(action === "load" ? "r" : "w") ?? false;
      const access = () =>
        action === "load"
          ? machine.load8(page + offset)
          : (machine.store8(page + offset, i & 0xff), undefined);
      if (invalidates) {
        if (!allowed) {
          const fault = assertThrows(access, Fault);
          assertEquals([fault.address, fault.access], [page + offset, action]);
          assertEquals(fault.kind, known === undefined ? "translation" : "permission");
          continue;
        }
        const loaded = access();
        assertEquals(machine.last!.physical, known!.frame + offset);
        if (action === "load") assertEquals(loaded, bytes.get(known!.frame + offset) ?? 0);
        else bytes.set(known!.frame + offset, i & 0xff);
      } else {
        // A TLB that was not invalidated may have any frame that the page once had, and no other.
        try {
          access();
        } catch (error) {
          assert(error instanceof Fault);
          continue;
        }
        assert(ever.get(page)!.has(machine.last!.physical - offset));
      }
    }
    return machine;
  };

  Deno.test(`a machine with ${kind} does what a plain map does, if changes invalidate the TLB`, () => {
    let hits = 0;
    fc.assert(
      fc.property(stories, fc.constantFrom(0, 1, 2, 8), (story, tlb) => {
        hits += tell(story, tlb, true).tlb.hits;
      }),
      { numRuns: 40 },
    );
    assert(hits > 200, `${hits} hits are too few to test the TLB`);
  });

  Deno.test(`a machine with ${kind} whose TLB is not invalidated uses old frames, and no others`, () => {
    fc.assert(
      fc.property(stories, (story) => void tell(story, 8, false)),
      { numRuns: 40 },
    );
  });

  Deno.test(`a machine with ${kind}: a changed entry counts once the TLB is invalidated`, () => {
    const { memory, tables, pages } = FORMATS[kind]();
    const machine = new Machine(memory, tables);
    const [old, other] = [0, 1].map(() => memory.allocate(tables.pageSize)) as [number, number];
    const page = pages[2]!;
    tables.map(page, old);
    machine.store32(page, 1);
    tables.map(page, other);
    assertEquals(machine.load32(page), 1);
    tables.unmap(page);
    assertEquals(machine.load32(page), 1);
    machine.tlb.invalidateAll();
    assertThrows(() => machine.load32(page), Fault);
    tables.map(page, other);
    assertEquals([machine.load32(page), memory.load32(old)], [0, 1]);
  });

  Deno.test(`a machine with ${kind}: two pages with one frame are synonyms, in a row even a mirror`, () => {
    const { memory, tables, pages } = FORMATS[kind]();
    const machine = new Machine(memory, tables, { tlb: 1 });
    const frame = memory.allocate(tables.pageSize);
    const [first, second] = [pages[0]!, pages[1]!];
    tables.map(first, frame);
    tables.map(second, frame);
    for (let i = -3; i < 3; i++) machine.store8(second + i, 100 + i);
    const seen = [0, 1, 2].map((i) => machine.load8(first + i));
    const end = [3, 2, 1].map((i) => machine.load8(second + tables.pageSize - i));
    assertEquals([seen, end], [[100, 101, 102], [97, 98, 99]]);
  });

  Deno.test(`a machine with ${kind} faults where it has no memory, and at odd words`, () => {
    const { memory, tables, pages } = FORMATS[kind]();
    const machine = new Machine(memory, tables);
    tables.map(pages[1]!, 2 ** 31);
    const external = assertThrows(() => machine.load8(pages[1]!), Fault);
    assertEquals(external.kind, "external");
    assertMatch(external.message, /its frame is 0x80000000, where the machine has no memory; map/);
    const odd = assertThrows(() => machine.store32(pages[1]! + 2, 1), Fault);
    assertEquals(odd.kind, "alignment");
  });
}

Deno.test("a fault says which entry ended the walk, where it lies and how to go on", () => {
  const { memory, tables } = FORMATS.pages();
  const machine = new Machine(memory, tables);
  const message = (access: () => void) => assertThrows(access, Fault).message;
  assertEquals(
    message(() => machine.store8(0x0040_0123, 1)),
    "Cannot store at 0x00400123: entry 1 of the first-level table, at 0x00001004, is 0x00000000: " +
      "not present; map a frame there first",
  );
  tables.map(0x0040_0000, memory.allocate());
  assertMatch(
    message(() => machine.load8(0x0040_1000)),
    /entry 1 of the second-level table, at 0x00003004, is 0x00000000: not present/,
  );
  tables.map(0x0040_0000, 0x2000, { writable: false });
  assertMatch(message(() => machine.store8(0x0040_0000, 1)), /the page is read-only; set its wri/);
});

Deno.test("page tables are words in memory: a program can fill them in by hand", () => {
  const { memory, tables } = FORMATS.pages();
  const machine = new Machine(memory, tables);
  const [table, frame] = [memory.allocate(), memory.allocate()];
  memory.store32(tables.root + 4 * 3, table | PageBit.present);
  memory.store32(table + 4 * 5, frame | PageBit.present | PageBit.writable | PageBit.user);
  machine.store8(3 * 2 ** 22 + 5 * FRAME + 7, 99);
  assertEquals(memory.load8(frame + 7), 99);
  assertEquals(machine.last!.steps.map(({ index }) => index), [3, 5]);
  assertMatch(
    drawWalk(machine.last!),
    /^ {2}virtual {2}0x00c05007 {2}0000000011\|0000000101\|0{9}111\n/,
  );
});

Deno.test("sectionDescriptor() has the bits of the manual", () => {
  const cases = [
    [sectionDescriptor(0x0010_0000), 0x0010_0c02],
    [sectionDescriptor(0xfff0_0000, { domain: 15 }), 0xfff0_0de2],
    [sectionDescriptor(0, { permission: Permission.allRead }), 0x8802],
    [sectionDescriptor(0, { permission: Permission.privileged }), 0x0402],
  ];
  for (const [descriptor, expected] of cases) assertEquals(descriptor, expected);
  assertThrows(() => sectionDescriptor(SECTION + 1), RangeError, "a multiple of 0x00100000");
  assertThrows(() => sectionDescriptor(0, { permission: 0b111 }), RangeError, "permission 7");
  assertThrows(() => sectionDescriptor(0, { domain: 16 }), RangeError, "pass 0 to 15");
});

Deno.test("a domain comes before the permissions, and a manager skips them", () => {
  const { memory, tables } = FORMATS.sections();
  const machine = new Machine(memory, tables);
  tables.map(0, memory.allocate(SECTION), { domain: 3, permission: Permission.none });
  const kindOf = () => assertThrows(() => machine.load8(0), Fault).kind;
  assertEquals(kindOf(), "domain");
  tables.setDomain(3, Domain.client);
  assertEquals(kindOf(), "permission");
  tables.setDomain(3, Domain.manager);
  assertEquals(machine.load8(0), 0);
  tables.setDomain(3, Domain.none); // the register is read at each access, also on a hit
  assertEquals(kindOf(), "domain");
});

Deno.test("a descriptor for smaller pages, and the reserved one, end a walk", () => {
  const { memory, tables } = FORMATS.sections();
  const machine = new Machine(memory, tables);
  memory.store32(tables.entryAt(0), 0b01);
  assertMatch(
    assertThrows(() => machine.load8(0), Fault).message,
    /a table of smaller pages, which/,
  );
  memory.store32(tables.entryAt(0), 0b11);
  assertMatch(assertThrows(() => machine.load8(0), Fault).message, /is 0x00000003: not mapped/);
});

Deno.test("PhysicalMemory refuses sizes that have no frames, and says what is left", () => {
  for (const size of [0, FRAME, 3 * FRAME + 1, 2 ** 29, NaN]) {
    assertThrows(() => new PhysicalMemory(size), RangeError, `Cannot make ${size} bytes`);
  }
  assertThrows(
    () => new PhysicalMemory(2 * FRAME).allocate(2 * FRAME),
    RangeError,
    "4096 are left",
  );
});
