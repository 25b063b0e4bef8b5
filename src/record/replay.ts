/**
 * Publishing a recording again.
 *
 * @module
 */

import { raw } from "../codec.ts";
import type { Bytes } from "../message.ts";
import { topic } from "../vdds/definition.ts";
import type { Publisher } from "../vdds/publisher.ts";
import { sleep } from "../os/clock.ts";
import { topicOf } from "./channel.ts";
import type { McapReader } from "./reader.ts";
import type { Channel } from "./writer.ts";

/** How to replay. */
export interface ReplayOptions {
  /** The speed: 2 is twice as fast; 1 by default, Infinity without pauses. */
  readonly rate?: number | undefined;
  /** Skips the messages of the first milliseconds. */
  readonly startMs?: number | undefined;
  /** Returns the name to publish a topic under; undefined leaves it out. */
  readonly nameOf?: ((name: string) => string | undefined) | undefined;
  /** Ends the replay. */
  readonly until: AbortSignal;
  /** The subscribers to wait for on each topic before the first message. */
  readonly waitFor?: number | undefined;
}

/** Publishes the messages of a file in their order and times; resolves with their number. */
export async function replay(reader: McapReader, options: ReplayOptions): Promise<number> {
  const { rate = 1, startMs = 0, nameOf = (name) => name, until, waitFor = 0 } = options;
  using stack = new DisposableStack();
  const tracks = new Map<Channel, { publisher: Publisher<Bytes>; skip: number } | undefined>();
  let [first, begun, count] = [undefined as bigint | undefined, 0, 0];
  for (const { channel, publishTime, data } of reader.messages()) {
    if (until.aborted) break;
    first ??= publishTime;
    const offsetMs = Number(publishTime - first) / 1e6 - startMs;
    if (offsetMs < 0) continue;
    if (!tracks.has(channel)) {
      const opened = open(channel, nameOf);
      if (opened !== undefined) stack.use(opened.publisher);
      tracks.set(channel, opened);
      if (waitFor > 0) await opened?.publisher.waitForPeers(waitFor, { signal: until });
    }
    const track = tracks.get(channel);
    if (track === undefined) continue;
    begun ||= performance.now();
    const waitMs = begun + offsetMs / rate - performance.now();
    if (waitMs > 1 && !await sleep(waitMs, until)) break;
    await track.publisher.send(data.subarray(track.skip), { signal: until });
    count++;
  }
  return count;
}

function open(channel: Channel, nameOf: (name: string) => string | undefined) {
  const recorded = topicOf(channel);
  const name = recorded && nameOf(recorded.name);
  if (recorded === undefined || name === undefined) return undefined;
  const { type, options, prefixBytes } = recorded;
  const definition = topic(name, { ...type && { type: raw(type) }, ...options });
  return { publisher: definition.publisher(), skip: prefixBytes };
}
