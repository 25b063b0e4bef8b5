/**
 * `deno task torture`: kills and stops processes that use shared memory, and prints the account.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type Account, describe, isClean, killsOf } from "./account.ts";
import { addEntry, entryOf, type Part } from "./record.ts";
import { findWorkload, workloadNames } from "./workloads.ts";
import { torture } from "./run.ts";

const INTERRUPTED = 130;

function help(): string {
  return `Kills and stops processes that use shared memory, and prints the account.

Usage: deno task torture [workload ..] [--seconds n] [--seed s] [--steps] [--record]
                         [--shm mb]

  workload   one or more of these; all of them by default:
${list(workloadNames("workloads"))}
             or, to see the harness find something:
${list(workloadNames("broken"))}
  --seconds  how long each workload is tortured; 10 by default
  --seed     repeats the plan of deaths, loads and stops of an earlier run, but not
             its timing; a new seed by default
  --record   adds the run to test/torture/record.jsonl at its end
  --steps    also print at which steps processes were killed
  --shm      with a /dev/shm of its own, of so many MB; needs root. The workload
             "truncated" fills it if it has at most 256 MB
  --help     this text

Exit code: 0 if every account is clean, 1 if not, 2 for a wrong command line,
${INTERRUPTED} after Ctrl-C.`;
}

/** Names in lines of three. */
function list(names: readonly string[]): string {
  const rows = names.flatMap((_, i) => i % 3 === 0 ? [names.slice(i, i + 3)] : []);
  return rows.map((row) => `               ${row.join(", ")}`).join(",\n");
}

interface Request {
  workloads: string[];
  seconds: number;
  seed: number;
  steps: boolean;
  /** Whether to add the run to the record. */
  record: boolean;
  /** The size of a /dev/shm of its own, in MB. */
  shm: number | undefined;
}

/** Parses the command line; returns undefined for help, and a text about a wrong one. */
function parse(args: string[]): Request | string | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "10" },
        seed: { type: "string", default: `${Math.random() * 2 ** 32 >>> 0}` },
        steps: { type: "boolean", default: false },
        record: { type: "boolean", default: false },
        shm: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return undefined;
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
    if (!(seconds > 0)) return `--seconds ${values.seconds} is not a number above 0`;
    if (!Number.isSafeInteger(seed)) return `--seed ${values.seed} is not a whole number`;
    const shm = values.shm === undefined ? undefined : Number(values.shm);
    if (shm !== undefined && !(shm >= 1)) return `--shm ${values.shm} is not a number of MB`;
    const known = [...workloadNames("workloads"), ...workloadNames("broken")];
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      return `"${unknown}" is not a workload: choose of ${known.join(", ")}`;
    }
    const workloads = positionals.length > 0 ? positionals : workloadNames("workloads");
    return { workloads, seconds, seed, steps: values.steps, record: values.record, shm };
  } catch (error) {
    return (error as Error).message;
  }
}

const encoder = new TextEncoder();

function showProgress(account: Account, seconds: number): void {
  const { workload, sent, received, stops, complaintCount } = account;
  const line =
    `${workload} ${account.seconds.toFixed(0)}/${seconds} s: ${killsOf(account)} kills, ` +
    `${stops} stops, ${sent} sent, ${received} received, ${complaintCount} complaints`;
  Deno.stdout.writeSync(encoder.encode(`\r\x1b[K${line.slice(0, columns() - 1)}`));
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}

/** Runs this command again without `--shm`, where /dev/shm is a small one that nobody else sees. */
async function runInOwnMount(megabytes: number): Promise<number> {
  const at = Deno.args.findIndex((argument) => argument.startsWith("--shm"));
  const rest = Deno.args.toSpliced(at, Deno.args[at] === "--shm" ? 2 : 1);
  const mount = `mount -t tmpfs -o size=${megabytes}m none /dev/shm && exec "$@"`;
  const command = [Deno.execPath(), "run", "--allow-all", import.meta.filename!, ...rest];
  const { code } = await new Deno.Command("unshare", {
    args: ["--mount", "--propagation", "private", "sh", "-c", mount, "sh", ...command],
  }).spawn().status;
  return code;
}

/** What the record keeps of an account. */
function partOf(account: Account): Part {
  const { workload, seconds, killsAtSteps, stops, sent, received } = account;
  const { filesLeft, processesLeft, complaints, complaintCount } = account;
  const wrong = ["lost", "duplicated", "corrupt", "leaked"] as const;
  const findings = [
    ...complaints,
    ...(complaintCount > complaints.length
      ? [`and ${complaintCount - complaints.length} more`]
      : []),
    ...wrong.filter((name) => account[name] > 0).map((name) => `${account[name]} ${name}`),
    ...filesLeft.map((file) => `${file} was left`),
    ...processesLeft.map((pid) => `process ${pid} was left`),
  ];
  const kills = killsOf(account);
  return { workload, seconds, kills, killsAtSteps, stops, sent, received, findings };
}

async function main(): Promise<number> {
  const request = parse(Deno.args);
  if (request === undefined) {
    console.log(help());
    return 0;
  }
  if (typeof request === "string") {
    console.error(`Cannot torture: ${request}`);
    return 2;
  }
  if (request.shm !== undefined) return await runInOwnMount(request.shm);
  const { workloads, seconds, seed, steps, record } = request;
  const controller = new AbortController();
  const { signal } = controller;
  const abort = () => controller.abort();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, abort);
  const terminal = Deno.stdout.isTerminal();
  const onProgress = (account: Account) => {
    if (terminal) showProgress(account, seconds);
  };
  let clean = true;
  const parts: Part[] = [];
  for (const name of workloads) {
    const account = await torture(findWorkload(name), { seconds, seed, signal, onProgress });
    if (terminal) Deno.stdout.writeSync(encoder.encode("\r\x1b[K"));
    console.log(describe(account, { steps }));
    clean &&= isClean(account);
    parts.push(partOf(account));
    if (signal.aborted) break;
  }
  if (record) addEntry(entryOf("torture", seed, parts));
  if (signal.aborted) return INTERRUPTED;
  return clean ? 0 : 1;
}

Deno.exit(await main());
