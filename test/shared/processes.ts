/**
 * The common parts of tests between processes: registering them where processes can start, killing
 * a process at each of its steps, and waiting for its end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { RoleTakenError } from "../../src/errors.ts";
import { until } from "../os/until.ts";
import { Party, PartyEnded, type PartyOptions, whyNoProcess } from "./party.ts";

/** Helpers for tests whose processes run one program. */
export interface ProcessTests<Tools> {
  /** Registers a test, which does not run where there is an obstacle, or no process can start. */
  test(name: string, fn: (t: Deno.TestContext) => Promise<void>, obstacle?: string): void;
  /** Registers a test whose processes have a small /dev/shm of their own (`shmBytes`). */
  mountTest(name: string, fn: () => Promise<void>): void;
  /** Starts a process that runs the program. */
  startProcess(options?: PartyOptions): Party<Tools>;
}

/** Why no tests between processes run, or undefined. */
export const NO_PROCESS = whyNoProcess();

/** The tests of something between processes; says why, where they do not run. */
export function processTests<Tools>(program: URL, what: string): ProcessTests<Tools> {
  const told = new Set<string>();
  const test: ProcessTests<Tools>["test"] = (name, fn, obstacle) => {
    const why = NO_PROCESS ?? obstacle;
    if (why !== undefined && !told.has(why)) {
      console.warn(`Some tests of ${what} between processes do not run: ${why}`);
      told.add(why);
    }
    Deno.test({ name, fn, ignore: why !== undefined });
  };
  return {
    test,
    mountTest: (name, fn) => test(name, fn, whyNoMount()),
    startProcess: (options) => Party.start(program, "process", options),
  };
}

/** Why tests that need root do not run, or undefined. */
export const NO_ROOT = Deno.uid() === 0 ? undefined : "they need root";

let noMount: string | undefined | null = null; // not asked yet

/** Why no process can have a /dev/shm of its own here, or undefined. */
function whyNoMount(): string | undefined {
  return noMount === null ? noMount = NO_ROOT ?? tryMount() : noMount;
}

function tryMount(): string | undefined {
  const mount = ["mount", "-t", "tmpfs", "none", "/dev/shm"];
  const args = ["--mount", "--propagation", "private", ...mount];
  try {
    const options = { args, stdout: "null", stderr: "null" } as const;
    if (new Deno.Command("unshare", options).outputSync().success) return undefined;
  } catch {
    // said below
  }
  return "mounting in a mount namespace is not possible here";
}

/** Opens an end, once the kernel has dropped the locks of the one that was killed. */
export async function openSoon<T>(open: () => T): Promise<T> {
  let opened: T | undefined;
  await until("the role is free", () => {
    try {
      opened = open();
      return true;
    } catch (error) {
      if (error instanceof RoleTakenError) return false;
      throw error;
    }
  });
  return opened!;
}

/** Whether the process was killed while it ran. */
export async function diedIn<T>(party: Party<T>, running: Promise<unknown>): Promise<boolean> {
  try {
    await running;
    return false;
  } catch (error) {
    if (!(error instanceof PartyEnded)) throw error;
    assertEquals(await party.ended(), "SIGKILL");
    return true;
  }
}

/** Where a process dies: at a step, when that comes for the n-th time, as dieBefore() has it. */
export interface Death {
  readonly step: string;
  readonly time: number;
}

/** A step that is never reached. */
export const NO_DEATH: Death = { step: "no step", time: 1 };

/** A death at each of the steps. */
export function deathsAt(steps: readonly string[]): Death[] {
  return steps.map((step, at) => ({
    step,
    time: steps.slice(0, at + 1).filter((other) => other === step).length,
  }));
}
