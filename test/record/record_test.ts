/** Recordings: what is in the file, whatever happens to the recorder and the disk. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bytes, json, text } from "../../src/codec.ts";
import { VringError } from "../../src/errors.ts";
import { toRosMessage } from "../../src/layout/tools/ros_message.ts";
import {
  McapReader,
  Pace,
  record,
  type RecordReport,
  replay,
  type Sink,
} from "../../src/record/mod.ts";
import { McapWriter } from "../../src/record/writer.ts";
import { array, struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Random } from "../random.ts";

const Point = struct("point", { id: "u8", x: "f64" });
const Pose = struct("pose", {
  valid: "bool",
  count: "u64",
  label: text(5),
  range: array("f32", 3),
  points: array(Point, 2),
  last: "i16",
});
const VALUE = {
  valid: true,
  count: 2n ** 60n,
  label: "left",
  range: [1, 2, 3.5],
  points: [{ id: 1, x: 0.25 }, { id: 2, x: -1 }],
  last: -7,
};

/** A file in memory, on a disk of limited size. */
class Disk implements Sink {
  bytes = new Uint8Array(0);
  readonly #limit: number;

  constructor(limit = Infinity) {
    this.#limit = limit;
  }

  write(bytes: Uint8Array<ArrayBuffer>): void {
    const fits = bytes.subarray(0, Math.max(0, this.#limit - this.bytes.length));
    const longer = new Uint8Array(this.bytes.length + fits.length);
    longer.set(this.bytes);
    longer.set(fits, this.bytes.length);
    this.bytes = longer;
    if (fits.length < bytes.length) throw new Error("no space left on device");
  }

  truncate(length: number): void {
    this.bytes = this.bytes.slice(0, length);
  }

  /** The file, or its first bytes. */
  reader(length = this.bytes.length): McapReader {
    const file = this.bytes.subarray(0, length);
    return new McapReader((at, count) => file.slice(at, at + count), "test");
  }
}

/** Records while an act runs, and until its samples have arrived. */
async function recordWhile(
  disk: Disk,
  act: () => Promise<void>,
  options: { observe?: boolean; chunkBytes?: number; compress?: boolean } = {},
): Promise<RecordReport> {
  const end = new AbortController();
  const recording = record(disk, { matches: () => true, until: end.signal, ...options });
  await act();
  end.abort();
  return await recording;
}

Deno.test("a recording has every sample, its type, its times, and its account", async () => {
  using _place = namespace();
  const disk = new Disk();
  using poses = topic("robot/pose", { type: Pose, history: 3 }).publisher();
  using words = topic("words", { type: text(), history: 1 }).publisher();
  using values = topic("values", { type: json<unknown>(), history: 1 }).publisher();
  using blobs = topic("blobs", { type: bytes(100), history: 1 }).publisher();
  for (let i = 1; i <= 3; i++) poses.trySend({ ...VALUE, last: i });
  words.trySend("hällo");
  values.trySend({ a: [1] });
  blobs.trySend(Uint8Array.of(1, 2, 3));
  const report = await recordWhile(disk, async () => {
    for (const publisher of [poses, words, values, blobs]) await publisher.waitForPeers(1);
    poses.trySend({ ...VALUE, last: 4 });
  });
  assertEquals(report.topics.map(({ topic, recorded, lost }) => [topic, recorded, lost]), [
    ["blobs", 1, 0],
    ["robot/pose", 4, 0],
    ["values", 1, 0],
    ["words", 1, 0],
  ]);
  const reader = disk.reader();
  const all = [...reader.messages()];
  assert(reader.isWhole);
  const of = (name: string) => all.filter(({ channel }) => channel.topic === name);
  const decode = (data: Uint8Array<ArrayBuffer>) => Pose.decode(data.slice(4));
  assertEquals(of("/robot/pose").map(({ data }) => decode(data).last), [1, 2, 3, 4]);
  assertEquals(of("/robot/pose").map(({ sequence }) => sequence), [1, 2, 3, 4]);
  assertEquals(of("/robot/pose")[0]!.channel.schema?.data, toRosMessage(Pose));
  assertEquals(new TextDecoder().decode(of("/words")[0]!.data), "hällo");
  assertEquals(JSON.parse(new TextDecoder().decode(of("/values")[0]!.data)), { a: [1] });
  assertEquals([...of("/blobs")[0]!.data], [1, 2, 3]);
  for (const { logTime, publishTime } of all) {
    assert(Math.abs(Number(publishTime / 1_000_000n) - Date.now()) < 60_000);
    assert(logTime > 0n);
  }
  assertEquals(JSON.parse(reader.metadata.get("vring")!["robot/pose"]!), { recorded: 4, lost: 0 });
});

Deno.test("a topic that cannot be opened is named with the reason, and the others are recorded", async () => {
  using _place = namespace();
  const disk = new Disk();
  using full = topic("full", { subscribers: 1 }).publisher();
  using _only = topic("full", { subscribers: 1 }).subscriber();
  using good = topic("good", { history: 1 }).publisher();
  good.trySend(new Uint8Array(1));
  const report = await recordWhile(disk, () => good.waitForPeers(1).then(() => {}));
  assertEquals(report.topics.map(({ topic, recorded }) => [topic, recorded]), [["good", 1]]);
  assertEquals(report.refused.map(({ topic }) => topic), ["full"]);
  assert(/1 subscriber, the most it can have/.test(report.refused[0]!.reason));
  assertEquals([...disk.reader().messages()].length, 1);
  assertEquals(full.peers, 1);
});

Deno.test("recorded plus lost is published, also by an observer of a fast publisher", async () => {
  for (const observe of [false, true]) {
    using _place = namespace();
    const disk = new Disk();
    using publisher = topic("t", { depth: 4, policy: "dropOldest", history: 1, size: 64 })
      .publisher();
    publisher.trySend(new Uint8Array(1)); // so that an observer, too, begins with a sample
    let sent = 1;
    const report = await recordWhile(disk, async () => {
      const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
      if (!observe) await publisher.waitForPeers(1);
      else await turn();
      for (let i = 0; i < 50; i++) {
        for (let k = 0; k < 10; k++) sent += Number(publisher.trySend(new Uint8Array(8).fill(i)));
        await turn();
      }
    }, { observe });
    const [{ recorded, lost }] = report.topics as [RecordReport["topics"][0]];
    assertEquals(recorded + lost, sent, `observe: ${observe}`);
    assert(lost > 0);
    assertEquals([...disk.reader().messages()].length, recorded);
  }
});

/** Writes so many messages of some size; returns the messages of each moment. */
function write(disk: Disk, count: number, compress: boolean): number {
  const writer = new McapWriter(disk, { compress, chunkBytes: 1000 });
  const schema = { name: "s", encoding: "ros2msg", data: "uint8[4] a\n" };
  const id = writer.addChannel({ topic: "/t", encoding: "cdr", schema, metadata: {} });
  const chance = new Random("record");
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(50).map(() => chance.below(256));
    new DataView(data.buffer).setUint32(0, i);
    writer.add({ channel: id, sequence: i, logTime: BigInt(i), publishTime: BigInt(i), data });
  }
  writer.end();
  return writer.counts.get(id) ?? 0;
}

const numbersIn = (reader: McapReader) =>
  Array.from(
    reader.messages(),
    ({ data }) => new DataView(data.buffer, data.byteOffset).getUint32(0),
  );

Deno.test("a file that is cut at any byte is readable up to its last whole chunk", () => {
  for (const compress of [false, true]) {
    const disk = new Disk();
    write(disk, 60, compress);
    assertEquals(numbersIn(disk.reader()).length, 60);
    let before = 0;
    for (let length = 8; length < disk.bytes.length; length++) {
      const reader = disk.reader(length);
      const numbers = numbersIn(reader);
      assertEquals(numbers, Array.from(numbers, (_, i) => i));
      assert(numbers.length >= before);
      before = numbers.length;
    }
    assertEquals(before, 60);
  }
});

Deno.test("a full disk ends with a whole file, wherever it is full", () => {
  const whole = new Disk();
  write(whole, 60, false);
  for (let limit = 400; limit < whole.bytes.length; limit += 13) {
    const disk = new Disk(limit);
    let count: number;
    try {
      count = write(disk, 60, false);
    } catch {
      assert(limit < 700, `${limit}`); // not even an empty file fits
      continue;
    }
    const reader = disk.reader();
    assertEquals(numbersIn(reader), Array.from({ length: count }, (_, i) => i));
    assert(reader.isWhole, `${limit}`);
  }
});

Deno.test("a recording ends by itself when the disk is full, and counts the rest as lost", async () => {
  using _place = namespace();
  const disk = new Disk(5000);
  using publisher = topic("pose", { type: Pose, depth: 16, history: 1 }).publisher();
  const never = new AbortController().signal;
  let sent = 0;
  const sending = setInterval(() => sent += Number(publisher.trySend({ ...VALUE, last: 1 })), 1);
  const options = { matches: () => true, until: never, chunkBytes: 1000, compress: false };
  const report = await record(disk, options).finally(() => clearInterval(sending));
  const { recorded, lost } = report.topics[0]!;
  assert(report.isFull && recorded > 0 && lost > 0, JSON.stringify(report));
  assert(recorded + lost <= sent, `${sent}`); // a few came later
  const reader = disk.reader();
  assertEquals([...reader.messages()].length, recorded);
  assert(reader.isWhole);
});

Deno.test("the sources of a topic are recorded under its name, and replayed as its sources", async () => {
  using _place = namespace();
  const disk = new Disk();
  const many = topic("many", { type: "f64", publishers: "many", history: 2 });
  const end = new AbortController();
  {
    using left = many.publisher({ source: "left" });
    using right = many.publisher({ source: "right" });
    const matches = (name: string) => name === "many";
    const recording = record(disk, { matches, until: end.signal });
    for (const publisher of [left, right]) await publisher.waitForPeers(1);
    left.trySend(1);
    right.trySend(2);
    end.abort();
    const { topics } = await recording;
    assertEquals(topics.map(({ topic, recorded }) => [topic, recorded]), [
      ["many/left", 1],
      ["many/right", 1],
    ]);
  }
  const other = topic("other", { type: "f64", publishers: "many", history: 2 });
  using subscriber = other.subscriber();
  const until = new AbortController().signal;
  const nameOf = (name: string) => name === "many" ? "other" : undefined;
  const replayed = replay(disk.reader(), { until, nameOf, waitFor: 1 });
  const got = [await subscriber.receive(), await subscriber.receive()];
  assertEquals(await replayed, 2);
  assertEquals(got.map((one) => [one?.source, one?.value]), [["left", 1], ["right", 2]]);
});

Deno.test("a damaged file ends the messages, and never the program", () => {
  const disk = new Disk();
  write(disk, 40, true);
  const chance = new Random("damage");
  for (let round = 0; round < 300; round++) {
    const file = disk.bytes.slice();
    for (let i = 0; i < 3; i++) file[8 + chance.below(file.length - 8)] = chance.below(256);
    const reader = new McapReader((at, count) => file.slice(at, at + count), "test");
    try {
      for (const number of numbersIn(reader)) assert(number < 40);
    } catch (error) {
      assert(error instanceof VringError, String(error));
    }
  }
  const text = (): Uint8Array<ArrayBuffer> => new TextEncoder().encode("not a recording");
  assertThrows(() => new McapReader(text, "x.mcap"), VringError, "x.mcap: it is not an MCAP file");
});

Deno.test("replay publishes the same messages under the same definitions, in their order", async () => {
  using _place = namespace();
  const disk = new Disk();
  {
    using publisher = topic("pose", { type: Pose, depth: 16, history: 5 }).publisher();
    for (let i = 1; i <= 5; i++) publisher.trySend({ ...VALUE, last: i });
    await recordWhile(disk, () => publisher.waitForPeers(1).then(() => {}));
  }
  using subscriber = topic("test/pose", { type: Pose, depth: 16, history: 5 }).subscriber();
  const nameOf = (name: string) => name === "pose" ? "test/pose" : undefined;
  const until = new AbortController().signal;
  const count = await replay(disk.reader(), { rate: Infinity, nameOf, until, waitFor: 1 });
  assertEquals(count, 5);
  const values = Array.from({ length: 5 }, () => subscriber.tryReceive()!.value);
  assertEquals(values.map(({ last }) => last), [1, 2, 3, 4, 5]);
  assertEquals(values[0]!.label, "left");
  const stop = AbortSignal.abort();
  assertEquals(await replay(disk.reader(), { nameOf, until: stop }), 0);
});

/** What a recording tells of topic "t", whose samples have no type. */
const UNTYPED = { "vring.name": "t", "vring.type": "", "vring.options": "{}" };

/** Writes a recording of topic "t" whose messages were published at these seconds. */
function recordedAt(disk: Disk, ...times: readonly number[]): void {
  const writer = new McapWriter(disk, { compress: false, chunkBytes: 1000 });
  const metadata = UNTYPED;
  const channel = writer.addChannel({ topic: "/t", encoding: "x", schema: undefined, metadata });
  for (const [k, seconds] of times.entries()) {
    const time = BigInt(seconds) * 1_000_000_000n;
    const data = new Uint8Array(1);
    writer.add({ channel, sequence: k + 1, logTime: time, publishTime: time, data });
  }
  writer.end();
}

Deno.test("a paused replay publishes a message for each step, and goes on from there", async () => {
  using _place = namespace();
  const disk = new Disk();
  recordedAt(disk, 0, 3600, 7200, 7200);
  using subscriber = topic("t").subscriber();
  const pace = new Pace(true);
  const until = new AbortController();
  const offsets: number[] = [];
  const onMessage = (offsetMs: number) => void offsets.push(offsetMs);
  const replaying = replay(disk.reader(), { until: until.signal, pace, onMessage });
  assertEquals(await settled(replaying), false);
  assertEquals(subscriber.tryReceive(), undefined);
  pace.step();
  assertEquals((await subscriber.receive())?.sequence, 1);
  pace.step(); // an hour later in the recording
  assertEquals((await subscriber.receive())?.sequence, 2);
  assertEquals([pace.isPaused, subscriber.tryReceive()], [true, undefined]);
  pace.step();
  assertEquals((await subscriber.receive())?.sequence, 3);
  pace.toggle();
  assertEquals([await replaying, pace.isPaused], [4, false]);
  assertEquals(offsets, [0, 3600e3, 7200e3, 7200e3]);
});

/** Whether a promise settles within some turns of the event loop. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  promise.finally(() => isSettled = true);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  return isSettled;
}

Deno.test("a paused replay ends when its signal aborts", async () => {
  using _place = namespace();
  const disk = new Disk();
  recordedAt(disk, 0);
  const until = new AbortController();
  const replaying = replay(disk.reader(), { until: until.signal, pace: new Pace(true) });
  until.abort();
  assertEquals(await replaying, 0);
});

Deno.test("a replay that loops keeps its publisher", async () => {
  using _place = namespace();
  const disk = new Disk();
  recordedAt(disk, 0, 0);
  using subscriber = topic("t").subscriber();
  const until = new AbortController();
  const replaying = replay(disk.reader(), { until: until.signal, loop: true, rate: Infinity });
  for (let sequence = 0; sequence < 7;) sequence = (await subscriber.receive())!.sequence;
  until.abort();
  assert(await replaying.catch((error) => error === until.signal.reason ? 7 : error) >= 7);
});

Deno.test("replay keeps the pauses between messages, and aborts in one", async () => {
  using _place = namespace();
  const disk = new Disk();
  recordedAt(disk, 0, 3600);
  using subscriber = topic("t").subscriber();
  const end = new AbortController();
  const replaying = replay(disk.reader(), { until: end.signal });
  assertEquals((await subscriber.receive())?.sequence, 1);
  end.abort();
  assertEquals(await replaying, 1);
  assertEquals(await replay(disk.reader(), { until: new AbortController().signal, rate: 1e9 }), 2);
  const late = { until: new AbortController().signal, startMs: 1000, rate: Infinity };
  assertEquals(await replay(disk.reader(), late), 1);
  const damaged = { ...UNTYPED, "vring.type": "{" };
  await assertRejects(
    () =>
      replay({
        messages: function* () {
          yield {
            channel: { topic: "", encoding: "", schema: undefined, metadata: damaged },
            sequence: 1,
            logTime: 0n,
            publishTime: 0n,
            data: new Uint8Array(1),
          };
        },
      } as unknown as McapReader, { until: new AbortController().signal }),
    VringError,
    'Cannot replay "t": its channel has no valid definition',
  );
});

const PYTHON = `
import json, sys
try:
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory
except ImportError:
    print("missing"); sys.exit()
reader = make_reader(open(sys.argv[1], "rb"), validate_crcs=True, decoder_factories=[DecoderFactory()])
summary = reader.get_summary()
print(json.dumps({
    "count": summary.statistics.message_count,
    "chunks": len(summary.chunk_indexes),
    "metadata": [m.name for m in reader.iter_metadata()],
}))
for _, channel, _, pose in reader.iter_decoded_messages(topics=["/pose"]):
    print(json.dumps({
        "valid": pose.valid, "count": str(pose.count), "label": bytes(pose.label).decode(),
        "range": list(pose.range), "ids": [p.id for p in pose.points], "x": [p.x for p in pose.points],
        "last": pose.last,
    }))
`;

Deno.test("Python's reader of ROS 2 messages decodes a recording", async () => {
  using _place = namespace();
  const disk = new Disk();
  using publisher = topic("pose", { type: Pose, history: 2 }).publisher();
  publisher.trySend(VALUE);
  publisher.trySend({ ...VALUE, last: 8 });
  await recordWhile(disk, () => publisher.waitForPeers(1).then(() => {}), { chunkBytes: 100 });
  const path = await Deno.makeTempFile({ suffix: ".mcap" });
  try {
    await Deno.writeFile(path, disk.bytes);
    const command = new Deno.Command("python3", { args: ["-c", PYTHON, path], stderr: "piped" });
    const { stdout, stderr } = await command.output().catch(() => ({
      stdout: new TextEncoder().encode("missing\n"),
      stderr: new Uint8Array(),
    }));
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    if (lines[0] === "missing") {
      console.log("skipped: Python has no mcap and mcap-ros2-support; pip install them");
      return;
    }
    assertEquals(new TextDecoder().decode(stderr), "");
    const [summary, first, second] = lines.map((line) => JSON.parse(line));
    assertEquals(summary, { count: 2, chunks: 2, metadata: ["vring"] });
    assertEquals(first, {
      valid: true,
      count: String(2n ** 60n),
      label: "left\0",
      range: [1, 2, 3.5],
      ids: [1, 2],
      x: [0.25, -1],
      last: -7,
    });
    assertEquals(second.last, 8);
  } finally {
    await Deno.remove(path);
  }
});
