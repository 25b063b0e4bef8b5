/**
 * The list of topics, made without changing or joining any.
 *
 * @module
 */

import { LockFile } from "../region/liveness.ts";
import { FIRST_ROLE } from "../region/opened.ts";
import { REGION_HEADER } from "../region/header.ts";
import { type RegionDetails, type RegionInfo, regions } from "../region/list.ts";
import * as files from "../os/files.ts";
import { planIn, type TopicCounters } from "./topic.ts";
import { readerRole, TOPIC, WRITER_ROLE } from "./vring.ts";
import { State, stateOf, TOPIC_CONTROL, type TopicOffsets, wordOffset } from "./vring_layout.ts";

/** The properties of a topic that can be read from outside. */
export interface TopicInfo {
  /** The topic. */
  readonly topic: string;
  /** The name of the type of its samples. */
  readonly type: string;
  /** The number of living publishers. */
  readonly publishers: number;
  /** The number of living subscribers. */
  readonly subscribers: number;
  /** The most subscribers. */
  readonly maxSubscribers: number;
  /** The number of samples that it has room for. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly size: number;
  /** The memory it occupies, in bytes. */
  readonly allocatedBytes: number;
  /** The counters of its samples so far: their growth between two looks is the rate. */
  readonly counters: TopicCounters;
}

/**
 * Lists the topics on this system that are in use and that you may read, by name.
 *
 * @example List publishers and subscribers
 * ```ts
 * import { topics } from "@vring/vring";
 *
 * for (const { topic, type, publishers, subscribers, counters } of topics()) {
 *   console.log(topic, type, publishers, subscribers, counters.published);
 * }
 * ```
 *
 * @returns A value for each topic.
 */
export function topics(): TopicInfo[] {
  const found: TopicInfo[] = [];
  for (const info of regions()) {
    if (info.kind !== TOPIC.name || info.inUse !== true) continue;
    const { details } = info;
    if (details === undefined || details.abiHash !== TOPIC.control.hash) continue;
    const topic = look(info, details);
    if (topic !== undefined) found.push(topic);
  }
  return found;
}

/** Reads one topic; returns undefined if it was removed meanwhile, or is not valid. */
function look(info: RegionInfo, details: RegionDetails): TopicInfo | undefined {
  const { dataBytes, dataOffset, type: { name: type } = { name: "" } } = details;
  if (dataOffset > info.sizeBytes) return undefined;
  const fd = files.open(info.path, 0);
  if (fd < 0) return undefined;
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  const control = new Uint8Array(TOPIC_CONTROL.size);
  if (files.read(fd, control, REGION_HEADER.size) < control.length) return undefined;
  const plan = planIn(control, dataBytes);
  if (plan === undefined) return undefined;
  using locks = new LockFile(files.pathOfFd(fd), { write: false, what: info.path });
  const isHeld = (role: number) => locks.isHeldByOther(FIRST_ROLE + role);
  let subscribers = 0;
  for (let k = 0; k < plan.readers; k++) subscribers += isHeld(readerRole(k)) ? 1 : 0;
  const { published, delivered, dropped } = TOPIC_CONTROL.read(control);
  return {
    topic: info.name,
    type,
    publishers: isHeld(WRITER_ROLE) ? 1 : 0,
    subscribers,
    maxSubscribers: plan.readers,
    depth: plan.depth,
    size: plan.sampleBytes,
    allocatedBytes: info.allocatedBytes,
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
