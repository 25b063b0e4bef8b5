/**
 * The program of every process that is tortured. It loads its workload, says that it is ready, learns
 * by a line what it is, and does that. It never outlives the harness.
 *
 * @module
 */

import { now, sleepSync } from "../../src/os/clock.ts";
import { arm, type Trap } from "../trap/trap.ts";
import { Actor, type Workload } from "./workload.ts";
import { Ledger } from "./ledger.ts";
import { ledgerPlan, type Orders } from "./process.ts";

/** Has the kernel kill this process when the thread that started it ends. */
function dieWithParent(parent: number): void {
  const PR_SET_PDEATHSIG = 1;
  const SIGKILL = 9n;
  const { symbols } = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  });
  if (symbols.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n) !== 0 || Deno.ppid !== parent) {
    Deno.exit(1);
  }
}

/** The line that says what to be; undefined if there is nothing to do any more. */
function readLine(): string | undefined {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(4096);
  let line = "";
  while (!line.endsWith("\n")) {
    const length = Deno.stdin.readSync(bytes);
    if (length === null) return undefined;
    line += decoder.decode(bytes.subarray(0, length), { stream: true });
  }
  return line;
}

/** Dies, stops or dawdles where the plan says, unless the run is over, and leaves a note. */
function setTrap(trap: Trap, delayMs: number, book: number): void {
  const seat = ledger.seats[book]!;
  arm(trap, (name) => {
    if (ledger.over) return;
    if (trap.act === "delay") return sleepSync(delayMs);
    seat.step = name;
    (trap.act === "kill" ? seat.diedAt : seat.stoppedAt).store(now());
    Deno.kill(Deno.pid, trap.act === "kill" ? "SIGKILL" : "SIGSTOP");
  });
}

const [workloadUrl, run, ledgerPath, parent] = Deno.args as [string, string, string, string];
dieWithParent(Number(parent));
const workload: Workload = (await import(workloadUrl)).default;
const ledger = Ledger.attach(ledgerPath, ledgerPlan(workload));
Deno.stdout.writeSync(new TextEncoder().encode("ready\n"));
const line = readLine();
if (line === undefined) Deno.exit(0);
const { trap, trapMs, ...assignment }: Orders = JSON.parse(line);
if (trap !== undefined) setTrap(trap, trapMs, assignment.book);
await workload.parts[assignment.part]!.run(new Actor(run, ledger, assignment));
