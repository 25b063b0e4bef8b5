/**
 * `vring ls`: what there is.
 *
 * @module
 */

import { counted } from "../../errors.ts";
import type { Activity, Party } from "../../inspect/activity.ts";
import { type Held, holders } from "../../inspect/holders.ts";
import * as files from "../../os/files.ts";
import type { RegionInfo } from "../../region/list.ts";
import { type Command, Exit } from "../command.ts";
import { activityIn } from "../../inspect/survey.ts";
import { found, nothingFound } from "../found.ts";
import { bytesInWords, harmless } from "../output.ts";

export const ls: Command = {
  name: "ls",
  summary: "Lists the regions: their kinds, types, memory, parties and backlog.",
  usage: "[PATTERN...]",
  options: { kind: { value: "KIND", summary: "only this kind, such as topic or spsc" } },
  examples: ["vring ls", "vring ls '/cam/**'", "vring ls --kind topic --json"],
  run(call) {
    const { out } = call;
    const all = found(call);
    if (all.length === 0) {
      out.line(nothingFound(call));
      return call.names.length === 0 ? Exit.ok : Exit.problem;
    }
    const locks = holders();
    const rows = all.map((region) => {
      const activity = activityIn(region);
      const status = files.statPath(region.path);
      const held = typeof status === "number" ? [] : locks.get(status.inode) ?? [];
      out.object(factsOf(region, activity, held));
      return [
        region.kind,
        harmless(region.name),
        harmless(region.details?.type?.name ?? ""),
        bytesInWords(region.sizeBytes),
        bytesInWords(region.allocatedBytes),
        activity ? backlogOf(activity) : "",
        activity ? partiesIn(activity.parties, held) : harmless(region.problem ?? usedBy(region)),
      ];
    });
    out.table(["KIND", "NAME", "TYPE", "SIZE", "MEMORY", "BACKLOG", "PARTIES"], rows);
    return Exit.ok;
  },
};

function usedBy({ inUse }: RegionInfo): string {
  return inUse ? "in use" : "nobody";
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
    return dead > 0 ? [...living, `${dead} dead`] : living;
  });
  return words.length === 0 ? "nobody" : words.join(", ");
}

/** The facts about a region, for programs. */
export function factsOf(
  { name, kind, path, sizeBytes, allocatedBytes, mode, owner, inUse, details, problem }: RegionInfo,
  activity: (Activity & { members: number }) | undefined,
  held: readonly Held[],
): object {
  return {
    kind,
    name,
    type: details?.type?.name,
    sizeBytes,
    allocatedBytes,
    inUse,
    problem,
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
