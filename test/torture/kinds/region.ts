/**
 * A few names and many who open, create, join, list and close regions under them, all of whom are
 * killed all the time. A name always leads to one living region or to a clean slate: members that
 * are there at the same time are members of the same region, what they find in it is whole, and
 * after the last one nothing is left.
 *
 * @module
 */

import { OsError } from "../../../src/errors.ts";
import { layout } from "../../../src/layout/layout.ts";
import { Region } from "../../../src/region/region.ts";
import { REGION_HEADER, type RegionKind } from "../../../src/region/header.ts";
import { regions } from "../../../src/region/list.ts";
import { regionPath } from "../../../src/region/names.ts";
import type { Mapping } from "../../../src/memory/mapping.ts";
import { copyIn, copyOut, Word32 } from "../../../src/memory/word.ts";
import { now, sleepSync } from "../../../src/os/clock.ts";
import { mappedRanges } from "../../../src/os/proc_maps.ts";
import { defineKind, type Kind, type Stage } from "../kind.ts";
import { raise } from "../ledger.ts";

const CONTROL = layout("torture_region", {
  entered: { type: "u32", line: true, doc: "how often somebody has become a member" },
  holder0: { type: "u32", line: true, doc: "who has role 0; 0 once it was given up" },
  holder1: { type: "u32", line: true, doc: "who has role 1; 0 once it was given up" },
});

const HOLDERS = [CONTROL.fields.holder0, CONTROL.fields.holder1] as const;
const DATA_BYTES = 16384; // whole pages also where they have 16 KiB

const PLAIN: RegionKind = { name: "torture_region", control: CONTROL, mirrored: false };
const MIRRORED: RegionKind = { name: "torture_mirror", control: CONTROL, mirrored: true };

/** A name that all fight for. */
interface Place {
  readonly name: string;
  readonly kind: RegionKind;
  /** Whether it is unlinked at any moment, so that several regions may have had it and live. */
  readonly unlinked: boolean;
}

const PLACES: readonly Place[] = [
  { name: "a", kind: PLAIN, unlinked: false },
  { name: "b", kind: MIRRORED, unlinked: false },
  { name: "u", kind: PLAIN, unlinked: true },
];

const CELLS = {
  opened: 1, // attachments that were made
  entered: 1, // and whose contents were looked at
  created: 1, // and that made the region
  refused: 1, // creations that met a living region
  absent: 1, // connections that met none
  roles: 1, // how often a role was had
  corrupt: 1,
  leaked: 1,
  longest: 1, // the longest opening, in nanoseconds
};

type Member = Stage<keyof typeof CELLS>;

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

function pathOf(scene: { name(suffix: string): string }, { name, kind }: Place): string {
  return regionPath(kind.name, scene.name(name));
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
  readonly #stage: Member;
  readonly #place: Place;
  readonly #region: Region;
  readonly #id: number;
  readonly #token: number;
  #entry: string | undefined;

  constructor(stage: Member, place: Place, region: Region) {
    this.#stage = stage;
    this.#place = place;
    this.#region = region;
    this.#id = numberOf(region.header.creator);
    // The name leads to this region, for everybody, until it is left.
    if (!place.unlinked) stage.claim(`name ${place.name}`, this.#id);
    this.#token = this.#serve();
  }

  #serve(): number {
    const { cells, random } = this.#stage;
    const region = this.#region;
    cells.opened[0]!.add(1);
    if (region.created) cells.created[0]!.add(1);
    this.#checkContents();
    const token = 1 + random.below(2 ** 32 - 1);
    if (region.readOnly) return token;
    const entered = new Word32(region.mapping, CONTROL.fields.entered, region.controlOffset);
    this.#entry = `entry ${entered.add(1)} of ${this.#id.toString(16)}`;
    this.#stage.claim(this.#entry, token); // nobody else entered the same memory as this one
    return token;
  }

  #checkContents(): void {
    const { mapping, header, dataOffset } = this.#region;
    const found = new Uint8Array(DATA_BYTES);
    copyOut(mapping, dataOffset, found);
    const expected = patternOf(header.creator);
    const wrong = found.findIndex((byte, i) => byte !== expected[i]);
    this.#stage.cells.entered[0]!.add(1);
    if (wrong < 0) return;
    this.#stage.cells.corrupt[0]!.add(1);
    this.#stage.complain(`byte ${wrong} of region ${this.#place.name} is ${found[wrong]}`);
  }

  /** Has a role for a moment, if nobody else has it. */
  tryRole(): void {
    const { cells, random } = this.#stage;
    const region = this.#region;
    if (region.readOnly) return;
    const number = random.below(HOLDERS.length);
    using role = region.tryHold(number);
    if (role === undefined) return;
    cells.roles[0]!.add(1);
    const resource = `role ${number} of ${this.#id.toString(16)}`;
    this.#stage.claim(resource, this.#token);
    const holder = new Word32(region.mapping, HOLDERS[number]!, region.controlOffset);
    holder.exchange(this.#token);
    if (random.chance(0.2)) sleepSync(random.between(0, 5));
    using second = region.tryHold(number);
    if (second !== undefined) this.#stage.complain("had a role and got it once more");
    if (!region.isHeld(number)) this.#stage.complain("has a role that is said to be free");
    const found = holder.compareExchange(this.#token, 0);
    if (found !== this.#token) this.#stage.complain(`had a role, and so had ${found}`);
    this.#stage.release(resource, this.#token);
  }

  leave(close: Close): void {
    if (this.#entry !== undefined) this.#stage.release(this.#entry, this.#token);
    if (!this.#place.unlinked) this.#stage.release(`name ${this.#place.name}`, this.#id);
    close(this.#region, pathOf(this.#stage, this.#place));
  }
}

/** Opens a region in one of the ways there are; undefined if that is not to be. */
function attach(stage: Member, place: Place): Attachment | undefined {
  const { cells, random } = stage;
  const path = pathOf(stage, place);
  const start = now();
  const region = open(stage, place.kind, path, random.next());
  const took = now() - start;
  raise(cells.longest[0]!, took);
  return region && new Attachment(stage, place, region);
}

function open(stage: Member, kind: RegionKind, path: string, way: number): Region | undefined {
  const { cells } = stage;
  if (way < 0.6) return Region.open(kind, path, OPTIONS);
  if (way < 0.85) {
    const region = Region.tryConnect(kind, path, { readOnly: way > 0.75 });
    if (region === undefined) cells.absent[0]!.add(1);
    return region;
  }
  try {
    return Region.create(kind, path, OPTIONS);
  } catch (error) {
    if (!(error instanceof OsError && error.code === "EEXIST")) throw error;
    cells.refused[0]!.add(1);
    return undefined;
  }
}

/** Lists all regions, and complains of those of this run that look wrong. */
function list(stage: Member): void {
  for (const { name, problem } of regions()) {
    if (problem === undefined || !name.startsWith(stage.run)) continue;
    stage.complain(`region ${name} is listed with a problem: ${problem}`);
  }
}

const HELD_MOST = 4;

function live(stage: Member, close: Close): void {
  const { random } = stage;
  const held: Attachment[] = [];
  const usedBefore = countUsed();
  while (!stage.over) {
    const place = random.pick(PLACES);
    const choice = random.next();
    if (choice < 0.03) list(stage);
    else if (choice < 0.05) Region.unlink(PLACES[2]!.kind, pathOf(stage, PLACES[2]!));
    else if (choice < 0.65) {
      const attachment = attach(stage, place);
      attachment?.tryRole();
      attachment?.leave(close);
    } else if (choice < 0.8 && held.length < HELD_MOST) {
      const attachment = attach(stage, place);
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
  stage.cells.leaked[0]!.add(leaked);
  stage.complain(`has ${leaked} files open or mapped that it has closed`);
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

/** The kind, with a way to leave a region. */
export function regionKind(close: Close): Kind<keyof typeof CELLS> {
  return defineKind({
    about: "names that lead to one living region or to a clean slate, whoever dies",
    cells: CELLS,
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
        run: (stage) => live(stage, close),
      },
    },
    begin(scene) {
      const cell = (name: keyof typeof CELLS) => scene.cells[name][0]!.load();
      let abandoned = 0;
      return {
        counts: () => ({
          sent: cell("opened"),
          received: cell("entered"),
          corrupt: cell("corrupt"),
          leaked: cell("leaked"),
          facts: {
            "regions created": cell("created"),
            "creations refused": cell("refused"),
            "connections in vain": cell("absent"),
            "roles had": cell("roles"),
            "abandoned names": abandoned,
            "longest opening (ms)": cell("longest") / 1e6,
          },
        }),
        alone() {
          for (const place of PLACES) {
            const path = pathOf(scene, place);
            if (exists(path)) abandoned++;
            const region = Region.open(place.kind, path, OPTIONS);
            if (!region.created) scene.complain(`${path} was joined though nobody lives in it`);
            region.close();
            if (exists(path)) scene.complain(`${path} is left by the last one to close it`);
          }
        },
      };
    },
  });
}

export default regionKind((region) => region.close());
