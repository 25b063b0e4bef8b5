/**
 * Many publishers at once on one topic. Each has a topic of its own under it, `topic/source`,
 * and a subscriber to all of them learns of each new one.
 *
 * ```
 *   publisher of "lidar", source "left"   -->  topic lidar/left   --.
 *   publisher of "lidar", source "right"  -->  topic lidar/right  ----> subscriber of "lidar"
 *                                              changes of lidar   --'
 * ```
 *
 * `changes` is a word and a bell in a region of their own, whose members are all these publishers
 * and subscribers. A publisher increments it after it has created its topic and before its first
 * sample. A subscriber loads it before it lists the topics, so it misses no source. A publisher
 * that dies before it has incremented the word has published nothing.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { OsError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import type { RegionType } from "../region/header.ts";
import { descriptionIn, type Product } from "../region/open.ts";
import type { Region } from "../region/region.ts";
import { identityOf } from "../region/opened.ts";
import { parseFileName } from "../region/names.ts";
import { Word32 } from "../memory/word.ts";
import { randomId } from "../os/clock.ts";
import * as files from "../os/files.ts";
import type { Condition } from "../wait/condition.ts";
import { Doorbell } from "../wait/doorbell.ts";
import {
  checkedPlan,
  checkQuota,
  type TopicGeometry,
  type TopicPlanOptions,
  USUAL,
} from "./topic.ts";
import { TOPIC } from "./vring.ts";

/** The words that the publishers and subscribers of a topic's sources share. */
export const SOURCES_CONTROL = layout("sources_control", {
  changes: { type: "u32", line: true, doc: "grows with each source that opens or closes" },
  bell: { type: "u32", line: true, doc: "rung by sources; raised by waiting subscribers" },
  loop: { type: "u32", atomic: true, doc: "the FIFO of a subscriber's event loop; 0 if none" },
});

const REGION: RegionType = {
  name: "sources",
  title: "sources of topic",
  control: SOURCES_CONTROL,
  mirrored: false,
};

/** The regions with these words. Their description tells the sizes and the policy of each source. */
export const SOURCES: Product<TopicGeometry, TopicPlanOptions> = {
  regionType: REGION,
  usual: USUAL,
  plan(geometry, what, { policy, history, reserve, quota }, page) {
    checkedPlan(geometry, what, { history, page });
    checkQuota(geometry, what, quota);
    return { geometry, dataBytes: 0, policy: { policy, history, reserve, quota } };
  },
  geometryOf(region) {
    if (region.dataBytes !== 0) return undefined;
    return { ...USUAL, ...descriptionIn(REGION, region)?.geometry };
  },
  policyOf: (region) => descriptionIn(REGION, region)?.policy ?? {},
};

/** Returns the topic of one source. */
export function topicOfSource(topic: string, source: string): string {
  if (source !== "" && !source.includes("/")) return `${topic}/${source}`;
  throw new TypeError(
    `Cannot use ${inWords(source)} as a source of topic "${topic}": pass a name without a slash`,
  );
}

const UNIQUE = /^_[0-9a-f]{16}$/;

/** Makes a random name for a source, which no other publisher has or will have. */
export function uniqueSource(): string {
  const bytes = Array.from(randomId().subarray(0, 8));
  return `_${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Whether `uniqueSource` made this name. */
export function isUniqueSource(source: string): boolean {
  return UNIQUE.test(source);
}

/** Whether a region is the topic of one source of a topic with many publishers. */
export function isSourceOf(
  topic: { readonly name: string },
  { kind, name }: { readonly kind: string; readonly name: string },
): boolean {
  return kind === TOPIC.name && name.slice(0, name.lastIndexOf("/")) === topic.name;
}

/** Lists the sources whose topics exist, each with the identity of its region. */
export function listSources(
  topic: string,
  directory: string,
): { source: string; identity: string }[] {
  const below = `${topic}/`;
  const names = files.list(directory);
  if (typeof names === "number") {
    const action = `look for the sources of topic "${topic}"`;
    throw new OsError(-names, { syscall: "getdents64", action });
  }
  return names.flatMap((name) => {
    const parsed = parseFileName(name);
    if (parsed?.kind !== TOPIC.name || !parsed.name.startsWith(below)) return [];
    const source = parsed.name.slice(below.length);
    if (source === "" || source.includes("/")) return [];
    const status = files.statPath(`${directory}/${name}`);
    return typeof status === "number" ? [] : [{ source, identity: identityOf(status) }];
  });
}

/** A membership in the sources of a topic. */
export class Sources implements Disposable {
  readonly #topic: string;
  readonly #directory: string;
  readonly #region: Region;
  readonly #changes: Word32;
  readonly #bell: Doorbell;

  constructor(topic: string, directory: string, region: Region) {
    const { mapping, controlOffset } = region;
    const { changes, bell, loop } = SOURCES_CONTROL.fields;
    this.#topic = topic;
    this.#directory = directory;
    this.#region = region;
    this.#changes = new Word32(mapping, changes, controlOffset);
    this.#bell = new Doorbell(mapping, bell, controlOffset, loop);
  }

  /** The number of changes so far. */
  get changes(): number {
    const changes = this.#changes.load();
    this.#region.mapping.checkWhole();
    return changes;
  }

  /** Announces that a source has opened or closed. */
  announce(): void {
    this.#changes.add(1);
    this.#bell.ring();
  }

  /** Announces that a source has closed, unless a peer has taken memory away. */
  announceLast(): void {
    try {
      this.announce();
    } catch (error) {
      if (!this.#region.mapping.isLost) throw error;
    }
  }

  /** Lists the sources whose topics exist, each with the identity of its region. */
  list(): { source: string; identity: string }[] {
    return listSources(this.#topic, this.#directory);
  }

  /** Makes the condition that the number of changes differs from `seen`. */
  changesFrom(seen: () => number): Condition {
    const ready = () => this.changes !== seen();
    return { bell: this.#bell, watch: this.#changes, watchTellsAll: true, ready };
  }

  /** Leaves the sources of the topic. */
  close(): void {
    this.#region.close();
  }

  /** Closes it, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }
}
