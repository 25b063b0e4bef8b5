/** The evidence for a finding tells a missed wake-up from a process that waits for a processor. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { spsc } from "../mod.ts";
import { SPSC_CONTROL } from "../src/spsc/spsc.ts";
import { REGION_HEADER } from "../src/region/header.ts";
import { until } from "./os/until.ts";
import { evidenceOf } from "./torture/evidence.ts";
import { FreeTime } from "./torture/processor_time.ts";

const NAME = `evidence${Deno.pid}`;
const CONSUMER = `
  import { spsc } from "${new URL("../mod.ts", import.meta.url)}";
  spsc("${NAME}").consumer({ onPeerGone: "wait" }).receiveSync();
`;

Deno.test("evidence names the word on which a process sleeps, and shows that a wake-up was missed", async () => {
  using producer = spsc(NAME).producer();
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(script, CONSUMER);
  const args = ["run", "--quiet", "--no-check", "--allow-all", script];
  await using child = new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
  const evidence = () => evidenceOf(NAME, [{ who: "consumer 0", pid: child.pid }]);
  let text = "";
  await until("it sleeps", () => /sleeps on/.test(text = evidence()));
  assertMatch(text, /^load [^]*\nconsumer 0, process \d+:\n {2}\d+ S in futex\w*, [\d.]+ ms of a/);
  assertMatch(text, /sleeps on data_bell of spsc evidence\d+ while that is (\d+), and it is\n/);
  assertMatch(
    text,
    /\nspsc evidence\d+\n[^]*consumer 0: alive, process \d+[^]*why: nothing was sent/,
  );
  assertMatch(text, /\n +\d+ +data_bell +\d+\n/);

  using file = await Deno.open(`/dev/shm/vring.spsc.${NAME}`, { write: true });
  const { offset } = SPSC_CONTROL.fields.data_bell;
  await until("a wake-up is missed", () => {
    file.seekSync(REGION_HEADER.size + offset, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(new Uint32Array([1000]).buffer));
    return /sleeps on data_bell .*, but it is 1000: A WAKE-UP WAS MISSED/.test(evidence());
  });
  producer.trySend(new Uint8Array(1));
  child.kill();
  await child.status;
  await Deno.remove(script);
  assertEquals(evidenceOf("nothing", [{ who: "it", pid: child.pid }]).split("\n").slice(1), [
    `it, process ${child.pid}:`,
    "  it has ended",
  ]);
});

Deno.test("time for which a process waits for a processor does not count", async () => {
  const busy = () => {
    const args = ["-c", "0", "sh", "-c", "while :; do :; done"];
    return new Deno.Command("taskset", { args, stdin: "null" }).spawn();
  };
  const both = [busy(), busy()];
  const pids = both.map(({ pid }) => pid);
  const free = new FreeTime();
  const start = performance.now();
  while (performance.now() - start < 200) free.least(pids);
  const elapsed = performance.now() - start;
  const shares = pids.map((pid) => free.of(pid) / elapsed);
  for (const process of both) process.kill("SIGKILL");
  for (const process of both) await process.status;
  assert(shares[0]! + shares[1]! < 1.4, `${shares}`); // they share one processor
  assertEquals(free.least([]), Infinity);
});
