/**
 * The chapters of the course in their order, and how to load the story of each.
 *
 * @module
 */

import type { Story } from "./story.ts";

/** A chapter of the course. */
export interface Chapter {
  readonly number: number;
  /** Its folder in tutorials/. */
  readonly folder: string;
  readonly title: string;
  /** What the reader knows afterwards. */
  readonly lead: string;
  /** What its exercise asks for. */
  readonly exercise: string;
  /** The name of the reader's file with the answer; by default that of the folder. */
  readonly file?: string;
  /** What its judge may do besides `--allow-ffi`. */
  readonly allow?: readonly string[];
  /** How many milliseconds its checks may take; 5000 by default. */
  readonly limitMs?: number;
  /** An import map for its story, by its path in tutorials/. */
  readonly importMap?: string;
  /** Loads its story. */
  readonly load: () => Promise<{ readonly story: Story }>;
}

/** Without the numbers. The imports are literal, so that loading one needs no permission. */
const LIST: readonly Omit<Chapter, "number">[] = [
  {
    folder: "00_one_byte",
    title: "Two processes, one byte",
    lead: "What this course is about: memory that belongs to several processes.",
    exercise: "Be the other process.",
    load: () => import("../00_one_byte/story.ts"),
  },
  {
    folder: "01_pages",
    title: "A page and its address",
    lead: "What memory is made of, when you really get it, and what lies past its end.",
    exercise: "Count the pages that a write touches.",
    load: () => import("../01_pages/story.ts"),
  },
  {
    folder: "02_page_tables",
    title: "The page-table machine",
    lead: "How an address becomes a place in memory, and how two become the same place.",
    exercise: "Fill in the entries of a mirror, and invalidate what they replace.",
    importMap: "02_page_tables/import_map.json",
    load: () => import("../02_page_tables/story.ts"),
  },
  {
    folder: "03_memory_file",
    title: "A file that is only memory",
    lead: "What keeps memory alive, what a hole is, and why to reserve.",
    exercise: "Make memory that outlives its file descriptor.",
    load: () => import("../03_memory_file/story.ts"),
  },
  {
    folder: "04_two_addresses",
    title: "Two addresses, one page",
    lead: "What shared memory is: one page at several addresses.",
    exercise: "Find out whether two addresses mean the same byte.",
    load: () => import("../04_two_addresses/story.ts"),
  },
  {
    folder: "05_mirror_ring",
    title: "The mirror ring",
    lead: "How three calls make the end of a ring disappear.",
    exercise: "Map a mirror ring that has a header.",
    load: () => import("../05_mirror_ring/story.ts"),
  },
  {
    folder: "06_heatshrink",
    title: "heatshrink: what the mirror is for",
    lead: "What a mirror saves a program that looks back, and what it does not save.",
    exercise: "Copy a repeat that overlaps itself, with few calls.",
    load: () => import("../06_heatshrink/story.ts"),
  },
  {
    folder: "07_who_is_alive",
    title: "Who is alive?",
    lead: "Why neither pids nor heartbeats can tell, and what the kernel knows.",
    exercise: "Call the roll of processes that may be killed or stopped.",
    load: () => import("../07_who_is_alive/story.ts"),
  },
  {
    folder: "08_shared_memory",
    title: "Shared memory",
    lead: "How processes take turns, and what a killed one leaves behind.",
    exercise: "Move coins so that a death at any moment can be repaired.",
    load: () => import("../08_shared_memory/story.ts"),
  },
  {
    folder: "09_semaphore_lock",
    title: "SemaphoreLock, and kill at step N",
    lead: "What a killed owner leaves, and what its heir learns, at each step.",
    exercise: "Write the lock, and survive a death before any of its operations.",
    importMap: "../test/trap/import_map.json",
    load: () => import("../09_semaphore_lock/story.ts"),
  },
  {
    folder: "10_four_rings",
    title: "A ring in four stages",
    lead: "How two processes pass messages without a lock, and what makes it fast.",
    exercise: "Find one mistake in each of four rings.",
    load: () => import("../10_four_rings/story.ts"),
  },
  {
    folder: "11_memory_order",
    title: "Memory order",
    lead: "Why publishing comes last, and what a processor may do to it.",
    exercise: "Choose the order of each store and each load.",
    load: () => import("../11_memory_order/story.ts"),
  },
  {
    folder: "12_cache_lines",
    title: "Cache lines, false sharing, batching",
    lead: "Why words that nobody shares can be slow, and why to publish in batches.",
    exercise: "Lay out words on cache lines.",
    load: () => import("../12_cache_lines/story.ts"),
  },
  {
    folder: "13_doorbell",
    title: "Sleeping without losing a wake-up",
    lead: "How to sleep until a message arrives, and why a flag is not enough.",
    exercise: "Fix a bell that loses wake-ups.",
    load: () => import("../13_doorbell/story.ts"),
  },
  {
    folder: "14_explorer",
    title: "The explorer",
    lead: "How a program tries every order of operations, and every death.",
    exercise: "Write a search that finds lost wake-ups.",
    load: () => import("../14_explorer/story.ts"),
  },
  {
    folder: "15_overwriting_buffer",
    title: "The overwriting buffer",
    lead: "How a writer never waits, and how a reader never accepts half a message.",
    exercise: "Read from a ring that may be overwritten at any moment.",
    load: () => import("../15_overwriting_buffer/story.ts"),
  },
  {
    folder: "16_leapfrog_ring",
    title: "The leapfrog ring",
    lead: "What a ring is whose positions are addresses, and what its moves cost.",
    exercise: "Move the windows of a ring whose positions are addresses.",
    load: () => import("../16_leapfrog_ring/story.ts"),
  },
  {
    folder: "17_many_producers",
    title: "Many producers, one doorbell",
    lead: "How many processes send to one without waiting for each other.",
    exercise: "Choose whose turn it is.",
    load: () => import("../17_many_producers/story.ts"),
  },
  {
    folder: "18_vring",
    title: "The vring on paper",
    lead: "How many processes read one sample, and which word each repair starts from.",
    exercise: "Publish to all readers, and be killed.",
    load: () => import("../18_vring/story.ts"),
  },
  {
    folder: "19_vdds",
    title: "One publisher, many subscribers",
    lead: "How to publish and subscribe without copying, and which side loses samples.",
    exercise: "Draw the newest frame and report every loss.",
    load: () => import("../19_vdds/story.ts"),
  },
  {
    folder: "20_any_of_many",
    title: "Waiting for any of many",
    lead: "How to sleep until any of several events happens, and sleep through all others.",
    exercise: "Write a listener that never sleeps while there is news.",
    load: () => import("../20_any_of_many/story.ts"),
  },
  {
    folder: "21_slots",
    title: "Slots",
    lead: "How any process reads the newest value at any time, and how it knows that it is whole.",
    exercise: "Read whole messages while a writer overwrites them.",
    load: () => import("../21_slots/story.ts"),
  },
  {
    folder: "22_calls",
    title: "Calls",
    lead: "How one process asks another, and what it knows when no answer comes.",
    exercise: "Remember calls until their answers come, or never will.",
    load: () => import("../22_calls/story.ts"),
  },
  {
    folder: "23_bridge",
    title: "To another machine",
    lead: "How topics cross a network, and how every lost sample is accounted for.",
    exercise: "Account for every sample that crosses a network.",
    load: () => import("../23_bridge/story.ts"),
  },
  {
    folder: "24_your_ring",
    title: "Your ring beside the library's",
    lead: "What your own ring withstands, what it costs, and what the library's has besides.",
    exercise: "Build a ring that grows with the course.",
    file: "ring",
    allow: ["--allow-run=deno"],
    limitMs: 20_000,
    load: () => import("../24_your_ring/story.ts"),
  },
];

/** All chapters. Each has the number of its folder. */
export const CHAPTERS: readonly Chapter[] = LIST.map((chapter) => ({
  number: Number.parseInt(chapter.folder),
  ...chapter,
}));

/** Returns the chapter with this number or folder. */
export function chapterOf(which: number | string): Chapter | undefined {
  return CHAPTERS.find(({ number, folder }) =>
    folder === which || String(number) === String(which)
  );
}

/** Returns what names a chapter in stored progress: it stays when the chapter gets another number. */
export function keyOf({ folder }: Pick<Chapter, "folder">): string {
  return folder.replace(/^\d+_/, "");
}
