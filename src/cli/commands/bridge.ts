/**
 * `vring bridge`: topics, slots, streams and calls of other machines.
 *
 * @module
 */

import { listedIn } from "../../bridge/listed.ts";
import type { BridgeEvent, BridgeReport } from "../../bridge/mod.ts";
import { type Command, Exit, UsageError } from "../command.ts";
import { connectNetwork, hostName, NETWORK_OPTIONS } from "../network.ts";
import { harmless, type Output } from "../output.ts";

export const bridge: Command = {
  name: "bridge",
  summary: "Carries topics, slots, rings and calls between machines, and counts losses.",
  usage: "nats --export PATTERNS --import PATTERNS",
  options: {
    ...NETWORK_OPTIONS,
    export: {
      value: "PATTERNS",
      summary: "what to export, such as cam/**,slot:robot/*,mpsc:jobs,calls:find",
    },
    import: { value: "PATTERNS", summary: "what to import from other machines" },
    prefix: { value: "NAME", summary: "put what is imported under NAME/" },
    host: { value: "NAME", summary: "the name of this machine; its host name by default" },
    reliable: { summary: "let the server keep samples until the far side has them (JetStream)" },
    transit: { summary: "also export what other bridges have published" },
  },
  examples: [
    "vring bridge nats --server nats://lab --export='/cam/**' --import='/imu/**'",
    "vring bridge nats --context lab --realm lab --import='**' --prefix=rig",
  ],
  async run(call) {
    const { names, options, out, end } = call;
    if (names.length !== 1 || names[0] !== "nats") {
      throw new UsageError('Cannot bridge: pass the network, "nats"');
    }
    const [exports, imports] = [listIn(options.export), listIn(options.import)];
    if (exports.length + imports.length === 0) {
      throw new UsageError("Cannot bridge: pass --export PATTERNS, --import PATTERNS or both");
    }
    const { realm = "default", prefix } = options;
    const host = hostName(options.host);
    await using carrier = await connectNetwork(call);
    const { bridge } = await import("../../bridge/mod.ts");
    const begun = () => {
      out.line(`Bridging realm ${realm} as host ${host} over ${carrier.what}.`);
      out.line("Ctrl-C ends it.");
      out.object({ bridging: carrier.what, realm, host });
    };
    const report = await bridge({
      carrier,
      host,
      realm: String(realm),
      exports,
      imports,
      ...typeof prefix === "string" && { nameOf: (name) => `${prefix}/${name}` },
      reliable: options.reliable === true,
      transit: options.transit === true,
      until: end,
      onEvent: (event) => event.type === "ready" ? begun() : tell(event, out),
    });
    print(report, out);
    return Exit.ok;
  },
};

/** Returns the names in a list, without the slashes at their beginnings. */
function listIn(list: string | true | undefined): string[] {
  const names = typeof list === "string" ? list.split(",").filter((name) => name !== "") : [];
  try {
    names.forEach(listedIn);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return names;
}

/** Returns a name, after its kind unless that is a topic. */
function shown({ kind, name }: { kind: string; name: string }): string {
  return kind === "topic" ? harmless(name) : `${kind}:${harmless(name)}`;
}

function tell(event: BridgeEvent, out: Output): void {
  if (event.type === "connected") out.line("The connection is back.");
  if (event.type === "disconnected") out.line("The connection broke; trying again.");
  if (event.type === "slow") out.line("The server dropped messages: this bridge read too slowly.");
  if (event.type === "unmatched") {
    out.line(
      `Nothing here matches --export ${harmless(event.pattern)} yet; the bridge waits for it.`,
    );
  }
  if (event.type === "problem") out.line(harmless(event.reason));
  if (event.type === "refused") {
    out.line(
      `The server does not permit to ${event.operation} ${event.subject}; check its permissions`,
    );
  }
  if (event.type !== "closed") out.object(event);
}

function print({ exports, imports, cutOffs }: BridgeReport, out: Output): void {
  for (const each of exports) out.object({ exported: each });
  for (const each of imports) out.object({ imported: each });
  if (exports.length > 0) {
    out.table(
      ["EXPORTED", "SENT", "LOST BEFORE", "DROPPED", "SKIPPED"],
      exports.map((each) => [
        shown(each),
        each.sent,
        each.before,
        each.inside,
        each.skipped,
      ]),
    );
  }
  if (imports.length > 0) {
    out.table(
      ["IMPORTED", "FROM", "PUBLISHED", "LOST BEFORE", "THERE", "ON THE WIRE", "HERE"],
      imports.map(({ kind, name, host, published, lost: { before, inside, wire, here } }) => [
        shown({ kind, name }),
        harmless(host),
        published,
        before,
        inside,
        wire,
        here,
      ]),
    );
  }
  if (cutOffs > 0) out.line(`The server cut this bridge off ${cutOffs} times.`);
}
