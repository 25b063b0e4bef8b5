/** The account of a recording of large frames beside a fast scan, on a fast disk and on a slow one. */

import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { sleepSync } from "../../src/os/clock.ts";
import { record } from "../../src/record/mod.ts";
import { Program } from "../program.ts";
import { Name } from "../shared/scene.ts";

/** How long both are published. */
const PUBLISHING_MS = 800;

/** Records through a disk that takes so long for each write; returns the account, and the truth. */
async function recorded(writeMs: number) {
  using place = new Name();
  const end = new AbortController();
  let bytes = 0;
  const sink = {
    write(chunk: Uint8Array) {
      bytes += chunk.length;
      sleepSync(writeMs);
    },
    truncate: (length: number) => void (bytes = length),
  };
  await using publisher = new Program("test/record/camera_and_scan.ts", place.name);
  const matches = (name: string) => name.startsWith(`${place.name}/`);
  const recording = record(sink, { matches, until: end.signal, compress: false });
  await publisher.until(/publishing\n/);
  await delay(PUBLISHING_MS);
  await publisher.type("x");
  const published = JSON.parse((await publisher.until(/\{.*\}\n/))[0]);
  end.abort();
  const report = await recording;
  assertEquals(report.bytes, bytes);
  const counts = (topic: string) => {
    const { recorded, lost } = report.topics.find((one) => one.topic.endsWith(`/${topic}`))!;
    return { recorded, lost, published: published[topic] as number };
  };
  return [counts("camera"), counts("scan")] as const;
}

Deno.test("recorded and lost are what was published, for 6.2 MB frames beside a 1 kHz scan", async () => {
  for (const { recorded: kept, lost, published } of await recorded(0)) {
    assert(kept > 0);
    assertEquals(kept + lost, published);
  }
});

Deno.test("the account is exact for a disk that is too slow", async () => {
  const [camera, scan] = await recorded(150);
  assert(camera.lost > 0 && scan.lost > 0, JSON.stringify([camera, scan]));
  assertEquals(camera.recorded + camera.lost, camera.published);
  assertEquals(scan.recorded + scan.lost, scan.published);
});
