/**
 * What topics there are, told without changing anything and without joining any.
 *
 * @module
 */

import { LockFile } from "../region/liveness.ts";
import { FIRST_ROLE } from "../region/file.ts";
import { dataOffsetOf, REGION_HEADER } from "../region/header.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import * as files from "../os/files.ts";
import { planIn, type TopicCounters } from "./topic.ts";
import { readerRole, TOPIC, WRITER_ROLE } from "./vring.ts";
import { type Plan, State, stateOf, TOPIC_CONTROL, wordOffset } from "./vring_layout.ts";

/** What can be told of a topic from outside. */
export interface TopicInfo {
  /** The topic. */
  readonly topic: string;
  /** The name of the type of its samples. */
  readonly type: string;
  /** How many publishers are alive. */
  readonly publishers: number;
  /** How many subscribers are alive. */
  readonly subscribers: number;
  /** How many subscribers there can be. */
  readonly maxSubscribers: number;
  /** How many samples there are room for. */
  readonly depth: number;
  /** The largest sample in bytes. */
  readonly size: number;
  /** The memory that it takes. */
  readonly allocatedBytes: number;
  /** What became of the samples so far: what grows between two looks is the rate. */
  readonly counters: TopicCounters;
}

/**
 * Every topic on this system that somebody uses and that you may read, by name.
 *
 * @example Who publishes what
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
    const topic = look(info, details.dataBytes, details.messageName);
    if (topic !== undefined) found.push(topic);
  }
  return found;
}

/** Undefined if it has gone meanwhile, or is not what it says. */
function look(info: RegionInfo, dataBytes: number, type: string): TopicInfo | undefined {
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
    counters: { published, delivered, dropped, inFlight: countInFlight(fd, plan) },
  };
}

function countInFlight(fd: number, plan: Plan): number {
  const { depth, readers, descriptorBytes, descriptorsAt } = plan;
  const descriptors = new Uint8Array(depth * descriptorBytes);
  files.read(fd, descriptors, dataOffsetOf(TOPIC) + descriptorsAt);
  let count = 0;
  for (let d = 0; d < depth; d++) {
    const words = new Uint32Array(descriptors.buffer, d * descriptorBytes + wordOffset(0), readers);
    const isBusy = (word: number) => stateOf(word) === State.ready || stateOf(word) === State.held;
    if (words.some(isBusy)) count++;
  }
  return count;
}
