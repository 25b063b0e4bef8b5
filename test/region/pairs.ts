/**
 * Lets one party act as a whole before every single leaf call of another, for any two operations
 * and every state that a name can be in. Prints which rules were broken, and how much was tried.
 *
 * Run with test/trap/import_map.json as the import map; the arguments are the path of a region and
 * the scenes.
 *
 * @module
 */

import { LayoutMismatchError, OsError, VringError } from "../../src/errors.ts";
import { Region } from "../../src/region/region.ts";
import { regions } from "../../src/region/list.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { inHurry, withTrap } from "../trap/trap.ts";
import {
  dataOf,
  forge,
  idAt,
  idOf,
  openFiles,
  OTHER_TYPE,
  patterned,
  removeFile,
  TYPE,
} from "./scene.ts";
import { createRegion, joinRegion, openRegion } from "./opening.ts";

/** The output of the program. */
export interface Findings {
  /** In how many cases the second party came in before a call of the first. */
  readonly cases: number;
  /** In how many of them the second gave up, as the first stood still in the way. */
  readonly gaveUp: number;
  /** The broken rules. */
  readonly broken: readonly Finding[];
}

/** A rule that two operations break together. */
export interface Finding {
  readonly rule: Rule;
  readonly scene: string;
  readonly outer: string;
  readonly inner: string;
  /** The leaf call of the outer operation before which the inner one ran. */
  readonly step: string;
}

export type Rule =
  | "a member holds what has the name"
  | "contents are of the region they are in"
  | "the dead are not joined"
  | "what nobody opened stays"
  | "what is to persist stays"
  | "nothing else is left"
  | "nothing stays open"
  | "nothing is refused without a reason"
  | "nothing fails";

const SIZE = 256;
const OPTIONS = { dataBytes: SIZE };
const TO_PERSIST = { dataBytes: SIZE, persist: true };
const EMPTY = new Uint8Array(SIZE);
const FIRST = patterned(SIZE);

/** The state before the two operations. */
interface Scene {
  readonly path: string;
  readonly members: readonly Region[];
  /** The members that have not been told to close. */
  readonly staying: Region[];
  /** The identity of what was there, if something was. */
  readonly first: string | undefined;
}

interface Outcome {
  readonly region?: Region | undefined;
  readonly refused?: "taken" | "mismatch" | "gave up";
}

/** The state of the name before the two operations. */
export type SceneName =
  | "nothing"
  | "one member"
  | "two members"
  | "an abandoned region"
  | "a kept region";

const SCENES: Record<SceneName, (path: string) => Scene> = {
  "nothing": (path) => ({ path, members: [], staying: [], first: undefined }),
  "one member": (path) => occupied(path, 1),
  "two members": (path) => occupied(path, 2),
  "an abandoned region": (path) => left(path, false),
  "a kept region": (path) => left(path, true),
};

function occupied(path: string, count: number): Scene {
  const members = Array.from({ length: count }, () => openRegion(TYPE, path, OPTIONS));
  dataOf(members[0]!).set(FIRST);
  return { path, members, staying: [...members], first: idOf(members[0]!) };
}

function left(path: string, persist: boolean): Scene {
  return { path, members: [], staying: [], first: forge(path, { data: FIRST, persist }) };
}

const OPERATIONS: Record<string, (scene: Scene) => Outcome> = {
  "open": ({ path }) => ({ region: openRegion(TYPE, path, OPTIONS) }),
  "open to persist": ({ path }) => ({ region: openRegion(TYPE, path, TO_PERSIST) }),
  "visit": ({ path }) => {
    openRegion(TYPE, path, OPTIONS).close();
    return {};
  },
  "visit to persist": ({ path }) => {
    openRegion(TYPE, path, TO_PERSIST).close();
    return {};
  },
  "leave to persist": ({ path, staying }) => {
    openRegion(TYPE, path, TO_PERSIST).close();
    staying.pop()?.close();
    return {};
  },
  "create": ({ path }) => {
    try {
      return { region: createRegion(TYPE, path, OPTIONS) };
    } catch (error) {
      if (error instanceof OsError && error.code === "EEXIST") return { refused: "taken" };
      throw error;
    }
  },
  "connect": ({ path }) => ({ region: joinRegion(TYPE, path) }),
  "connect to read": ({ path }) => ({
    region: joinRegion(TYPE, path, { readOnly: true }),
  }),
  "mistake": ({ path }) => {
    try {
      return { region: joinRegion(OTHER_TYPE, path) };
    } catch (error) {
      if (error instanceof LayoutMismatchError) return { refused: "mismatch" };
      throw error;
    }
  },
  "leave": ({ staying }) => {
    staying.pop()?.close();
    return {};
  },
  "unlink": ({ path }) => {
    const id = idAt(path);
    const removed = Region.unlink(TYPE, path);
    if (removed && id !== undefined && idAt(path) === id) throw new Error("it is still there");
    return {};
  },
  "replace": ({ path }) => {
    Region.unlink(TYPE, path);
    return { region: openRegion(TYPE, path, OPTIONS) };
  },
  "list": () => {
    regions();
    return {};
  },
};

/** Operations that make a region under a free name. */
const MAKES = /open|visit|create|replace|to persist/;

/** Operations that take the name from a region in use. */
const UNLINKS = /^(unlink|replace)$/;

/** Operations that do not look for an abandoned region, or may not remove it. */
const TOUCHES_NOTHING = /^(connect to read|leave|list)$/;

/** The rules that are broken once both operations have ended. Closes every region. */
function* violations(name: string, pair: readonly string[], scene: Scene, ends: Outcome[]) {
  const { path, members, first } = scene;
  const unlinks = pair.map((operation) => UNLINKS.test(operation));
  const unlinked = unlinks.includes(true);
  const persists = name === "a kept region" ||
    pair.some((operation, i) => operation.includes("to persist") && !ends[i]!.refused);
  const opened = ends.flatMap(({ region }) => region ?? []);
  const open = [...members, ...opened].filter((region) => !region.closed);

  const named = idAt(path);
  for (const region of open) {
    const old = idOf(region) === first;
    // Of two parties only the other takes the name from what one has opened.
    const by = ends.findIndex((end) => end.region === region);
    const mayBeNameless = region.readOnly || (by === -1 ? unlinked : unlinks[1 - by]);
    if (idOf(region) !== named && !mayBeNameless) yield "a member holds what has the name";
    const expected = old ? FIRST : EMPTY;
    const differs = dataOf(region).some((byte, i) => byte !== expected[i]);
    if (differs) yield "contents are of the region they are in";
    if (old && name === "an abandoned region") yield "the dead are not joined";
  }
  if (ends[0]!.refused && first === undefined && !MAKES.test(pair[1]!)) {
    yield "nothing is refused without a reason";
  }

  for (const region of open) region.close();
  const rest = idAt(path);
  if (
    name === "an abandoned region" && pair.every((operation) => TOUCHES_NOTHING.test(operation))
  ) {
    if (rest !== first) yield "what nobody opened stays";
  } else if (!persists) {
    if (rest !== undefined) yield "nothing else is left";
  } else if (!unlinked) {
    const kept = name === "a kept region" ? rest === first : rest !== undefined;
    if (!kept) yield "what is to persist stays";
  }
}

/** Acts while the other party is frozen, which may leave no choice but to give up. */
function attempt(operation: (scene: Scene) => Outcome, scene: Scene): Outcome {
  try {
    return inHurry(() => operation(scene));
  } catch (error) {
    if (error instanceof VringError && error.name === "VringError") return { refused: "gave up" };
    throw error;
  }
}

const broken: Finding[] = [];
let cases = 0;
let gaveUp = 0;

/** Tries one case; false if the outer operation has fewer steps and so the inner one came last. */
function tryStep(path: string, name: SceneName, pair: [string, string], step: number): boolean {
  const [outer, inner] = pair;
  removeFile(path);
  const scene = SCENES[name](path);
  const ends: [Outcome, Outcome] = [{}, {}];
  let at: string | undefined;
  const note = (rule: Rule) =>
    broken.push({ rule, scene: name, outer, inner, step: at ?? "after it" });
  try {
    let passed = 0;
    let isOwn = outer !== "list"; // whose steps at other regions do not count
    ends[0] = withTrap((_number, leaf, to) => {
      if (outer === "list" && to.startsWith("/dev/shm/")) isOwn = to === path;
      if (!isOwn || ++passed !== step) return;
      at = `${step} ${leaf}`;
      ends[1] = attempt(OPERATIONS[inner]!, scene);
    }, () => OPERATIONS[outer]!(scene));
    if (at === undefined) ends[1] = attempt(OPERATIONS[inner]!, scene); // the outer operation is over
    for (const rule of violations(name, pair, scene, ends)) note(rule as Rule);
  } catch (error) {
    note("nothing fails");
    console.error(name, pair, at, error);
  }
  for (const { region } of ends) region?.close();
  for (const member of scene.members) member.close();
  cases++;
  if (ends[1].refused === "gave up") gaveUp++;
  return at !== undefined;
}

function isAnythingOpen(): boolean {
  return openFiles() > 0 || mappedRanges().some(({ path }) => path.startsWith("/dev/shm/"));
}

if (import.meta.main) {
  const [path, ...scenes] = Deno.args as [string, ...SceneName[]];
  for (const scene of scenes) {
    for (const outer of Object.keys(OPERATIONS)) {
      for (const inner of Object.keys(OPERATIONS)) {
        for (let step = 1; tryStep(path, scene, [outer, inner], step); step++);
        if (isAnythingOpen()) {
          broken.push({ rule: "nothing stays open", scene, outer, inner, step: "some step" });
        }
      }
    }
  }
  removeFile(path);
  console.log(JSON.stringify({ cases, gaveUp, broken } satisfies Findings));
}
