/**
 * `vring echo`: the messages of a topic, a slot, a circular buffer or a ring, as they come.
 *
 * An observer reads them, so no publisher notices. It sees those messages of a ring that wait until
 * it looks, and counts the others. Its type comes from the region, which is an
 * assertion of a peer: a description that does not fit ends in an error, or the bytes are shown.
 *
 * @module
 */

import type { RegionInfo } from "../../region/list.ts";
import { type Call, type Command, Exit, numberIn, UsageError } from "../command.ts";
import { found, nothingFound } from "../found.ts";
import { observerFor, READABLE, type Received, typeOf } from "../../inspect/messages.ts";
import { waitingIn, WaitingMessages } from "../../inspect/waiting.ts";
import { shown } from "../messages.ts";
import { harmless } from "../output.ts";

export const echo: Command = {
  name: "echo",
  summary:
    "Prints the messages of a topic, slot or circular buffer, and those that wait in a ring.",
  usage: "NAME",
  options: {
    field: { value: "PATH", summary: "only this field, such as pose.x" },
    filter: { value: "TEST", summary: "only messages that pass, such as 'pose.x > 3'" },
    count: { value: "N", summary: "end after so many messages" },
    csv: { summary: "one line of values for each message, after a line of names" },
    hex: { summary: "the bytes, in hexadecimal" },
    raw: { summary: "the bytes without change, one message after the other" },
  },
  examples: [
    "vring echo robot/pose",
    "vring echo robot/pose --field x --count 10",
    "vring echo robot/pose --filter 'x > 3' --csv",
    "vring echo jobs --timeout 1 # what waits in a ring",
  ],
  async run(call) {
    const region = theOne(call);
    if (typeof region === "string") {
      call.out.line(region);
      return Exit.problem;
    }
    const most = numberIn(call, "count", 1) ?? Infinity;
    const asBytes = call.options.hex !== undefined || call.options.raw !== undefined;
    const { codec, reason } = typeOf(region.details?.type, asBytes);
    if (reason !== undefined) call.out.line(call.out.dim(harmless(reason)));
    const isRing = WaitingMessages.canRead(region);
    const missed = isRing ? "received by the consumer before this look" : "lost";
    const print = printer(call);
    const passes = testOf(call.options.filter);
    using observer = isRing ? waitingIn(region, codec) : observerFor(region, codec);
    try {
      for (let shown = 0; shown < most;) {
        const message = await observer.receive({ signal: call.end });
        if (message === undefined) break;
        if (!passes(message.value)) continue;
        shown++;
        if (message.lost > 0) call.out.line(call.out.dim(`${message.lost} ${missed}`));
        print(message);
      }
    } catch (error) {
      if (!call.end.aborted) throw error;
    }
    return Exit.ok;
  },
};

/** Finds the one region that is meant, or says why it cannot. */
function theOne(call: Call): RegionInfo | string {
  if (call.names.length !== 1) throw new UsageError("Cannot print messages: pass one name");
  const all = found(call);
  const readable = all.filter((region) =>
    READABLE.includes(region.kind) || WaitingMessages.canRead(region)
  );
  if (readable.length === 1) return readable[0]!;
  if (readable.length > 1) {
    const names = readable.map(({ kind, name }) => `${kind} ${name}`).join(", ");
    return `Cannot print several at once: ${harmless(names)}; pass one name`;
  }
  if (all.length === 0) return nothingFound(call);
  const [{ kind, name }] = all as [RegionInfo];
  return `Cannot print what passes through ${kind} ${harmless(name)}: it has no messages that an ` +
    "observer can tell apart; vring top shows how much passes";
}

/** Returns the part of a value at a path, such as `pose.x`. */
function partAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => Object(at)[key], value);
}

type Comparison = (a: number | bigint | string, b: number | string) => boolean;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  "==": (a, b) => a == b, // a number of 64 bits equals the same number
  "!=": (a, b) => a != b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};

/** Returns the test that a filter states: a field, a comparison, and a number or a text. */
function testOf(filter: string | true | undefined): (value: unknown) => boolean {
  if (typeof filter !== "string") return () => true;
  const found = /^\s*([\w.]+)\s*(==|!=|>=|<=|>|<)\s*(.+?)\s*$/.exec(filter);
  if (found === null) {
    throw new UsageError(`Cannot use the filter ${filter}: pass a test, such as 'pose.x > 3'`);
  }
  const [, path, sign, stated] = found;
  const wanted = Number.isNaN(Number(stated))
    ? stated!.replace(/^(["'])(.*)\1$/, "$2")
    : Number(stated);
  return (value) => {
    const part = path === "value" ? value : partAt(value, path!);
    return part !== undefined && COMPARISONS[sign!]!(part as number, wanted);
  };
}

/** Returns the function that prints one message in the form that was asked for. */
function printer({ out, options }: Call): (message: Received) => void {
  const { field } = options;
  const part = ({ value }: Received) => typeof field === "string" ? partAt(value, field) : value;
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
