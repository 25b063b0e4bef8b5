/**
 * `vring echo`: the messages of a topic, a slot or a circular buffer, as they come.
 *
 * An observer reads them, so no publisher notices. Its type comes from the region, which is an
 * assertion of a peer: a description that does not fit ends in an error, or the bytes are shown.
 *
 * @module
 */

import { domain } from "../../babus/definition.ts";
import { circular } from "../../circular/definition.ts";
import { type Codec, raw } from "../../codec.ts";
import { describedType } from "../../described.ts";
import { VringError } from "../../errors.ts";
import type { MessageType } from "../../region/header.ts";
import type { RegionInfo } from "../../region/list.ts";
import { topic } from "../../vdds/definition.ts";
import type { WaitOptions } from "../../wait/until.ts";
import { type Call, type Command, Exit, numberIn, UsageError } from "../command.ts";
import { found, nothingFound } from "../found.ts";
import { harmless } from "../output.ts";

/** What an observer of any kind delivers. */
interface Observed extends Disposable {
  receive(wait: WaitOptions): Promise<Received | undefined>;
}

/** A message of any kind. */
interface Received {
  readonly value: unknown;
  readonly sequence: number;
  readonly lost: number;
  readonly time?: number | undefined;
  readonly source?: string | undefined;
}

export const echo: Command = {
  name: "echo",
  summary: "Prints the messages of a topic, a slot or a circular buffer, decoded by their type.",
  usage: "NAME",
  options: {
    field: { value: "PATH", summary: "only this field, such as pose.x" },
    count: { value: "N", summary: "end after so many messages" },
    csv: { summary: "one line of values for each message, after a line of names" },
    hex: { summary: "the bytes, in hexadecimal" },
    raw: { summary: "the bytes without change, one message after the other" },
  },
  examples: ["vring echo robot/pose", "vring echo robot/pose --field x --count 10"],
  async run(call) {
    const region = theOne(call);
    if (typeof region === "string") {
      call.out.line(region);
      return Exit.problem;
    }
    const most = numberIn(call, "count", 1) ?? Infinity;
    const asBytes = call.options.hex !== undefined || call.options.raw !== undefined;
    const { codec, reason } = typeOf(region.details?.type, asBytes);
    if (reason !== undefined) call.out.line(call.out.dim(reason));
    const print = printer(call);
    using observer = observerFor(region, codec);
    try {
      for (let i = 0; i < most; i++) {
        const message = await observer.receive({ signal: call.end });
        if (message === undefined) break;
        if (message.lost > 0) call.out.line(call.out.dim(`${message.lost} lost`));
        print(message);
      }
    } catch (error) {
      if (!call.end.aborted) throw error;
    }
    return Exit.ok;
  },
};

const KINDS = ["topic", "slot", "circular"];

/** Finds the one region that is meant, or says why it cannot. */
function theOne(call: Call): RegionInfo | string {
  if (call.names.length !== 1) throw new UsageError("Cannot print messages: pass one name");
  const all = found(call);
  const readable = all.filter(({ kind }) => KINDS.includes(kind));
  if (readable.length === 1) return readable[0]!;
  if (readable.length > 1) {
    const names = readable.map(({ kind, name }) => `${kind} ${name}`).join(", ");
    return `Cannot print several at once: ${harmless(names)}; pass one name`;
  }
  if (all.length === 0) return nothingFound(call);
  return `Cannot print the messages of ${all[0]!.kind} ${
    harmless(all[0]!.name)
  }: only its consumer ` +
    "receives them; vring top shows how many pass";
}

/** The codec of a stored type; that of bytes, and the reason, if it cannot be decoded. */
function typeOf(
  type: MessageType | undefined,
  asBytes: boolean,
): { codec: Codec<unknown, never, unknown>; reason?: string } {
  const plain = (type: MessageType) => raw(type) as unknown as Codec<unknown, never, unknown>;
  if (type === undefined) {
    return { codec: plain({ name: "", hash: 0n }), reason: "its messages have no declared type" };
  }
  if (asBytes) return { codec: plain(type) };
  try {
    return { codec: describedType(type) as unknown as Codec<unknown, never, unknown> };
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return { codec: plain(type), reason: harmless(error.message) };
  }
}

function observerFor({ kind, name, details }: RegionInfo, type: Codec<unknown, never, unknown>) {
  const options = { type, ...details?.geometry, ...details?.policy, anyOwner: true } as const;
  if (kind === "topic") return topic(name, options).observer() as Observed;
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

/** Returns the function that prints one message in the form that was asked for. */
function printer({ out, options }: Call): (message: Received) => void {
  const path = typeof options.field === "string" ? options.field.split(".") : [];
  const part = ({ value }: Received) => path.reduce<unknown>((at, key) => Object(at)[key], value);
  if (options.raw) {
    return ({ value }) => out.raw(new TextDecoder("latin1").decode(value as Uint8Array));
  }
  if (options.hex) return ({ value }) => out.line((value as Uint8Array).toHex());
  let hasHead = false;
  return (message) => {
    const value = part(message);
    const { sequence, lost, time, source } = message;
    out.object({ sequence, lost, time, source, value });
    if (!options.csv) return out.line(shown(value));
    const flat = flattened(value);
    if (!hasHead) out.line(["sequence", ...flat.map(([name]) => name)].join(","));
    hasHead = true;
    out.line([sequence, ...flat.map(([, cell]) => cell)].join(","));
  };
}

/** A value on one line, as people read it. */
function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    const start = value.subarray(0, 32).toHex();
    return `${value.length} bytes: ${start}${value.length > 32 ? "..." : ""}`;
  }
  return harmless(Deno.inspect(value, { breakLength: Infinity, compact: true, iterableLimit: 16 }));
}

/** The scalars in a value, by path. */
function flattened(value: unknown, path = ""): [string, string][] {
  if (typeof value !== "object" || value === null) return [[path || "value", csv(String(value))]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path === "" ? key : `${path}.${key}`)
  );
}

function csv(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
