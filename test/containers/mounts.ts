/** A small /dev/shm that fills up, one that is read-only, and a directory that containers share. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Name, namespaceTest, startProcess } from "./scene.ts";

const MOUNTS = ["--mount", "--propagation", "private"];
const DOCKER_BYTES = 64 * 2 ** 20;

namespaceTest(
  "64 MB of /dev/shm fill up: opening fails, and what is open goes on",
  MOUNTS,
  async () => {
    await using party = startProcess({ shmBytes: DOCKER_BYTES });
    const { opened, error, traffic, again } = await party.run((tools) => {
      const { spsc, topic, circular, domain, calls, errorOf } = tools;
      using stack = new DisposableStack();
      const frames = topic("frames", { size: 2 ** 20, depth: 8, reserve: false });
      const publisher = stack.use(frames.publisher());
      const subscriber = stack.use(frames.subscriber());
      const slots = stack.use(domain("robot", { map: { size: 2 ** 20, depth: 4 } }).open()).slots;
      const log = stack.use(circular("log").writer());
      const server = stack.use(calls("sums").server());
      const client = stack.use(calls("sums").client());
      const rings: ReturnType<ReturnType<typeof spsc>["producer"]>[] = [];
      let error = "";
      for (let i = 0; error === "" && i < 1000; i++) {
        const open = () =>
          void rings.push(stack.use(spsc(`r${i}`, { capacity: 2 ** 20 }).producer()));
        const found = errorOf(open);
        if (!found.startsWith("no error")) error = found;
      }
      // What is left, to the last page: nothing below may need another one, or it must say so.
      for (let i = 0; i < 10_000; i++) {
        const open = () => stack.use(spsc(`s${i}`, { capacity: 4096 }).producer());
        if (!errorOf(open).startsWith("no error")) break;
      }
      const whole = new Uint8Array(2 ** 20).fill(7);
      const traffic = {
        ring: rings.map((ring) => ring.trySend(whole.subarray(0, 2 ** 18))).every(Boolean),
        log: log.trySend(whole.subarray(0, 2 ** 18)),
        topic: errorOf(() => publisher.trySend(whole)),
        slot: errorOf(() => slots.map.writeSync(whole)),
        client: errorOf(() => client.callSync(new Uint8Array(9), { timeout: 1 })),
        received: subscriber.tryReceive()?.value.length,
        served: server.peers,
      };
      for (const ring of rings.splice(0, 20)) ring.close();
      const again = {
        topic: publisher.trySend(whole),
        received: subscriber.tryReceive()?.value.length,
        slot: slots.map.writeSync(whole),
        latest: slots.map.latest()?.value.length,
      };
      return { opened: rings.length, error, traffic, again };
    }, undefined);
    assert(opened > 20, `${opened} rings`);
    assertMatch(
      error,
      /^OsError: Cannot create ring "r\d+": \/dev\/shm has .* free and .* are needed/,
    );
    assertMatch(error, /ENOSPC.*ask for less or enlarge \/dev\/shm/);
    assertEquals([traffic.ring, traffic.log, traffic.served], [true, true, 1]);
    for (const growing of [traffic.topic, traffic.slot]) {
      assertMatch(
        growing,
        /^OsError: Cannot give (topic|slot) .* more memory: \/dev\/shm has .* free/,
      );
    }
    assertMatch(traffic.client, /TimeoutError|OsError: .*\/dev\/shm has/);
    assertEquals(traffic.received, undefined);
    assertEquals([again.topic, again.received, again.latest], [true, 2 ** 20, 2 ** 20]);
  },
);

namespaceTest(
  "where /dev/shm is read-only, observers observe and members are refused",
  MOUNTS,
  async () => {
    using place = new Name();
    await using writer = startProcess();
    await writer.run(({ circular, kept }, name) => {
      const log = circular(name, { type: "f64" }).writer();
      log.trySend(1.5);
      kept.set("log", log);
    }, place.name);
    await using reader = startProcess({ namespaces: MOUNTS });
    const { value, joining, creating } = await reader.run((tools, name) => {
      const { circular, spsc, mount, errorOf } = tools;
      mount("--bind", "/dev/shm", "/dev/shm");
      mount("-o", "remount,bind,ro", "/dev/shm");
      const log = circular(name, { type: "f64" });
      using observer = log.observer({ start: "oldest" });
      return {
        value: observer.tryReceive()?.value,
        joining: errorOf(() => log.reader()),
        creating: errorOf(() => spsc(`${name}-new`).producer()),
      };
    }, place.name);
    assertEquals(value, 1.5);
    assertMatch(
      joining,
      /^OsError: Cannot open circular buffer .*: \/dev\/shm is read-only.*EROFS.*observe/,
    );
    assertMatch(creating, /^OsError: Cannot create ring .*: \/dev\/shm is read-only.*EROFS/);
  },
);

namespaceTest("two processes with a /dev/shm each meet in a directory", MOUNTS, async () => {
  const directory = Deno.makeTempDirSync({ prefix: "vring-containers-" });
  try {
    await using server = startProcess({ shmBytes: 2 ** 20 });
    await using client = startProcess({ shmBytes: 2 ** 20 });
    await server.run(({ calls, kept }, directory) => {
      const own = calls("sums", { request: "f64", response: "f64", directory }).server();
      kept.set("server", own);
      void own.serve((value) => 2 * value);
    }, directory);
    // More turns than make a FIFO, which is in the /dev/shm of one: nobody may wait for its byte.
    const sum = await client.run(async ({ calls }, directory) => {
      using own = calls("sums", { request: "f64", response: "f64", directory }).client();
      let sum = 0;
      for (let i = 1; i <= 200; i++) sum += await own.call(i, { timeout: 60_000 });
      return sum;
    }, directory);
    assertEquals(sum, 2 * 20_100);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
