/**
 * Opening topics.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { isCount } from "../layout/sizes.ts";
import { counted, RoleTakenError } from "../errors.ts";
import { Again } from "../region/poll.ts";
import type { Mapping } from "../memory/mapping.ts";
import { REGION_HEADER } from "../region/header.ts";
import {
  checkSize,
  descriptionIn,
  type Opened,
  type OpenOptions,
  type Product,
} from "../region/open.ts";
import { copyIn, copyOut, storeDouble } from "../memory/word.ts";
import { pageSize } from "../os/page.ts";
import type { Policy } from "./topic_options.ts";
import { Kept, TOPIC, VRing } from "./vring.ts";
import { VRingReader } from "./vring_reader.ts";
import {
  DEPTH_MAX,
  entryOf,
  isShape,
  planOf,
  READERS_MAX,
  SAMPLE_BYTES_MAX,
  type Shape,
  TOPIC_BYTES_MAX,
  TOPIC_CONTROL,
  TOPIC_DETAIL,
  type TopicOffsets,
} from "./vring_layout.ts";

/** The counters of a topic. After a publisher was killed they may be one sample behind. */
export interface TopicCounters {
  /** Samples published, to any number of subscribers. */
  published: number;
  /** Samples given to subscribers, once for each, taken or not; the history is not counted. */
  delivered: number;
  /**
   * Samples that a subscriber lost, once for each: not sent, or dropped unread after `delivered`
   * had counted them.
   */
  dropped: number;
  /** Samples that some subscriber has, taken or not. */
  inFlight: number;
}

/** Returns the counters of a topic. */
export function countersOf(ring: VRing): TopicCounters {
  return {
    published: ring.kept(Kept.published),
    delivered: ring.kept(Kept.delivered),
    dropped: ring.kept(Kept.dropped),
    inFlight: ring.countInFlight(),
  };
}

/** Returns the sums of the counters of several topics. */
export function sumOf(all: readonly TopicCounters[]): TopicCounters {
  const sum = (name: keyof TopicCounters) => all.reduce((sum, counters) => sum + counters[name], 0);
  return {
    published: sum("published"),
    delivered: sum("delivered"),
    dropped: sum("dropped"),
    inFlight: sum("inFlight"),
  };
}

/** The sizes of a topic, by their options. */
export type TopicGeometry = {
  readonly depth: number;
  readonly size: number;
  readonly subscribers: number;
};

/** The policy of a topic, which all programs must define alike. */
export interface TopicPolicy {
  readonly policy: Policy;
  readonly history: number;
  readonly reserve: boolean;
  readonly quota: number;
}

/** The options of a topic besides its sizes. */
export interface TopicPlanOptions extends OpenOptions, TopicPolicy {}

/** The sizes that a topic has by default. */
export const USUAL: TopicGeometry = { depth: 8, size: 65_536, subscribers: 16 };

/** The topics of this system, as the opener knows them. */
export const TOPICS: Product<TopicGeometry, TopicPlanOptions> = {
  regionType: TOPIC,
  usual: USUAL,
  plan(geometry, what, { policy, history, reserve, quota }, page) {
    const plan = checkedPlan(geometry, what, { history, page });
    checkQuota(geometry, what, quota);
    return {
      geometry,
      dataBytes: plan.bytes,
      reservedBytes: reserve ? plan.bytes : plan.samplesAt,
      initialise: (mapping, start) => initialise(mapping, start, plan, reserve),
      policy: { policy, history, reserve, quota },
    };
  },
  geometryOf({ mapping, controlOffset, dataBytes }) {
    const control = new Uint8Array(TOPIC_CONTROL.size);
    copyOut(mapping, controlOffset, control);
    const plan = planIn(control, dataBytes);
    return plan && { depth: plan.depth, size: plan.sampleBytes, subscribers: plan.readers };
  },
  policyOf: (region) => descriptionIn(TOPIC, region)?.policy ?? {},
};

/** Returns the layout of a topic; throws a RangeError if none can have these sizes. */
export function checkedPlan(
  geometry: TopicGeometry,
  what: string,
  { history, page }: { history: number; page: number },
): TopicOffsets {
  const shape = shapeOf(geometry);
  checkShape(what, shape);
  const { depth } = shape;
  if (Number.isInteger(history) && history >= 0 && history < depth) {
    return planOf(shape, page);
  }
  throw new RangeError(
    `Cannot define ${what}: the history is ${inWords(history)}; pass 0 to ${
      depth - 1
    }, as one of ` +
      `its ${depth} samples must be left to write into, or a larger depth`,
  );
}

/** Throws a RangeError unless a subscriber can have so many samples; 0 means no limit. */
export function checkQuota({ depth }: TopicGeometry, what: string, quota: unknown): void {
  if (isCount(quota as number, depth)) return;
  throw new RangeError(
    `Cannot define ${what}: the quota is ${inWords(quota)}; pass 0 for none, or 1 to ${depth}`,
  );
}

function shapeOf({ depth, size, subscribers }: TopicGeometry): Shape {
  return { depth, readers: subscribers, sampleBytes: size };
}

/** Makes the VRing of a topic that was opened. */
export function ringOn(
  topic: string,
  { region, geometry }: Opened<Readonly<Record<string, number>>>,
): VRing {
  return new VRing(topic, region, planOf(shapeOf(geometry as TopicGeometry), pageSize()));
}

/** Returns the layout that a control block states; undefined if it does not fit the data. */
export function planIn(control: Uint8Array, dataBytes: number): TopicOffsets | undefined {
  const { depth, readers, sample_bytes: sampleBytes } = TOPIC_CONTROL.read(control);
  const shape = { depth, readers, sampleBytes };
  const plan = isShape(shape) ? planOf(shape, pageSize()) : undefined;
  return plan?.bytes === dataBytes ? plan : undefined;
}

/**
 * Performs one step of becoming a reader, without waiting; returns `Again` while a reader is
 * joining or leaving. Throws a RoleTakenError if all seats are taken.
 */
export function joinReaders(
  topic: string,
  ring: VRing,
  history: number,
): VRingReader | Again {
  const reader = VRingReader.join(ring, history);
  if (typeof reader === "object") return reader;
  const error = () =>
    new RoleTakenError(
      `Cannot subscribe to topic "${topic}": it has ${counted(ring.plan.readers, "subscriber")}, ` +
        "the most it can have, all alive; close one, wait with nextSubscriber(), or define the topic " +
        "with more subscribers",
    );
  if (reader === "busy") return new Again(error);
  throw error();
}

function checkShape(what: string, { depth, sampleBytes, readers }: Shape): void {
  checkSize(what, "depth", depth, DEPTH_MAX);
  checkSize(what, "size", sampleBytes, SAMPLE_BYTES_MAX);
  checkSize(what, "subscribers", readers, READERS_MAX);
  if (depth * sampleBytes <= TOPIC_BYTES_MAX) return;
  throw new RangeError(
    `Cannot define ${what}: its ${depth} samples of ${sampleBytes} bytes take more than ` +
      `${TOPIC_BYTES_MAX} bytes; pass a smaller depth or size`,
  );
}

/** Fills a new region, with all descriptors in AVAIL. */
function initialise(
  mapping: Mapping,
  start: number,
  plan: TopicOffsets,
  reserved: boolean,
): void {
  const { depth, readers, sampleBytes } = plan;
  const control = new Uint8Array(TOPIC_CONTROL.size);
  const view = TOPIC_CONTROL.view(control);
  view.depth = depth;
  view.readers = readers;
  view.sample_bytes = sampleBytes;
  new DataView(control.buffer).setUint32(TOPIC_CONTROL.fields.available.offset, depth, true);
  copyIn(mapping, REGION_HEADER.size, control);
  const { committed } = TOPIC_DETAIL.fields;
  for (let d = 0; d < depth; d++) {
    storeDouble(mapping, start + plan.availableAt + 8 * d, entryOf(d, d));
    if (!reserved) continue;
    const at = start + plan.detailsAt + d * TOPIC_DETAIL.size;
    storeDouble(mapping, at + committed.offset, sampleBytes);
  }
}
