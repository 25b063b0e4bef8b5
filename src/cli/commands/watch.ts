/**
 * `vring watch`: what appears, joins, leaves and dies.
 *
 * @module
 */

import type { Presence } from "../../inspect/activity.ts";
import { type Call, type Command, Exit, numberIn } from "../command.ts";
import { activityIn } from "../../inspect/survey.ts";
import { found } from "../found.ts";
import { harmless } from "../output.ts";
import { sleep } from "../../os/clock.ts";

/** The regions of one look by path and identity, each with its parties by role and seat. */
type Known = Map<
  string,
  { readonly kind: string; readonly name: string; parties: Map<string, Presence> }
>;

export const watch: Command = {
  name: "watch",
  summary: "Prints a line when a region appears or goes, and when a party joins, leaves or dies.",
  usage: "[PATTERN...]",
  options: { every: { value: "SECONDS", summary: "the time between two looks; 0.1 by default" } },
  examples: ["vring watch", "vring watch '/cam/**' --json"],
  async run(call) {
    const everyMs = (numberIn(call, "every", 0.01) ?? 0.1) * 1000;
    let known = look(call);
    for (const { kind, name } of known.values()) tell(call, { event: "is there", kind, name });
    while (await sleep(everyMs, call.end)) {
      const now = look(call);
      compare(call, known, now);
      known = now;
    }
    return Exit.ok;
  },
};

function look(call: Call): Known {
  return new Map(
    found(call).map((region) => {
      const { kind, name, path, details } = region;
      const parties = activityIn(region)?.parties ?? [];
      return [`${path} ${details?.id}`, {
        kind,
        name,
        parties: new Map(parties.map(({ role, seat, presence }) => [`${role} ${seat}`, presence])),
      }];
    }),
  );
}

const EVENTS: Record<Presence, string> = {
  alive: "joined",
  dead: "died",
  left: "left",
  lost: "was lost",
  never: "left",
};

function compare(call: Call, before: Known, after: Known): void {
  for (const [id, { kind, name }] of before) {
    if (!after.has(id)) tell(call, { event: "is gone", kind, name });
  }
  for (const [id, { kind, name, parties }] of after) {
    const old = before.get(id);
    if (old === undefined) tell(call, { event: "appeared", kind, name });
    for (const party of new Set([...parties.keys(), ...old?.parties.keys() ?? []])) {
      const presence = parties.get(party) ?? "left";
      const was = old?.parties.get(party) ?? "never";
      if (presence !== was) tell(call, { event: EVENTS[presence], kind, name, party });
    }
  }
}

function tell(
  { out }: Call,
  { event, kind, name, party }: { event: string; kind: string; name: string; party?: string },
): void {
  const time = new Date().toISOString();
  out.object({ time, event, kind, name, party });
  const clock = new Date().toTimeString().slice(0, 8);
  out.line(`${out.dim(clock)}  ${kind} ${harmless(name)}${party ? `: ${party}` : ""} ${event}`);
}
