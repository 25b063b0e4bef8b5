/**
 * A few names and many actors that open, create, join, list and close regions under them, all of
 * which are killed all the time. A name always leads to one living region or to a clean slate: members that
 * are there at the same time are members of the same region, what they find in it is whole, and
 * after the last one nothing is left.
 *
 * @module
 */

import { OsError } from "../../../src/errors.ts";
import { layout } from "../../../src/layout/layout.ts";
import { Region } from "../../../src/region/region.ts";
import { REGION_HEADER, type RegionType } from "../../../src/region/header.ts";
import { regions } from "../../../src/region/list.ts";
import { regionPath } from "../../../src/region/names.ts";
import type { Mapping } from "../../../src/memory/mapping.ts";
import { copyIn, copyOut, Word32 } from "../../../src/memory/word.ts";
import { now, sleepSync } from "../../../src/os/clock.ts";
import { mappedRanges } from "../../../src/os/proc_maps.ts";
import { type Actor, defineWorkload, type Workload } from "../workload.ts";
import { raise } from "../ledger.ts";
import { createRegion, joinRegion, openRegion } from "../../region/opening.ts";

const CONTROL = layout("torture_region", {
  entered: { type: "u32", line: true, doc: "how often somebody has become a member" },
  holder0: { type: "u32", line: true, doc: "the holder of role 0; 0 once it was given up" },
  holder1: { type: "u32", line: true, doc: "the holder of role 1; 0 once it was given up" },
});

const HOLDERS = [CONTROL.fields.holder0, CONTROL.fields.holder1] as const;
const DATA_BYTES = 16384; // whole pages also where they have 16 KiB

const PLAIN: RegionType = { name: "torture_region", control: CONTROL, mirrored: false };
const MIRRORED: RegionType = { name: "torture_mirror", control: CONTROL, mirrored: true };

/** A name that all fight for. */
interface Place {
  readonly name: string;
  readonly type: RegionType;
  /** Whether it is unlinked at any moment, so that several regions may have had it and live. */
  readonly unlinked: boolean;
}

const PLACES: readonly Place[] = [
  { name: "a", type: PLAIN, unlinked: false },
  { name: "b", type: MIRRORED, unlinked: false },
  { name: "u", type: PLAIN, unlinked: true },
];

const CELLS = {
  sent: 1, // attachments that were made
  received: 1, // and whose contents were looked at
  created: 1, // and that made the region
  refused: 1, // creations that met a living region
  absent: 1, // connections that met none
  roles: 1, // how often a role was had
  corrupt: 1,
  leaked: 1,
  longest: 1, // the longest opening, in nanoseconds
};

type Member = Actor<keyof typeof CELLS>;

/** How a region is left. */
export type Close = (region: Region, path: string) => void;

/** Bytes that tell where they belong, and to which region. */
function patternOf(id: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(DATA_BYTES);
  for (let i = 0; i < DATA_BYTES; i++) bytes[i] = 1 + (i * 31 + (i >> 8) * 17 + id[i % 16]!) % 255;
  return bytes;
}

/** Fills a region that nobody can see yet. */
function initialise(mapping: Mapping): void {
  const { creator, data_offset } = REGION_HEADER.read(mapping.bytes);
  copyIn(mapping, Number(data_offset), patternOf(creator));
}

const OPTIONS = { dataBytes: DATA_BYTES, initialise };

/** The identity of a region as a number above 0. */
function numberOf(id: Uint8Array): number {
  return 1 + id.subarray(0, 6).reduce((number, byte) => number * 256 + byte, 0);
}

function pathOf(scene: { name(suffix: string): string }, { name, type }: Place): string {
  return regionPath(type.name, scene.name(name));
}

/** The paths in a list that are files of /dev/shm. */
function shmFiles(paths: Iterable<string>): string[] {
  return [...paths].filter((path) => path.startsWith("/dev/shm/"));
}

/** How many files in /dev/shm this process has open or mapped. */
function countUsed(): number {
  const open: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      open.push(Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // the directory itself
    }
  }
  const mapped = mappedRanges().map(({ path }) => path);
  return shmFiles(open).length + shmFiles(mapped).length;
}

/** Being a member of what has a name, from the opening to the close. */
class Attachment {
  readonly #actor: Member;
  readonly #place: Place;
  readonly #region: Region;
  readonly #id: number;
  readonly #token: number;
  #entry: string | undefined;

  constructor(actor: Member, place: Place, region: Region) {
    this.#actor = actor;
    this.#place = place;
    this.#region = region;
    this.#id = numberOf(region.header.creator);
    // The name leads to this region, for every member, until it is left.
    if (this.#keepsName) actor.declare(`name ${place.name}`, this.#id);
    this.#token = this.#serve();
  }

  get #keepsName(): boolean {
    return !this.#place.unlinked && !this.#region.readOnly;
  }

  #serve(): number {
    const { random } = this.#actor;
    const region = this.#region;
    this.#actor.count("sent");
    if (region.created) this.#actor.count("created");
    this.#checkContents();
    const token = 1 + random.below(2 ** 32 - 1);
    if (region.readOnly) return token;
    const entered = new Word32(region.mapping, CONTROL.fields.entered, region.controlOffset);
    this.#entry = `entry ${entered.add(1)} of ${this.#id.toString(16)}`;
    this.#actor.declare(this.#entry, token); // nobody else entered the same memory as this one
    return token;
  }

  #checkContents(): void {
    const { mapping, header, dataOffset } = this.#region;
    const found = new Uint8Array(DATA_BYTES);
    copyOut(mapping, dataOffset, found);
    const expected = patternOf(header.creator);
    const wrong = found.findIndex((byte, i) => byte !== expected[i]);
    this.#actor.count("received");
    if (wrong < 0) return;
    this.#actor.find("corrupt", `byte ${wrong} of region ${this.#place.name} is ${found[wrong]}`);
  }

  /** Has a role for a moment, if nobody else has it. */
  tryRole(): void {
    const { random } = this.#actor;
    const region = this.#region;
    if (region.readOnly) return;
    const number = random.below(HOLDERS.length);
    using role = region.tryHold(number);
    if (role === undefined) return;
    this.#actor.count("roles");
    const resource = `role ${number} of ${this.#id.toString(16)}`;
    this.#actor.declare(resource, this.#token);
    const holder = new Word32(region.mapping, HOLDERS[number]!, region.controlOffset);
    holder.exchange(this.#token);
    if (random.chance(0.2)) sleepSync(random.between(0, 5));
    using second = region.tryHold(number);
    if (second !== undefined) this.#actor.complain("had a role and got it once more");
    if (!region.isHeld(number)) this.#actor.complain("has a role that is said to be free");
    const found = holder.compareExchange(this.#token, 0);
    if (found !== this.#token) this.#actor.complain(`had a role, and so had ${found}`);
    this.#actor.withdraw(resource, this.#token);
  }

  leave(close: Close): void {
    if (this.#entry !== undefined) this.#actor.withdraw(this.#entry, this.#token);
    if (this.#keepsName) this.#actor.withdraw(`name ${this.#place.name}`, this.#id);
    close(this.#region, pathOf(this.#actor, this.#place));
  }
}

/** Opens a region in one of the ways there are; undefined if that is not to be. */
function attach(actor: Member, place: Place): Attachment | undefined {
  const { cells, random } = actor;
  const path = pathOf(actor, place);
  const start = now();
  const region = open(actor, place.type, path, random.next());
  const took = now() - start;
  raise(cells.longest[0]!, took);
  return region && new Attachment(actor, place, region);
}

function open(actor: Member, type: RegionType, path: string, way: number): Region | undefined {
  if (way < 0.6) return openRegion(type, path, OPTIONS);
  if (way < 0.85) {
    const region = joinRegion(type, path, { readOnly: way > 0.75 });
    if (region === undefined) actor.count("absent");
    return region;
  }
  try {
    return createRegion(type, path, OPTIONS);
  } catch (error) {
    if (!(error instanceof OsError && error.code === "EEXIST")) throw error;
    actor.count("refused");
    return undefined;
  }
}

/** Lists all regions, and complains of those of this run that look wrong. */
function list(actor: Member): void {
  for (const { name, problem } of regions()) {
    if (problem === undefined || !name.startsWith(actor.run)) continue;
    actor.complain(`region ${name} is listed with a problem: ${problem}`);
  }
}

const HELD_MOST = 4;

function live(actor: Member, close: Close): void {
  const { random } = actor;
  const held: Attachment[] = [];
  const usedBefore = countUsed();
  while (!actor.over) {
    const place = random.pick(PLACES);
    const choice = random.next();
    if (choice < 0.03) list(actor);
    else if (choice < 0.05) Region.unlink(PLACES[2]!.type, pathOf(actor, PLACES[2]!));
    else if (choice < 0.65) {
      const attachment = attach(actor, place);
      attachment?.tryRole();
      attachment?.leave(close);
    } else if (choice < 0.8 && held.length < HELD_MOST) {
      const attachment = attach(actor, place);
      if (attachment !== undefined) held.push(attachment);
    } else if (held.length > 0) {
      const [attachment] = held.splice(random.below(held.length), 1);
      if (random.chance(0.7)) attachment!.tryRole();
      attachment!.leave(close);
    }
    if (random.chance(0.5)) sleepSync(random.between(0, 4));
  }
  for (const attachment of held) attachment.leave(close);
  const leaked = countUsed() - usedBefore;
  if (leaked === 0) return;
  actor.count("leaked", leaked);
  actor.complain(`has ${leaked} files open or mapped that it has closed`);
}

/** Whether the path has a file. */
function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Returns the workload, with a way to leave a region. */
export function regionWorkload(close: Close): Workload<keyof typeof CELLS> {
  return defineWorkload({
    about: "names that lead to one living region or to a clean slate, through all deaths",
    cells: CELLS,
    facts: {
      "regions created": "created",
      "creations refused": "refused",
      "connections in vain": "absent",
      "roles had": "roles",
      "longest opening (ms)": "longest",
    },
    parts: {
      member: {
        seats: 5,
        harm: {
          steps: [
            "link /",
            "unlink /",
            "unlock byte 0",
            "lock to write byte 0",
            "lock to read byte 0",
            "byte 1",
            "open lock file",
            "statPath /",
            "copy in the second",
            "chmod",
            "allocate",
            "map",
            "close",
          ],
          lifeMs: [5, 1000],
          stopMs: [2, 900],
        },
        run: (actor) => live(actor, close),
      },
    },
    begin(scene) {
      let abandoned = 0;
      return {
        counts: () => ({ facts: { "abandoned names": abandoned } }),
        alone() {
          for (const place of PLACES) {
            const path = pathOf(scene, place);
            if (exists(path)) abandoned++;
            const region = openRegion(place.type, path, OPTIONS);
            if (!region.created) scene.complain(`${path} was joined though nobody lives in it`);
            region.close();
            if (exists(path)) scene.complain(`${path} is left by the last one to close it`);
          }
        },
      };
    },
  });
}

export default regionWorkload((region) => region.close());
