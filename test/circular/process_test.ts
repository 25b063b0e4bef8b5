/**
 * Circular buffers between processes: at the same time, and at different speeds.
 */

import { assert, assertEquals } from "@std/assert";
import { CircularBufferReader } from "../../src/circular/reader.ts";
import { until } from "../os/until.ts";
import type { Party } from "../shared/party.ts";
import { processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { type Account, follow, type FollowOptions } from "./account.ts";
import type { Tools } from "./circular_child.ts";
import { bytesBetween } from "./scene.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./circular_child.ts", import.meta.url),
  "circular buffers",
);

test("a reader is not told that the writer has closed before it has the last message", async () => {
  using place = new Name();
  await using party = startProcess({ trapped: true });
  const states = await party.run((tools, name) => {
    const { CircularBufferReader, CircularBufferWriter, actBefore, payload } = tools;
    using reader = CircularBufferReader.open(name, { capacity: 4096 });
    using writer = CircularBufferWriter.open(name);
    // The reader has seen that nothing is there, and looks whether the writer has closed.
    actBefore("state load", () => {
      writer.write(payload(0, 100));
      writer.close();
    });
    return Array.from({ length: 3 }, () => reader.tryRead().state);
  }, place.name);
  assertEquals(states.filter((state) => state !== "empty"), ["ok", "closed"]);
});

// ---- every message accounted for ----

const CAPACITY = 2 ** 16;
const LONGEST = 3000;

/** Another process that has opened the buffer as a reader. */
async function startReader(place: Name, options = {}): Promise<Party<Tools>> {
  const party = startProcess();
  await party.run(({ CircularBufferReader, readers }, { name, options }) => {
    readers.push(CircularBufferReader.open(name, options));
  }, { name: place.name, options: { capacity: CAPACITY, ...options } });
  return party;
}

function followThere(party: Party<Tools>, options: FollowOptions): Promise<Account> {
  return party.run(
    ({ follow, readers: [reader] }, options) => follow(reader!, options),
    options,
  );
}

/** Writes messages up to a number, with useless work after each, and closes. */
function writeUpTo(party: Party<Tools>, place: Name, end: number, work: number): Promise<number> {
  return party.run(({ CircularBufferWriter, lengthOf, payload }, options) => {
    const { name, end, work, longest } = options;
    using writer = CircularBufferWriter.open(name);
    let waste = 0;
    while (writer.sequence < end) {
      const { sequence } = writer;
      const length = lengthOf(sequence, longest);
      if (sequence % 3 !== 0) writer.write(payload(sequence, length));
      else {
        writer.claim(length + 7).set(payload(sequence, length));
        writer.publish(length);
      }
      for (let i = 0; i < work; i++) waste += i % 7;
    }
    return writer.sequence + 0 * waste;
  }, { name: place.name, end, work, longest: LONGEST });
}

/** Whether an account has every message from its first up to `end`. */
function checkAccount(account: Account, end: number): void {
  const { first, next, read, lost, bytesRead, bytesLost, problems } = account;
  assertEquals(problems, []);
  assertEquals([next, read + lost], [end, end - first]);
  assertEquals(bytesRead + bytesLost, bytesBetween(first, end, LONGEST));
}

test("eight processes that read at different speeds account for every message", async () => {
  using place = new Name();
  const ways = ["copy", "into", "poll", "async"] as const;
  await using stack = new AsyncDisposableStack();
  const parties = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const party = await startReader(place, { afterLoss: i % 2 === 0 ? "oldest" : "newest" });
      return stack.use(party);
    }),
  );
  const accounts = parties.map((party, i) =>
    followThere(party, { longest: LONGEST, way: ways[i >> 1]!, work: 4 ** i })
  );
  await using writer = startProcess();
  const end = 30_000;
  assertEquals(await writeUpTo(writer, place, end, 1000), end);
  const seen = await Promise.all(accounts);
  for (const account of seen) checkAccount(account, end);
  assertEquals(seen.map(({ first }) => first), Array(8).fill(0));
  assert(seen.every(({ read }) => read > 0) && seen.some(({ lost }) => lost > 0));
});

test("a reader that is stopped and goes on is told exactly what it lost", async () => {
  using place = new Name();
  await using reader = await startReader(place);
  using mine = CircularBufferReader.open(place.name, { start: "now" });
  const accounts = followThere(reader, { longest: LONGEST });
  await using writer = startProcess();
  await writer.run(() => {}, null);
  reader.signal("SIGSTOP");
  await until("it is stopped", () => reader.state === "T");
  const end = 20_000;
  const writing = writeUpTo(writer, place, end, 10);
  checkAccount(await follow(mine, { longest: LONGEST, way: "async" }), end);
  await writing;
  reader.signal("SIGCONT");
  const account = await accounts;
  checkAccount(account, end);
  assertEquals([account.first, account.losses], [0, 1]);
});

test("readers that come and go account for what was written meanwhile", async () => {
  using place = new Name();
  using _first = CircularBufferReader.open(place.name, { capacity: CAPACITY });
  await using writer = startProcess();
  const end = 40_000;
  const writing = writeUpTo(writer, place, end, 1000);
  let [visits, read] = [0, 0];
  for (let next = 0; next < end; visits++) {
    const start = (["oldest", "newest", "now"] as const)[visits % 3]!;
    using reader = CircularBufferReader.open(place.name, { start });
    const earliest = { oldest: 0, newest: next - 1, now: next }[start]; // the newest was read, or not
    assert(reader.sequence >= earliest, `${reader.sequence} after ${next}, from ${start}`);
    const until = Math.min(end, reader.sequence + 500);
    const account = await follow(reader, { longest: LONGEST, until, way: "async" });
    assertEquals(account.problems, []);
    assertEquals(account.read + account.lost, account.next - account.first);
    read += account.read;
    next = account.next;
    if (reader.tryRead().state === "closed") break;
  }
  assertEquals(await writing, end);
  assert(visits > 1 && read > 0);
});
