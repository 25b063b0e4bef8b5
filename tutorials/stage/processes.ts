/**
 * The processes that the stage has started, and nobody else's: what the kernel says about each, and
 * the signals that the reader may send them.
 *
 * @module
 */

import type { Party } from "../../src/inspect/activity.ts";
import { activityIn } from "../../src/inspect/survey.ts";
import { list, readAll, statPath } from "../../src/os/files.ts";
import { kill } from "./cast.ts";
import { regionAt } from "../../src/region/list.ts";
import { FIRST_BYTE } from "../../src/region/liveness.ts";
import { FIRST_ROLE } from "../../src/region/opened.ts";

/** What a card shows of a process. */
export interface Card {
  readonly pid: number;
  /** Its part in the chapter; missing for the process that tells it. */
  readonly actor?: string;
  /** spinning: it runs, and has waited for nothing for a while. */
  readonly state: "running" | "spinning" | "asleep" | "stopped" | "dead";
  /** The signal that ended it. */
  readonly signal?: string;
  /** Its resident memory in bytes. */
  readonly memory: number;
  /** How many milliseconds of processor time it has used. */
  readonly busyMs: number;
  /** What its record locks on files in /dev/shm say: its roles, and what it uses or owns. */
  readonly locks: readonly string[];
}

/** What the reader may do to a process. */
export const SIGNALS = { stop: "SIGSTOP", cont: "SIGCONT", kill: "SIGKILL" } as const;

/** One of {@linkcode SIGNALS}. */
export type Act = keyof typeof SIGNALS;

/** How many ticks of processor time the kernel counts in a second, on every Linux that Deno runs on. */
const TICKS = 100;
/** Dead processes whose cards stay. */
const REMEMBERED = 4;

interface Known {
  /** The tab and the chapter that it is for. */
  readonly role: string;
  readonly actor: string | undefined;
  readonly process: Deno.ChildProcess;
  /** Whether the reader has killed it. */
  killed?: boolean;
  /** How often it has waited, and when that was first seen. */
  last?: { readonly at: number; readonly waits: number };
  ended?: Deno.CommandStatus;
}

/** The processes that were started here, by their ids. */
export class Processes {
  readonly #known = new Map<number, Known>();
  /** Also those that are forgotten. */
  readonly #added = new WeakSet<Deno.ChildProcess>();

  /** Adds a process that the stage has started; nothing changes if it was added before. */
  add(role: string, process: Deno.ChildProcess, actor?: string): void {
    if (this.#added.has(process)) return;
    this.#added.add(process);
    const known: Known = { role, actor, process };
    this.#known.set(process.pid, known);
    process.status.then((status) => {
      known.ended = status;
      this.#forgetOldest();
    });
  }

  /**
   * The cards of a role, the teller first, and then the newest: living processes, those that crashed
   * or were killed by the reader, and the dead of the present cast. The stage also ends processes
   * itself, to begin afresh; they have no card.
   */
  cards(role: string): Card[] {
    const all = [...this.#known.values()].filter((known) => known.role === role);
    const present = all.findLastIndex(({ actor }) => actor === undefined);
    const isShown = ({ ended, killed, actor }: Known, index: number) =>
      ended === undefined || killed || ended.signal !== "SIGKILL" ||
      actor !== undefined && index > present;
    const cards = all.filter(isShown).reverse().map(cardOf);
    return cards.sort((a, b) => Number(a.actor !== undefined) - Number(b.actor !== undefined));
  }

  /** Sends a signal; false if no living process with this id was started here. */
  act(pid: number, act: Act): boolean {
    const known = this.#known.get(pid);
    if (known === undefined || known.ended !== undefined) return false;
    kill(known.process, SIGNALS[act]);
    if (act === "kill") known.killed = true;
    return true;
  }

  #forgetOldest(): void {
    const dead = [...this.#known].filter(([, { ended }]) => ended !== undefined);
    for (const [pid] of dead.slice(0, -REMEMBERED)) this.#known.delete(pid);
  }
}

/** A process that does not spin waits for something within this time. */
const LOOK_MS = 300;

/** Whether a process that runs has waited for nothing since the last look, some time ago. */
function isSpinning(known: Known): boolean {
  const status = textOf(`/proc/${known.process.pid}/status`) ?? "";
  const waits = Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
  const at = performance.now();
  if (known.last?.waits !== waits) known.last = { at, waits };
  return at - known.last.at > LOOK_MS;
}

function cardOf(known: Known): Card {
  const { actor, process: { pid }, ended } = known;
  const who = { pid, ...actor !== undefined && { actor } };
  const dead = { ...who, state: "dead", memory: 0, busyMs: 0, locks: [] } as const;
  if (ended !== undefined) return ended.signal === null ? dead : { ...dead, signal: ended.signal };
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return dead;
  const [letter, ...numbers] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (letter === "Z" || letter === "X") return dead;
  const [user, kernel] = [Number(numbers[10]), Number(numbers[11])];
  const busyMs = (user + kernel) * 1000 / TICKS;
  const isStopped = letter === "T" || letter === "t";
  if (letter !== "R") delete known.last;
  const awake = letter === "R" && isSpinning(known) ? "spinning" : "running";
  const state = isStopped ? "stopped" : letter === "R" ? awake : "asleep";
  return { ...who, state, memory: memoryOf(pid), busyMs, locks: locksOf(pid) };
}

function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/**
 * What the record locks on files in /dev/shm mean, from lines such as
 * `lock: 1: OFDLCK ADVISORY WRITE -1 00:01:1234 64 64`: the role whose byte is locked, such as
 * "subscriber 0 of topic frames"; or that the process uses or owns the file.
 */
function locksOf(pid: number): string[] {
  const fds = list(`/proc/${pid}/fdinfo`);
  if (typeof fds === "number") return [];
  const files = sharedFilesByInode();
  const line = /^lock:\s+\d+: \w+ +\w+ +(READ|WRITE) -?\d+ \w+:\w+:(\d+) (\d+)/gm;
  const locks = fds.flatMap((fd) => {
    const found = textOf(`/proc/${pid}/fdinfo/${fd}`)?.matchAll(line) ?? [];
    return Array.from(found).flatMap(([, type, inode, start]) => {
      const file = files.get(Number(inode));
      return file === undefined ? [] : [{ file, byte: Number(start), isRead: type === "READ" }];
    });
  });
  const parties = new Map(
    Array.from(new Set(locks.map(({ file }) => file)), (file) => [file, partiesOf(file)]),
  );
  const said = locks.map(({ file, byte, isRead }) => {
    const name = file.replace(/^vring\./, "").replace(/\.?learn-\d+[-.~]?/, " ").trim()
      .replaceAll("~", "/"); // the sign of a slash in the name of a file
    const party = parties.get(file)?.find(({ number }) =>
      number === byte - FIRST_BYTE - FIRST_ROLE
    );
    if (party !== undefined) return `${party.role} ${party.seat} of ${name}`;
    return `${isRead ? "uses" : "owns"} ${name}`;
  });
  return [...new Set(said)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** The roles of the region in a file of /dev/shm; none if it is no region. */
function partiesOf(file: string): readonly Party[] {
  const region = regionAt(`/dev/shm/${file}`);
  return (region && activityIn(region)?.parties) ?? [];
}

function sharedFilesByInode(): Map<number, string> {
  const names = list("/dev/shm");
  if (typeof names === "number") return new Map();
  return new Map(names.flatMap((name) => {
    const status = statPath(`/dev/shm/${name}`);
    return typeof status === "number" ? [] : [[status.inode, name] as const];
  }));
}

/** A file of /proc as text; undefined if it is gone. Deno itself would want --allow-all for it. */
function textOf(path: string): string | undefined {
  const bytes = readAll(path);
  return typeof bytes === "number" ? undefined : new TextDecoder().decode(bytes);
}
