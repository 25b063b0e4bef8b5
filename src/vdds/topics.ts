/**
 * The state of topics, read without changing or joining any.
 *
 * @module
 */

import { LockFile } from "../region/liveness.ts";
import { FIRST_ROLE } from "../region/opened.ts";
import { REGION_HEADER } from "../region/header.ts";
import { type DirectoryOptions, type RegionInfo, regions } from "../region/list.ts";
import * as files from "../os/files.ts";
import { planIn, type TopicCounters } from "./topic.ts";
import { readerRole, TOPIC, WRITER_ROLE } from "./vring.ts";
import { State, stateOf, TOPIC_CONTROL, type TopicOffsets, wordOffset } from "./vring_layout.ts";

/** The state of a topic, as any process can read it without joining. */
export interface TopicFacts {
  /** The number of living publishers. */
  readonly publishers: number;
  /** The number of living subscribers. */
  readonly subscribers: number;
  /** The number of samples in memory. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly size: number;
  /** The counters of its samples so far: their growth between two looks is the rate. */
  readonly counters: TopicCounters;
}

/** A topic's region, and its state unless the region is unreadable. */
export interface TopicInfo extends RegionInfo, Partial<TopicFacts> {}

/**
 * Lists the topics in a directory that are in use and that you may read, by name.
 *
 * @example List publishers and subscribers
 * ```ts
 * import { topics } from "@vring/vring";
 *
 * for (const { name, publishers, subscribers, counters } of topics()) {
 *   console.log(name, publishers, subscribers, counters.published);
 * }
 * ```
 *
 * @returns A value for each topic.
 */
export function topics(options?: DirectoryOptions): (RegionInfo & TopicFacts)[] {
  return regions(options).flatMap((info) => {
    if (info.kind !== TOPIC.name || info.inUse !== true) return [];
    const facts = factsOf(info);
    return facts === undefined ? [] : [{ ...info, ...facts }];
  });
}

/** Reads the state of a topic; returns undefined if it was removed meanwhile, or is not valid. */
export function factsOf({ path, sizeBytes, details }: RegionInfo): TopicFacts | undefined {
  if (details?.abiHash !== TOPIC.control.hash) return undefined;
  const { dataBytes, dataOffset } = details;
  if (dataOffset > sizeBytes) return undefined;
  const fd = files.open(path, 0);
  if (fd < 0) return undefined;
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  const control = new Uint8Array(TOPIC_CONTROL.size);
  if (files.read(fd, control, REGION_HEADER.size) < control.length) return undefined;
  const plan = planIn(control, dataBytes);
  if (plan === undefined) return undefined;
  using locks = new LockFile(files.pathOfFd(fd), { write: false, what: path });
  const isHeld = (role: number) => locks.isHeldByOther(FIRST_ROLE + role);
  let subscribers = 0;
  for (let k = 0; k < plan.readers; k++) subscribers += isHeld(readerRole(k)) ? 1 : 0;
  const { published, delivered, dropped } = TOPIC_CONTROL.read(control);
  return {
    publishers: isHeld(WRITER_ROLE) ? 1 : 0,
    subscribers,
    depth: plan.depth,
    size: plan.sampleBytes,
    counters: { published, delivered, dropped, inFlight: countInFlight(fd, dataOffset, plan) },
  };
}

function countInFlight(fd: number, dataOffset: number, plan: TopicOffsets): number {
  const { depth, readers, descriptorBytes, descriptorsAt } = plan;
  const descriptors = new Uint8Array(depth * descriptorBytes);
  files.read(fd, descriptors, dataOffset + descriptorsAt);
  let count = 0;
  for (let d = 0; d < depth; d++) {
    const words = new Uint32Array(descriptors.buffer, d * descriptorBytes + wordOffset(0), readers);
    const isBusy = (word: number) => stateOf(word) === State.ready || stateOf(word) === State.held;
    if (words.some(isBusy)) count++;
  }
  return count;
}
