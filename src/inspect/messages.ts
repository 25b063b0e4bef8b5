/**
 * Messages of regions whose types no program here declares.
 *
 * @module
 */

import { domain } from "../babus/definition.ts";
import { circular } from "../circular/definition.ts";
import { type Codec, raw } from "../codec.ts";
import { describedType } from "../described.ts";
import { VringError } from "../errors.ts";
import type { MessageType } from "../region/header.ts";
import type { RegionInfo } from "../region/list.ts";
import { topic } from "../vdds/definition.ts";
import type { WaitOptions } from "../wait/until.ts";
import { observerOf } from "./survey.ts";
import { type WaitingMessage, WaitingMessages } from "./waiting.ts";

/** A type that only its values know. */
export type AnyType = Codec<unknown, never, unknown>;

/** What an observer of any kind delivers. */
export interface Observed extends Disposable {
  receive(wait: WaitOptions): Promise<Received | undefined>;
}

/** A message of any kind. */
export interface Received {
  readonly value: unknown;
  readonly sequence: number;
  readonly lost: number;
  readonly time?: number | undefined;
  readonly source?: string | undefined;
}

/** The kinds of regions whose messages an observer can read. */
export const READABLE: readonly string[] = ["topic", "sources", "slot", "circular"];

/** The kinds of regions that are topics: of one publisher, or of many. */
const TOPICS = ["topic", "sources"];

/** The codec of a stored type; that of bytes, and the reason, if it cannot be decoded. */
export function typeOf(
  type: MessageType | undefined,
  asBytes: boolean,
): { codec: AnyType; reason?: string } {
  const plain = (type: MessageType) => raw(type) as unknown as AnyType;
  if (type === undefined) {
    return { codec: plain({ name: "", hash: 0n }), reason: "its messages have no declared type" };
  }
  if (asBytes) return { codec: plain(type) };
  try {
    return { codec: describedType(type) as unknown as AnyType };
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return { codec: plain(type), reason: error.message };
  }
}

/** The options of the definition of a region, for an observer. */
function optionsOf<T>({ kind, details }: RegionInfo, type: T) {
  const many = kind === "sources" ? { publishers: "many" as const } : {};
  return { type, ...details?.geometry, ...details?.policy, ...many, anyOwner: true };
}

/**
 * Opens an observer of the messages of a region. With a `history`, it begins with so many of a
 * topic's last samples.
 */
export function observerFor(region: RegionInfo, type: AnyType, history?: number): Observed {
  const { kind, name, details } = region;
  const options = optionsOf(region, type);
  if (TOPICS.includes(kind)) return topic(name, options).observer({ history }) as Observed;
  if (kind === "circular") return circular(name, options).observer({ start: "now" }) as Observed;
  const [domainName, slotName] = name.split("/") as [string, string];
  const { geometry } = details ?? {};
  const slots = { [slotName]: { type, ...geometry } };
  const observed = domain(domainName, slots, { anyOwner: true }).observer();
  const messages = observed.slots[slotName]!.messages();
  return {
    receive: async ({ signal }: WaitOptions) => {
      const stop = () => observed.close();
      signal?.addEventListener("abort", stop);
      const { value, done } = await messages.next();
      signal?.removeEventListener("abort", stop);
      return done ? undefined : value as Received;
    },
    [Symbol.dispose]: () => observed.close(),
  };
}

/** A message of any kind as bytes, valid until the handler that gets it returns. */
export interface PolledBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sequence: number;
  readonly lost: number;
  /** When it was published, in ms since 1970, where messages have times. */
  readonly time?: number | undefined;
}

/** Shows the messages of a region as they come, as an observer that never waits. */
export interface Poller extends Disposable {
  /** Shows up to `limit` new messages, oldest first; returns their number. */
  poll(handler: (message: PolledBytes) => void, limit: number): number;
}

/** Whether a region has messages that a poller shows. */
export function canPoll(region: RegionInfo): boolean {
  return region.details !== undefined &&
    (READABLE.includes(region.kind) || WaitingMessages.canRead(region));
}

/**
 * Opens a poller of a region; it begins with the newest message, if it can. Of a ring it shows the
 * messages that wait for the consumer: those that are received between two looks pass unseen.
 */
export function pollerFor(region: RegionInfo): Poller {
  const { kind, name, details } = region;
  if (WaitingMessages.canRead(region)) return ringPoller(region);
  const type = raw(details?.type ?? { name: "", hash: 0n });
  const options = optionsOf(region, type);
  if (TOPICS.includes(kind)) return topic(name, options).observer({ history: 1 });
  if (kind === "circular") return circular(name, options).observer({ start: "now" });
  const [domainName, slotName] = name.split("/") as [string, string];
  const slots = { [slotName]: { type, ...details?.geometry } };
  const observed = domain(domainName, slots, { anyOwner: true }).observer();
  const slot = observed.slots[slotName]!;
  let shown = Math.max(0, slot.sequence - 1);
  return {
    poll(handler, limit) {
      const news = slot.since(shown).slice(0, limit);
      for (const { value, sequence, lost, time } of news) {
        handler({ bytes: value as Uint8Array<ArrayBuffer>, sequence, lost, time });
        shown = sequence;
      }
      return news.length;
    },
    [Symbol.dispose]: () => observed.close(),
  };
}

/** The time between two looks at a ring: each orders the stores of its producer (waiting.ts, P1). */
const RING_LOOK_MS = 50;

function ringPoller(region: RegionInfo): Poller {
  const observer = observerOf(region);
  const waiting = observer && new WaitingMessages(observer);
  const queue: WaitingMessage[] = [];
  let next = 0;
  return {
    poll(handler, limit) {
      if (queue.length === 0 && performance.now() >= next) {
        next = performance.now() + RING_LOOK_MS;
        queue.push(...waiting?.look() ?? []);
      }
      const messages = queue.splice(0, limit);
      messages.forEach(handler);
      return messages.length;
    },
    [Symbol.dispose]: () => observer?.close(),
  };
}
