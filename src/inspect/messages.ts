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
export const READABLE: readonly string[] = ["topic", "slot", "circular"];

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

/**
 * Opens an observer of the messages of a region. With a `history`, it begins with so many of a
 * topic's last samples.
 */
export function observerFor(
  { kind, name, details }: RegionInfo,
  type: AnyType,
  history?: number,
): Observed {
  const options = { type, ...details?.geometry, ...details?.policy, anyOwner: true } as const;
  if (kind === "topic") return topic(name, options).observer({ history }) as Observed;
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

/** Opens a poller of a region that is `READABLE`; it begins with the newest message, if it can. */
export function pollerFor({ kind, name, details }: RegionInfo): Poller {
  const type = raw(details?.type ?? { name: "", hash: 0n });
  const options = { type, ...details?.geometry, ...details?.policy, anyOwner: true } as const;
  if (kind === "topic") return topic(name, options).observer({ history: 1 });
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
