/** Commands that send, and figures of what passes. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { calls } from "../../src/calls/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { bytes, json, text } from "../../src/codec.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { array, struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { objectsIn, vring } from "./vring.ts";

const Scan = struct("scan", {
  id: "u64",
  raw: bytes(2),
  name: text(8),
  at: struct("place", { x: "f64" }),
  all: array("i64", 2),
});

Deno.test("vring pub sends to every kind that carries messages", async () => {
  using _place = namespace();
  using scans = topic("scan", { type: Scan, history: 1 }).subscriber();
  const value =
    '{"id":"18446744073709551615","raw":[1,2],"name":"a","at":{"x":0.5},"all":[1,"-2"]}';
  assertEquals((await vring(["pub", "scan", value])).out, "sent 1 to topic scan\n");
  assertEquals(scans.tryReceive()?.value, {
    id: 2n ** 64n - 1n,
    raw: Uint8Array.of(1, 2),
    name: "a",
    at: { x: 0.5 },
    all: BigInt64Array.of(1n, -2n),
  });

  using lines = spsc("lines", { type: text() }).consumer();
  assertEquals((await vring(["pub", "lines", "hello world"])).code, 0);
  assertEquals([lines.tryReceive()?.value, lines.tryReceive(), lines.ended], [
    "hello world",
    undefined,
    true,
  ]);
  using many = mpsc("many", { type: "f64", producers: 2 }).consumer({ onPeerGone: "wait" });
  await vring("pub many 1.5 --rate 1000 --count 3");
  assertEquals([1, 2, 3].map(() => many.tryReceive()?.value), [1.5, 1.5, 1.5]);
  using body = domain("d", { s: { type: json<unknown>() } }).open();
  await vring(["pub", "d/s", '{"a":[1]}']);
  assertEquals(body.slots.s.latest()?.value, { a: [1] });
  using log = circular("log").reader();
  await vring("pub log abc");
  assertEquals(log.tryReceive()?.value, new TextEncoder().encode("abc"));
});

Deno.test("vring pub says what is wrong, and sends nothing", async () => {
  using _place = namespace();
  assertEquals((await vring("pub nothing 1")).code, 1);
  using scans = topic("scan", { type: Scan }).subscriber();
  assertEquals((await vring("pub scan")).code, 2);
  assertEquals((await vring("pub scan {")).code, 2);
  assertEquals((await vring("pub scan 1 2")).code, 2);
  const wrong = await vring('pub scan {"id":1}');
  assertEquals(wrong.code, 2);
  assertMatch(wrong.err, /raw/);
  using _publisher = topic("scan", { type: Scan }).publisher();
  const taken = await vring([
    "pub",
    "scan",
    '{"id":1,"raw":[1,2],"name":"","at":{"x":1},"all":[1,2]}',
  ]);
  assertMatch(taken.err, /it has a publisher, which is alive/);
  assertEquals(scans.tryReceive(), undefined);
});

Deno.test("vring call prints the answer of a server", async () => {
  using _place = namespace();
  const definition = calls("sum", { request: array("f64", 2), response: "f64" });
  using server = definition.server();
  const end = new AbortController();
  const serving = server.serve(([a, b]) => a! + b!, { until: end.signal });
  assertEquals((await vring(["call", "sum", "[1, 2.5]"])).out, "3.5\n");
  assertEquals(objectsIn(await vring(["call", "sum", "[1,1]", "--json"])), [{ value: 2 }]);
  end.abort();
  await serving;
  assertEquals((await vring("call nobody 1")).code, 1);
  const wrong = await vring(["call", "sum", '["a"]']);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.err, /^Cannot write f64\[2\]: it holds 2 and 1 were passed/);
  const late = await vring(["call", "sum", "[1, 1]", "--timeout", "0.05"]);
  assertMatch(late.err, /^Cannot finish vring call: --timeout 0.05 is over, .*; vring why sum may/);
});

Deno.test("vring hz, bw, lag and delay print figures of what passes", async () => {
  using _place = namespace();
  using publisher = topic("t", { type: "f64", policy: "dropOldest" }).publisher();
  using subscriber = topic("t", { type: "f64", policy: "dropOldest" }).subscriber();
  let receives = true;
  const sending = setInterval(() => {
    publisher.trySend(1);
    if (receives) subscriber.tryReceive();
  }, 1);
  using _timer = { [Symbol.dispose]: () => clearInterval(sending) };
  const [hz] = objectsIn(await vring("hz t --once --every 0.1 --json"));
  assert((hz!.messages as number) > 0);
  const [bw] = objectsIn(await vring("bw t --once --every 0.1 --json"));
  assert((bw!.bytes as number) >= 8);
  assertMatch((await vring("hz t --once --every 0.1")).out, /^t {2}[\d,.]+ messages\/s\n$/);
  const [delay] = objectsIn(await vring("delay t --once --every 0.2 --json"));
  assert((delay!.messages as number) > 0);
  assert((delay!.minMs as number) <= (delay!.medianMs as number));
  receives = false;
  for (let i = 0; i < 8; i++) publisher.trySend(1); // all that the topic holds
  const lag = await vring("lag t --once --every 0.01");
  assertMatch(lag.out, /^t {2}subscriber 0: 8 of 8 samples, the oldest for [\d.]+ ms\n$/);
  assertEquals((await vring("hz nothing")).code, 1);
  assertEquals((await vring("delay nothing")).code, 1);
});

Deno.test("vring prometheus serves counters, and only on its path", async () => {
  using _place = namespace();
  using publisher = topic("a-b", { type: "f64" }).publisher();
  using _subscriber = topic("a-b", { type: "f64" }).subscriber();
  using ring = spsc("ring").producer();
  ring.trySend(new Uint8Array(1));
  publisher.trySend(1);
  const { out } = await vring("prometheus --once");
  assertStringIncludes(out, 'vring_messages_total{kind="topic",name="a-b",flow=""} 1\n');
  assertStringIncludes(out, 'vring_backlog{kind="spsc",name="ring",flow=""} 16\n');
  const party = 'vring_party_alive{kind="topic",name="a-b",role="publisher",seat="0"} 1\n';
  assertStringIncludes(out, party);
  assertStringIncludes(out, "# TYPE vring_messages_total counter\n");
  for (const line of out.trim().split("\n")) {
    assertMatch(line, /^(# (HELP|TYPE) \w+ .*|\w+\{[^}]*\} [-0-9.e+]+)$/);
  }

  const sending = setInterval(() => publisher.trySend(2), 1);
  using _timer = { [Symbol.dispose]: () => clearInterval(sending) };
  let [served, missing] = ["", 0];
  const scrape = async (url: string) => {
    while (!/vring_delay_seconds_count\{.*\} [1-9]/.test(served)) {
      served = await (await fetch(`${url}/metrics`)).text();
    }
    const other = await fetch(`${url}/other`);
    await other.body?.cancel();
    missing = other.status;
  };
  const { code, out: told } = await vring("prometheus --port 0 --delays a-*", [
    [/127\.0\.0\.1:\d+/, (url) => scrape(`http://${url}`)],
  ]);
  assertEquals([code, missing], [0, 404]);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const refused = await vring(`prometheus --port ${taken.addr.port}`);
  assertMatch(refused.err, /^Cannot serve on port \d+: another program uses it/);
  assertEquals(refused.code, 1);
  assertMatch(told, /^http:/);
  assertMatch(served, /vring_delay_seconds_bucket\{kind="topic",name="a-b",le="\+Inf"\} \d+/);
});
