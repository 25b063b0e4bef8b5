/** The swarm kills forked processes, keeps its account over interruptions, and finds mistakes. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { entries, readmeWithSum, sumOf } from "./torture/record.ts";
import { whyNoCompiler } from "./shared/scene.ts";

const ROOT = new URL("../", import.meta.url);
const obstacle = whyNoCompiler();
if (obstacle !== undefined) console.warn(`The swarm is not tested: ${obstacle}`);

interface Ended {
  readonly pid: number;
  readonly code: number;
  readonly report: string;
  readonly shown: string;
}

/** Runs the command for some seconds; returns its exit code and report. */
async function swarm(...args: string[]): Promise<Ended> {
  const task = ["--v8-flags=--single-threaded", "--import-map", "test/trap/import_map.json"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", ...task, "test/torture/swarm/main.ts", ...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { pid: child.pid, code, report: decoder.decode(stdout), shown: decoder.decode(stderr) };
}

Deno.test({
  name: "the swarm finds broken scenes, and a run goes on where it ended",
  ignore: obstacle !== undefined,
  async fn() {
    const state = await Deno.makeTempFile();
    const pids: number[] = [];
    await Deno.remove(state);
    try {
      const one = ["--state", state, "--slice", "0.5", "--seed", "5"];
      const clean = await swarm(...one, "--minutes", "0.01", "locks");
      pids.push(clean.pid);
      assertEquals(clean.code, 0, clean.report);
      assertMatch(clean.report, /swarm: clean, .* seed 5\n/);
      // one after the other: a run ends at its first complaint
      const until = [...one, "--minutes", "1", "--at-once", "2", "--until-found"];
      const wake = await swarm(...until, "--patience", "0.2", "broken-wake");
      pids.push(wake.pid);
      assertMatch(wake.report, /- broken-wake .*no progress, though nobody is harmed/);
      assertMatch(
        wake.report,
        /broken-wake: load .*[^]* spsc swarm[^]*why: messages wait in it/,
      );
      const broken = await swarm(...until, "broken-locks");
      pids.push(broken.pid);
      assertEquals([wake.code, broken.code], [1, 1], broken.report);
      assertMatch(
        broken.report,
        /NOT CLEAN.* seed 5\n[^]*\| locks .*[^]*- broken-locks .*two hold/,
      );
      assertMatch(broken.shown, /\[#*\.+\] +\d+ % /);
      const { parts } = JSON.parse(await Deno.readTextFile(state));
      assert(parts.length >= 2 && parts[0].workload === "locks");
    } finally {
      await Deno.remove(state);
    }
    const left = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name);
    const isOurs = (name: string) => pids.some((pid) => name.includes(`swarm${pid}x5-`));
    assertEquals(left.filter(isOurs), []);
  },
});

Deno.test("README.md shows the sum of the record of torture", () => {
  assertEquals(readmeWithSum(), Deno.readTextFileSync(new URL("README.md", ROOT)));
  const { findings, kills } = sumOf(entries().flatMap(({ parts }) => parts));
  assert(kills >= findings.length);
});
