/**
 * Publishing a recording again.
 *
 * @module
 */

import { checkValue, FLAG, optionsBy, type Rule, SIGNAL } from "../arguments.ts";
import { raw } from "../codec.ts";
import type { Bytes } from "../message.ts";
import { topic } from "../vdds/definition.ts";
import type { Publisher } from "../vdds/publisher.ts";
import { sleep } from "../os/clock.ts";
import { FUNCTION, numberFrom, objectWith, required } from "../tool_rules.ts";
import { topicOf } from "./channel.ts";
import type { McapReader } from "./reader.ts";
import type { Channel } from "./writer.ts";

/** How to replay. */
export interface ReplayOptions {
  /** The speed: 2 is twice as fast; 1 by default, Infinity without pauses. */
  readonly rate?: number | undefined;
  /** Skips the messages of the first milliseconds. */
  readonly startMs?: number | undefined;
  /** Begins again at the end, with the same publishers; false by default. */
  readonly loop?: boolean | undefined;
  /** Returns the name to publish a topic under; undefined leaves it out. */
  readonly nameOf?: ((name: string) => string | undefined) | undefined;
  /** Ends the replay. */
  readonly until: AbortSignal;
  /** The subscribers to wait for on each topic before the first message. */
  readonly waitFor?: number | undefined;
  /** Pauses, resumes and steps while it runs. */
  readonly pace?: Pace | undefined;
  /** Called after each message, with its time since the first one of the file. */
  readonly onMessage?: ((offsetMs: number) => void) | undefined;
}

/** Pauses a replay, and lets single messages pass. */
export class Pace {
  #isPaused: boolean;
  #steps = 0;
  #changed = Promise.withResolvers<void>();

  /** Begins paused, or playing. */
  constructor(isPaused = false) {
    checkValue(FLAG, "isPaused", isPaused, "make a pace");
    this.#isPaused = isPaused;
  }

  /** Whether no message passes. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Pauses, or goes on from the next message. */
  toggle(): void {
    this.#isPaused = !this.#isPaused;
    this.#steps = 0;
    this.#change();
  }

  /** Pauses after one more message. */
  step(): void {
    this.#isPaused = true;
    this.#steps++;
    this.#change();
  }

  /** Resolves once a message may pass; with false if the signal aborts before.
   * @ignore */
  async next(signal: AbortSignal): Promise<boolean> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    while (this.#isPaused && this.#steps === 0 && !signal.aborted) {
      await Promise.race([this.#changed.promise, aborted.promise]);
    }
    if (this.#steps > 0) this.#steps--;
    return !signal.aborted;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

const READER: Rule = { ...objectWith("messages"), wanted: "a McapReader" };

const RULES = {
  rate: {
    wanted: "a number above 0",
    is: (value: unknown) => typeof value === "number" && value > 0,
    isNumeric: true as const,
  },
  startMs: numberFrom(0),
  loop: FLAG,
  nameOf: FUNCTION,
  until: required(SIGNAL),
  waitFor: numberFrom(0),
  pace: { wanted: "a Pace", is: (value: unknown) => value instanceof Pace },
  onMessage: FUNCTION,
};

/** Publishes the messages of a file in their order and times; resolves with their number. */
export async function replay(reader: McapReader, options: ReplayOptions): Promise<number> {
  checkValue(READER, "the reader", reader, "replay");
  options = optionsBy(options, "replay", RULES);
  using stack = new DisposableStack();
  const tracks: Tracks = new Map();
  let count = 0;
  do {
    const replayed = await replayOnce(reader, options, tracks, stack);
    count += replayed;
    if (replayed === 0) break; // so that an empty file ends
  } while (options.loop && !options.until.aborted);
  return count;
}

/** The publishers of the channels; undefined for a channel that is left out. */
type Tracks = Map<Channel, { publisher: Publisher<Bytes>; skip: number } | undefined>;

async function replayOnce(
  reader: McapReader,
  options: ReplayOptions,
  tracks: Tracks,
  stack: DisposableStack,
): Promise<number> {
  const { rate = 1, startMs = 0, nameOf = (name) => name, until, waitFor = 0, pace } = options;
  let [first, begun, count] = [undefined as bigint | undefined, 0, 0];
  for (const { channel, publishTime, data } of reader.messages()) {
    if (until.aborted) break;
    first ??= publishTime;
    const timeMs = Number(publishTime - first) / 1e6;
    const offsetMs = timeMs - startMs;
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
    if (waitMs > 1 && !pace?.isPaused && !await sleep(waitMs, until)) break;
    if (pace?.isPaused) {
      if (!await pace.next(until)) break;
      begun = performance.now() - offsetMs / rate; // the others keep their distance from this one
    }
    await track.publisher.send(data.subarray(track.skip), { signal: until });
    count++;
    options.onMessage?.(timeMs);
  }
  return count;
}

function open(channel: Channel, nameOf: (name: string) => string | undefined) {
  const recorded = topicOf(channel);
  const name = recorded && nameOf(recorded.name);
  if (recorded === undefined || name === undefined) return undefined;
  const { source, type, options, prefixBytes } = recorded;
  const publishers = source === undefined ? "one" as const : "many" as const;
  const definition = topic(name, { ...type && { type: raw(type) }, ...options, publishers });
  return { publisher: definition.publisher({ source }), skip: prefixBytes };
}
