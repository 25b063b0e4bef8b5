/**
 * Recording topics into a file.
 *
 * A recorder is a subscriber: it loses nothing as long as the depth of a topic covers the time that a
 * write to the disk takes, and each loss is counted in the message behind it. As an observer it
 * leaves no trace, and loses whatever the publisher overwrites in the meantime.
 *
 * I1  For each source of samples: recorded + lost = the number of the last sample - the number
 *     before the first one. A sample counts as recorded once its chunk is in the file; if the disk
 *     is full, all later samples count as lost.
 *
 * @module
 */

import { raw } from "../codec.ts";
import { CorruptRegionError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import { topic } from "../vdds/definition.ts";
import type { TopicMessage } from "../vdds/sample.ts";
import type { Subscriber } from "../vdds/subscriber.ts";
import type { TopicObserver } from "../vdds/topic_observer.ts";
import { pause } from "../wait/pause.ts";
import { channelOf, type TopicChannel } from "./channel.ts";
import { McapWriter, type Sink } from "./writer.ts";

/** What to record, and how. */
export interface RecordOptions {
  /** Whether to record the topic with this name. Topics may appear at any time. */
  readonly matches: (name: string) => boolean;
  /** Ends the recording. */
  readonly until: AbortSignal;
  /** Whether to read as an observer, without a trace; false by default. */
  readonly observe?: boolean | undefined;
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

/** The account of a recording. */
export interface RecordReport {
  /** The account of each topic. */
  readonly topics: readonly TopicAccount[];
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

/** Records topics into a file until the signal aborts; resolves with the account. */
export async function record(sink: Sink, options: RecordOptions): Promise<RecordReport> {
  const { matches, until, compress = true, chunkBytes = 2 ** 20, flushMs = 1000 } = options;
  const writer = new McapWriter(sink, { compress, chunkBytes });
  const tracks = new Map<string, Track>();
  const running: Promise<void>[] = [];
  const failures: unknown[] = [];
  using stack = new DisposableStack();
  let flushed = performance.now();
  do {
    for (const region of regions()) {
      const id = region.details?.id;
      if (region.kind !== "topic" || !matches(region.name) || id === undefined || tracks.has(id)) {
        continue;
      }
      const track = open(region, writer, options.observe ?? false);
      tracks.set(id, track);
      stack.use(track.reader);
      running.push(follow(track, writer, until).catch((error) => void failures.push(error)));
    }
    if (performance.now() - flushed >= flushMs) {
      writer.flush();
      flushed = performance.now();
    }
  } while (await pause(LOOK_MS, until));
  await Promise.all(running);
  const report = () => accountOf(writer, [...tracks.values()]);
  writer.flush(); // so that the account knows what is in the file
  writer.end({ vring: metadataOf(report().topics) });
  if (failures.length > 0) throw failures[0];
  return report();
}

/** Opens a topic as its region describes it. */
function open(region: RegionInfo, writer: McapWriter, observe: boolean): Track {
  const { name, details } = region;
  const channel = channelOf(name, details!);
  const { type, geometry, policy } = details!;
  const codec = type === undefined ? undefined : raw(type);
  const definition = topic(name, { ...codec && { type: codec }, ...geometry, ...policy });
  const reader = observe ? definition.observer() : definition.subscriber({ open: "join" });
  return { name, id: writer.addChannel(channel), channel, reader, received: 0, lost: 0 };
}

/** Writes what a topic delivers, until the signal aborts; then what it has delivered before. */
async function follow(track: Track, writer: McapWriter, until: AbortSignal): Promise<void> {
  const { reader } = track;
  try {
    while (!until.aborted) {
      const sample = await next(reader, until);
      if (sample !== undefined) add(track, writer, sample);
      else if (reader.ended) return;
    }
    for (let sample; (sample = reader.tryReceive()) !== undefined;) add(track, writer, sample);
  } catch (error) {
    if (!(error instanceof CorruptRegionError)) throw error; // by a peer: its recording ends
  }
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
  const { id, channel: { prefix } } = track;
  track.lost += sample.lost;
  track.received++;
  writer.add({
    channel: id,
    sequence: sample.sequence,
    logTime: nanoseconds(performance.timeOrigin + performance.now()),
    publishTime: nanoseconds(sample.time),
    prefix,
    data: sample.value,
  });
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function accountOf(writer: McapWriter, tracks: readonly Track[]): RecordReport {
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
