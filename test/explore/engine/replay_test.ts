/**
 * Replay: a token repeats one run.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memory, scenario, word } from "../fixture.ts";
import { FutexVector, wake } from "../leaves/futex.ts";
import { copyIn, copyOut } from "../leaves/word.ts";
import { explore, replay, type Scenario } from "./mod.ts";
import { decode, encode } from "./token.ts";

const LOSING: Scenario["actors"] = {
  sleeper: async () => {
    const bell = word(0);
    if (bell.load() !== 0) return;
    const vector = new FutexVector();
    vector.push(bell.address, 0);
    await vector.wait(Infinity);
  },
  waker: () => {
    wake(word(0).address, 1);
    word(0).store(1);
  },
};

Deno.test("a token replays the run that was found, twice the same", async () => {
  const losing = scenario(LOSING, { bounds: { preemptions: 2, deaths: 1, noise: 1 } });
  for (const options of [{}, { seed: 3 }]) {
    const { finding } = await explore(losing, options);
    assert(finding !== undefined);
    for (let i = 0; i < 2; i++) {
      const { problem, trace } = await replay(losing, finding.token);
      assertEquals(problem, { kind: finding.kind, message: finding.message });
      assertEquals(trace, finding.trace);
    }
  }
});

Deno.test("a token of weak memory replays stores that were late and loads that were early", async () => {
  const actors: Scenario["actors"] = {
    writer: () => {
      word(0).store(1);
      copyIn(memory(), 128, Uint8Array.of(1));
    },
    reader: () => {
      const byte = new Uint8Array(1);
      copyOut(memory(), 128, byte);
      return [byte[0], word(0).load()];
    },
  };
  const check: Scenario["check"] = ({ results }) =>
    `${results.reader}` === "1,0" ? "late" : undefined;
  const bounds = { preemptions: 2, deaths: 0, noise: 0, reorderings: 1 };
  const tested = scenario(actors, { check, bounds });
  const { finding } = await explore(tested);
  const again = await replay(tested, finding!.token);
  assertEquals(again, { problem: { kind: "invariant", message: "late" }, trace: finding!.trace });
  const tokens = {
    "weak:A:1.A.B*2.vA0": [
      "writer  word[0] store 1 (not visible yet)",
      "writer  copy in 01 at 128",
      "reader  copy out at 128 -> 01",
      "reader  word[0] load -> 0",
      "writer  (its store becomes visible) word[0] store 1",
    ],
    "weak:B.A*2.B": ["reader  word[0] load -> 1"],
    "weak:A:1.kA": ["writer  (its store becomes visible) word[0] store 1", "writer  DIES"],
  };
  for (const [token, lines] of Object.entries(tokens)) {
    const { trace } = await replay(tested, token);
    assertEquals(trace.slice(-lines.length), lines);
  }
});

Deno.test("a token of another scenario is refused", async () => {
  const message = await replay(scenario(LOSING), "C*9").catch((error) => `${error}`);
  assertStringIncludes(`${message}`, "does not fit");
});

Deno.test("tokens survive writing and reading", () => {
  for (const codes of [[], ["A"], ["A", "A", "B:1", "kA", "kA", "t", "pA64"]]) {
    for (const isWeak of [false, true]) {
      assertEquals(decode(encode(codes, isWeak)), { codes, isWeak });
    }
  }
});

Deno.test("in a replay, an actor dies though another one acted last", async () => {
  const storing = () => [1, 2].forEach((value) => word(0).store(value));
  const tested = scenario({ first: storing, second: () => word(0).load() });
  const { problem, trace } = await replay(tested, "A.B.kA");
  assertEquals(problem, undefined);
  assertEquals(trace, ["first   word[0] store 1", "second  word[0] load -> 1", "first   DIES"]);
});
