/**
 * `vring echo`: the messages of a topic, a slot, a circular buffer or a ring, as they come.
 *
 * An observer reads them, so no publisher notices. It sees those messages of a ring that wait until
 * it looks, and counts the others. Its type comes from the region, which is an
 * assertion of a peer: a description that does not fit ends in an error, or the bytes are shown.
 *
 * @module
 */

import { VringError } from "../../errors.ts";
import type { RegionInfo } from "../../region/list.ts";
import { type Call, type Command, countIn, Exit, KIND_OPTION, UsageError } from "../command.ts";
import { checkPath, flattened, partAt, testOf } from "../fields.ts";
import { detailsOf, exactly, needed } from "../found.ts";
import { observerFor, READABLE, type Received, typeOf } from "../../inspect/messages.ts";
import { activityIn } from "../../inspect/survey.ts";
import { waitingIn, WaitingMessages } from "../../inspect/waiting.ts";
import { shown } from "../messages.ts";
import { harmless, type Output } from "../output.ts";

export const echo: Command = {
  name: "echo",
  summary:
    "Prints the messages of a topic, slot or circular buffer, and those that wait in a ring.",
  usage: "NAME",
  options: {
    ...KIND_OPTION,
    field: { value: "PATH", summary: "only this field, such as pose.x" },
    filter: { value: "TEST", summary: "only messages that pass, such as 'pose.x > 3'" },
    count: { value: "N", summary: "end after so many messages" },
    once: { summary: "end after one message" },
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
    const most = countIn(call);
    const region = theOne(call);
    const { options, out, end } = call;
    const asBytes = options.hex !== undefined || options.raw !== undefined;
    const { codec, reason } = typeOf(detailsOf(region).type, asBytes);
    if (reason !== undefined) out.remark(harmless(reason));
    const isRing = WaitingMessages.canRead(region);
    const missed = isRing ? "received by the consumer before this look" : "lost";
    const print = printer(call);
    const passes = testOf(options.filter, region.details?.type);
    if (typeof options.field === "string") checkPath(options.field, region.details?.type);
    using observer = isRing ? waitingIn(region, codec) : observerFor(region, codec);
    let shown = 0;
    using _hint = isRing ? hintLater(region, out, () => shown === 0) : undefined;
    try {
      while (shown < most) {
        const message = await observer.receive({ signal: end });
        if (message === undefined) break;
        if (!passes(message.value)) continue;
        shown++;
        if (message.lost > 0) out.line(out.dim(`${message.lost} ${missed}`));
        print(message);
      }
    } catch (error) {
      if (!end.aborted) throw error;
    }
    return Exit.ok;
  },
};

/** The time without a message after which people wonder. */
const SILENCE_MS = 2000;

/**
 * Says that messages pass which this command cannot see, if it is silent after a while: a consumer
 * that waits for a message takes it before an observer looks.
 */
function hintLater(region: RegionInfo, out: Output, isSilent: () => boolean): Disposable {
  const before = messagesIn(region);
  const timer = setTimeout(() => {
    const count = messagesIn(region) - before;
    if (!isSilent() || !(count > 0)) return;
    out.remark(
      `The consumer took ${count} messages in ${SILENCE_MS / 1000} s, each before it could be ` +
        "shown here; vring hz counts them",
    );
  }, SILENCE_MS);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** The messages that the consumer of a ring has received. */
function messagesIn(region: RegionInfo): number {
  const { flows = [] } = activityIn(region) ?? {};
  return flows.reduce((sum, { messages = NaN }) => sum + messages, 0);
}

/** Finds the one region that is meant; throws a VringError that says why it cannot. */
function theOne(call: Call): RegionInfo {
  if (call.names.length !== 1) throw new UsageError("Cannot print messages: pass one name");
  const all = needed(call);
  const readable = exactly(call.names[0]!, all).filter((region) =>
    READABLE.includes(region.kind) || WaitingMessages.canRead(region)
  );
  if (readable.length === 1) return readable[0]!;
  if (readable.length > 1) {
    const names = readable.map(({ kind, name }) => `${kind} ${name}`).join(", ");
    throw new VringError(
      `Cannot print several at once: ${harmless(names)}; pass one name, and --kind if kinds differ`,
    );
  }
  const [{ kind, name }] = all as [RegionInfo];
  throw new VringError(
    `Cannot print what passes through ${kind} ${harmless(name)}: it has no messages that an ` +
      "observer can tell apart; vring top shows how much passes",
  );
}

/** Returns the function that prints one message in the form that was asked for. */
function printer({ out, options }: Call): (message: Received) => void {
  const { field } = options;
  const part = ({ value }: Received) => typeof field === "string" ? partAt(value, field) : value;
  if (options.raw) return ({ value }) => out.bytes(value as Uint8Array);
  if (options.hex) {
    return ({ value, sequence, lost, time, source }) => {
      const hex = (value as Uint8Array).toHex();
      out.object({ sequence, lost, time, source, hex });
      out.line(hex);
    };
  }
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
