/** Runs the programs of tutorials 11, 14 and 24, from memory order to one's own ring, as a reader would. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pageSize } from "../src/os/page.ts";
import { countSeen, hasEnded, HEAD_BYTES, play } from "../tutorials/11_memory_order/rounds.ts";
import { assertFits } from "./program.ts";
import { checksOf } from "../tutorials/24_your_ring/check.ts";
import { failureIn } from "../tutorials/check.ts";
import { BELLS, sleeper, waker } from "../tutorials/13_doorbell/bells.ts";
import { explore } from "../tutorials/13_doorbell/machine.ts";
import { verdictOf } from "../tutorials/14_explorer/orders.ts";
import { checkQuiz } from "./tutorial_run.ts";

const ROOT = new URL("../", import.meta.url);

async function run(program: string, ...args: string[]) {
  const allowed = program === "store_buffering"
    ? ["--allow-ffi", "--allow-run"]
    : ["--allow-read", "--allow-write", "--allow-run"];
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      ...allowed,
      `tutorials/11_memory_order/${program}.ts`,
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertFits(new TextDecoder().decode(stdout));
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("store buffering: the exchange forbids that neither side sees the other", async () => {
  const { code, out, err } = await run("store_buffering", "--rounds", "1000");
  assertEquals([code, err], [0, ""]);
  const counts = [...out.matchAll(/^ {2}(?:both|only|neither).* (\d+)$/gm)].map(([, n]) =>
    Number(n)
  );
  assertEquals(counts.length, 8);
  const played = [...out.matchAll(/(\d+) rounds:$/gm)].map(([, n]) => Number(n));
  const sums = [0, 4].map((from) => counts.slice(from, from + 4).reduce((a, b) => a + b));
  assertEquals(played, sums);
  assert(played.every((rounds) => rounds > 0 && rounds <= 1000), `${played}`);
  assertEquals(counts[7], 0);
  const said = counts[3] === 0
    ? "This machine did not show it now."
    : `Neither saw the other ${Math.round(counts[3]! / played[0]! * 1e6)} times in a million`;
  assertStringIncludes(out, said);
});

Deno.test("store buffering: a number of rounds below 1 is refused", async () => {
  const { code, err } = await run("store_buffering", "--rounds", "0");
  assertEquals([code, err.startsWith("Cannot count: pass --rounds")], [2, true]);
});

Deno.test("message passing: the explorer finds the torn read without the barrier", async () => {
  const { code, out, err } = await run("torn_read", "broken");
  assertEquals([code, err], [0, ""]);
  assertMatch(
    out,
    /\n {2}- const oldest = copyOutThenLoad\(.*\n {2}\+ const oldest = copyOutThenAc/,
  );
  assertMatch(out, /\d runs, [\d,]+ states: a defect\n/);
  const steps = out.split("\n").filter((line) => /^ {2}(reader|writer) {2}/.test(line));
  assertMatch(steps[0]!, /reader {2}copy out/);
  assert(steps.some((step) => /writer {2}copy in/.test(step)), out);
  assertMatch(steps.at(-2)!, /reader {2}copy out/);
  assertMatch(steps.at(-1)!, /reader {2}oldest load -> \d+ \(served early\)/);
});

Deno.test("message passing: a reader's own edit of the shipped source is searched", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/mine/cursor.ts`;
    const copied = await run("torn_read", "copy", file);
    assertEquals([copied.code, copied.err], [0, ""]);
    const source = await Deno.readTextFile(file);
    const edited = source
      .replace(
        "const oldest = copyOutThenLoad(mapping, start, target, length, word);",
        [
          "copyOut(mapping, start, target, length);",
          "const oldest = word.load();",
        ].join("\n"),
      )
      .replace("import { copyOutThenLoad", "import { copyOut");
    assert(
      !edited.includes("copyOutThenLoad("),
      "the source has changed; so must the program's advice",
    );
    await Deno.writeTextFile(file, edited);
    const { code, out, err } = await run("torn_read", "mine", file);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "a defect");
    assertEquals((await run("torn_read", "copy", file)).code, 1); // it overwrites nothing
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("store buffering: a round that one side alone has played does not count", () => {
  const rounds = 10;
  const bytes = new Uint8Array(new ArrayBuffer(HEAD_BYTES + pageSize()));
  play("other", "store", bytes, { rounds, limitMs: 0 }); // nobody comes
  assert(hasEnded(bytes));
  play("one", "store", bytes, { rounds, limitMs: 1000 }); // finds the other in round 1, which is over
  const counts = countSeen(bytes, rounds);
  assertEquals(counts, { played: 0, both: 0, onlyOne: 0, onlyOther: 0, neither: 0 });
});

Deno.test("the quiz on tutorial 11 answers right", async () => {
  await checkQuiz(11, 4, (words) => {
    const [, one, other, order, y, x, can] =
      /1\. .*?x = 1 with (.*?) and looks at y; .*?y = 1 with (.*?) and looks.*?order is: (.*?)\? And .*? → y is (\d) and x is (\d); (yes|no)/
        .exec(words)!;
    const steps = order!.split("; ");
    const seen = (word: string) => steps.indexOf(`${word} = 1`) < steps.indexOf(`look at ${word}`);
    assertEquals([Number(y), Number(x)], [Number(seen("y")), Number(seen("x"))]);
    assertEquals(can === "yes", `${one} ${other}`.includes("plain"));
    const [, store, load, answer] = /2\. .*?count with `(\w+)`\..*?count with `(\w+)` and.*? → (.*)/
      .exec(words)!;
    assertEquals(answer!.includes("visible before"), store === "storePlainly");
    assertEquals(answer!.includes("read before"), load === "glance");
    const [, job, tool] = /3\. A process (\w+) .*? → an? (\w+):/.exec(words)!;
    const verbs = { release: "stores", acquire: "sees", exchange: "stores", barrier: "has" };
    assertEquals(job, verbs[tool as keyof typeof verbs]);
  });
});

Deno.test("the quiz on tutorial 14 answers right", async () => {
  await checkQuiz(14, 4, (words) => {
    const [, a, b, orders] = /1\. One party does (\d) .*? another one (\d),.*? → (\d+):/.exec(
      words,
    )!;
    const count = (a: number, b: number): number =>
      a === 0 || b === 0 ? 1 : count(a - 1, b) + count(a, b - 1);
    assertEquals(Number(orders), count(Number(a), Number(b)));
    const [, state, moves, isLost] = /2\. A state: (.*?)\. Each .*? → (.*?); (lost|not lost)/.exec(
      words,
    )!;
    const all = state!.split(", ");
    const of = (kind: string) => all.filter((each) => each.endsWith(kind)).length;
    assertEquals(moves!.match(/step of/g)?.length ?? 0, of("awake"));
    assertEquals(moves!.match(/kill/g)?.length ?? 0, of("awake") + of("asleep"));
    assertEquals(isLost === "lost", of("awake") === 0 && of("asleep") > 0);
  });
});

Deno.test("the machine of tutorial 14 loses the wake-ups that the explorer loses", () => {
  for (const bell of Object.values(BELLS)) {
    const parties = [
      sleeper("reader 0", bell),
      waker("writer", bell, { mayDie: true }),
      waker("heir", bell, { after: "writer" }),
      sleeper("reader 1", bell),
    ];
    const ours = verdictOf({ words: ["count", "bell"], parties }, 1);
    assertEquals(ours.moves, explore(parties).lost?.length);
  }
});

Deno.test("the quiz on tutorial 24 answers right", async () => {
  await checkQuiz(24, 3, (words) => {
    const numbers =
      /have (\d+) bytes. The head is (\d+), the tail (\d+)\..*used (\d+) more.* → (\d+), (\d+) of/
        .exec(words)!.slice(1).map(Number);
    const [size, head, tail, used, received, again] = numbers;
    assertEquals([received, again], [(head! - tail!) / size!, used]);
  });
});

const STAGES = [
  ["mirror", "positions"],
  ["positions", "order"],
  ["order", "the bell"],
  ["bell", "many producers"],
] as const;

for (const [stage, next] of STAGES) {
  Deno.test(`the ring of stage "${stage}" passes the checks up to the next stage`, async () => {
    const work = await import(`../tutorials/answers/ring_${stage}.ts`);
    const failed = checksOf(work).find((check) => failureIn(check) !== undefined);
    assert(failed?.what.startsWith(`${next}: `), failed?.what);
  });
}
