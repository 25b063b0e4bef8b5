/**
 * `vring why`: the reason why nothing arrives.
 *
 * Each question looks at one way in which messages stop silently. The questions are in the order in
 * which a person would ask them; the first reason is usually the cause of the others.
 *
 * @module
 */

import { counted } from "../../errors.ts";
import type { Activity, Party } from "../../inspect/activity.ts";
import { type Held, holders, holdersOf } from "../../inspect/holders.ts";
import { processOf } from "../../inspect/processes.ts";
import { isSourceOf } from "../../vdds/sources.ts";
import { type RegionInfo, regions } from "../../region/list.ts";
import {
  type Call,
  type Command,
  Exit,
  KIND_OPTION,
  millisecondsIn,
  UsageError,
} from "../command.ts";
import { found, isSimilar, nothingFound } from "../found.ts";
import { harmless, rateInWords } from "../output.ts";
import { sleep } from "../../os/clock.ts";
import { activityIn, problemOf, rowsBetween, type Seen, survey } from "../../inspect/survey.ts";

/** The seconds between the two looks. */
const WAIT = 0.5;

/** A region, and all that can be seen of it. */
interface Case {
  readonly region: RegionInfo;
  readonly activity: Activity;
  readonly held: readonly Held[];
  /** The seconds between the two looks. */
  readonly seconds: number;
  /** Messages per second between the two looks. */
  readonly rate: number | undefined;
  readonly lost: number;
}

export const why: Command = {
  name: "why",
  summary: "Says why nothing arrives: the ways in which messages stop without an error.",
  usage: "NAME",
  options: {
    ...KIND_OPTION,
    wait: { value: "SECONDS", summary: `the time between two looks; ${WAIT} by default` },
  },
  examples: ["vring why cam/left", "vring why orders --kind mpsc --json"],
  async run(call) {
    if (call.names.length !== 1) throw new UsageError("Cannot say why: pass one name");
    const ms = millisecondsIn(call, "wait", WAIT);
    const all = found(call);
    if (all.length === 0) return answer(call, undefined, [nothingFound(call)]);
    const before = survey(all);
    await sleep(ms, call.end);
    let code: number = Exit.ok;
    const looks = { before, after: survey(found(call)), seconds: ms / 1000 };
    for (const { region, reasons, rate } of reasonsBetween(all, looks)) {
      if (answer(call, region, reasons, rate) !== Exit.ok) code = Exit.problem;
    }
    return code;
  },
};

/** Why nothing arrives in a region. */
export interface Reasons {
  readonly region: RegionInfo;
  readonly reasons: readonly string[];
  /** Messages per second between the two looks, if they can be counted. */
  readonly rate: number | undefined;
}

/** Finds out why nothing arrives in each region, from two looks some seconds apart. */
export function reasonsBetween(
  all: readonly RegionInfo[],
  { before, after, seconds }: {
    before: Map<string, Seen>;
    after: Map<string, Seen>;
    seconds: number;
  },
): Reasons[] {
  const rows = rowsBetween(before, after);
  const locks = holders();
  return all.map((region) => {
    const activity = activityIn(region);
    const row = rows.find((row) => row.region.path === region.path);
    const held = holdersOf(region, locks);
    const { lost = 0, messages } = row?.rates ?? {};
    const rate = activity?.flows.length === 0 ? undefined : messages;
    const reasons = region.kind === "sources"
      ? betweenSources(region)
      : activity === undefined
      ? unreadable(region)
      : QUESTIONS.flatMap((ask) => ask({ region, activity, held, seconds, rate, lost }) ?? []);
    return { region, reasons: [...namesakes(region, all), ...reasons], rate };
  });
}

/** Prints the reasons; returns the exit code. */
function answer(
  { out }: Call,
  region: RegionInfo | undefined,
  reasons: readonly string[],
  rate?: number | undefined,
): number {
  const { kind, name } = region ?? {};
  out.object({ kind, name, messagesPerSecond: rate, reasons });
  if (region === undefined) {
    out.line(reasons[0]);
    return Exit.problem;
  }
  out.line(out.bold(`${kind} ${harmless(region.name)}`));
  for (const reason of reasons) out.line(`  - ${reason}`);
  if (reasons.length > 0) return Exit.problem;
  out.line(
    rate === undefined ? "  nothing is wrong" : `  messages pass: ${rateInWords(rate)} per second`,
  );
  return Exit.ok;
}

function unreadable(region: RegionInfo): string[] {
  const problem = problemOf(region);
  return problem === undefined ? [] : [`it cannot be read: ${harmless(problem)}`];
}

/** A topic with many publishers: each has a topic of its own below the name. */
function betweenSources(topic: RegionInfo): string[] {
  const sources = regions().filter((other) => isSourceOf(topic, other)).map((source) =>
    activityIn(source)
  );
  if (sources.length === 0) {
    return ['it has no source: start a publisher whose definition says publishers: "many"'];
  }
  const alive = sources.filter(hasSender);
  if (alive.length === 0) {
    return [`none of its ${counted(sources.length, "source")} has a publisher; start one again`];
  }
  return alive.some(hasReceiver)
    ? []
    : ['it never had a subscriber: start one whose definition says publishers: "many"'];
}

/** Other kinds of regions with this name: a program of another kind waits there for ever. */
function namesakes({ kind, name }: RegionInfo, all: readonly RegionInfo[]): string[] {
  const others = all.filter((other) => other.name === name && other.kind !== kind);
  return others.map((other) =>
    `a region of kind ${other.kind} has this name too: programs of different kinds never meet; ` +
    "define it the same in all"
  );
}

const SENDERS = ["publisher", "producer", "writer", "client"];
const RECEIVERS = ["subscriber", "consumer", "server"];

/** Describes the absence of parties with one of these roles; undefined if one lives. */
function absence(
  { parties }: Activity,
  roles: readonly string[],
  noun: string,
): string | undefined {
  const all = parties.filter(({ role }) => roles.includes(role));
  if (all.some(({ presence }) => presence === "alive")) return undefined;
  if (all.some(({ presence }) => presence === "dead")) {
    return `its ${noun} was killed; start it again`;
  }
  if (all.some(({ presence }) => presence === "lost")) {
    return `its ${noun} ended without end(): it failed, or a using block ended early; start it again`;
  }
  if (all.some(({ presence }) => presence === "left")) {
    return `its ${noun} has closed; start it again`;
  }
  return `it never had a ${noun}; start one, and compare the name in its definition`;
}

const nounOf = ({ kind }: RegionInfo, names: Readonly<Record<string, string>>, usual: string) =>
  names[kind] ?? usual;

type Question = (one: Case) => string | readonly string[] | undefined;

/** Whether a party with one of these roles is alive. */
const hasAlive = (roles: readonly string[]) => (activity: Activity | undefined): boolean =>
  activity?.parties.some(({ role, presence }) => roles.includes(role) && presence === "alive") ??
    false;

const hasSender = hasAlive(SENDERS);
const hasReceiver = hasAlive(RECEIVERS);

const QUESTIONS: readonly Question[] = [
  // Does anybody send?
  ({ region, activity }) => {
    if (["slot", "rwlock"].includes(region.kind)) return undefined;
    const names = { topic: "publisher", circular: "writer", calls: "client" };
    const absent = absence(activity, SENDERS, nounOf(region, names, "producer"));
    const near = absent === undefined
      ? []
      : regions().filter((other) =>
        other.kind === region.kind && other.name !== region.name &&
        isSimilar(other.name, region.name) && hasSender(activityIn(other))
      );
    if (near.length === 0) return absent;
    return `${absent} (${
      harmless(near.map(({ name }) => name).join(" and "))
    } has one: is the name ` +
      "spelled alike in all programs?)";
  },
  // Does anybody receive?
  ({ region, activity }) => {
    if (["slot", "rwlock", "circular"].includes(region.kind)) return undefined;
    const names = { topic: "subscriber", calls: "server" };
    return absence(activity, RECEIVERS, nounOf(region, names, "consumer"));
  },
  // Is a party stopped?
  ({ activity, held }) =>
    activity.parties.flatMap((party) =>
      stopped(party, held).map(({ pid }) =>
        `its ${party.role}${processInWords(pid)} is stopped; continue it with kill -CONT ${pid}`
      )
    ),
  // Does a lock make others wait?
  ({ region, activity: { parties }, held }) => {
    if (region.kind !== "rwlock") return undefined;
    const owners = parties.filter(({ role, presence }) =>
      role === "writer" && presence === "alive"
    );
    const [owner = parties.find(({ role }) => role === "reader")] = owners;
    const waiting = parties.filter((one) => one !== owner && one.role !== owner?.role);
    if (owner === undefined || waiting.length === 0) return undefined;
    const who = processInWords(held.find(({ role }) => role === owner.number)?.pid);
    const others = waiting.length === 1 ? "another party waits" : `${waiting.length} others wait`;
    return `its ${owner.role}${who} holds it and ${others}: it may wait for something else, or have ` +
      "forgotten to release it";
  },
  // Is it full?
  ({ region, activity, rate }) => {
    const full = activity.flows.filter(({ backlog, room }) =>
      backlog !== undefined && room !== undefined && isFull(region, backlog, room)
    );
    if (full.length === 0 || region.kind === "circular" || rate !== 0) return undefined;
    const where = full.map(({ label }) => label || "it").join(", ");
    return `${where} is full and nothing is released: the receiver hangs, holds messages, or is too ` +
      "slow";
  },
  // Is something lost?
  ({ lost, region }) =>
    lost > 0
      ? `subscribers lose ${
        rateInWords(lost)
      } samples per second, because they are slower than the ` +
        `publisher and the policy is ${region.details?.policy?.policy}; raise the depth, or receive ` +
        "faster"
      : undefined,
  // Has anything been sent?
  ({ region, activity, seconds, rate }) => {
    if (activity.flows.length === 0 || region.kind === "rwlock") return undefined;
    if (activity.flows.every(({ messages, bytes }) => !messages && !bytes)) {
      return "nothing was sent yet";
    }
    if (rate !== 0) return undefined;
    const waits = activity.flows.some(({ backlog }) => backlog !== undefined && backlog > 0);
    return waits && region.kind !== "circular"
      ? "messages wait in it, and the receiver takes none: it may wait for something else"
      : `nothing was sent in the last ${seconds} seconds`;
  },
  // Is a seat left?
  ({ region, activity }) => {
    const most = Number(region.details?.geometry?.subscribers ?? Infinity);
    const all = activity.parties.filter(({ role, presence }) =>
      role === "subscriber" && presence === "alive"
    );
    return all.length >= most
      ? `it has ${counted(all.length, "subscriber")}, the most it can have: another one gets a ` +
        "RoleTakenError"
      : undefined;
  },
  // Does anybody use it?
  ({ region }) => region.inUse === false ? "no program has it open" : undefined,
];

/** A process in brackets, such as ` (process 12, camera.ts)`; nothing if it cannot be seen. */
function processInWords(pid: number | undefined): string {
  const process = pid === undefined ? undefined : processOf(pid);
  if (process === undefined) return "";
  return ` (process ${process.pid}, ${harmless(process.program ?? process.name)})`;
}

function stopped({ number, presence }: Party, held: readonly Held[]) {
  if (presence !== "alive") return [];
  return held.filter(({ role }) => role === number).flatMap(({ pid }) => {
    const process = processOf(pid);
    return process?.isStopped ? [process] : [];
  });
}

/** Whether no message fits any more: a ring of bytes is full for its next message before its end. */
function isFull({ kind }: RegionInfo, backlog: number, room: number): boolean {
  return kind === "topic" ? backlog >= room : backlog >= room * 0.9;
}
