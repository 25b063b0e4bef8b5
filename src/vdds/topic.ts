/**
 * Opening topics.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { RoleTakenError } from "../errors.ts";
import { type Codec, codec } from "../codec.ts";
import { Again, pollUntil } from "../region/poll.ts";
import type { Mapping } from "../memory/mapping.ts";
import { create, joinOnce, open, type Opened, type Product } from "../region/open.ts";
import { Region } from "../region/region.ts";
import { type MessageType, REGION_HEADER } from "../region/header.ts";
import { topicPath } from "../region/names.ts";
import { copyIn, copyOut, storeDouble } from "../memory/word.ts";
import { pageSize } from "../os/page.ts";
import type { PublisherBehaviour, TopicConnectOptions, TopicOptions } from "./topic_options.ts";
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

/** The counters of a topic. While a publisher is killed they may be one sample behind. */
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

/** The sizes of a topic, by their options. */
interface TopicGeometry {
  readonly [option: string]: number;
  readonly depth: number;
  readonly size: number;
  readonly maxSubscribers: number;
}

/** The options that decide what a topic is like; a publisher states its policy. */
type TopicPlanOptions = TopicOptions & Pick<PublisherBehaviour<never>, "policy" | "history">;

const TOPICS: Product<TopicGeometry, TopicPlanOptions> = {
  regionType: TOPIC,
  usual: { depth: 8, size: 65_536, maxSubscribers: 16 },
  plan(geometry, what, { reserve = true, policy, history = 0 }) {
    const shape = shapeOf(geometry);
    checkShape(what, shape);
    const plan = planOf(shape, pageSize());
    return {
      geometry,
      dataBytes: plan.bytes,
      reservedBytes: reserve ? plan.bytes : plan.samplesAt,
      initialise: (mapping, start) => initialise(mapping, start, plan, reserve),
      // A subscriber states no policy, and its history is its own wish.
      policy: { policy: policy ?? "block", history: policy === undefined ? 0 : history, reserve },
    };
  },
  geometryOf({ mapping, controlOffset, dataBytes }) {
    const control = new Uint8Array(TOPIC_CONTROL.size);
    copyOut(mapping, controlOffset, control);
    const plan = planIn(control, dataBytes);
    return plan && { depth: plan.depth, size: plan.sampleBytes, maxSubscribers: plan.readers };
  },
};

function shapeOf({ depth, size, maxSubscribers }: TopicGeometry): Shape {
  return { depth, readers: maxSubscribers, sampleBytes: size };
}

function requestFor<O extends object>(topic: string, options: O, message?: MessageType) {
  return { path: topicPath(TOPIC.name, topic), options, message };
}

function ringOn(topic: string, { region, geometry }: Opened<TopicGeometry>): VRing {
  return new VRing(topic, region, planOf(shapeOf(geometry), pageSize()));
}

/** Opens the VRing of a topic, or creates it: programs start in any order. */
export function openTopic(topic: string, options: TopicOptions, message: MessageType): VRing {
  return ringOn(topic, open(TOPICS, requestFor(topic, options, message)));
}

/**
 * Creates the VRing of a topic; throws an OsError (EEXIST) if a living process uses one of this
 * name.
 */
export function createTopic(topic: string, options: TopicOptions, message: MessageType): VRing {
  return ringOn(topic, create(TOPICS, requestFor(topic, options, message)));
}

/**
 * Performs one step of joining a topic of any shape, without waiting; returns undefined if it does
 * not exist.
 */
export function connectOnce(
  topic: string,
  options: TopicConnectOptions,
  message: MessageType | undefined,
): VRing | Again | undefined {
  const { anyOwner = false } = options;
  const opened = joinOnce(TOPICS, requestFor(topic, { anyOwner }, message));
  return opened === undefined || opened instanceof Again ? opened : ringOn(topic, opened);
}

/** Performs one step of attaching to a topic as an observer; returns undefined if none exists. */
export function observeOnce(
  topic: string,
  { anyOwner = false }: { anyOwner?: boolean | undefined },
  message: MessageType,
): VRing | Again | undefined {
  const options = { anyOwner, readOnly: true };
  const opened = joinOnce(TOPICS, requestFor(topic, options, message));
  return opened === undefined || opened instanceof Again ? opened : ringOn(topic, opened);
}

/** Returns the layout that a control block states; undefined if it does not fit the data. */
export function planIn(control: Uint8Array, dataBytes: number): TopicOffsets | undefined {
  const { depth, readers, sample_bytes: sampleBytes } = TOPIC_CONTROL.read(control);
  const shape = { depth, readers, sampleBytes };
  const plan = isShape(shape) ? planOf(shape, pageSize()) : undefined;
  return plan?.bytes === dataBytes ? plan : undefined;
}

/** Joins a topic once it exists, by a step such as `connectOnce`. */
export function connectTopic<T>(
  topic: string,
  options: TopicConnectOptions,
  look: () => T | Again | undefined,
): Promise<T> {
  const action = `connect to topic "${topic}"`;
  return pollUntil({ look, action, missing: "which is not there" }, options);
}

/** Removes the name of a topic; existing handles keep working. Returns false when the name is free. */
export function unlinkTopic(topic: string): boolean {
  return Region.unlink(TOPIC, topicPath(TOPIC.name, topic));
}

/**
 * Performs one step of becoming a reader, without waiting; returns `Again` while a reader is
 * joining or leaving. Throws a RoleTakenError if all seats are taken.
 */
export function joinReaders(
  topic: string,
  ring: VRing,
  { history = 0 }: { history?: number | undefined },
): VRingReader | Again {
  const reader = VRingReader.join(ring, history);
  if (typeof reader === "object") return reader;
  const error = () =>
    new RoleTakenError(
      `Cannot subscribe to topic "${topic}": it has ${ring.plan.readers} subscribers, which are ` +
        "alive; close one, or make the topic with a larger maxSubscribers",
    );
  if (reader === "busy") return new Again(error);
  throw error();
}

/** Copies the options of a topic and checks them. */
export function checkedTopic<O extends { history?: number | undefined }>(
  topic: string,
  options: O,
): O {
  const action = `open topic ${inWords(topic)}`;
  const own = checkedOptions(options, action);
  topicPath(TOPIC.name, topic); // throws unless the name is valid
  const { history = 0 } = own;
  if (Number.isInteger(history) && history >= 0) return own;
  throw new RangeError(
    `Cannot ${action} with a history of ${inWords(history)} samples: pass 0 or more`,
  );
}

/** Returns the type of a topic's messages, by its codec; bytes by default. */
export function typeOf(options: { codec?: Pick<Codec<unknown>, "type"> | undefined }): MessageType {
  return (options.codec ?? codec.bytes).type;
}

function checkShape(what: string, shape: Shape): void {
  if (isShape(shape)) return;
  throw new RangeError(
    `Cannot open ${what} with ${inWords(shape.depth)} samples of ` +
      `${inWords(shape.sampleBytes)} bytes for ${inWords(shape.readers)} subscribers: the depth ` +
      `is 1 to ${DEPTH_MAX}, the size 1 to ${SAMPLE_BYTES_MAX}, all samples together ` +
      `${TOPIC_BYTES_MAX}, and subscribers 1 to ${READERS_MAX}`,
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
