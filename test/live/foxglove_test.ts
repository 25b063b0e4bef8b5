/** Foxglove's protocol, judged by its own client and its own reader of messages. */

import { parse } from "@foxglove/rosmsg";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import * as protocol from "@foxglove/ws-protocol";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { bytes, json, text } from "../../src/codec.ts";
import { FOXGLOVE_PROTOCOLS } from "../../src/live/foxglove_session.ts";
import { type View, view } from "../../src/live/view.ts";
import { array, struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";

const Pose = struct("pose", { level: "u8", x: "f64", parts: array("f32", 2) });
const Image = struct("image", { width: "u32", height: "u32", data: bytes(6) });

type Channel = protocol.Channel;

/** The package is a CommonJS module, whose names Deno finds in its default export. */
const { FoxgloveClient } = (protocol as unknown as { default: typeof protocol }).default;

/** Foxglove's client, and what it has received. */
class Tool implements AsyncDisposable {
  readonly client: protocol.FoxgloveClient;
  readonly channels = new Map<string, Channel>();
  readonly removed: number[] = [];
  readonly messages: { id: number; time: bigint; data: DataView<ArrayBuffer> }[] = [];
  readonly statuses: protocol.StatusMessage[] = [];
  readonly graphs: protocol.ConnectionGraphUpdate[] = [];
  info: protocol.ServerInfo | undefined;
  #came = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  constructor(served: View, subprotocol: string) {
    const socket = new WebSocket(served.foxgloveUrl, subprotocol);
    const client = this.client = new FoxgloveClient({
      ws: socket as unknown as protocol.IWebSocket,
    });
    const note = (act: () => void) => {
      act();
      this.#came.resolve();
      this.#came = Promise.withResolvers();
    };
    client.on("serverInfo", (info) => note(() => this.info = info));
    client.on(
      "advertise",
      (all) => note(() => all.forEach((one) => this.channels.set(one.topic, one))),
    );
    client.on("unadvertise", (ids) => note(() => this.removed.push(...ids)));
    client.on(
      "message",
      ({ subscriptionId: id, timestamp: time, data }) =>
        note(() => this.messages.push({ id, time, data: data as DataView<ArrayBuffer> })),
    );
    client.on("status", (status) => note(() => this.statuses.push(status)));
    client.on("connectionGraphUpdate", (graph) => note(() => this.graphs.push(graph)));
    client.on("error", (error) => this.#closed.reject(error));
    client.on("close", () => this.#closed.resolve());
  }

  /** Waits until a test of what has come holds. */
  async until<T>(test: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = test();
      if (found !== undefined && found !== false) return found;
      await Promise.race([
        this.#came.promise,
        this.#closed.promise.then(() => {
          throw new Error("the connection has ended");
        }),
      ]);
    }
  }

  channel(name: string): Promise<Channel> {
    return this.until(() => this.channels.get(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.#closed.promise;
  }
}

/** Reads a CDR message as Foxglove's tools do. */
// deno-lint-ignore no-explicit-any
function read({ schema }: Channel, data: DataView<ArrayBuffer>): any {
  return new MessageReader(parse(schema, { ros2: true })).readMessage(data);
}

for (const subprotocol of FOXGLOVE_PROTOCOLS) {
  Deno.test(`${subprotocol}: channels have schemas, and their messages are read`, async () => {
    using _place = namespace();
    using poses = topic("robot/pose", { type: Pose }).publisher();
    using images = topic("cam", { type: Image, history: 1 }).publisher();
    using words = topic("words", { type: text() }).publisher();
    using facts = topic("facts", { type: json<unknown>() }).publisher();
    using robot = domain("robot", { speed: { type: "f64" } }).open();
    await using served = view({ port: 0 });
    await using tool = new Tool(served, subprotocol);

    const pose = await tool.channel("/robot/pose");
    assertEquals(tool.info!.name, "vring view");
    assertEquals(tool.info!.capabilities, ["connectionGraph"]);
    assertEquals(
      [pose.encoding, pose.schemaName, pose.schemaEncoding],
      ["cdr", "vring/msg/Pose", "ros2msg"],
    );
    const kinds = [...tool.channels.values()].map(({ topic, encoding }) => [topic, encoding]);
    assertEquals(kinds.sort(), [
      ["/cam", "cdr"],
      ["/cam/image", "cdr"],
      ["/facts", "json"],
      ["/robot/pose", "cdr"],
      ["/robot/speed", "cdr"],
      ["/words", "text/plain"],
    ]);

    const ids = new Map(
      [...tool.channels].map(([name, { id }]) => [name, tool.client.subscribe(id)]),
    );
    const of = (name: string) =>
      tool.until(() => tool.messages.find(({ id }) => id === ids.get(name))?.data);
    await until(() => served.feeds === 5);
    const before = BigInt(Date.now()) * 1_000_000n;
    poses.trySend({ level: 7, x: -2.5, parts: [1.5, 3] });
    images.trySend({ width: 3, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    words.trySend("héllo");
    facts.trySend({ a: [1, "b"] });
    robot.slots.speed.writeSync(0.25);

    const first = read(pose, await of("/robot/pose"));
    assertEquals([first.level, first.x, [...first.parts]], [7, -2.5, [1.5, 3]]);
    const image = read(tool.channels.get("/cam/image")!, await of("/cam/image"));
    assertEquals([image.width, image.height, image.encoding], [3, 2, "mono8"]);
    assertEquals([...image.data], [1, 2, 3, 4, 5, 6]);
    assertEquals([...read(tool.channels.get("/cam")!, await of("/cam")).data], [...image.data]);
    assertEquals(new TextDecoder().decode(await of("/words")), "héllo");
    assertEquals(JSON.parse(new TextDecoder().decode(await of("/facts"))), { a: [1, "b"] });
    assertEquals(read(tool.channels.get("/robot/speed")!, await of("/robot/speed")).value, 0.25);
    assert(tool.messages.every(({ time }) => time >= before && time < before + 60_000_000_000n));
  });
}

/** Waits for something that the view does without telling its clients. */
async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("a tool learns of topics that appear, change and go, and who uses them", async () => {
  using _place = namespace();
  await using served = view({ port: 0, everyMs: 30 });
  await using tool = new Tool(served, "foxglove.sdk.v1");
  await tool.until(() => tool.info);
  tool.client.subscribeConnectionGraph();
  const late = topic("late", { type: "f64" });
  const first = late.publisher();
  const channel = await tool.channel("/late");
  const graph = await tool.until(() => tool.graphs.find((one) => one.publishedTopics.length > 0));
  assertEquals(graph.publishedTopics, [{ name: "/late", publisherIds: [`process ${Deno.pid}`] }]);
  const subscription = tool.client.subscribe(channel.id);
  await until(() => served.feeds === 1);
  first.trySend(1.5);
  await tool.until(() => tool.messages.find(({ id }) => id === subscription));
  first.close();
  await tool.until(() => tool.removed.includes(channel.id));
  await tool.until(() => tool.graphs.find((one) => one.removedTopics.includes("/late")));
  assertEquals(served.feeds, 0);

  using _second = topic("late", { type: "u32" }).publisher(); // another type of the same name
  const other = await tool.until(() => {
    const found = tool.channels.get("/late");
    return found?.id !== channel.id && found;
  });
  assertStringIncludes(other.schema, "uint32 value");
});

Deno.test("a tool publishes only with the flag, and only what a topic takes", async () => {
  using _place = namespace();
  const poses = topic("pose", { type: Pose });
  using _publisher = topic("taken", { type: Pose }).publisher();
  using subscriber = poses.subscriber();
  const cdr = { topic: "/pose", encoding: "cdr", schemaName: "vring/msg/Pose" };
  const asJson = { topic: "/pose", encoding: "json", schemaName: "" };
  const message = new Uint8Array(4 + Pose.size);
  message.set([0, 1, 0, 0]);
  Pose.write(message.subarray(4), { level: 9, x: 4, parts: [5, 6] });
  const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  {
    await using served = view({ port: 0 });
    await using tool = new Tool(served, "foxglove.websocket.v1");
    await tool.until(() => tool.info);
    const id = tool.client.advertise(cdr);
    tool.client.sendMessage(id, message);
    await tool.until(() => tool.statuses.length >= 2);
    for (const { level, message } of tool.statuses) {
      assertEquals(level, 2);
      assertStringIncludes(message, "--publish");
    }
  }
  await using served = view({ port: 0, publish: true });
  await using tool = new Tool(served, "foxglove.websocket.v1");
  await tool.until(() => tool.info);
  assertEquals(tool.info!.capabilities, ["connectionGraph", "clientPublish"]);
  const id = tool.client.advertise(cdr);
  tool.client.sendMessage(id, message);
  assertEquals((await subscriber.receive())?.value, {
    level: 9,
    x: 4,
    parts: new Float32Array([5, 6]),
  });
  const refusal = async (pattern: RegExp, act: () => void) => {
    const before = tool.statuses.length;
    act();
    const { message } = await tool.until(() => tool.statuses[before]);
    assertMatch(message, pattern);
  };
  await refusal(/have 24 bytes/, () => tool.client.sendMessage(id, message.subarray(1)));
  await refusal(/no such topic/, () => tool.client.advertise({ ...cdr, topic: "/nothing" }));
  await refusal(
    /json or cdr of vring\/msg\/Pose/,
    () => tool.client.advertise({ ...cdr, schemaName: "std_msgs/msg/String" }),
  );
  await refusal(/taken/, () => tool.client.advertise({ ...cdr, topic: "/taken" }));
  tool.client.unadvertise(id);
  const other = tool.client.advertise(asJson);
  tool.client.sendMessage(other, jsonBytes({ level: 1, x: 2, parts: [3, 4] }));
  assertEquals((await subscriber.receive())?.value.x, 2);
  await refusal(/level/, () => tool.client.sendMessage(other, jsonBytes({ x: 2, parts: [3, 4] })));
  await refusal(/JSON/, () => tool.client.sendMessage(other, new TextEncoder().encode("{")));
});

Deno.test("a tool that asks for something unknown is told so, and nonsense ends the connection", async () => {
  using _place = namespace();
  using _publisher = topic("pose", { type: Pose }).publisher();
  await using served = view({ port: 0 });
  const nonsense = [
    "no JSON",
    "[]",
    '{"op": 5}',
    '{"op": "subscribe"}',
    '{"op": "subscribe", "subscriptions": [{"id": -1, "channelId": 1}]}',
    '{"op": "subscribe", "subscriptions": [null]}',
    '{"op": "unsubscribe", "subscriptionIds": ["x"]}',
    '{"op": "advertise", "channels": [{}]}',
    Uint8Array.of(9, 9, 9, 9, 9),
    new Uint8Array(0),
  ];
  for (const data of nonsense) {
    const socket = new WebSocket(served.foxgloveUrl, "foxglove.sdk.v1");
    const ended = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
    socket.onopen = () => socket.send(data);
    assertEquals((await ended).code, 1002, String(data));
  }
  await using tool = new Tool(served, "foxglove.sdk.v1");
  await tool.channel("/pose");
  tool.client.getParameters(["a"]);
  tool.client.subscribe(12345);
  const texts = await tool.until(() =>
    tool.statuses.length >= 2 && tool.statuses.map(({ message }) => message)
  );
  assertMatch(texts[0]!, /getParameters/);
  assertMatch(texts[1]!, /no channel 12345/);
  assertEquals(served.clients.length, 1);
});
