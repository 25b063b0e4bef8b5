/**
 * Regions: created, joined, left and unlinked by several actors at once, which may die anywhere.
 *
 * @module
 */

import { LayoutMismatchError } from "../../../src/errors.ts";
import { Region } from "../../../src/region/region.ts";
import { sweep } from "../../../src/region/list.ts";
import type { RegionType } from "../../../src/region/header.ts";
import { regionPath } from "../../../src/region/names.ts";
import { copyIn, copyOut, Word32 } from "../../../src/memory/word.ts";
import { statPath } from "../../../src/os/files.ts";
import {
  type ActorSpec,
  type End,
  heir,
  immortal,
  last,
  makeMemory,
  mapMemory,
  messageOf,
  pattern,
  type Scenario,
  scenarios,
} from "../scenario.ts";
import { joinRegion, openRegion } from "../../region/opening.ts";

const TYPE: RegionType = { name: "demo", control: { size: 64, hash: 77n }, mirrored: false };
const PATH = regionPath("demo", "here");
const DATA = 16;

/** The observations of an attachment, for the invariant. */
interface Visit {
  readonly created: boolean;
  /** Which message the region held when it was joined. */
  readonly found: number | undefined;
  /** Another party was attached to another region of the name at the same time. */
  readonly split: boolean;
}

/** Opens, tells the census which region it is in, looks at the others, and closes. */
function visitor(
  number: number,
  others: readonly number[],
  options: { persist?: boolean } = {},
): () => Visit {
  return () => {
    const census = mapMemory("census");
    const place = (i: number) => new Word32(census, { path: `census[${i}]`, offset: 64 * i });
    const region = openRegion(TYPE, PATH, {
      dataBytes: DATA,
      ...options,
      initialise: (mapping) => copyIn(mapping, 512, pattern(DATA, number)),
    });
    const identity = region.header.creator[0]!;
    place(number).store(identity);
    const split = others.some((other) => {
      const seen = place(other).load();
      return seen !== 0 && seen !== identity;
    });
    const bytes = new Uint8Array(DATA);
    copyOut(region.mapping, region.dataOffset, bytes);
    place(number).store(0);
    region.close();
    return { created: region.created, found: messageOf(bytes, 9), split };
  };
}

/** Looks at the region that has the name, which may be gone by then. */
function observer(): Visit | undefined {
  const region = joinRegion(TYPE, PATH, { readOnly: true });
  if (region === undefined) return undefined;
  const bytes = new Uint8Array(DATA);
  copyOut(region.mapping, region.dataOffset, bytes);
  region.hasName();
  region.close();
  return { created: false, found: messageOf(bytes, 9), split: false };
}

/** Opens and closes; whether the name belonged to the same file all the while. */
function keepsName(): boolean {
  const region = openRegion(TYPE, PATH, { dataBytes: DATA });
  const [before, after] = [statPath(PATH), statPath(PATH)];
  region.close();
  return typeof before === "object" && typeof after === "object" && before.inode === after.inode;
}

/** A party that opens when all are gone finds a clean slate, and leaves one. */
const tidy: ActorSpec = last(visitor(9, []));

function common({ results, dead, names }: End): string | undefined {
  for (const [name, visit] of Object.entries(results) as [string, Visit | undefined][]) {
    if (visit === undefined) continue;
    if (visit.found === undefined) return `${name} saw a region that was not finished`;
    if (visit.split && dead.size === 0) return `${name} was not alone in having the name`;
  }
  const left = names.filter((name) => name === PATH);
  return left.length > 0 ? "the name is left behind" : undefined;
}

const setup = () => makeMemory("census", 64 * 10);

/** All scenarios of regions. */
export const REGION: readonly Scenario[] = scenarios([
  {
    name: "region-two",
    about: "two parties open and close at once: both create, or one joins while one leaves",
    setup,
    actors: { first: visitor(1, [2]), second: visitor(2, [1]) },
    bounds: "3/0/0",
    check: common,
  },
  {
    name: "region-three",
    about: "three parties open and close at once",
    setup,
    actors: { first: visitor(1, [2, 3]), second: visitor(2, [1, 3]), third: visitor(3, [1, 2]) },
    bounds: "3/0/0",
    short: 1,
    check: common,
  },
  {
    name: "region-death",
    about:
      "an actor dies anywhere in opening or closing; another continues; the remains are removed",
    setup,
    actors: { first: visitor(1, [2]), second: visitor(2, [1]), third: tidy },
    bounds: "2/2/0",
    check: (end) => {
      const visit = end.results.third as Visit;
      return visit.created ? common(end) : "the newcomer joined a region of the dead";
    },
  },
  {
    name: "region-observed",
    about: "an observer looks while two parties open and close, and leaves no trace",
    setup,
    actors: {
      first: visitor(1, [2]),
      observer,
      second: visitor(2, [1]),
      third: tidy,
    },
    bounds: "2/1/0",
    short: 1,
    check: common,
  },
  {
    name: "region-persist",
    about: "a region that persists is joined with its contents, through all deaths",
    setup,
    actors: {
      first: visitor(1, [2], { persist: true }),
      second: visitor(2, [1], { persist: true }),
      third: {
        last: true,
        immortal: true,
        body: () => {
          const visit = visitor(9, [], { persist: true })();
          return { ...visit, removed: Region.unlink(TYPE, PATH) };
        },
      },
    },
    bounds: "2/1/0",
    check: (end) => {
      const { created, removed } = end.results.third as Visit & { removed: boolean };
      const others = [end.results.first, end.results.second] as (Visit | undefined)[];
      if (created && others.some((visit) => visit !== undefined)) return "contents were lost";
      return removed ? common(end) : "the name was already gone";
    },
  },
  {
    name: "region-unlink",
    about: "a name is unlinked from under its members; it is never taken from its new owner",
    setup,
    actors: {
      first: visitor(1, []),
      second: visitor(2, []),
      remover: () => {
        try {
          return { found: Region.unlink(TYPE, PATH) ? 1 : 2 };
        } catch (error) {
          if (error instanceof LayoutMismatchError) return { found: 0 };
          throw error;
        }
      },
      third: tidy,
    },
    bounds: "2/1/0",
    short: 1,
    check: common,
  },
  {
    name: "region-new-owner",
    about: "a member that leaves an unlinked region does not take the name from its new owner",
    setup,
    actors: {
      first: visitor(1, []),
      remover: immortal(() => Region.unlink(TYPE, PATH)),
      second: heir("remover", keepsName),
    },
    bounds: "2/1/0",
    check: ({ results }) => results.second ? undefined : "the name was taken from under a member",
  },
  {
    name: "region-sweep-open",
    about: "a sweep looks at an old region while another party opens: it removes no living region",
    setup,
    actors: {
      first: visitor(1, []),
      sweeper: () => ({ removed: sweep().length }),
      second: immortal(keepsName),
      third: last(() => ({ removed: sweep().length })),
    },
    bounds: "3/1/0",
    short: 2,
    check: ({ results, names }) => {
      if (results.second === false) return "the name was taken from under a member";
      return names.includes(PATH) ? "the last sweep left an abandoned region" : undefined;
    },
  },
  {
    name: "region-sweep-close",
    about: "a sweep while two parties open and close: all continue, and the name is removed",
    setup,
    actors: {
      first: visitor(1, [2]),
      second: visitor(2, [1]),
      sweeper: () => ({ removed: sweep().length }),
      third: tidy,
    },
    bounds: "2/1/0",
    short: 1,
    check: ({ results, ...end }) => {
      const { sweeper: _removed, ...visits } = results;
      return common({ ...end, results: visits });
    },
  },
  {
    name: "region-sweep-kept",
    about:
      "a sweep looks at an old region while another that persists takes its name, and leaves that",
    setup,
    actors: {
      first: visitor(1, []),
      sweeper: () => ({ removed: sweep().length }),
      second: immortal(visitor(2, [], { persist: true })),
      third: {
        last: true,
        immortal: true,
        body: () => ({ swept: sweep().length, removed: Region.unlink(TYPE, PATH) }),
      },
    },
    bounds: "2/1/0",
    short: 1,
    check: ({ results, names }) => {
      const { swept, removed } = results.third as { swept: number; removed: boolean };
      if (swept > 0 || !removed) return "a sweep took what persists";
      return names.includes(PATH) ? "the name is left behind" : undefined;
    },
  },
]);
