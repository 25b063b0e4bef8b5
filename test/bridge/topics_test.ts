/** Topics over a bridge: what arrives, in which order, and what is counted as lost. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Carrier, Incoming, Outgoing } from "../../src/bridge/carrier.ts";
import { Exports } from "../../src/bridge/exports.ts";
import { Loopback } from "../../src/bridge/loopback.ts";
import { connectNats } from "../../src/bridge/nats.ts";
import { headersOf, type Heading } from "../../src/bridge/message.ts";
import { subjectOf } from "../../src/bridge/subjects.ts";
import { Window } from "../../src/bridge/window.ts";
import { raw } from "../../src/codec.ts";
import { regions } from "../../src/region/list.ts";
import { array, struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Subscriber } from "../../src/vdds/subscriber.ts";
import { bytes, until } from "./carriers.ts";
import { exporting, importing } from "./scene.ts";
import { NatsServer, serverTest } from "./server.ts";

const Pose = struct("pose", { x: "f64", parts: array("f32", 2) });

/** Resolves once a subscriber at the far side has a publisher. */
function connected(subscriber: Subscriber): Promise<void> {
  return until(() => subscriber.peers > 0);
}

/** Receives until there were so many, lost ones included. */
async function receive(subscriber: Subscriber, total: number) {
  const messages = [];
  for (let sum = 0; sum < total;) {
    const message = (await subscriber.receive({ timeout: 60_000 }))!;
    sum += 1 + (messages.length === 0 ? 0 : message.lost);
    messages.push(message);
  }
  return messages;
}

async function carriesTopics(a: Carrier, b: Carrier): Promise<void> {
  using _place = namespace();
  using publisher = topic("cam/left", { size: 2 ** 20, depth: 4 }).publisher();
  using poses = topic("pose", { type: Pose, history: 1 }).publisher();
  await using _exporter = exporting(a, ["cam/**", "pose"], { chunkBytes: 100_000 });
  await using importer = importing(b, ["**"]);
  using far = topic("far/cam/left", { size: 2 ** 20, depth: 4 }).subscriber();
  using farPoses = topic("far/pose", { type: Pose, history: 1 }).subscriber();
  await until(() => far.peers > 0 && farPoses.peers > 0);
  for (const size of [0, 1, 50_000, 99_999, 100_000, 100_001, 500_000, 2 ** 20]) {
    const sent = bytes(size);
    await publisher.send(sent);
    const message = (await far.receive({ timeout: 60_000 }))!;
    assertEquals(message.value.length, size);
    assert(message.value.every((byte, i) => byte === sent[i]));
    assertEquals(message.lost, 0);
    const { host, hops, sequence } = message.origin!;
    assertEquals([host, hops, sequence], ["a", 1, publisher.sequence]);
  }
  poses.trySend({ x: 1.5, parts: [2, 3] });
  const pose = (await farPoses.receive({ timeout: 60_000 }))!;
  assertEquals([pose.value.x, pose.value.parts[1]], [1.5, 3]);
  assertEquals(importer.problems, []);
}

Deno.test("loopback: topics of any size and type arrive as they were sent", async () => {
  const network = new Loopback();
  await using a = network.connect();
  await using b = network.connect();
  await carriesTopics(a, b);
});

serverTest("NATS: topics of any size and type arrive as they were sent", async () => {
  await using server = await NatsServer.start();
  await using a = await connectNats({ servers: server.url });
  await using b = await connectNats({ servers: server.url });
  await carriesTopics(a, b);
});

Deno.test("nothing crosses that is not listed", async () => {
  using _place = namespace();
  const network = new Loopback();
  await using a = network.connect();
  await using b = network.connect();
  using cam = topic("cam").publisher();
  using secret = topic("secret").publisher();
  await using exporter = exporting(a, ["cam"]);
  await using importer = importing(b, ["**"]);
  await using picky = importing(network.connect(), ["other"], { host: "c" });
  using far = topic("far/cam").subscriber();
  await connected(far);
  cam.trySend(bytes(3));
  secret.trySend(bytes(4));
  await receive(far, 1);
  assertEquals(exporter.bridge.report.exports.map(({ name }) => name), ["cam"]);
  assertEquals(importer.bridge.report.imports.map(({ name }) => name), ["far/cam"]);
  assertEquals(picky.bridge.report.imports, []);
});

Deno.test("one remote source is one local source, and each keeps its order", async () => {
  using _place = namespace();
  const network = new Loopback();
  await using a = network.connect();
  await using b = network.connect();
  const lidar = topic("lidar", { publishers: "many", depth: 64, size: 100 });
  using left = lidar.publisher({ source: "left" });
  using right = lidar.publisher({ source: "right" });
  await using _exporter = exporting(a, ["lidar"]);
  await using _importer = importing(b, ["lidar"]);
  const farLidar = topic("far/lidar", { publishers: "many", depth: 64, size: 100 });
  using far = farLidar.subscriber();
  for (const publisher of [left, right]) await publisher.waitForPeers(1);
  left.trySend(bytes(9)); // so that the far side learns of them
  right.trySend(bytes(9));
  await until(() => far.peers === 2);
  while (far.tryReceive() !== undefined);
  for (let i = 1; i <= 20; i++) {
    left.trySend(Uint8Array.of(i));
    right.trySend(Uint8Array.of(100 + i));
  }
  const found: Record<string, number[]> = {};
  for (let i = 0; i < 40; i++) {
    const { source, value, lost } = (await far.receive({ timeout: 60_000 }))!;
    assertEquals(lost, 0);
    (found[source!] ??= []).push(value[0]!);
  }
  const numbers = Array.from({ length: 20 }, (_, i) => i + 1);
  assertEquals(found, { left: numbers, right: numbers.map((n) => n + 100) });
});

/** A carrier that loses some of what it should publish. */
function lossy(carrier: Carrier, loses: (message: Outgoing) => boolean): Carrier {
  return new Proxy(carrier, {
    get(target, property) {
      if (property === "publish") {
        return (message: Outgoing) => loses(message) || target.publish(message);
      }
      const value = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("losses before, in and behind the bridge are told apart, and add up in `lost`", async () => {
  using _place = namespace();
  const network = new Loopback();
  await using a = network.connect();
  await using b = network.connect();
  let losing = false;
  const thin = lossy(a, ({ headers }) => losing && !headers.get("Vring-Samples")?.startsWith("0 "));
  const options = { size: 100, depth: 8, policy: "dropOldest" } as const;
  using publisher = topic("t", options).publisher();
  await using exporter = exporting(thin, ["t"]);
  await using importer = importing(b, ["t"]);
  using far = topic("far/t", options).subscriber();
  await connected(far);
  const send = async (value: number) => {
    publisher.trySend(Uint8Array.of(value));
    await publisher.waitForPeers(1);
    await until(() => publisher.counters.inFlight === 0);
  };
  await send(1);
  const messages = await receive(far, 1);
  for (let i = 0; i < 20; i++) publisher.trySend(Uint8Array.of(2)); // 12 of them before the bridge
  while (messages.length < 9) messages.push(...await receive(far, 1));
  losing = true; // 1 on the wire
  await send(3);
  losing = false;
  a.setConnected(false); // 2 in the bridge
  await send(4);
  await send(4);
  a.setConnected(true);
  await send(5);
  messages.push(...await receive(far, 1));
  const told = messages.reduce((sum, { lost }) => sum + lost, 0);
  const { published, lost } = importer.bridge.report.imports[0]!;
  assertEquals(lost, { before: 12, inside: 2, wire: 1, here: 0 });
  assertEquals([told, far.lost, published, publisher.sequence], [15, 15, 10, 25]);
  const { sent, before, inside } = exporter.bridge.report.exports[0]!;
  assertEquals([sent, before, inside], [11, 12, 2]);
});

Deno.test("a loss behind which nothing follows is told by a mark", async () => {
  using _place = namespace();
  const network = new Loopback();
  await using a = network.connect();
  let losing = false;
  const thin = lossy(a, ({ headers }) => losing && !headers.get("Vring-Samples")?.startsWith("0 "));
  using publisher = topic("t").publisher();
  await using _exporter = exporting(thin, ["t"]);
  await using importer = importing(network.connect(), ["t"]);
  using far = topic("far/t").subscriber();
  await connected(far);
  publisher.trySend(bytes(1));
  await receive(far, 1);
  losing = true;
  for (let i = 0; i < 3; i++) publisher.trySend(bytes(2));
  await until(() => importer.bridge.report.imports[0]!.lost.wire === 3);
});

Deno.test("a slow subscriber at the far side makes a bounded queue, and then counted losses", async () => {
  using _place = namespace();
  const network = new Loopback();
  const options = { size: 2 ** 20, depth: 2 };
  using publisher = topic("t", options).publisher();
  await using _exporter = exporting(network.connect(), ["t"]);
  await using importer = importing(network.connect(), ["t"]);
  using far = topic("far/t", options).subscriber();
  await connected(far);
  for (let i = 1; i <= 50; i++) {
    await publisher.send(new Uint8Array(2 ** 20 - i), { timeout: 60_000 }); // the far side does not hold it up
  }
  await until(() => importer.bridge.report.imports[0]!.lost.here > 0);
  const lengths: number[] = [];
  for (let last = 0; last !== 1;) {
    const message = (await far.receive({ timeout: 60_000 }))!;
    lengths.push(last = message.value.length);
    if (lengths.length === 30) await publisher.send(bytes(1));
  }
  assertEquals([lengths[0], lengths[1]], [2 ** 20 - 1, 2 ** 20 - 2]);
  assertEquals(lengths.length + far.lost, 51);
  assertEquals(importer.bridge.report.imports[0]!.lost, {
    before: 0,
    inside: 0,
    wire: 0,
    here: far.lost,
  });
});

Deno.test("another type at the far side is refused with both layouts, until it has gone", async () => {
  using _place = namespace();
  const network = new Loopback();
  using publisher = topic("t", { type: Pose }).publisher();
  const other = topic("far/t", { type: struct("pose", { x: "f32", y: "f32" }) });
  using holder = other.subscriber();
  await using _exporter = exporting(network.connect(), ["t"]);
  await using importer = importing(network.connect(), ["t"]);
  await until(() => importer.problems.length > 0);
  assertMatch(
    importer.problems[0]!,
    /^Cannot import topic "t?far\/t" from host "a": .*x.*f32.*f64/s,
  );
  holder.close();
  using far = topic("far/t", { type: Pose }).subscriber();
  await until(() => {
    publisher.trySend({ x: 1, parts: [0, 0] });
    return far.tryReceive() !== undefined;
  });
  assertEquals(importer.problems.length, 1);
});

Deno.test("a type that changes while connected is followed", async () => {
  using _place = namespace();
  const network = new Loopback();
  await using exporter = exporting(network.connect(), ["t"]);
  await using importer = importing(network.connect(), ["t"]);
  for (const type of ["f64", "u32"] as const) {
    const definition = topic("t", { type });
    using publisher = definition.publisher();
    using far = topic("far/t", { type }).subscriber();
    await until(() => {
      publisher.trySend(7);
      return far.tryReceive()?.value === 7;
    });
    publisher.close();
    far.close();
    definition.unlink(); // the far topic goes once the name has gone
    await until(() => topic("far/t").info() === undefined);
  }
  assertEquals(importer.problems, []);
  assert(exporter.bridge.report.exports.length >= 1);
});

/** Sends messages by hand, as a bridge on host "x" would. */
function byHand(carrier: Carrier, sender: string, heading: Partial<Heading>, payload = bytes(1)) {
  const facts = {
    stem: { host: sender, incarnation: 1, hops: 1 },
    source: undefined,
    hash: raw({ name: "n", hash: 5n }).type.hash.toString(16),
    offer: JSON.stringify({
      type: { name: "n", hash: "5" },
      geometry: { depth: 8, size: 100 },
      policy: { policy: "dropOldest" },
      isMany: false,
    }),
    count: 1,
    sequence: 1,
    time: 0,
    unsent: { before: 0, inside: 0, skipped: 0 },
    chunk: undefined,
    isEnd: false,
    ...heading,
  };
  const subject = subjectOf("topic", { realm: "test", host: sender, name: "t" });
  carrier.publish({ subject, headers: headersOf(facts), payload });
}

Deno.test("own samples, samples that come twice, and those with too many hops are dropped", async () => {
  using _place = namespace();
  const network = new Loopback();
  const hand = network.connect();
  await using importer = importing(network.connect(), ["t"]);
  await importer.ready;
  const stem = { host: "x", incarnation: 7, hops: 1 };
  for (const sequence of [1, 2, 2, 1, 3]) byHand(hand, "x", { stem, sequence });
  byHand(hand, "y", { stem: { ...stem, hops: 2 }, sequence: 3 }); // by another way
  byHand(hand, "y", { stem: { ...stem, hops: 5 }, sequence: 4 });
  byHand(hand, "y", { stem: { ...stem, host: "b" }, sequence: 9 });
  byHand(hand, "x", { stem: { ...stem, incarnation: 8 }, sequence: 1 });
  byHand(hand, "x", { stem, sequence: 5 }); // of the incarnation before
  byHand(hand, "x", { stem: { ...stem, incarnation: 8 }, sequence: 2 });
  await until(() => importer.bridge.report.imports[0]?.published === 5);
  const [only, ...others] = importer.bridge.report.imports;
  assertEquals([only!.duplicates, others], [4, []]);
});

Deno.test("the clock of another machine may be wrong: it is passed on, and decides nothing", async () => {
  using _place = namespace();
  const network = new Loopback();
  const hand = network.connect();
  await using importer = importing(network.connect(), ["t"]);
  await importer.ready;
  const times = [4e12, 0, 8e15]; // far ahead, at the epoch, and further ahead
  for (const [i, time] of times.entries()) byHand(hand, "x", { sequence: i + 1, time });
  await until(() => importer.bridge.report.imports[0]?.published === 3);
  const type = { name: "n", hash: 5n };
  const options = { type: raw(type), depth: 8, size: 100, policy: "dropOldest" } as const;
  using far = topic("far/t", options).subscriber();
  byHand(hand, "x", { sequence: 4, time: 1 });
  const { time } = (await far.receive({ timeout: 60_000 }))!;
  assert(Math.abs(time - Date.now()) < 60_000, "the time of a sample is that of its bridge here");
});

Deno.test("damaged messages change nothing", async () => {
  using _place = namespace();
  const network = new Loopback();
  const hand = network.connect();
  await using importer = importing(network.connect(), ["t"]);
  await importer.ready;
  const subject = subjectOf("topic", { realm: "test", host: "x", name: "t" });
  const headers: Record<string, string>[] = [
    {},
    { "Vring-Samples": "1 1 0 5 a b c 0 0 0" },
    { "Vring-Samples": "1 -1 0 5 1 1 x 0 0 0" },
    { "Vring-Samples": "1 1 0 5 1 1 x" },
  ];
  for (const each of headers) {
    hand.publish({ subject, headers: new Map(Object.entries(each)), payload: bytes(5) });
  }
  byHand(hand, "x", { sequence: 1 });
  byHand(hand, "x", { sequence: 2, count: 2 }, bytes(30)); // no records
  byHand(hand, "x", { sequence: 3, hash: "6", offer: undefined });
  byHand(hand, "x", { sequence: 4, chunk: { index: 0, count: 2, total: 2 ** 31 } });
  byHand(hand, "x", { sequence: 4, chunk: { index: 1, count: 2, total: 8 } });
  byHand(hand, "x", { sequence: 5, chunk: { index: 0, count: 2, total: 8 } }, bytes(4));
  byHand(hand, "x", { sequence: 6 });
  await until(() => importer.bridge.report.imports[0]?.published === 2);
  assertEquals(importer.bridge.report.imports[0]!.lost.wire, 4);
  assertEquals(importer.problems.length, 3);
});

Deno.test("an importer that starts later asks for the definitions", async () => {
  using _place = namespace();
  const network = new Loopback();
  const asked: Incoming[] = [];
  network.connect().subscribe("vring.v1-bridge.>", (message) => void asked.push(message));
  using publisher = topic("t", { depth: 4, policy: "dropOldest" }).publisher();
  await using exporter = exporting(network.connect(), ["t"]);
  await publisher.waitForPeers(1);
  publisher.trySend(bytes(1));
  await until(() => exporter.bridge.report.exports[0]!.sent === 1);
  await using _importer = importing(network.connect(), ["t"]);
  using far = topic("far/t", { depth: 4, policy: "dropOldest" }).subscriber();
  await connected(far);
  publisher.trySend(bytes(2));
  assertEquals((await receive(far, 1))[0]!.value, bytes(2));
  assert(asked.length > 0);
});

Deno.test("a hundred questions at once get two answers", async () => {
  using _place = namespace();
  const network = new Loopback();
  const hand = network.connect();
  using _publisher = topic("t").publisher();
  await using exporter = exporting(network.connect(), ["t"]);
  await until(() => exporter.bridge.report.exports.length === 1);
  let answers = 0;
  hand.subscribe("vring.v1.>", () => void answers++);
  const subject = "vring.v1-bridge.test.all.offers";
  for (let i = 0; i < 100; i++) {
    hand.publish({ subject, headers: new Map(), payload: new Uint8Array(0) });
  }
  await until(() => answers >= 2);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assertEquals(answers, 2, "the first at once, and one for the others");
});

for (const transit of [true, false]) {
  const what = transit ? "passes two bridges with --transit" : "is not exported again otherwise";
  Deno.test(`what a bridge has published ${what}`, async () => {
    using _place = namespace();
    const network = new Loopback();
    using publisher = topic("t", { history: 3 }).publisher();
    await using _first = exporting(network.connect(), ["t"], { realm: "one" });
    await using _second = importing(network.connect(), ["t"], { realm: "one" });
    using near = topic("far/t", { history: 3 }).subscriber();
    await connected(near);
    await using third = exporting(network.connect(), ["far/t"], {
      realm: "two",
      host: "b",
      transit,
    });
    await using fourth = importing(network.connect(), ["**"], { realm: "two", host: "c" });
    await using home = importing(network.connect(), ["**"], { realm: "two", host: "a" });
    using far = topic("far/far/t", { history: 3 }).subscriber();
    await connected(far);
    for (let i = 0; i < 3; i++) {
      publisher.trySend(bytes(i));
      await receive(near, 1);
    }
    if (transit) {
      const all = await receive(far, 3);
      assertEquals(all.map(({ value }) => value.length), [0, 1, 2]);
      const origins = all.map(({ origin }) => [origin!.host, origin!.sequence, origin!.hops]);
      assertEquals(origins, [["a", 1, 2], ["a", 2, 2], ["a", 3, 2]]);
      assertEquals(home.bridge.report.imports.every(({ host }) => host !== "a"), true);
    } else {
      await until(() => third.bridge.report.exports[0]!.skipped === 3);
      assertEquals(fourth.bridge.report.imports.map(({ published }) => published), [0]);
      assertEquals(far.tryReceive(), undefined);
    }
  });
}

Deno.test("a topic that has gone since it was listed is no problem", () => {
  using _place = namespace();
  const publisher = topic("gone", { size: 8 }).publisher();
  const listed = regions();
  publisher.close();
  const carrier = new Loopback().connect();
  const problems: string[] = [];
  const onProblem = (reason: string) => void problems.push(reason);
  const onFailure = (error: unknown) => {
    throw error;
  };
  const place = {
    realm: "test",
    host: "a",
    carrier,
    window: new Window(carrier, 1),
    kept: undefined,
  };
  const parts = { ...place, transit: false, chunkBytes: 8, onProblem };
  using exports = new Exports(["gone"], parts, { isImported: () => false, onProblem, onFailure });
  exports.look(listed);
  assertEquals(listed.length, 1);
  assertEquals(problems, []);
});
