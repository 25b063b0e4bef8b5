/** The live view, as its page sees it. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { bytes, text } from "../../src/codec.ts";
import { VringError } from "../../src/errors.ts";
import { holders } from "../../src/inspect/holders.ts";
import { PICTURE_HEAD, PictureForm } from "../../src/live/protocol.ts";
import { FILES } from "../../src/live/prebuilt.ts";
import { Scenery } from "../../src/live/scene.ts";
import { view } from "../../src/live/view.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { array, struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { openAll, scribbler } from "../inspect/regions.ts";
import { vring } from "../cli/vring.ts";
import { Program } from "../program.ts";
import { Random } from "../random.ts";
import { PageClient, StillClient } from "./clients.ts";

const Pose = struct("pose", { x: "f64", parts: array("f32", 2), name: text(8) });

Deno.test("of too many regions, a view shows the first, and says how many more there are", () => {
  using _place = namespace();
  using stack = new DisposableStack();
  for (const name of ["a", "b", "c"]) stack.use(sharedMemory(name, { size: 64 }).open());
  const search = { search: () => new Map() };
  using scenery = new Scenery((name) => name !== "none", () => undefined, search, 2);
  const { facts, hidden } = scenery.look();
  assertEquals([facts.map(({ name }) => name), hidden], [["a", "b"], 1]);
});

Deno.test("the port serves the page, with a token, and nothing that the page may load elsewhere", async () => {
  using _place = namespace();
  await using served = view({ port: 0 });
  const { url } = served;
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{32}$/);
  const origin = new URL(url).origin;
  const refused = await fetch(origin);
  assertEquals([refused.status, (await refused.text()).startsWith("Refused")], [401, true]);

  const first = await fetch(url);
  const html = await first.text();
  assertMatch(html, /^<!doctype html>/);
  const policy = first.headers.get("content-security-policy")!;
  assertMatch(policy, /^default-src 'none'; script-src 'self';/);
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  for (const [path, { type }] of Object.entries(FILES)) {
    const file = await fetch(origin + path, { headers: { cookie } });
    assertEquals([file.status, file.headers.get("content-type")], [200, type], path);
    assertEquals(/https?:\/\/(?!www\.w3\.org|github\.com)/.test(await file.text()), false, path);
  }
  assertEquals(
    (await (await fetch(`${origin}/x`, { headers: { cookie } })).text()).length > 0,
    true,
  );
  const post = await fetch(url, { method: "POST", body: "x" });
  assertEquals([post.status, await post.text()], [405, "Refused: this server only shows\n"]);
  const other = new WebSocket(served.foxgloveUrl, "chat");
  await new Promise((resolve) => other.onerror = resolve);
});

Deno.test("view() says why it cannot serve", async () => {
  await using served = view({ port: 0 });
  assertThrows(() => view({ port: served.port }), VringError, "another program uses the port");
});

Deno.test("the page learns who is there, at which rate, and what happens", async () => {
  using place = namespace();
  using ring = spsc("own", { type: "f64", capacity: 4096 }).producer();
  using _consumer = spsc("own", { type: "f64", capacity: 4096 }).consumer();
  using robot = domain("robot", { speed: { type: "f64" } }).open();
  using poses = topic("pose", { type: Pose, depth: 4, policy: "dropOldest" }).publisher();
  using _slow = topic("pose", { type: Pose, depth: 4, policy: "dropOldest" }).subscriber();
  const sending = setInterval(() => {
    ring.trySend(1);
    robot.slots.speed.writeSync(1);
    poses.trySend({ x: 1, parts: [2, 3], name: "a" });
  }, 2);
  await using party = new Program("test/cli/party.ts", place.prefix);
  await party.until(/open: 5/);
  {
    await using served = view({ port: 0, everyMs: 50 });
    await using page = new PageClient(served);
    const [ringId, speedId, poseId] = await Promise.all(
      ["own", "robot/speed", "pose"].map((name) => page.region(name)),
    );
    const { rows, processes } = await page.message(
      "tick",
      ({ rows }) =>
        rows.some(({ id, lost }) => id === poseId && lost !== null && lost > 0) &&
        rows.some(({ id, links }) => id === speedId && links.length > 0),
    );
    const rowOf = (id: number | undefined) => rows.find((row) => row.id === id)!;
    assert(rowOf(ringId).rate !== null);
    assert(rowOf(speedId).rate! > 0);
    assertEquals([rowOf(poseId).backlog, rowOf(poseId).room], [4, 4]);
    const links = rowOf(poseId).links.map((
      { pid, role, way, presence },
    ) => [pid, role, way, presence]);
    assertEquals(links, [
      [Deno.pid, "publisher", "in", "alive"],
      [Deno.pid, "subscriber", "out", "alive"],
    ]);
    assert(rowOf(poseId).links[0]!.rate! > 0);
    assertEquals(rowOf(speedId).links.map(({ pid, way }) => [pid, way]), [[Deno.pid, "both"]]);
    const names = new Map(processes.map(({ pid, name }) => [pid, name]));
    assertEquals(names.get(party.pid), "party.ts");

    party.kill("SIGKILL");
    const manyId = await page.region("many");
    const dead = await page.message(
      "tick",
      ({ rows }) =>
        rows.some(({ id, links }) =>
          id === manyId && links.some((link) => link.presence === "dead")
        ),
    );
    assert(dead.events > 0);
    page.send({ op: "events", after: 0 });
    const { events } = await page.message("events", ({ events }) => events.length > 0);
    const death = events.find(({ name, what }) => name === "many" && what === "died")!;
    assertEquals(death.text, `producer 0 (party.ts, process ${party.pid}) died`);
    topic("alone").publisher().close(); // repairs what it finds, and leaves: the region goes
    const gone = () =>
      page.texts.findLast((one) => one.op === "events")?.events
        .some(({ name, what }) => name === "alone" && what === "gone");
    while (!gone()) {
      await page.message("tick", ({ events }) => events > 0);
      page.send({ op: "events", after: 0 });
      const seen = page.texts.length;
      await page.until("more", ({ texts }) => texts.length > seen);
    }
  }
  clearInterval(sending);
  await party.killed();
});

Deno.test("an event names a process that ended before the search for it", () => {
  using _place = namespace();
  using _consumer = spsc("ring").consumer();
  const producer = spsc("ring").producer();
  const searches = [holders()];
  const search = { search: () => searches.shift() ?? new Map() };
  using scenery = new Scenery(() => true, () => undefined, search);
  for (let i = 0; i < 5; i++) scenery.look(); // the last one searches again, and finds nothing
  producer.close();
  scenery.look();
  const [event] = scenery.eventsAfter(0);
  assertMatch(event!.text, new RegExp(`^producer 0 \\(.+, process ${Deno.pid}\\) left$`));
});

Deno.test("the page gets values, curves and images of what it watches, and of nothing else", async () => {
  using _place = namespace();
  using poses = topic("pose", { type: Pose, depth: 64, policy: "dropOldest" }).publisher();
  using log = circular("log", { type: text() }).writer();
  using robot = domain("robot", { speed: { type: "f64", depth: 4 } }).open();
  const Image = struct("image", { width: "u16", height: "u16", pixels: bytes(12) });
  using images = topic("cam", { type: Image, depth: 4, policy: "dropOldest" }).publisher();
  using files = topic("photos", { policy: "dropOldest" }).publisher();
  using orders = spsc("orders", { type: "f64" }).producer();
  orders.trySend(2.5); // no consumer takes it
  await using served = view({ port: 0, everyMs: 50 });
  await using page = new PageClient(served);
  const [pose, logId, speed, cam, photos, ring] = await Promise.all(
    ["pose", "log", "robot/speed", "cam", "photos", "orders"].map((name) => page.region(name)),
  ) as [number, number, number, number, number, number];
  assertEquals(served.feeds, 0);
  const { regions } = await page.message("scene");
  const facts = new Map(regions.map((region) => [region.id, region]));
  assertEquals(facts.get(pose)!.curves, ["x", "parts.0", "parts.1"]);
  assertEquals(
    [pose, logId, speed, cam, photos].map((id) => facts.get(id)!.picture),
    ["no", "no", "no", "image", "maybe"],
  );

  page.watch(pose, { curves: ["x", "parts.1", "nothing"], value: true });
  page.watch(logId, { value: true });
  page.watch(speed, { curves: ["value"] });
  page.watch(cam, { picture: true });
  page.watch(photos, { picture: true });
  page.watch(ring, { value: true });
  await until(() => served.feeds === 6);
  for (let i = 0; i < 20; i++) poses.trySend({ x: i, parts: [0, 10 * i], name: `n${i}` });
  log.trySend("a line");
  robot.slots.speed.writeSync(4.5);
  images.trySend({
    width: 4,
    height: 3,
    pixels: Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
  });
  files.trySend(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 9));

  const points = await page.until("points", ({ texts }) => {
    const all = texts.flatMap((one) => one.op === "series" && one.id === pose ? [one] : []);
    const x = all.flatMap(({ values }) => values.x!);
    return x.length === 20 && { x, y: all.flatMap(({ values }) => values["parts.1"]!), all };
  });
  assertEquals(points.x, Array.from({ length: 20 }, (_, i) => i));
  assertEquals(points.y, Array.from({ length: 20 }, (_, i) => 10 * i));
  assertEquals(Object.keys(points.all[0]!.values), ["x", "parts.1"]);
  const value = await page.message("value", ({ id, sequence }) => id === pose && sequence === 20);
  assertEquals(value.value, {
    fields: [["x", 19], ["parts", { array: 2, head: [0, 190] }], ["name", "n19"]],
  });
  assertEquals([value.length, value.missed], [Pose.size, 0]);
  assertEquals((await page.message("value", ({ id }) => id === logId)).value, "a line");
  assertEquals((await page.message("series", ({ id }) => id === speed)).values, { value: [4.5] });
  const image = await page.until(
    "image",
    ({ pictures }) => pictures.find((one) => one[0] === PictureForm.gray),
  );
  assertEquals([...image.subarray(PICTURE_HEAD)], Array.from({ length: 12 }, (_, i) => 20 * i));
  const file = await page.until(
    "file",
    ({ pictures }) => pictures.find((one) => one[0] === PictureForm.file),
  );
  assertEquals([...file.subarray(PICTURE_HEAD)], [0x89, 0x50, 0x4e, 0x47, 9]);

  for (const id of [pose, logId, speed, cam, photos, ring]) page.send({ op: "unwatch", id });
  await until(() => served.feeds === 0);
  page.watch(999, { value: true });
  assertEquals((await page.message("problem")).reason, "it is gone");
  page.socket.send('{"op": "watch", "id": 1, "curves": 5}');
  await until(() => served.clients.length === 0);
});

Deno.test("a region that is made again, with another type, is shown again", async () => {
  using _place = namespace();
  const first = topic("again", { type: "f64" }).publisher();
  await using served = view({ port: 0, everyMs: 30 });
  await using page = new PageClient(served);
  const id = await page.region("again");
  page.watch(id, { value: true, curves: ["value"] });
  await until(() => served.feeds === 1);
  first.trySend(1.5);
  await page.message("value", ({ value }) => value === 1.5);
  first.close();
  using second = topic("again", { type: array("u16", 3) }).publisher();
  const { regions } = await page.message(
    "scene",
    ({ regions }) => regions.some(({ type }) => type === "u16[3]"),
  );
  assertEquals(regions.map(({ id }) => id), [id]);
  const sending = setInterval(() => second.trySend([7, 8, 9]), 10);
  const { value } = await page.message("value", ({ length }) => length === 6);
  clearInterval(sending);
  assertEquals(value, { array: 3, head: [7, 8, 9] });
});

Deno.test("a client that stops reading holds a bounded queue, and the others are served", async () => {
  using _place = namespace();
  const Large = bytes(100_000);
  using large = topic("large", { type: Large, depth: 4, policy: "dropOldest" }).publisher();
  using small = topic("small", { type: "f64", depth: 64, policy: "dropOldest" }).publisher();
  const clientBytes = 1_000_000;
  await using served = view({ port: 0, everyMs: 50, clientBytes });
  using tool = await StillClient.connect(served, "foxglove.sdk.v1");
  using still = await StillClient.connect(served, "vring.view.v1");
  await using page = new PageClient(served);
  const [largeId, smallId] = [await page.region("large"), await page.region("small")];
  const subscriptions = [1, 2, 3].map((channelId) => ({ id: channelId, channelId }));
  await tool.send({ op: "subscribe", subscriptions });
  for (const id of [largeId, smallId]) {
    await still.send({ op: "watch", id, curves: ["value"], value: true, picture: false });
  }
  page.watch(smallId, { curves: ["value"] });
  await until(() => served.feeds === 2);

  let sent = 0;
  const dropped = () => served.clients.find(({ protocol }) => protocol.startsWith("fox"))!.dropped;
  while (dropped() < 300) { // 30 MB that the tool does not read
    for (let i = 0; i < 4; i++) large.trySend(new Uint8Array(100_000));
    small.trySend(sent++);
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const { queuedBytes, unsentBytes } of served.clients) {
      assert(queuedBytes <= clientBytes);
      assert(unsentBytes <= 2 ** 18 + 100_100, `${unsentBytes} bytes in the socket`);
    }
  }
  const last = sent - 1;
  await page.message("series", ({ values }) => values.value!.at(-1) === last);
  assertEquals(served.clients.at(-1)!.dropped, 0);
});

Deno.test("hostile regions are shown as problems, and leave the view as it is", async () => {
  using place = namespace();
  using _open = openAll();
  const chance = new Random("live");
  await using served = view({ port: 0, everyMs: 20 });
  await using page = new PageClient(served);
  await page.region("t");
  const { regions: facts } = await page.message("scene", ({ regions }) => regions.length === 8);
  for (const { id, curves } of facts) page.watch(id, { value: true, picture: true, curves });
  await until(() => served.feeds === 8);
  using tool = await StillClient.connect(served, "foxglove.sdk.v1");
  const subscriptions = Array.from({ length: 20 }, (_, id) => ({ id, channelId: id + 1 }));
  await tool.send({ op: "subscribe", subscriptions });
  const all = regions();
  for (let round = 0; round < 6; round++) {
    const ticks = page.texts.filter(({ op }) => op === "tick").length;
    using stack = new DisposableStack();
    for (const { path } of all) {
      stack.use(scribbler(path, chance)).again(round % 2 === 0 ? 0 : REGION_HEADER.size);
    }
    await page.until(
      "a tick",
      ({ texts }) => texts.filter(({ op }) => op === "tick").length > ticks + 1,
    );
  }
  assert(page.texts.some(({ op }) => op === "problem"));
  const { regions: after } = await page.message("scene");
  assert(after.length > 0, place.prefix);
  assertEquals(served.clients.length, 2);
});

Deno.test("the view ends with its clients connected", async () => {
  using _place = namespace();
  const served = view({ port: 0 });
  const page = new PageClient(served);
  await page.message("tick");
  await served.close();
  await page[Symbol.asyncDispose]();
  await assertRejects(() => fetch(served.url));
});

/** Waits for something that the view does without telling its clients. */
async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("vring view prints its addresses, and serves until it is interrupted", async () => {
  using _place = namespace();
  using _pose = topic("pose", { type: Pose }).publisher();
  let title = "";
  const { code, out } = await vring("view p* --port 0 --token abc --image cam=4x3:mono8 --json", [[
    /"url":"http[^"]+/,
    async (found) => title = await (await fetch(found.slice(7))).text(),
  ]]);
  assertEquals(code, 0);
  assertMatch(title, /<title>vring view<\/title>/);
  assertMatch(out, /"foxgloveUrl":"ws:\/\/127\.0\.0\.1:\d+\/\?token=abc"/);
  assertMatch((await vring("view --image cam")).err, /pass NAME=320x240/);
});
