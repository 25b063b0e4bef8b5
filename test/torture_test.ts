/**
 * A short run of every workload, and proof that the harness finds the broken ones. Two runs go side
 * by side, because their processes sleep for most of the time.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inPairs, until, within } from "./os/until.ts";
import { type Account, describe, isClean, killsOf } from "./torture/account.ts";
import { Statements } from "./torture/statements.ts";
import { planFate } from "./torture/fate.ts";
import { findWorkload, workloadNames } from "./torture/workloads.ts";
import { processesOf } from "./torture/process.ts";
import { Random } from "./random.ts";
import { filesOf, torture } from "./torture/run.ts";
import { arm, spring } from "./trap/trap.ts";
import { isGone } from "./os/process_state.ts";

/** The seed with which processes of every workload die at steps early on, and are stopped early on.
 */
const SEED = 32668;

/** Whether actors were killed, at steps or while others were stopped, and something arrived. */
function isEventful(account: Account): boolean {
  const { killsAtSteps, stops, received } = account;
  return killsOf(account) > 0 && killsAtSteps + stops > 0 && received > 0;
}

/** Returns the account of a short run; on a busy machine it lasts until something has happened. */
function tortureUntilEventful(name: string): Promise<Account> {
  const enough = (account: Account) =>
    !isClean(account) || account.seconds > 1.5 && isEventful(account);
  return torture(findWorkload(name), { seconds: 60, seed: SEED, enough });
}

/** Whether a run has found something. */
function hasFinding({ complaintCount }: Account): boolean {
  return complaintCount > 0;
}

/** Registers a test with a step for the account of each workload. */
function testAccounts(
  what: string,
  names: readonly string[],
  run: (name: string) => Promise<Account>,
  check: (name: string, account: Account) => void,
): void {
  Deno.test(`torture() finds ${what}`, async (t) => {
    const accounts = new Map<string, Account>();
    await inPairs(names, async (name) => {
      accounts.set(name, await run(name));
    });
    for (const [name, account] of accounts) await t.step(name, () => check(name, account));
  });
}

testAccounts(
  "nothing wrong with the workloads",
  workloadNames("workloads"),
  tortureUntilEventful,
  (_, account) => {
    assert(isClean(account), describe(account));
    assert(isEventful(account), describe(account));
  },
);

/** One of the complaints about each broken workload; which shows first depends on the machine. */
const EXPECTED: Record<string, RegExp> = {
  "broken-babus-view": /slot \w+: message \d+ is not what was written/,
  "broken-doorbell": /rang \d+ ms ago, and watched \d sleeps on/,
  "broken-many-hints": /waited until -?\d+ was ready, and \d+ was before|was not reported, and was/,
  "broken-mpsc-generation": /lane \d+: the message at \d+ is said to be of generation \d+/,
  "broken-region": /name [ab]: member \d+\.\d+ had [0-9a-f]+ while member/,
  "broken-role": /had the role, and so had|the role: contender \d+\.\d+ had [0-9a-f]+ while/,
  "broken-calls-order": /the answer to call \d+ belongs to another request/,
  "broken-rw-lock": /[\d ]+ became [\d ]+|finds [\d ]+ without notice/,
  "broken-spsc-ack": /ring \w+: .+ (released, and nobody saw it|not what was sent)/,
  "broken-spsc-copy": /ring \w+: the message at \d+ is not what was sent/,
  "broken-spsc-end": /ring bytes: no producer ended at \d+|the end hides a cut/,
  "broken-spsc-flag": /ring \w+: the message at \d+ came again, and was not flagged/,
  "broken-spsc-release": /ring \w+: what is from \d+ to \d+ was released, and nobody saw it/,
  "broken-scribbled": /RangeError: /,
  "broken-truncated": /a message of \d+ bytes is not what was sent/,
  "broken-vdds-copy": /topic [\w/]+: sample \d+ is not what was sent/,
  "broken-vdds-sources": /topic [\w/]+: sample \d+ is not what was sent/,
  "broken-vdds-silent": /topic [\w/]+: sample \d+ came after \d+, and 0 are said to be lost/,
};

function complainsAsExpected(name: string, { complaints }: Account): boolean {
  return complaints.some((complaint) => EXPECTED[name]!.test(complaint));
}

/** Found within a second or two; `deno task test:torture` runs all of them. */
const QUICK = ["broken-doorbell", "broken-role", "broken-spsc-copy", "broken-spsc-flag"];

testAccounts(
  "the mistakes of the broken workloads",
  Deno.env.get("TORTURE_BROKEN") === "all"
    ? workloadNames("broken").filter((name) => name !== "misconduct")
    : QUICK,
  (name) => {
    const enough = (account: Account) => complainsAsExpected(name, account);
    return torture(findWorkload(name), { seconds: 180, seed: SEED, enough, examine: false });
  },
  (name, account) => {
    assert(!isClean(account), describe(account));
    assert(complainsAsExpected(name, account), describe(account));
  },
);

Deno.test("torture() reports a process that throws, does not end or leaves something behind", async () => {
  const options = { seconds: 60, seed: SEED, enough: hasFinding, endingMs: 200 };
  const account = await torture(findWorkload("misconduct"), options);
  const complaints = account.complaints.join("\n");
  assertStringIncludes(complaints, "thrower 0.0 ended with code 1: ");
  assertStringIncludes(complaints, "this is thrown on purpose");
  assertStringIncludes(complaints, "endless 0.0 does not come to an end");
  assertEquals(account.complaintCount, 2);
  assertMatch(account.evidence.at(-1)!, /\nendless 0\.0, process \d+:\n {2}\d+ [A-Z] in \w+, /);
  assertStringIncludes(describe(account), "state of everything, 1:\n    load ");
  assertEquals(account.filesLeft.length, 1);
  assertEquals(account.processesLeft.length, 1);
  assertEquals(filesOf(account.filesLeft[0]!), []);
  const [left] = account.processesLeft;
  await until("the process that was left is gone", () => !isRunning(left!));
});

function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) Z/.test(stat); // it waits for init to reap it
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** `deno task torture`, once it has processes to torture. */
async function startMain(...args: string[]): Promise<Deno.ChildProcess> {
  const main = decodeURIComponent(new URL("torture/main.ts", import.meta.url).pathname);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", main, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    await until("processes are tortured", () => processesOf(runOf(child)).length > 3);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return child;
}

/** Returns the text in the name of everything that a harness makes. */
function runOf(child: Deno.ChildProcess): string {
  return `torture${child.pid}x`;
}

Deno.test("the harness leaves nothing behind after Ctrl-C", async () => {
  const child = await startMain("region", "--seconds", "600");
  child.kill("SIGINT");
  const { code, stdout } = await within("the end of the harness", child.output());
  assertEquals(code, 130);
  assertStringIncludes(new TextDecoder().decode(stdout), "region: clean, interrupted after");
  assertEquals(processesOf(runOf(child)), []);
  assertEquals(filesOf(runOf(child)), []);
});

Deno.test("the harness takes its processes along when it is killed", async () => {
  const child = await startMain("doorbell", "--seconds", "600");
  child.kill("SIGKILL");
  await within("the end of the harness", child.output());
  await until("its processes are gone", () => processesOf(runOf(child)).length === 0);
  for (const name of filesOf(runOf(child))) Deno.removeSync(`/dev/shm/${name}`);
});

Deno.test("the harness says what is wrong with its arguments, and what there is", async () => {
  const main = new URL("torture/main.ts", import.meta.url).href;
  const run = async (...args: string[]) => {
    const command = ["run", "--quiet", "--allow-all", main, ...args];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: command })
      .output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  };
  const help = await run("--help");
  assertEquals(help.code, 0);
  for (const name of workloadNames("workloads")) assertStringIncludes(help.text, name);
  for (const args of [["nothing"], ["--seconds", "x"], ["--seed", "1.5"], ["--what"]]) {
    assertEquals((await run(...args)).code, 2, args.join(" "));
  }
});

Deno.test("planFate() plans the same for the same seed", () => {
  const harm = { steps: ["a", "b"], lifeMs: [5, 500], stopMs: [5, 100] } as const;
  const plans = (seed: number) =>
    Array.from({ length: 50 }, (_, life) => planFate(new Random(seed, "part", 0, life), harm));
  assertEquals(plans(1), plans(1));
  assert(JSON.stringify(plans(1)) !== JSON.stringify(plans(2)));
});

Deno.test("spring() springs the trap at the step that was asked for, once", () => {
  const sprung: string[] = [];
  arm({ act: "kill", at: 2, matching: "head" }, (name) => sprung.push(name));
  for (const name of ["head load", "tail load", "head store", "head load", "head load"]) {
    spring(name);
  }
  assertEquals(sprung, ["head store"]);
});

Deno.test("spring() springs a delay at every n-th step", () => {
  const sprung: string[] = [];
  arm({ act: "delay", at: 2 }, (name) => sprung.push(name));
  for (const name of ["a", "b", "c", "d", "e"]) spring(name);
  arm({ act: "kill", at: Infinity }, () => {});
  assertEquals(sprung, ["b", "d"]);
});

/** Returns the complaints about statements, given as owner, time, resource and value. */
function judged(...events: [who: string, time: number, resource: string, value: number][]) {
  const complaints: string[] = [];
  const statements = new Statements((text) => complaints.push(text), ["wanted"]);
  for (const [who, time, resource, value] of events) {
    if (resource === "") statements.end(who, time);
    else statements.add(who, { time, resource, value });
  }
  statements.judge(Infinity);
  return { complaints, vacancy: statements.longestVacancy };
}

Deno.test("Statements finds statements that overlap and differ, in any order of their logs", () => {
  const { complaints } = judged(
    ["b", 2, "name", 8],
    ["b", 4, "name", -8],
    ["a", 1, "name", 7],
    ["a", 3, "name", -7],
  );
  assertEquals(complaints, ["name: b had 8 while a had 7"]);
});

Deno.test("Statements accepts statements that agree, follow each other or have another resource", () => {
  const { complaints } = judged(
    ["a", 1, "name", 7],
    ["b", 2, "name", 7],
    ["a", 3, "name", -7],
    ["b", 4, "name", -7],
    ["b", 5, "name", 8],
    ["a", 6, "other", 9],
  );
  assertEquals(complaints, []);
});

Deno.test("Statements counts how often an actor states the same", () => {
  const { complaints } = judged(
    ["a", 1, "name", 7],
    ["a", 2, "name", 7],
    ["a", 3, "name", -7],
    ["b", 4, "name", 8],
  );
  assertEquals(complaints, ["name: b had 8 while a had 7"]);
});

Deno.test("Statements end with their owner, and a note from the moment of its death does not count", () => {
  const { complaints } = judged(
    ["a", 1, "name", 7],
    ["a", 5, "other", 7],
    ["a", 3, "", 0],
    ["b", 4, "name", 8],
    ["b", 6, "other", 8],
  );
  assertEquals(complaints, []);
});

Deno.test("Statements complains of a log that comes too late", () => {
  const complaints: string[] = [];
  const statements = new Statements((text) => complaints.push(text));
  statements.judge(10);
  statements.add("a", { time: 9, resource: "name", value: 1 });
  assertEquals(complaints.length, 1);
});

Deno.test("Statements measures how long a wanted resource was vacant", () => {
  const { vacancy } = judged(
    ["a", 10, "wanted", 7],
    ["a", 20, "wanted", -7],
    ["b", 25, "wanted", 8],
    ["b", 30, "", 0],
    ["c", 60, "wanted", 9],
    ["c", 70, "wanted", -9],
  );
  assertEquals(vacancy, 30);
});

Deno.test("isClean() accepts only an account without any flaw", () => {
  const sound: Account = {
    workload: "a workload",
    seed: 1,
    seconds: 1,
    interrupted: false,
    killsAtRandom: 1,
    killsAtSteps: 1,
    steps: new Map(),
    stops: 1,
    processes: 1,
    statements: 1,
    sent: 1,
    received: 1,
    lost: 0,
    duplicated: 0,
    corrupt: 0,
    leaked: 0,
    filesLeft: [],
    processesLeft: [],
    complaints: [],
    complaintCount: 0,
    evidence: [],
  };
  assert(isClean(sound));
  const flaws: Partial<Account>[] = [
    { lost: 1 },
    { duplicated: 1 },
    { corrupt: 1 },
    { leaked: 1 },
    { filesLeft: ["a"] },
    { processesLeft: [1] },
    { complaintCount: 1 },
  ];
  for (const flaw of flaws) assert(!isClean({ ...sound, ...flaw }), JSON.stringify(flaw));
});
