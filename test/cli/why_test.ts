/** `vring why`: each way in which messages stop silently has its reason. */

import { assertEquals, assertMatch } from "@std/assert";
import { calls } from "../../src/calls/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Program } from "../program.ts";
import { objectsIn, vring } from "./vring.ts";

/** Returns what `vring why` finds, by the kind of region. */
async function why(name: string): Promise<Record<string, string[]>> {
  const all = objectsIn(await vring(["why", name, "--json", "--wait", "0.1"]));
  return Object.fromEntries(all.map(({ kind, reasons }) => [kind ?? "none", reasons]));
}

Deno.test("why: nothing has the name, or it is spelled differently", async () => {
  using _place = namespace();
  assertMatch((await why("cam")).none![0]!, /no region named cam: nothing is open/);
  using _publisher = topic("Cam/left").publisher();
  assertMatch((await why("cam-left")).none![0]!, /did you mean Cam\/left\?/);
  using _subscriber = topic("cam/left").subscriber();
  const reasons = (await why("cam/left")).topic!;
  assertMatch(reasons[0]!, /never had a publisher.*\(Cam\/left has one: is the name spelled alike/);
});

Deno.test("why: another kind of region has the name", async () => {
  using _place = namespace();
  using _one = spsc("work").producer();
  using _many = mpsc("work").consumer();
  const reasons = await why("work");
  assertMatch(reasons.spsc![0]!, /a region of kind mpsc has this name too/);
  assertMatch(reasons.mpsc![0]!, /a region of kind spsc has this name too/);
});

Deno.test("why: nobody sends, or nobody receives", async () => {
  using _place = namespace();
  using publisher = topic("t", { history: 1 }).publisher();
  publisher.trySend(new Uint8Array(1));
  assertMatch((await why("t")).topic![0]!, /never had a subscriber/);
  using _subscriber = topic("t", { history: 1 }).subscriber();
  publisher.close();
  assertMatch((await why("t")).topic![0]!, /its publisher has closed/);

  using _consumer = mpsc("m").consumer();
  assertMatch((await why("m")).mpsc![0]!, /never had a producer/);
  const producer = spsc("s").producer();
  using _receiver = spsc("s").consumer();
  producer.abort();
  assertMatch((await why("s")).spsc![0]!, /its producer ended without end\(\)/);
  using _client = calls("c").client();
  assertMatch((await why("c")).calls![0]!, /never had a server/);
  using _sources = topic("many", { publishers: "many" }).subscriber();
  assertMatch((await why("many")).sources![0]!, /it has no source/);
});

Deno.test("why: nothing was sent yet, it is full, or every subscriber's seat is taken", async () => {
  using _place = namespace();
  using producer = spsc("s", { capacity: 4096 }).producer();
  using consumer = spsc("s", { capacity: 4096 }).consumer();
  assertEquals((await why("s")).spsc, ["nothing was sent yet"]);
  producer.trySend(new Uint8Array(9));
  assertMatch((await why("s")).spsc![0]!, /messages wait in it, and the receiver takes none/);
  while (producer.trySend(new Uint8Array(300)));
  assertMatch((await why("s")).spsc![0]!, /it is full and nothing is released/);
  while (consumer.tryReceive());
  assertMatch((await why("s")).spsc![0]!, /nothing was sent in the last 0.1 seconds/);

  using _publisher = topic("t", { subscribers: 1 }).publisher();
  using _subscriber = topic("t", { subscribers: 1 }).subscriber();
  assertMatch((await why("t")).topic!.at(-1)!, /it has 1 subscriber, the most it can have/);
});

Deno.test("why: subscribers lose samples, or all is well", async () => {
  using _place = namespace();
  const definition = topic("t", { depth: 4, policy: "dropOldest" });
  using publisher = definition.publisher();
  using subscriber = definition.subscriber();
  let receives = false;
  const sending = setInterval(() => {
    publisher.trySend(new Uint8Array(1));
    if (receives) subscriber.tryReceive();
  }, 2);
  using _timer = { [Symbol.dispose]: () => clearInterval(sending) };
  for (let i = 0; i < 9; i++) publisher.trySend(new Uint8Array(1));
  assertMatch((await why("t")).topic![0]!, /subscribers lose .* the policy is dropOldest/);
  receives = true;
  while (subscriber.tryReceive());
  assertEquals((await why("t")).topic, []);
});

Deno.test("why: a party is stopped, or was killed", async () => {
  using place = namespace();
  await using party = new Program("test/cli/party.ts", place.prefix);
  await party.until(/open: 5/);
  using _consumer = spsc("ring").consumer();
  party.kill("SIGSTOP");
  assertMatch(
    (await why("ring")).spsc![0]!,
    new RegExp(`producer \\(process ${party.pid}, .*is stopped`),
  );
  party.kill("SIGCONT");
  await party.killed();
  assertMatch((await why("ring")).spsc![0]!, /its producer was killed; start it again/);
  assertMatch((await why("alone")).topic!.at(-1)!, /no program has it open/);
});

Deno.test("why: a topic of many publishers has none, or no subscriber", async () => {
  using _place = namespace();
  const many = topic("many", { publishers: "many" });
  using publisher = many.publisher();
  assertMatch((await why("many")).sources![0]!, /never had a subscriber: start one whose/);
  using _subscriber = many.subscriber();
  publisher.trySend(new Uint8Array(1));
  assertEquals((await why("many")).sources, []);
  publisher.close();
  assertMatch((await why("many")).sources![0]!, /no source|none of its 1 source has a publisher/);
});

Deno.test("why: a lock makes others wait", async () => {
  using _place = namespace();
  using first = rwLock("lock").open();
  using second = rwLock("lock").open();
  const held = first.tryWrite()!;
  assertMatch((await vring("why lock --wait 0.01")).out, /nothing is wrong/);
  const waiting = second.write();
  const [reason] = (await why("lock")).rwlock!;
  assertMatch(reason!, /^its writer \(process \d+, .*\) holds it and another party waits/);
  held[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
});

Deno.test("why: the region cannot be read, or another version made it", async () => {
  using _place = namespace();
  using ring = spsc("ring").producer();
  const { path } = spsc("ring").info()!;
  using file = Deno.openSync(path, { read: true, write: true });
  const whole = Deno.readFileSync(path);
  const { abiHash } = spsc("ring").info()!.details!;
  const at = new DataView(whole.buffer);
  for (let i = 0; i < 512; i += 8) {
    if (at.getBigUint64(i, true) === abiHash) at.setBigUint64(i, abiHash ^ 1n, true);
  }
  file.writeSync(whole.subarray(0, 512));
  assertMatch((await why("ring")).spsc![0]!, /another version of vring made it/);
  assertMatch((await vring("ls ring")).out, /another version of vring made it/);
  const [facts] = objectsIn(await vring("ls ring --json"));
  assertMatch(String(facts!.problem), /another version of vring made it/);
  assertMatch(
    (await vring("hz ring")).err,
    /^Cannot count .*ring: another version of vring made it/,
  );
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(512));
  assertMatch((await why("ring")).spsc![0]!, /it cannot be read/);
  ring.close();
});
