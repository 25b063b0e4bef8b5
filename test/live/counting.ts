/**
 * Watching costs the watched nothing: a program of many publishers counts what it does, without a view
 * and with three pages and a tool that watch everything. Nothing is timed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { view } from "../../src/live/view.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { Program } from "../program.ts";
import { PageClient } from "./clients.ts";

/** The samples of each topic at a time. */
const ROUNDS = 32;

/** Lets all publishers send; returns their counts, and the number of the last round. */
async function publish(program: Program): Promise<[counts: unknown, round: number]> {
  await program.type("\n");
  const [, counts, round] = await program.until(/counts (.*) after (\d+)/);
  return [JSON.parse(counts!), Number(round)];
}

/** Compares what the publishers of so many topics do with and without a view. */
export async function compareCounts(topics: number): Promise<void> {
  using place = namespace();
  await using program = new Program(
    "--import-map=test/cost/import_map.json",
    "test/live/counted_publishers.ts",
    place.prefix,
    String(topics),
  );
  await program.until(/ready/);
  await publish(program); // the first samples take memory that the later ones have
  const [alone] = await publish(program);
  const { native, words } = alone as Record<string, Record<string, number>>;
  assert(Object.keys(words!).length > 0, "operations are counted");
  assertEquals(native!.wake_op ?? 0, 0, "nobody is woken");

  await using served = view({ port: 0, everyMs: 100 });
  const pages: PageClient[] = [];
  await using stack = new AsyncDisposableStack();
  for (let i = 0; i < 3; i++) {
    const page = stack.use(new PageClient(served));
    pages.push(page);
    const { regions } = await page.message("scene", ({ regions }) => regions.length === topics);
    for (const { id, curves } of regions) page.watch(id, { curves, value: true });
  }
  const tool = new WebSocket(served.foxgloveUrl, "foxglove.sdk.v1");
  stack.defer(() => tool.close());
  let messages = 0;
  tool.binaryType = "arraybuffer";
  tool.onmessage = ({ data }) => {
    if (typeof data !== "string") messages++;
    else if (data.startsWith('{"op":"advertise"')) {
      const { channels } = JSON.parse(data) as { channels: { id: number }[] };
      const subscriptions = channels.map(({ id }) => ({ id, channelId: id }));
      tool.send(JSON.stringify({ op: "subscribe", subscriptions }));
    }
  };
  // all see the newest value of each topic before the next ones come
  await Promise.all(pages.map((page) => sawRound(page, topics, 2 * ROUNDS)));
  const [watched, round] = await publish(program);
  assertEquals(watched, alone);
  await Promise.all(pages.map((page) => sawRound(page, topics, round)));
  assert(messages > topics);
  assertEquals(served.feeds, topics); // one observer each for all four
}

/** Waits until a page has the value of a round from every topic; forgets what it had before. */
async function sawRound(page: PageClient, topics: number, round: number): Promise<void> {
  const wanted = `{"fields":[["round",${round}]`;
  const ids = new Set<number>();
  await page.until(`round ${round}`, ({ texts }) => {
    for (const one of texts.splice(0)) {
      if (one.op === "value" && JSON.stringify(one.value).startsWith(wanted)) ids.add(one.id);
    }
    return ids.size === topics;
  });
}
