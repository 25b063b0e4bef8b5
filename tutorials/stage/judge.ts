/**
 * Judges a file with an answer: its types first, then its checks in a child process with a limit,
 * because an answer may crash or never end.
 *
 * @module
 */

import { type CheckReport, type Failure, namesOf, REPORT_MARK } from "../check.ts";
import { removeFiles } from "./cast.ts";

const ROOT = new URL("../../", import.meta.url);

const RUN = ["run", "--quiet", "--no-check", "--no-prompt", "--allow-ffi"];

/** How long an answer may take until its first check begins. */
const START_MS = 20_000;

/** How long the checks of an answer may take. */
export const LIMIT_MS = 5000;

/** What became of an answer. */
export interface Judgement {
  readonly verdict: "solved" | "wrong" | "mistyped" | "crashed" | "endless" | "broken";
  /** Each check that was found, and how far the answer came. */
  readonly checks: readonly { readonly what: string; readonly passed: boolean }[];
  /** Why the first check that failed did. */
  readonly failure?: Failure;
  /** The check that was running when the answer crashed or did not end; otherwise, what Deno said. */
  readonly text?: string;
}

/** How an answer is judged. */
export interface JudgeOptions {
  /** The time for its checks, not for its types. */
  readonly limitMs?: number;
  /** The time until its first check begins. */
  readonly startMs?: number;
  /** Whether to check its types first. */
  readonly types?: boolean;
  readonly args?: readonly string[];
  /** Permissions besides `--allow-ffi`. */
  readonly allow?: readonly string[];
}

/** No colours and no backtraces, whatever the reader's shell asks for. */
const QUIET = { NO_COLOR: "1", RUST_BACKTRACE: "0" };

/** Judges the answer in a file. */
export async function judgeFile(
  file: URL,
  options: JudgeOptions = {},
): Promise<Judgement> {
  const { types = true, args = [], allow = [] } = options;
  if (types) {
    const { success, text } = await checkTypes(file);
    if (!success) return { verdict: "mistyped", checks: [], text };
  }
  const child = new Deno.Command("deno", {
    args: [...RUN, ...allow, file.pathname, ...args, "--report"],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: QUIET,
  }).spawn();
  const limit = new Limit(child, options);
  const error = new Response(child.stderr).text();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (output.includes(REPORT_MARK)) limit.begin();
  }
  const { signal, success } = await child.status;
  const late = limit.end();
  removeFiles(namesOf(child.pid)); // a killed process leaves its own
  const account = new Account(output);
  const { checks, failure, running } = account;
  if (failure !== undefined) return { verdict: "wrong", checks, failure };
  if (late) {
    return { verdict: "endless", checks, text: running ?? "the file itself, before any check" };
  }
  if (signal !== null) {
    return { verdict: "crashed", checks, text: `${signal}: ${running ?? "before any check"}` };
  }
  if (success && account.isSolved) return { verdict: "solved", checks };
  return { verdict: "broken", checks, text: wordsOf(await error) };
}

/** Ends a child that takes too long: to begin with its checks, or to end them. */
class Limit {
  readonly #child: Deno.ChildProcess;
  readonly #limitMs: number;
  #timer: ReturnType<typeof setTimeout>;
  #hasBegun = false;
  #isLate = false;

  constructor(child: Deno.ChildProcess, { limitMs = LIMIT_MS, startMs = START_MS }: JudgeOptions) {
    this.#child = child;
    this.#limitMs = limitMs;
    this.#timer = this.#start(startMs);
  }

  /** The checks begin: from now on the limit counts, and not the start of a slow machine. */
  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    clearTimeout(this.#timer);
    this.#timer = this.#start(this.#limitMs);
  }

  /** Stops the clock; returns whether the child was too late. */
  end(): boolean {
    clearTimeout(this.#timer);
    return this.#isLate;
  }

  #start(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#isLate = true;
      this.#child.kill("SIGKILL");
    }, ms);
  }
}

/** Without the configuration of this repository, which complains about unused parameters too. */
async function checkTypes(file: URL): Promise<{ success: boolean; text: string }> {
  const { success, stderr } = await new Deno.Command("deno", {
    args: ["check", "--quiet", "--no-config", "--no-lock", file.pathname],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: QUIET,
  }).output();
  return { success, text: wordsOf(new TextDecoder().decode(stderr)) };
}

/** What Deno said, without the addresses of files, which are long. */
function wordsOf(text: string): string {
  return text.replaceAll(ROOT.href, "").trim() || "Deno said nothing.";
}

/** The reports of a judged process. */
class Account {
  readonly checks: { what: string; passed: boolean }[] = [];
  failure: Failure | undefined;
  /** The check that has begun and not ended. */
  running: string | undefined;

  constructor(output: string) {
    for (const line of output.split("\n")) {
      if (!line.startsWith(REPORT_MARK)) continue;
      this.#add(JSON.parse(line.slice(REPORT_MARK.length)));
    }
  }

  get isSolved(): boolean {
    return this.checks.length > 0 && this.checks.every(({ passed }) => passed);
  }

  #add(report: CheckReport): void {
    if (report.type === "all") {
      for (const what of report.whats) this.checks.push({ what, passed: false });
    } else if (report.type === "begins") {
      this.running = this.checks[report.index]?.what;
    } else {
      this.running = undefined;
      if (report.type === "failed") this.failure = report.failure;
      else if (this.checks[report.index] !== undefined) this.checks[report.index]!.passed = true;
    }
  }
}
