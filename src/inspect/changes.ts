/**
 * The changes between two looks at all regions: regions that appear or go, and parties that join, leave,
 * die or are repaired.
 *
 * @module
 */

import type { RegionInfo } from "../region/list.ts";
import type { Activity, Presence } from "./activity.ts";

/** A party, as far as changes are concerned. */
export interface PartyLook {
  readonly presence: Presence;
  /** The process; undefined if nobody asked, or it cannot be seen. */
  readonly pid?: number | undefined;
}

/** A region of one look. */
export interface RegionLook {
  readonly kind: string;
  readonly name: string;
  /** By role and seat, such as `subscriber 2`. */
  readonly parties: ReadonlyMap<string, PartyLook>;
}

/** The regions of one look, by path and identity. */
export type Looks = ReadonlyMap<string, RegionLook>;

/** A change. */
export interface Change {
  readonly what: "appeared" | "gone" | "joined" | "left" | "died" | "lost" | "repaired";
  /** The words for it, such as `joined`. */
  readonly event: string;
  readonly kind: string;
  readonly name: string;
  /** Its role and seat; undefined if the region itself changed. */
  readonly party?: string | undefined;
  readonly pid?: number | undefined;
}

/** Returns the key and the look of a region; `pidOf` names the process of a role. */
export function lookAt(
  { kind, name, path, details }: RegionInfo,
  activity: Activity | undefined,
  pidOf: (role: number) => number | undefined = () => undefined,
): [key: string, look: RegionLook] {
  const parties = new Map(
    (activity?.parties ?? []).map(({ role, seat, number, presence }) => [
      `${role} ${seat}`,
      { presence, pid: presence === "alive" ? pidOf(number) : undefined },
    ]),
  );
  return [`${path} ${details?.id}`, { kind, name, parties }];
}

/** Lists what has changed from one look to the next. */
export function changesBetween(before: Looks, after: Looks): Change[] {
  const changes: Change[] = [];
  for (const [key, { kind, name }] of before) {
    if (!after.has(key)) changes.push({ what: "gone", event: "is gone", kind, name });
  }
  for (const [key, { kind, name, parties }] of after) {
    const old = before.get(key);
    if (old === undefined) changes.push({ what: "appeared", event: "appeared", kind, name });
    for (const party of new Set([...parties.keys(), ...old?.parties.keys() ?? []])) {
      const [was, now] = [old?.parties.get(party), parties.get(party)];
      const change = changeOf(was ?? NEVER, now ?? LEFT);
      if (change === undefined) continue;
      changes.push({ ...change, kind, name, party, pid: now?.pid ?? was?.pid });
    }
  }
  return changes;
}

const NEVER: PartyLook = { presence: "never" };
const LEFT: PartyLook = { presence: "left" };

function changeOf(was: PartyLook, now: PartyLook): Pick<Change, "what" | "event"> | undefined {
  const isOther = was.pid !== undefined && now.pid !== undefined && was.pid !== now.pid;
  if (was.presence === now.presence) {
    return isOther ? { what: "joined", event: "was replaced" } : undefined;
  }
  if (was.presence === "dead") {
    return now.presence === "alive"
      ? { what: "repaired", event: "joined, and repaired what the dead one left" }
      : { what: "repaired", event: "was repaired" };
  }
  return EVENTS[now.presence];
}

const EVENTS: Readonly<Record<Presence, Pick<Change, "what" | "event">>> = {
  alive: { what: "joined", event: "joined" },
  dead: { what: "died", event: "died" },
  left: { what: "left", event: "left" },
  lost: { what: "lost", event: "was lost" },
  never: { what: "left", event: "left" },
};
