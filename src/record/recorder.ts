/**
 * Recording topics into a file.
 *
 * A recorder is a subscriber: it loses nothing as long as the depth of a topic covers the time that a
 * write to the disk takes, and each loss is counted in the message behind it. As an observer it
 * leaves no trace, and loses whatever the publisher overwrites in the meantime.
 *
 * I1  For each source of samples: recorded + lost = the number of the last sample - the number
 *     before the first one. A sample counts as recorded once its chunk is in the file, and as lost
 *     otherwise. The recording ends when the disk is full. An image with impossible sizes counts as
 *     lost if it is to be written in another schema.
 *
 * @module
 */

import { checkValue, FLAG, optionsBy, SIGNAL } from "../arguments.ts";
import { raw } from "../codec.ts";
import { VringError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import { topic } from "../vdds/definition.ts";
import { isSourceOf, SOURCES } from "../vdds/sources.ts";
import type { TopicMessage } from "../vdds/sample.ts";
import type { Subscriber } from "../vdds/subscriber.ts";
import type { TopicObserver } from "../vdds/topic_observer.ts";
import { FUNCTION, numberFrom, objectWith, required } from "../tool_rules.ts";
import { nextTurn, sleep } from "../os/clock.ts";
import { channelOf, foxgloveChannelOf, type TopicChannel } from "./channel.ts";
import { McapWriter, type Sink } from "./writer.ts";

/** What to record, and how. */
export interface RecordOptions {
  /** Whether to record the topic with this name. Topics may appear at any time. */
  readonly matches: (name: string) => boolean;
  /** Ends the recording. */
  readonly until: AbortSignal;
  /** Whether to read as an observer, without a trace; false by default. */
  readonly observe?: boolean | undefined;
  /**
   * Whether to write images and point clouds in Foxglove's schemas, which its panels show; false by
   * default. Such topics cannot be replayed.
   */
  readonly foxglove?: boolean | undefined;
  /** Whether to compress chunks with zstd; true by default. */
  readonly compress?: boolean | undefined;
  /** The size at which a chunk is written; 1 MiB by default. */
  readonly chunkBytes?: number | undefined;
  /** The longest time in milliseconds that a sample is only in memory; 1,000 by default. */
  readonly flushMs?: number | undefined;
}

/** The account of one topic. */
export interface TopicAccount {
  /** The name of the topic. */
  readonly topic: string;
  /** The samples in the file. */
  readonly recorded: number;
  /** The samples that were published meanwhile, and are not in the file. */
  readonly lost: number;
}

/** A topic that could not be opened. */
export interface Refusal {
  /** The name of the topic. */
  readonly topic: string;
  /** Why it is not in the file, such as that all its subscribers' seats are taken. */
  readonly reason: string;
}

/** The account of a recording. */
export interface RecordReport {
  /** The account of each topic. */
  readonly topics: readonly TopicAccount[];
  /** The topics that could not be opened, or read to the end. */
  readonly refused: readonly Refusal[];
  /** The bytes of the file. */
  readonly bytes: number;
  /** Whether the disk was full. */
  readonly isFull: boolean;
}

/** How often to look for new topics. */
const LOOK_MS = 200;

/** A topic that is recorded. */
interface Track {
  readonly name: string;
  readonly id: number;
  readonly channel: TopicChannel;
  readonly reader: Subscriber<Bytes> | TopicObserver<Bytes>;
  received: number;
  lost: number;
}

const SINK = objectWith("write", "truncate");

const RULES = {
  matches: required(FUNCTION),
  until: required(SIGNAL),
  observe: FLAG,
  foxglove: FLAG,
  compress: FLAG,
  chunkBytes: numberFrom(1, 2 ** 30),
  flushMs: numberFrom(0),
};

/** Records topics into a file until the signal aborts or the disk is full; resolves with the account. */
export async function record(sink: Sink, options: RecordOptions): Promise<RecordReport> {
  checkValue(SINK, "the sink", sink, "record");
  options = optionsBy(options, "record", RULES);
  const { matches, until, compress = true, chunkBytes = 2 ** 20, flushMs = 1000 } = options;
  const writer = new McapWriter(sink, { compress, chunkBytes });
  const tracks: Track[] = [];
  const refused: Refusal[] = [];
  const seen = new Set<string>(); // by the identity of the region: a name may come again
  const running: Promise<void>[] = [];
  const refuse = (topic: string, error: unknown) => {
    if (!(error instanceof VringError)) throw error;
    refused.push({ topic, reason: error.message });
  };
  const full = new AbortController();
  const end = AbortSignal.any([until, full.signal]);
  using stack = new DisposableStack();
  let flushed = performance.now();
  const account = () => ({ ...accountOf(writer, tracks), refused });
  try {
    do {
      const all = regions();
      const many = all.filter(({ kind }) => kind === SOURCES.regionType.name);
      for (const region of all) {
        const { kind, name, details } = region;
        if (kind !== "topic" || details === undefined) continue;
        const topic = many.find((topic) => isSourceOf(topic, region));
        if (!matches(name) && !(topic !== undefined && matches(topic.name))) continue;
        if (seen.has(details.id)) continue;
        seen.add(details.id);
        try {
          const track = open(region, writer, options, topic?.name);
          stack.use(track.reader);
          tracks.push(track);
          running.push(follow(track, writer, end).catch((error) => refuse(name, error)));
        } catch (error) {
          refuse(name, error);
        }
      }
      if (performance.now() - flushed >= flushMs) {
        writer.flush();
        flushed = performance.now();
      }
      if (writer.isFull) full.abort();
    } while (await sleep(LOOK_MS, end));
    await Promise.all(running);
  } finally {
    writer.flush(); // so that the account knows what is in the file
    writer.end({ vring: metadataOf(account().topics) });
  }
  return account();
}

/** Opens a topic as its region describes it; `many` is the topic of which it is one source. */
function open(
  region: RegionInfo,
  writer: McapWriter,
  options: RecordOptions,
  many: string | undefined,
): Track {
  const { name, details } = region;
  const { observe = false, foxglove = false } = options;
  const channel = (foxglove ? foxgloveChannelOf : channelOf)(name, details!, many);
  const { type, geometry, policy } = details!;
  const codec = type === undefined ? undefined : raw(type);
  const definition = topic(name, { ...codec && { type: codec }, ...geometry, ...policy });
  const reader = observe ? definition.observer() : definition.subscriber({ open: "join" });
  return { name, id: writer.addChannel(channel), channel, reader, received: 0, lost: 0 };
}

/** Writes what a topic delivers, until the signal aborts; then what it has delivered before. */
async function follow(track: Track, writer: McapWriter, until: AbortSignal): Promise<void> {
  const { reader } = track;
  while (!until.aborted) {
    const sample = await next(reader, until);
    const { length } = writer;
    if (sample !== undefined) add(track, writer, sample);
    else if (reader.ended) return;
    if (writer.length > length) await nextTurn(); // the disk took its time: others are due
  }
  for (let sample; (sample = reader.tryReceive()) !== undefined;) add(track, writer, sample);
}

/** Resolves with the next sample; undefined once the signal has aborted or no more come. */
async function next(
  reader: Track["reader"],
  signal: AbortSignal,
): Promise<TopicMessage<Bytes> | undefined> {
  try {
    return await reader.receive({ signal });
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

function add(track: Track, writer: McapWriter, sample: TopicMessage<Bytes>): void {
  const { id, channel: { prefix, encode } } = track;
  track.lost += sample.lost;
  track.received++;
  const data = encode === undefined ? sample.value : encode(sample.value, sample.time);
  if (data === undefined) return; // it counts as lost (I1)
  writer.add({
    channel: id,
    sequence: sample.sequence,
    logTime: nanoseconds(performance.timeOrigin + performance.now()),
    publishTime: nanoseconds(sample.time),
    prefix,
    data,
  });
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function accountOf(
  writer: McapWriter,
  tracks: readonly Track[],
): Omit<RecordReport, "refused"> {
  const { counts } = writer;
  const topics = tracks.map(({ name, id, received, lost }) => {
    const recorded = counts.get(id) ?? 0;
    return { topic: name, recorded, lost: lost + received - recorded };
  });
  return { topics, bytes: writer.length, isFull: writer.isFull };
}

/** The account as metadata, so that it is in the file. */
function metadataOf(topics: readonly TopicAccount[]): Record<string, string> {
  return Object.fromEntries(
    topics.map(({ topic, recorded, lost }) => [topic, JSON.stringify({ recorded, lost })]),
  );
}
