/**
 * The other processes of a chapter: each plays a part of its story's cast.
 *
 * @module
 */

import { regions } from "../../mod.ts";
import { list, readAll, unlink } from "../../src/os/files.ts";
import { chapterOf } from "./chapters.ts";
import type { Report } from "./player.ts";

const ROOT = new URL("../../", import.meta.url);
const PLAYER = new URL("player.ts", import.meta.url);

/** The arguments that run a program for a chapter, with the only right that a chapter has. */
export function runFor(folder: string, program: URL = PLAYER): string[] {
  const map = chapterOf(folder)?.importMap;
  const withMap = map === undefined ? [] : ["--import-map", `tutorials/${map}`];
  return ["run", "--quiet", "--no-prompt", "--allow-ffi", ...withMap, program.pathname, folder];
}

/** The processes of one telling, besides the one that tells. */
export class Cast {
  readonly #folder: string;
  readonly #actors = new Map<string, Deno.ChildProcess>();
  /** Those that the story itself has stopped. */
  readonly #stopped = new Set<Deno.ChildProcess>();

  /** Prepares the cast of a chapter in this folder; nobody plays yet. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The processes that were started, by their parts. */
  get actors(): ReadonlyMap<string, Deno.ChildProcess> {
    return this.#actors;
  }

  /** Whether the reader has stopped one of them. */
  get isHeld(): boolean {
    return this.#actors.values().some((actor) => !this.#stopped.has(actor) && isStopped(actor.pid));
  }

  /** Starts a process or sends a signal, if a report asks for it; returns whether it does. */
  hear(report: Report): boolean {
    if (report.type === "start") {
      this.#actors.set(report.actor, this.#start(report.actor, report.name));
      return true;
    }
    if (report.type !== "signal") return false;
    const actor = this.#actors.get(report.actor);
    if (actor === undefined) return true;
    if (report.signal === "SIGSTOP") this.#stopped.add(actor);
    else if (report.signal === "SIGCONT") this.#stopped.delete(actor);
    kill(actor, report.signal);
    return true;
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const actors = [...this.#actors.values()];
    this.#actors.clear();
    for (const actor of actors) kill(actor, "SIGKILL");
    await Promise.all(actors.map((actor) => actor.status));
  }

  #start(actor: string, name: string): Deno.ChildProcess {
    return new Deno.Command("deno", {
      args: [...runFor(this.#folder), "as", actor, name],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }
}

/** Whether a signal has stopped a process. */
export function isStopped(pid: number): boolean {
  const stat = readAll(`/proc/${pid}/stat`);
  return typeof stat !== "number" && /\) [Tt] /.test(new TextDecoder().decode(stat));
}

/** Sends a signal to a process, which may have ended. */
export function kill(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch {
    // it has ended already
  }
}

/** Removes what the processes of a telling have left in /dev/shm. */
export function removeFiles(name: string): void {
  const names = list("/dev/shm");
  if (typeof names === "number") return;
  const own = new RegExp(`${RegExp.escape(name)}(?!\\d)`);
  for (const left of names.filter((each) => own.test(each))) unlink(`/dev/shm/${left}`);
}

/** Removes what terminals have left under this name, unless one of them is still there. */
export function removeFilesOfLast(name: string): void {
  if (!regions().some((region) => region.name === name && region.inUse)) removeFiles(name);
}
