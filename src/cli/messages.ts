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
import { harmless } from "./output.ts";

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
    return { codec: plain(type), reason: harmless(error.message) };
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

/** A value on one line, as people read it. */
export function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    const start = value.subarray(0, 32).toHex();
    return `${value.length} bytes: ${start}${value.length > 32 ? "..." : ""}`;
  }
  return harmless(Deno.inspect(value, { breakLength: Infinity, compact: true, iterableLimit: 16 }));
}
