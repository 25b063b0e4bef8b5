/**
 * Replay: a token repeats one run.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { scenario, word } from "../fixture.ts";
import { FutexVector, wake } from "../leaves/futex.ts";
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

Deno.test("a token of another scenario is refused", async () => {
  const message = await replay(scenario(LOSING), "C*9").catch((error) => `${error}`);
  assertStringIncludes(`${message}`, "does not fit");
});

Deno.test("tokens survive writing and reading", () => {
  for (const codes of [[], ["A"], ["A", "A", "B:1", "kA", "kA", "t", "pA64"]]) {
    assertEquals(decode(encode(codes)), codes);
  }
});
