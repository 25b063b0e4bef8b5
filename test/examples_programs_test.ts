/**
 * The five complete programs of examples/, each as its head says: several processes, kills, a commit
 * that fails, a page that is closed.
 */

import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { edges, frames, HEIGHT, WIDTH } from "../examples/camera/frames.ts";
import { primes } from "../examples/compute/primes.ts";
import { orders } from "../examples/orders/orders.ts";
import { prices } from "../examples/prices/prices.ts";
import { robot } from "../examples/robot/robot.ts";
import { transfer } from "../examples/transfer/transfer.ts";
import { Program, sideBySide } from "./program.ts";
import { until } from "./os/until.ts";

const test = sideBySide("the complete examples");

/** A folder that is removed in the end. */
function folder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A port that is free now. */
function freePort(): string {
  using listener = Deno.listen({ port: 0, hostname: "localhost" });
  return String(listener.addr.port);
}

test("camera: two Workers take turns, and the page shows their edges and figures", async () => {
  using _left = { [Symbol.dispose]: () => [frames.unlink(), edges.unlink()] };
  const port = freePort();
  await using page = new Program("--allow-net", "--allow-read", "examples/camera/page.ts", port);
  await page.until(/Look at/);
  await using pool = new Program("--allow-read", "examples/camera/edges.ts");
  await pool.until(/2 Workers/);
  await using camera = new Program("examples/camera/camera.ts");
  await camera.until(/is on/);
  const html = await (await fetch(`http://localhost:${port}/`)).text();
  assertStringIncludes(html, `<canvas width=${WIDTH} height=${HEIGHT}>`);

  const socket = new WebSocket(`ws://localhost:${port}/edges`);
  socket.binaryType = "arraybuffer";
  const shown = Promise.withResolvers<void>();
  let [images, figures] = [0, 0];
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      assertMatch(data, /^[\d.]+ frames a second, -?[\d.]+ ms late, \d+ lost$/);
      figures++;
    } else {
      const pixels = new Uint8Array(data);
      assertEquals(pixels.length, WIDTH * HEIGHT);
      if (pixels.some((gray) => gray > 100)) images++; // the disc is brighter than the rest
    }
    if (images >= 20 && figures >= 20) shown.resolve();
  };
  await shown.promise;
  using subscriber = edges.subscriber();
  const sources = new Map<string, Set<number>>();
  for await (const { source, view } of subscriber.samples()) {
    const parities = sources.get(source!) ?? new Set();
    sources.set(source!, parities.add(view.number % 2));
    if (sources.size === 2 && subscriber.sources.length === 2) break;
  }
  assertEquals(sources.get("worker-0"), new Set([0]));
  assertEquals(sources.get("worker-1"), new Set([1]));
  const closed = Promise.withResolvers<void>();
  socket.onclose = () => closed.resolve();
  socket.close();
  await closed.promise;
  await using again = new Program("examples/camera/camera.ts"); // there is one already
  assertMatch((await again.end()).err, /RoleTakenError: Cannot publish to topic "camera\/frames"/);
});

test("orders: each is stored once, across kills and a commit that fails", async () => {
  using _left = { [Symbol.dispose]: () => orders.unlink() };
  using dir = folder();
  const path = `${dir.path}/orders.db`;
  const COUNT = 10_000; // so many that none of the shops is done when it is killed
  const store = () =>
    new Program("--allow-read", "--allow-write", "--allow-env", "examples/orders/store.ts", path);
  const shop = (number: number, from = 0) =>
    new Program("examples/orders/shop.ts", String(number), String(COUNT), String(from));

  await using first = store();
  await first.until(/Waiting/);
  using database = new DatabaseSync(path, { timeout: 5000 });
  const stored = (shop: number) =>
    Number(
      database.prepare("SELECT count(*) AS n FROM orders WHERE key LIKE ?").get(`${shop}/%`)!.n,
    );
  await using shops = new AsyncDisposableStack();
  const running = [0, 1, 2, 3, 4, 5].map((number) => shops.use(shop(number)));
  await until("an order is stored", () => stored(1) > 0);
  await first.killed(); // perhaps between a commit and its acknowledgement
  await running[1]!.killed();

  database.exec("BEGIN EXCLUSIVE"); // what others write now cannot be committed
  await using second = store();
  const failed = await second.end();
  assertEquals(failed.code, 1);
  assertMatch(failed.err, /database is locked/);
  database.exec("ROLLBACK");

  await using third = store();
  await third.until(/Waiting/);
  await using back = shop(1, stored(1));
  for (const program of [...running.filter((_, number) => number !== 1), back]) {
    await program.well(/ (\d+) orders, and all are stored/);
  }
  assertEquals([0, 1, 2, 3, 4, 5].map(stored), Array(6).fill(COUNT));
});

test("compute: servers share the parts, and a killed one costs only time", async () => {
  using _left = { [Symbol.dispose]: () => primes.unlink() };
  const port = freePort();
  await using first = new Program("examples/compute/server.ts");
  await using second = new Program("examples/compute/server.ts");
  await first.until(/Counting/);
  await second.until(/Counting/);
  await using web = new Program("--allow-net", "examples/compute/web.ts", port);
  await web.until(/Ask for/);
  const ask = async (end: number, signal?: AbortSignal) =>
    await (await fetch(`http://localhost:${port}/${end}`, { signal: signal ?? null })).text();
  assertEquals(await ask(1000), "There are 168 primes up to 1000.\n");

  using client = primes.client();
  await client.waitForPeers(2);
  const answer = ask(1_000_000);
  await until("the servers are busy", () => client.peers === 2);
  await first.killed();
  assertEquals(await answer, "There are 78498 primes up to 1000000.\n");

  const end = new AbortController();
  const cancelled = ask(4_000_000_000, end.signal).catch((error) => error.name);
  await until("one server is left", () => client.peers === 1);
  end.abort();
  assertEquals(await cancelled, "AbortError");
  assertEquals(await ask(100), "There are 25 primes up to 100.\n"); // the server is free again
});

test("robot: the loop turns it towards its target, and stops it when the sensors are silent", async () => {
  using _left = { [Symbol.dispose]: () => robot.unlink() };
  await using control = new Program("examples/robot/control.ts");
  await control.until(/stopped/); // nobody measures yet
  await using simulator = new Program("examples/robot/simulator.ts");
  await control.until(/-?[\d.]+ rad to go/);
  using all = robot.open();
  const { status, heading, target, left } = all.slots;
  await until(
    "it follows its target",
    () => Math.abs(target.latest()!.value - heading.latest()!.value) < 0.5,
  );
  assertEquals(status.latest()?.value.stopped, false);
  assert(left.latest() !== undefined);
  await simulator.killed();
  await control.until(/stopped/);
  assertEquals(status.latest()?.value.stopped, true);
});

test("prices: readers and an observer follow writers that are killed, and count losses", async () => {
  using _left = { [Symbol.dispose]: () => prices.unlink() };
  const reader = (...words: string[]) => new Program("examples/prices/reader.ts", ...words);
  await using readers = new AsyncDisposableStack();
  const running = [reader(), reader("watch")].map((program) => readers.use(program));
  for (let life = 0; life < 2; life++) {
    await using writer = new Program("examples/prices/writer.ts");
    await writer.until(/Writing/);
    for (const program of running) await program.until(/[1-9]\d* prices received, \d+ lost/);
    await using second = new Program("examples/prices/writer.ts");
    assertMatch((await second.end()).err, /RoleTakenError: .*"prices".* has a writer/);
    await writer.killed();
  }
  const stopped = running[0]!;
  await using _writer = new Program("examples/prices/writer.ts");
  stopped.kill("SIGSTOP"); // it is lapped
  using witness = prices.reader();
  const first = (await witness.receive())!.sequence;
  await until("the ring has gone round", () => witness.receiveSync()!.sequence > first + 50_000);
  stopped.kill("SIGCONT");
  await stopped.until(/received, [1-9]\d* lost/);
});

test("transfer: a file arrives whole, or not under its name", async () => {
  using _left = { [Symbol.dispose]: () => transfer.unlink() };
  using dir = folder();
  const sent = crypto.getRandomValues(new Uint8Array(65_536)); // gzip cannot make it fit into the ring
  Deno.writeFileSync(`${dir.path}/file`, sent);
  const endless = `${dir.path}/pipe`; // what it has comes, and its end does not
  assert(new Deno.Command("mkfifo", { args: [endless] }).outputSync().success);
  using feed = Deno.openSync(endless, { read: true, write: true });
  const copy = `${dir.path}/copy.gz`;
  const send = (path: string) => new Program("--allow-read", "examples/transfer/send.ts", path);
  const receive = () =>
    new Program("--allow-read", "--allow-write", "examples/transfer/receive.ts", copy);

  await using victim = send(endless);
  await until("the sender has the ring", () => transfer.info()?.inUse === true);
  await using cut = receive();
  for (let i = 0; i < 8; i++) await feed.write(sent);
  await until("a part has arrived", () => exists(`${copy}.part`));
  await victim.killed();
  const { code, err } = await cut.end();
  assertEquals(code, 1);
  assertMatch(err, /PeerLostError/);
  assert(!exists(copy), "a part has the name of the whole");

  await using receiver = receive();
  await using sender = send(`${dir.path}/file`);
  await sender.well(/Sent/);
  await receiver.well(/is complete/);
  const unpacked = new Blob([Deno.readFileSync(copy)]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(unpacked).bytes(), sent);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch {
    return false;
  }
}
