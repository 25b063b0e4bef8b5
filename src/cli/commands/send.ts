/**
 * `vring pub` and `vring call`: messages from a command line. These two act.
 *
 * @module
 */

import { domain } from "../../babus/definition.ts";
import { calls } from "../../calls/definition.ts";
import { circular } from "../../circular/definition.ts";
import { describedType } from "../../described.ts";
import { VringError } from "../../errors.ts";
import { mpsc } from "../../mpsc/definition.ts";
import type { RegionInfo } from "../../region/list.ts";
import { spsc } from "../../spsc/definition.ts";
import { topic } from "../../vdds/definition.ts";
import type { Publisher } from "../../vdds/publisher.ts";
import { sleep } from "../../os/clock.ts";
import type { WaitOptions } from "../../wait/until.ts";
import {
  type Call,
  type Command,
  Exit,
  KIND_OPTION,
  numberIn,
  UsageError,
  wholeIn,
} from "../command.ts";
import { detailsOf, exactly, needed } from "../found.ts";
import type { AnyType } from "../../inspect/messages.ts";
import { shown } from "../messages.ts";
import { harmless } from "../output.ts";
import { valueOf } from "../values.ts";

/** Sends values of one type. */
interface Sending extends Disposable {
  send(value: unknown, wait: WaitOptions): Promise<void>;
}

export const pub: Command = {
  name: "pub",
  summary: "Sends a value to a region that exists: a topic, a ring, a slot or a circular buffer.",
  usage: "NAME VALUE",
  options: {
    ...KIND_OPTION,
    rate: { value: "HZ", summary: "send so many per second, until Ctrl-C; once by default" },
    count: { value: "N", summary: "end after so many" },
  },
  examples: [
    `vring pub robot/pose '{"x": 1, "y": 2}'`,
    "vring pub lines hello --rate 10 --count 100",
  ],
  async run(call) {
    const { names: [name, text], end, out } = call;
    const region = theOne(call, ["topic", "sources", "spsc", "mpsc", "slot", "circular"]);
    if (text === undefined) throw new UsageError(`Cannot send to ${name}: pass a value`);
    const value = valueOf(text, region.details!.type);
    const rate = numberIn(call, "rate", 0.001);
    const count = wholeIn(call, "count", 1) ?? (rate === undefined ? 1 : Infinity);
    using sender = senderFor(region);
    let sent = 0;
    try {
      while (sent < count) {
        await ofType(() => sender.send(value, { signal: end }));
        sent++;
        if (sent < count && !await sleep(rate === undefined ? 0 : 1000 / rate, end)) break;
      }
    } catch (error) {
      if (!end.aborted) throw error;
    }
    out.object({ kind: region.kind, name: region.name, sent });
    out.line(`sent ${sent} to ${region.kind} ${harmless(region.name)}`);
    return Exit.ok;
  },
};

export const call: Command = {
  name: "call",
  summary: "Makes a call, and prints the answer.",
  usage: "NAME VALUE",
  options: {},
  examples: [`vring call compute '{"a": 1}'`, "vring call echo hello --timeout 2"],
  async run(line) {
    const { names: [name, text], end, out } = line;
    const region = theOne(line, ["calls"]);
    if (text === undefined) throw new UsageError(`Cannot call ${name}: pass a value`);
    const { type, geometry, policy } = region.details!;
    const description = type?.description;
    if (description === undefined || !("request" in description)) {
      throw new VringError(`Cannot call ${harmless(region.name)}: its types are not described`);
    }
    const request = describedType(description.request);
    const response = describedType(description.response);
    const types = {
      request: request as unknown as AnyType,
      response: response as unknown as AnyType,
    };
    using client = calls(region.name, { ...geometry, ...policy, ...types }).client({
      open: "join",
    });
    const wanted = { ...request.type, description: description.request };
    const value = valueOf(text, wanted);
    const answer = await ofType(() => client.call(value as never, { signal: end }));
    out.object({ value: answer });
    out.line(shown(answer));
    return Exit.ok;
  },
};

/** Sends a value; throws a UsageError if it does not have the type of the region. */
async function ofType<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new UsageError(error.message);
  }
}

/** Finds the one region of these kinds with the first name; throws a VringError otherwise. */
function theOne(line: Call, kinds: readonly string[]): RegionInfo {
  const [name, , ...more] = line.names;
  if (name === undefined || more.length > 0) {
    throw new UsageError("Cannot send: pass a name and a value");
  }
  const all = exactly(name, needed({ names: [name], options: line.options }));
  const [one, ...others] = all.filter(({ kind }) => kinds.includes(kind));
  if (one === undefined) {
    const [{ kind }] = all as [RegionInfo];
    throw new VringError(
      `Cannot send to ${kind} ${harmless(name)}: pass a region of kind ${kinds.join(", ")}`,
    );
  }
  if (others.length > 0) {
    const found = [one, ...others].map(({ kind, name }) => `${kind} ${harmless(name)}`).join(", ");
    throw new VringError(`Cannot send to several at once: ${found}; pass one name, or --kind`);
  }
  detailsOf(one);
  return one;
}

function senderFor({ kind, name, details }: RegionInfo): Sending {
  const { type, geometry, policy } = details!;
  const codec = type === undefined ? {} : { type: describedType(type) as unknown as AnyType };
  const options = { ...codec, ...geometry, ...policy } as { type: AnyType };
  const join = { open: "join" } as const;
  if (kind === "topic") return topic(name, options).publisher(join) as Sending;
  if (kind === "sources") {
    const publisher = topic(name, { ...options, publishers: "many" }).publisher(join);
    return {
      async send(value, wait) {
        await joined(publisher);
        await publisher.send(value as never, wait);
      },
      [Symbol.dispose]: () => publisher.close(),
    };
  }
  if (kind === "mpsc") return ended(mpsc(name, options).producer(join));
  if (kind === "spsc") return ended(spsc(name, options).producer(join));
  if (kind === "circular") {
    const writer = circular(name, options).writer(join);
    return {
      send: (value) => Promise.resolve(void writer.trySend(value as never)),
      [Symbol.dispose]: () => writer.close(),
    };
  }
  const [domainName, slotName] = name.split("/") as [string, string];
  const opened = domain(domainName, { [slotName]: { ...codec, ...geometry } }).open(join);
  const slot = opened.slots[slotName]!;
  return {
    send: (value, wait) => Promise.resolve(slot.write(value as never, wait)).then(() => {}),
    [Symbol.dispose]: () => opened.close(),
  };
}

/** How long subscribers of a topic with many publishers have to find a new one. */
const JOINING_MS = 1000;

/** Waits until a subscriber has found this source: what is sent before is not for it. */
async function joined(publisher: Publisher<AnyType>): Promise<void> {
  try {
    await publisher.waitForPeers(1, { timeout: JOINING_MS });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
  }
}

/** A producer that ends in order: without that, its consumer would count it as lost. */
function ended(
  producer: { send(value: never, wait: WaitOptions): Promise<unknown>; end(): void; close(): void },
): Sending {
  return {
    send: async (value, wait) => void await producer.send(value as never, wait),
    [Symbol.dispose]() {
      producer.end();
      producer.close();
    },
  };
}
