/**
 * A tool that speaks Foxglove's WebSocket protocol (https://github.com/foxglove/ws-protocol), such as
 * Foxglove and Lichtblick.
 *
 * Its two subprotocols have the same messages. Control messages are JSON; a message of a topic is
 * binary: 1, the subscription (u32), the time in nanoseconds (u64) and the payload, little-endian.
 *
 * @module
 */

import type { PolledBytes } from "../inspect/messages.ts";
import type { RegionInfo } from "../region/list.ts";
import type { Advertised, Channels, LiveChannel } from "./channels.ts";
import { type ConnectionGraph, graphOf, graphUpdate } from "./connection_graph.ts";
import type { FeedListener } from "./feeds.ts";
import type { Outbox } from "./outbox.ts";
import { Publications } from "./publications.ts";
import type { Scene } from "./scene.ts";
import {
  listIn,
  numberIn,
  objectIn,
  ProtocolError,
  type Session,
  type Stage,
  textIn,
} from "./session.ts";

/** The subprotocols of Foxglove's tools. */
export const FOXGLOVE_PROTOCOLS: readonly string[] = ["foxglove.websocket.v1", "foxglove.sdk.v1"];

/** The kinds of binary messages. */
const MESSAGE_DATA = 1;
const MESSAGE_HEAD = 13;

const Level = { info: 0, warning: 1, error: 2 } as const;

/** The subscriptions of one client. */
const MOST_SUBSCRIPTIONS = 10_000;

/** The time between two warnings that messages are dropped. */
const WARNING_MS = 10_000;

/** The words that Lichtblick explains to its user. */
const DROPPING = "Send buffer limit reached";

/** A subscription. */
interface Subscribed {
  readonly channel: LiveChannel;
  readonly end: () => void;
}

/** A client. */
export class FoxgloveSession implements Session {
  readonly outbox: Outbox;
  readonly #stage: Stage;
  readonly #channels: Channels;
  readonly #subscriptions = new Map<number, Subscribed>();
  readonly #publications: Publications | undefined;
  #known = new Map<number, LiveChannel>();
  #graph: ConnectionGraph | undefined;
  #warnedAt = -Infinity;
  #warnedDrops = 0;

  constructor(outbox: Outbox, stage: Stage, channels: Channels, sessionId: string) {
    this.outbox = outbox;
    this.#stage = stage;
    this.#channels = channels;
    if (stage.publish) this.#publications = new Publications();
    this.#send({
      op: "serverInfo",
      name: "vring view",
      capabilities: ["connectionGraph", ...stage.publish ? ["clientPublish"] : []],
      ...stage.publish && { supportedEncodings: ["json", "cdr"] },
      metadata: {},
      sessionId,
    });
    this.#advertise(stage.scenery.regions);
  }

  #send(message: object): void {
    if (!this.outbox.control(JSON.stringify(message))) {
      throw new ProtocolError("the client does not read");
    }
  }

  #status(level: number, message: string): void {
    this.#send({ op: "status", level, message });
  }

  receive(data: string | Uint8Array<ArrayBuffer>): void {
    if (typeof data !== "string") return this.#receiveData(data);
    const message = objectIn(data);
    const operation = this.#operations[textIn(message.op)];
    if (operation === undefined) {
      return this.#status(Level.error, `Cannot do ${textIn(message.op)}: this server does not`);
    }
    operation(message);
  }

  readonly #operations: Readonly<Record<string, (message: Record<string, unknown>) => void>> =
    Object.assign(Object.create(null), {
      subscribe: ({ subscriptions }: Record<string, unknown>) => {
        for (const one of listIn(subscriptions)) {
          const { id, channelId } = Object(one);
          this.#subscribe(numberIn(id), numberIn(channelId));
        }
      },
      unsubscribe: ({ subscriptionIds }: Record<string, unknown>) => {
        for (const id of listIn(subscriptionIds)) this.#unsubscribe(numberIn(id));
      },
      advertise: ({ channels }: Record<string, unknown>) => {
        for (const one of listIn(channels, 1000)) this.#advertised(Object(one));
      },
      unadvertise: ({ channelIds }: Record<string, unknown>) => {
        for (const id of listIn(channelIds)) this.#publications?.remove(numberIn(id));
      },
      subscribeConnectionGraph: () => {
        this.#graph = graphOf([], []);
        this.#updateGraph(this.#stage.scene);
      },
      unsubscribeConnectionGraph: () => void (this.#graph = undefined),
    });

  #subscribe(id: number, channelId: number): void {
    const channel = this.#known.get(channelId);
    if (this.#subscriptions.has(id)) {
      return this.#status(Level.error, `Cannot subscribe: the number ${id} is in use`);
    }
    if (channel === undefined) {
      return this.#status(Level.error, `Cannot subscribe: there is no channel ${channelId}`);
    }
    if (this.#subscriptions.size >= MOST_SUBSCRIPTIONS) {
      return this.#status(Level.error, `Cannot subscribe: ${MOST_SUBSCRIPTIONS} are the limit`);
    }
    const { scenery, feeds } = this.#stage;
    const region = scenery.regions.get(channel.region);
    if (region === undefined) return this.#status(Level.error, "Cannot subscribe: it is gone");
    const end = feeds.follow(channel.region, region, this.#listener(id, channel));
    this.#subscriptions.set(id, { channel, end });
  }

  #unsubscribe(id: number): void {
    this.#subscriptions.get(id)?.end();
    this.#subscriptions.delete(id);
  }

  #listener(id: number, channel: LiveChannel): FeedListener {
    const { topic } = channel.advertised;
    return {
      message: ({ bytes, time }: PolledBytes) => {
        const timeMs = time ?? performance.timeOrigin + performance.now();
        const parts = channel.encode(bytes, timeMs);
        if (parts !== undefined) this.outbox.data(messageOf(id, timeMs, parts));
      },
      problem: (reason) => {
        if (reason !== undefined) this.#status(Level.warning, `${topic}: ${reason}`);
      },
    };
  }

  #advertise(regions: ReadonlyMap<number, RegionInfo>): void {
    const now = this.#channels.of(regions);
    const added = [...now].flatMap(([id, channel]) => this.#known.has(id) ? [] : [channel]);
    const removed = [...this.#known.keys()].filter((id) => !now.has(id));
    this.#known = now;
    for (const [id, { channel }] of this.#subscriptions) {
      if (!now.has(channel.advertised.id)) this.#unsubscribe(id);
    }
    if (removed.length > 0) this.#send({ op: "unadvertise", channelIds: removed });
    if (added.length > 0) {
      const channels = added.map(({ advertised }): Advertised => advertised);
      this.#send({ op: "advertise", channels });
    }
  }

  tick(scene: Scene): void {
    if (scene.isNew) this.#advertise(this.#stage.scenery.regions);
    this.#updateGraph(scene);
    const { dropped } = this.outbox;
    if (dropped > this.#warnedDrops && performance.now() - this.#warnedAt > WARNING_MS) {
      this.#warnedAt = performance.now();
      this.#warnedDrops = dropped;
      this.#status(Level.warning, DROPPING);
    }
  }

  #updateGraph({ facts, rows }: Scene): void {
    if (this.#graph === undefined) return;
    const now = graphOf(facts, rows);
    const update = graphUpdate(this.#graph, now);
    this.#graph = now;
    if (update !== undefined) this.#send({ op: "connectionGraphUpdate", ...update });
  }

  // ---- what the client publishes ----

  #advertised(channel: Record<string, unknown>): void {
    const id = numberIn(channel.id);
    const topic = textIn(channel.topic);
    if (this.#publications === undefined) {
      const reason = "this server only shows; start it with --publish";
      return this.#status(Level.error, `Cannot publish to ${topic}: ${reason}`);
    }
    const problem = this.#publications.add(id, {
      topic,
      encoding: textIn(channel.encoding),
      schemaName: textIn(channel.schemaName ?? ""),
    });
    if (problem !== undefined) this.#status(Level.error, `Cannot publish to ${topic}: ${problem}`);
  }

  #receiveData(data: Uint8Array<ArrayBuffer>): void {
    if (data.length < 5 || data[0] !== MESSAGE_DATA) {
      throw new ProtocolError("the message is of an unknown kind");
    }
    const channel = new DataView(data.buffer, data.byteOffset).getUint32(1, true);
    const problem = this.#publications === undefined
      ? "this server only shows; start it with --publish"
      : this.#publications.publish(channel, data.subarray(5));
    if (problem !== undefined) this.#status(Level.error, `Cannot publish: ${problem}`);
  }

  flush(): void {
    this.outbox.flush();
  }

  close(): void {
    for (const { end } of this.#subscriptions.values()) end();
    this.#subscriptions.clear();
    this.#publications?.[Symbol.dispose]();
  }
}

function messageOf(
  subscription: number,
  timeMs: number,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((all, part) => all + part.length, MESSAGE_HEAD);
  const frame = new Uint8Array(length);
  const data = new DataView(frame.buffer);
  data.setUint8(0, MESSAGE_DATA);
  data.setUint32(1, subscription, true);
  data.setBigUint64(5, BigInt(Math.max(0, Math.round(timeMs * 1000))) * 1000n, true);
  let at = MESSAGE_HEAD;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
