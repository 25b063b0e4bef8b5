/**
 * `vring ls`: what there is.
 *
 * @module
 */

import { counted } from "../../errors.ts";
import type { Activity, Party } from "../../inspect/activity.ts";
import { type Held, holders, holdersOf } from "../../inspect/holders.ts";
import { isSourceOf } from "../../vdds/sources.ts";
import type { RegionInfo } from "../../region/list.ts";
import { type Call, type Command, Exit, KIND_OPTION, matcher } from "../command.ts";
import { activityIn, problemOf } from "../../inspect/survey.ts";
import { found, needed, nothingFound } from "../found.ts";
import { connectNetwork, NETWORK_OPTIONS } from "../network.ts";
import { bytesInWords, harmless } from "../output.ts";

export const ls: Command = {
  name: "ls",
  summary: "Lists the regions: their kinds, types, memory, parties and backlog.",
  usage: "[PATTERN...]",
  options: {
    ...KIND_OPTION,
    ...NETWORK_OPTIONS,
  },
  examples: [
    "vring ls",
    "vring ls '/cam/**'",
    "vring ls --kind topic --json",
    "vring ls --realm lab --server nats://10.0.0.5",
  ],
  run(call) {
    const { out, options } = call;
    if (["realm", "server", "context"].some((name) => options[name] !== undefined)) {
      return listRemote(call);
    }
    const all = call.names.length === 0 ? found(call) : needed(call);
    if (all.length === 0) {
      out.remark(nothingFound(call));
      return Exit.ok;
    }
    const locks = holders();
    const rows = all.map((region) => {
      const activity = activityIn(region);
      const held = holdersOf(region, locks);
      out.object(factsOf(region, activity, held));
      return [
        region.kind,
        harmless(region.name),
        harmless(region.details?.type?.name ?? ""),
        bytesInWords(region.sizeBytes),
        bytesInWords(region.allocatedBytes),
        activity ? backlogOf(activity) : "",
        activity
          ? partiesIn(activity.parties, held)
          : harmless(problemOf(region) ?? usedBy(region, all)),
      ];
    });
    out.foldingTable(["KIND", "NAME", "TYPE", "SIZE", "MEMORY", "BACKLOG", "PARTIES"], rows);
    return Exit.ok;
  },
};

/** Lists what the bridges of a realm export. */
async function listRemote(call: Call): Promise<number> {
  const { names, options, out } = call;
  const matches = names.map(matcher);
  await using carrier = await connectNetwork(call);
  const { remoteRealm } = await import("../../bridge/mod.ts");
  const realm = String(options.realm ?? "default");
  const { offers, silent } = await remoteRealm(carrier, { realm });
  const found = offers.filter(({ kind, name }) =>
    (options.kind === undefined || kind === options.kind) &&
    (matches.length === 0 || matches.some((isMatch) => isMatch(name)))
  );
  for (const offer of found) out.object(offer);
  const rows = found.map(({ host, kind, name, type, sent }) => [
    harmless(host),
    harmless(kind),
    harmless(name),
    harmless(type ?? ""),
    sent,
  ]);
  const nobody = offers.length === 0 ? "answers with an export" : "exports that";
  if (rows.length === 0) out.line(`No bridge of realm ${JSON.stringify(realm)} ${nobody}.`);
  else out.table(["HOST", "KIND", "NAME", "TYPE", "SENT"], rows);
  for (const each of silent) {
    const seconds = Math.round(each.agoMs / 1000);
    out.line(`Host ${harmless(each.host)} does not answer; it was last heard ${seconds} s ago.`);
    out.object({ silent: each });
  }
  return rows.length === 0 ? Exit.problem : Exit.ok;
}

/** The use of a region without roles; of a topic with many publishers, the number of them. */
function usedBy(region: RegionInfo, all: readonly RegionInfo[]): string {
  if (region.kind === "sources") {
    return counted(all.filter((other) => isSourceOf(region, other)).length, "source");
  }
  return region.inUse ? "in use" : "nobody";
}

/** The fullest of a region's flows, such as `3/8` samples or a share of the bytes. */
function backlogOf({ flows }: Activity): string {
  const shares = flows.flatMap(({ backlog, room, unit }) =>
    backlog === undefined || !room ? [] : [{ backlog, room, unit }]
  );
  const worst = shares.sort((a, b) => b.backlog / b.room - a.backlog / a.room)[0];
  if (worst === undefined) return "";
  const { backlog, room, unit } = worst;
  return unit === "samples" ? `${backlog}/${room}` : `${Math.round(100 * backlog / room)} %`;
}

/** The parties, by role: how many live, with their processes, and how many died. */
function partiesIn(parties: readonly Party[], held: readonly Held[]): string {
  const roles = [...new Set(parties.map(({ role }) => role))];
  const words = roles.flatMap((role) => {
    const all = parties.filter((party) => party.role === role);
    const alive = all.filter(({ presence }) => presence === "alive");
    const dead = all.filter(({ presence }) => presence === "dead").length;
    const pids = new Set(
      alive.flatMap(({ number }) => held.filter((lock) => lock.role === number)).map(({ pid }) =>
        pid
      ),
    );
    const who = pids.size === 0 ? "" : ` (${[...pids].join(" ")})`;
    const living = alive.length > 0 ? [`${counted(alive.length, role)}${who}`] : [];
    return dead > 0 ? [...living, counted(dead, `dead ${role}`)] : living;
  });
  return words.length === 0 ? "nobody" : words.join(", ");
}

/** The facts about a region, for programs. */
export function factsOf(
  region: RegionInfo,
  activity: (Activity & { members: number }) | undefined,
  held: readonly Held[],
): object {
  const { name, kind, path, sizeBytes, allocatedBytes, mode, owner, inUse, details } = region;
  return {
    kind,
    name,
    type: details?.type?.name,
    sizeBytes,
    allocatedBytes,
    inUse,
    problem: activity === undefined ? problemOf(region) : undefined,
    path,
    mode: mode.toString(8),
    owner,
    members: activity?.members,
    parties: activity?.parties.map(({ role, seat, number, presence }) => ({
      role,
      seat,
      presence,
      pids: held.filter((lock) => lock.role === number).map(({ pid }) => pid),
    })),
    flows: activity?.flows.map(({ label, messages, backlog, room, unit }) => ({
      label,
      messages,
      backlog,
      room,
      unit,
    })),
    lost: activity?.lost,
    sleepers: activity?.sleepers,
    wakeUps: activity?.wakeUps,
  };
}
