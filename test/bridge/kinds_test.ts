/** Slots, rings and calls over a bridge. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import type { Carrier } from "../../src/bridge/carrier.ts";
import { Loopback } from "../../src/bridge/loopback.ts";
import { connectNats } from "../../src/bridge/nats.ts";
import { Batch, headersOf, headingIn } from "../../src/bridge/message.ts";
import { remoteRealm } from "../../src/bridge/mod.ts";
import { hashText, offeredIn, offerText } from "../../src/bridge/offer.ts";
import { StreamImport } from "../../src/bridge/stream_import.ts";
import { calls } from "../../src/calls/definition.ts";
import { text } from "../../src/codec.ts";
import { RemoteError } from "../../src/errors.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { array } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { bytes, until } from "./carriers.ts";
import { exporting, importing, Running } from "./scene.ts";
import { NatsServer, serverTest } from "./server.ts";

/** Puts what is imported under another name: rings and calls have no slashes. */
const nameOf = (name: string) => `far-${name}`;

/** Defines a test over both carriers. */
function bothTest(name: string, run: (a: Carrier, b: Carrier, c: Carrier) => Promise<void>): void {
  Deno.test(`loopback: ${name}`, async () => {
    using _place = namespace();
    const network = new Loopback();
    await run(network.connect(), network.connect(), network.connect());
  });
  serverTest(`NATS: ${name}`, async () => {
    using _place = namespace();
    await using server = await NatsServer.start();
    await using a = await connectNats({ servers: server.url });
    await using b = await connectNats({ servers: server.url });
    await using c = await connectNats({ servers: server.url });
    await run(a, b, c);
  });
}

bothTest("the latest value of a slot arrives, also at a bridge that starts later", async (a, b) => {
  const body = { speed: { type: "f64" }, map: { size: 2 ** 20, depth: 2 } } as const;
  using robot = domain("robot", body).open();
  robot.slots.speed.writeSync(1);
  await using exporter = exporting(a, ["slot:robot/*"], { chunkBytes: 100_000 });
  await until(() => exporter.bridge.report.exports.some(({ sent }) => sent === 1));
  await using importer = importing(b, ["slot:**"], { nameOf });
  using far = domain("far-robot", body).open();
  await until(() => far.slots.speed.latest()?.value === 1);
  robot.slots.speed.writeSync(2.5);
  robot.slots.map.writeSync(bytes(2 ** 20));
  await until(() => far.slots.speed.latest()?.value === 2.5);
  await until(() => far.slots.map.latest() !== undefined);
  assertEquals(far.slots.map.latest()!.value.length, 2 ** 20);
  assert(far.slots.map.latest()!.value.every((byte, i) => byte === BIG[i]));
  const { host, sequence, hops } = far.slots.speed.latest()!.origin!;
  assertEquals([host, sequence, hops], ["a", 2, 1]);
  for (let i = 0; i < 1000; i++) robot.slots.speed.writeSync(i);
  await until(() => far.slots.speed.latest()?.value === 999);
  const { published, lost } = importer.bridge.report.imports.find(({ name }) =>
    /speed/.test(name)
  )!;
  assertEquals(published + lost.wire, 1002, "each value was published, or counts as missed");
  assertEquals(importer.problems, []);
});

const BIG = bytes(2 ** 20);

Deno.test("a slot that both machines write does not echo", async () => {
  using _place = namespace();
  const network = new Loopback();
  using robot = domain("robot", { speed: { type: "f64" } }).open();
  using far = domain("far-robot", { speed: { type: "f64" } }).open();
  const back = (name: string) => name.slice("far-".length);
  const lists = { imports: ["slot:**"], exports: ["slot:robot/speed"] };
  await using first = new Running({
    carrier: network.connect(),
    host: "a",
    nameOf: back,
    ...lists,
    imports: ["slot:far-robot/speed"],
  });
  await using second = new Running({
    carrier: network.connect(),
    host: "b",
    nameOf,
    exports: ["slot:far-robot/speed"],
    imports: ["slot:robot/speed"],
  });
  robot.slots.speed.writeSync(1);
  await until(() => far.slots.speed.latest()?.value === 1);
  far.slots.speed.writeSync(2);
  await until(() => robot.slots.speed.latest()?.value === 2);
  robot.slots.speed.writeSync(3);
  await until(() => far.slots.speed.latest()?.value === 3);
  assertEquals([robot.slots.speed.sequence, far.slots.speed.sequence], [3, 3]);
  const sent = (running: Running) => running.bridge.report.exports.map(({ sent }) => sent);
  assertEquals([sent(first), sent(second)], [[2], [1]]);
});

bothTest(
  "a ring loses nothing, keeps its order, and waits while nobody imports it",
  async (a, b) => {
    const options = { capacity: 2 ** 21, producers: 2 };
    using producer = mpsc("jobs", options).producer();
    await using exporter = exporting(a, ["mpsc:jobs"]);
    for (let i = 0; i < 700; i++) producer.trySend(bytes(i));
    await producer.waitForPeers(1);
    producer.trySend(BIG.slice(0, 700_000));
    using consumer = mpsc("far-jobs", options).consumer({ onPeerGone: "wait" });
    await using importer = importing(b, ["mpsc:*"], { nameOf });
    for (let i = 0; i < 700; i++) {
      assertEquals((await consumer.receive({ timeout: 60_000 }))!.value.length, i);
    }
    const big = (await consumer.receive({ timeout: 60_000 }))!.value;
    assert(big.length === 700_000 && big.every((byte, i) => byte === BIG[i]));
    await until(() => exporter.bridge.report.exports[0]!.sent === 701);
    const { published, duplicates } = importer.bridge.report.imports[0]!;
    assertEquals([published, duplicates, consumer.tryReceive()], [701, 0, undefined]);
  },
);

Deno.test("a batch whose answer is lost comes again, and is stored once", async () => {
  using _place = namespace();
  const network = new Loopback();
  const [a, b] = [network.connect(), network.connect()];
  let losing = true;
  const { publish } = b;
  b.publish = (message) => {
    if (losing && message.headers.has("Vring-Inbox")) {
      losing = false;
      a.setConnected(false); // so that the request fails at once
      setTimeout(() => a.setConnected(true), 20);
    } else publish.call(b, message);
  };
  const request = a.request.bind(a);
  a.request = (message) => request(message, 200);
  using producer = mpsc("jobs").producer();
  await using _exporter = exporting(a, ["mpsc:jobs"]);
  using consumer = mpsc("far-jobs").consumer({ onPeerGone: "wait" });
  await using importer = importing(b, ["mpsc:*"], { nameOf });
  for (let i = 0; i < 5; i++) producer.trySend(bytes(i));
  for (let i = 0; i < 5; i++) {
    assertEquals((await consumer.receive({ timeout: 60_000 }))!.value.length, i);
  }
  await until(() => importer.bridge.report.imports[0]!.duplicates > 0);
  assertEquals(consumer.tryReceive(), undefined);
});

Deno.test("a ring of another type at the far side is refused, and its messages wait", async () => {
  using _place = namespace();
  const network = new Loopback();
  using producer = mpsc("jobs", { type: "f64" }).producer();
  producer.trySend(5);
  const other = mpsc("far-jobs", { type: "u32" }).consumer();
  await using exporter = exporting(network.connect(), ["mpsc:jobs"]);
  await using importer = importing(network.connect(), ["mpsc:*"], { nameOf });
  await until(() => exporter.problems.length > 0);
  assertMatch(exporter.problems[0]!, /its messages are "u32", and this definition says "f64"/);
  assertEquals(importer.problems.length, 1);
  other.close();
  using consumer = mpsc("far-jobs", { type: "f64" }).consumer({ onPeerGone: "wait" });
  assertEquals((await consumer.receive({ timeout: 60_000 }))!.value, 5);
});

const SUMS = { request: array("f64", 2), response: "f64", servers: 2 } as const;

bothTest("calls are answered by the servers of several machines", async (a, b, c) => {
  using near = calls("sum", SUMS).server();
  using other = calls("more", SUMS).server(); // on a third machine, where it is "sum"
  const answered = [0, 0];
  const serve = (server: typeof near, i: number) =>
    server.serve(([x, y]) => {
      answered[i]!++;
      if (x! < 0) throw Object.assign(new RangeError("too small"), { code: "ESMALL" });
      return x! + y!;
    });
  const serving = [serve(near, 0), serve(other, 1)];
  await using exporter = exporting(a, ["calls:sum"]);
  await using importer = importing(b, ["calls:*"], { nameOf });
  using client = calls("far-sum", SUMS).client({ onPeerGone: "wait" });
  assertEquals(await client.call([1, 2], { timeout: 60_000 }), 3);
  for (let i = 0; i < 20; i++) assertEquals(await client.call([i, 1]), i + 1);
  assertEquals(answered, [21, 0]);
  const error = await assertRejects(() => client.call([-1, 0]), RemoteError, "too small");
  assertEquals([error.remoteName, error.code], ["RangeError", "ESMALL"]);
  assertEquals(exporter.bridge.report.exports[0]!.sent, 21);
  assertEquals(importer.bridge.report.imports[0]!.published, 22);
  let offers;
  do {
    ({ offers } = await remoteRealm(c, { realm: "test", waitMs: 50 }));
  } while (offers.length === 0);
  assertEquals(offers.map(({ host, kind, name }) => `${host} ${kind} ${name}`), ["a calls sum"]);
  await near.shutdown();
  await other.shutdown();
  await Promise.all(serving);
  await until(() => calls("far-sum", SUMS).info() === undefined || client.peers === 0);
});

serverTest("NATS: two machines with servers share the calls", async () => {
  using _place = namespace();
  await using nats = await NatsServer.start();
  const [a, b, c] = await Promise.all(
    [1, 2, 3].map(() => connectNats({ servers: nats.url })),
  );
  await using _all = new AsyncDisposableStack();
  for (const each of [a!, b!, c!]) _all.use(each);
  using one = calls("sum", SUMS).server();
  const answered = [0, 0];
  const serving = one.serve(([x, y]) => (answered[0]!++, x! + y!));
  await using _first = exporting(a!, ["calls:sum"]);
  // the second machine: its bridge answers like one with a server
  using _second = c!.subscribe("vring.v1-call.test.all.sum", ({ payload, reply }) => {
    answered[1]!++;
    const [x, y] = new Float64Array(payload.slice().buffer);
    const answer = new Uint8Array(new Float64Array([x! + y!]).buffer);
    c!.publish({ subject: reply!, headers: new Map(), payload: answer });
  }, { queue: "servers" });
  await c!.flush();
  await using _importer = importing(b!, ["calls:*"], { nameOf });
  using client = calls("far-sum", SUMS).client({ onPeerGone: "wait" });
  for (let i = 0; i < 60; i++) assertEquals(await client.call([i, 1], { timeout: 60_000 }), i + 1);
  assertEquals(answered[0]! + answered[1]!, 60);
  assert(Math.min(...answered) > 5, `${answered}`);
  await one.shutdown();
  await serving;
});

Deno.test("a call that no machine answers any more fails", async () => {
  using _place = namespace();
  const network = new Loopback();
  const [a, b] = [network.connect(), network.connect()];
  const request = b.request.bind(b);
  let limitMs = 60_000;
  b.request = (message) => request(message, limitMs);
  const shout = { request: text(20), response: text(20) };
  using server = calls("shout", shout).server();
  const serving = server.serve((word) => word.toUpperCase());
  await using _exporter = exporting(a, ["calls:shout"]);
  await using _importer = importing(b, ["calls:*"], { nameOf });
  using client = calls("far-shout", shout).client({ onPeerGone: "wait" });
  assertEquals(await client.call("a", { timeout: 60_000 }), "A");
  a.setConnected(false); // without a word, like a machine that is unplugged
  limitMs = 50;
  await assertRejects(() => client.call("b"), RemoteError, "50 ms");
  a.setConnected(true);
  await server.shutdown();
  await serving;
});

bothTest("a host that vanished is listed, and one that ended is not", async (a, b, c) => {
  await using importer = importing(b, ["t"]);
  await importer.ready;
  const vanished = new Running({ carrier: deaf(a), host: "a", imports: ["t"] });
  {
    await using ended = new Running({ carrier: a, host: "c", imports: ["t"] });
    await ended.ready;
    await a.flush();
  }
  await a.flush();
  const heard = async () => (await remoteRealm(c, { realm: "test", waitMs: 50 })).silent;
  let silent;
  do {
    silent = await heard();
  } while (silent.length === 0);
  assertEquals(silent.map(({ host }) => host), ["a"]);
  assert(silent[0]!.agoMs < 10_000);
  await vanished[Symbol.asyncDispose]();
  await a.flush();
  assertEquals(await heard(), []);
});

/** A carrier that answers nothing any more. */
function deaf(carrier: Carrier): Carrier {
  return new Proxy(carrier, {
    get(target, property) {
      if (property === "subscribe") return () => ({ [Symbol.dispose]() {} });
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("a ring or calls that a bridge exports and imports are refused", async () => {
  using _place = namespace();
  using _producer = mpsc("jobs").producer();
  const both = { exports: ["mpsc:jobs"], imports: ["mpsc:*"] };
  await using bridge = new Running({ carrier: new Loopback().connect(), host: "a", ...both });
  await until(() => bridge.problems.length > 0);
  assertEquals(bridge.problems, [
    'Cannot export mpsc "jobs": this bridge imports it, too; list it once',
  ]);
});

Deno.test("a bridge that follows one that ended anywhere in a batch stores the rest of it", async () => {
  using _place = namespace();
  const geometry = { capacity: 2 ** 16, producers: 2 };
  const definition = mpsc("jobs", geometry);
  using consumer = definition.consumer({ onPeerGone: "wait" });
  const offered = offeredIn(definition.info()!.details!);
  const offer = offerText(offered);
  let incarnation = 0;
  const received = async (turns: number) => {
    const batch = new Batch(2 ** 10);
    for (let i = 0; i < 8; i++) batch.add(i >> 1, i % 2, bytes(i));
    const stem = { host: "a", incarnation: ++incarnation, hops: 1 };
    const headers = headersOf({
      stem,
      source: undefined,
      hash: hashText(offered.type),
      offer,
      count: 8,
      sequence: 1,
      time: 0,
      unsent: { before: 0, inside: 0, skipped: 0 },
      chunk: undefined,
      isEnd: false,
    });
    const heading = headingIn(headers)!;
    const begin = () => new StreamImport({ name: "jobs", host: "a", onRefusal: () => {} });
    const killed = begin();
    const ended = killed.receive("a", heading, batch.records).catch(() => {});
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const before = killed.account.published;
    killed[Symbol.dispose]();
    await ended;
    using next = begin();
    assertEquals(await next.receive("a", heading, batch.records), undefined);
    if (before < 8) assertEquals(next.account.duplicates, before);
    const lengths: number[] = [];
    for (let message; (message = consumer.tryReceive()) !== undefined;) {
      lengths.push(message.value.length);
    }
    return { before, lengths: lengths.sort() };
  };
  const seen = new Set<number>();
  for (let turns = 0; !seen.has(8); turns++) {
    const { before, lengths } = await received(turns);
    seen.add(before);
    if (before < 8) assertEquals(lengths, [0, 1, 2, 3, 4, 5, 6, 7]); // with 8, it was answered
  }
  assert(seen.size > 2, "no end in the middle of a batch was tried");
});
