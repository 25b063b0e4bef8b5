/**
 * `deno task torture`: kills and stops processes that use shared memory, and prints the account.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { type Account, describe, isClean, killsOf } from "./account.ts";
import { findKind, kindNames } from "./kinds.ts";
import { torture } from "./run.ts";

const INTERRUPTED = 130;

function help(): string {
  return `Kills and stops processes that use shared memory, and prints the account.

Usage: deno task torture [kind ..] [--seconds n] [--seed s] [--steps]

  kind       one or more of these; all of them by default:
${list(kindNames("kinds"))}
             or, to see the harness find something:
${list(kindNames("broken"))}
  --seconds  how long each kind is tortured; 10 by default
  --seed     what chance begins with: repeats the plan of deaths, loads and stops,
             though not the timing, which is the machine's; new by default
  --steps    also print at which steps processes were killed
  --help     this text

Exit code: 0 if every account is clean, 1 if not, 2 for a wrong command line,
${INTERRUPTED} after Ctrl-C.`;
}

/** Names in lines of three. */
function list(names: readonly string[]): string {
  const rows = names.flatMap((_, i) => i % 3 === 0 ? [names.slice(i, i + 3)] : []);
  return rows.map((row) => `               ${row.join(", ")}`).join(",\n");
}

interface Wish {
  kinds: string[];
  seconds: number;
  seed: number;
  steps: boolean;
}

/** What the command line asks for; a string if it cannot be had. */
function parse(args: string[]): Wish | string | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "10" },
        seed: { type: "string", default: `${Math.random() * 2 ** 32 >>> 0}` },
        steps: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return undefined;
    const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
    if (!(seconds > 0)) return `--seconds ${values.seconds} is not a number above 0`;
    if (!Number.isSafeInteger(seed)) return `--seed ${values.seed} is not a whole number`;
    const known = [...kindNames("kinds"), ...kindNames("broken")];
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) return `"${unknown}" is not a kind: choose of ${known.join(", ")}`;
    const kinds = positionals.length > 0 ? positionals : kindNames("kinds");
    return { kinds, seconds, seed, steps: values.steps };
  } catch (error) {
    return (error as Error).message;
  }
}

const encoder = new TextEncoder();

function showProgress(account: Account, seconds: number): void {
  const { kind, sent, received, stops, complaintCount } = account;
  const line = `${kind} ${account.seconds.toFixed(0)}/${seconds} s: ${killsOf(account)} kills, ` +
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

async function main(): Promise<number> {
  const wish = parse(Deno.args);
  if (wish === undefined) {
    console.log(help());
    return 0;
  }
  if (typeof wish === "string") {
    console.error(`Cannot torture: ${wish}`);
    return 2;
  }
  const { kinds, seconds, seed, steps } = wish;
  const controller = new AbortController();
  const { signal } = controller;
  const abort = () => controller.abort();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(name, abort);
  const terminal = Deno.stdout.isTerminal();
  const onProgress = (account: Account) => {
    if (terminal) showProgress(account, seconds);
  };
  let clean = true;
  for (const name of kinds) {
    const account = await torture(findKind(name), { seconds, seed, signal, onProgress });
    if (terminal) Deno.stdout.writeSync(encoder.encode("\r\x1b[K"));
    console.log(describe(account, { steps }));
    clean &&= isClean(account);
    if (signal.aborted) return INTERRUPTED;
  }
  return clean ? 0 : 1;
}

Deno.exit(await main());
