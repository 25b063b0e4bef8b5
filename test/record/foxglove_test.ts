/** Images in a recording, in Foxglove's schema. */

import { parse } from "@foxglove/rosmsg";
import { MessageReader } from "@foxglove/rosmsg2-serialization";
import { assertEquals } from "@std/assert";
import { bytes } from "../../src/codec.ts";
import { McapReader, record, replay } from "../../src/record/mod.ts";
import { struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";

const Image = struct("image", { width: "u16", height: "u16", data: bytes(12) });

Deno.test("images are recorded in Foxglove's schema, and those that cannot be are lost", async () => {
  using _place = namespace();
  using images = topic("cam/left", { type: Image, history: 4, depth: 8 }).publisher();
  using numbers = topic("numbers", { type: "f64", history: 1 }).publisher();
  const data = Uint8Array.from({ length: 12 }, (_, i) => 5 * i + 1);
  images.trySend({ width: 4, height: 3, data });
  images.trySend({ width: 400, height: 300, data });
  images.trySend({ width: 2, height: 2, data });
  numbers.trySend(1.5);
  let file = new Uint8Array(0);
  const end = new AbortController();
  setTimeout(() => end.abort(), 50);
  const { topics } = await record({
    write: (added) => file = Uint8Array.from([...file, ...added]),
    truncate: (length) => file = file.slice(0, length),
  }, { matches: () => true, until: end.signal, foxglove: true });
  assertEquals(topics.map(({ topic, recorded, lost }) => [topic, recorded, lost]).sort(), [
    ["cam/left", 2, 1],
    ["numbers", 1, 0],
  ]);

  const reader = () => new McapReader((at, length) => file.subarray(at, at + length), "a file");
  const all = [...reader().messages()];
  const found = all.filter(({ channel }) => channel.topic === "/cam/left");
  const { schema } = found[0]!.channel;
  assertEquals([schema!.name, schema!.encoding], ["foxglove_msgs/msg/RawImage", "ros2msg"]);
  const judge = new MessageReader(parse(schema!.data, { ros2: true }));
  const [first, second] = found.map(({ data }) =>
    judge.readMessage(data.slice()) as {
      encoding: string;
      data: Uint8Array;
    }
  );
  assertEquals([first!.encoding, new Uint8Array(first!.data)], ["mono8", data]);
  assertEquals([second!.encoding, new Uint8Array(second!.data)], ["rgb8", data]); // 3 per pixel
  numbers.close();
  const published = await replay(reader(), {
    until: new AbortController().signal,
    rate: Infinity,
  });
  assertEquals(published, 1); // the numbers alone
});
