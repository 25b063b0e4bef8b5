/**
 * Two PID namespaces that share /dev/shm, as two containers with one IPC do. Both processes have
 * the number 1, so nothing here may depend on process numbers.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { Name, namespaceTest, PID_NAMESPACE, startProcess } from "./scene.ts";

const APART = { namespaces: PID_NAMESPACE };

namespaceTest("a kill in one PID namespace is a death in another", PID_NAMESPACE, async () => {
  using place = new Name();
  await using sender = startProcess(APART);
  await using receiver = startProcess(APART);
  const opened = receiver.run(({ spsc, kept }, name) => {
    kept.set("ring", spsc(name, { type: "f64" }).consumer());
    return Deno.pid;
  }, place.name);
  const sent = sender.run(({ spsc, kept }, name) => {
    const ring = spsc(name, { type: "f64" }).producer();
    kept.set("ring", ring);
    return [Deno.pid, ring.trySend(1), ring.trySend(2)];
  }, place.name);
  assertEquals([await opened, await sent], [1, [1, true, true]]);
  await sender.kill();
  const received = await receiver.run(async ({ kept, spsc }, name) => {
    type Ring = ReturnType<ReturnType<typeof spsc<"f64">>["consumer"]>;
    const ring = kept.get("ring") as Ring;
    const all: unknown[] = [];
    try {
      for await (const value of ring.values()) all.push(value);
    } catch (error) {
      all.push((error as Error).name);
    }
    using _next = await spsc(name, { type: "f64" }).nextProducer({ timeout: 60_000 });
    return all;
  }, place.name);
  assertEquals(received, [1, 2, "PeerLostError"]);
});

namespaceTest("a stopped process of another PID namespace is alive", PID_NAMESPACE, async () => {
  using place = new Name();
  await using sender = startProcess(APART);
  await sender.run(({ topic, kept }, name) => {
    kept.set("publisher", topic(name).publisher());
  }, place.name);
  const pid = childOf(sender.pid);
  Deno.kill(pid, "SIGSTOP");
  await using other = startProcess(APART);
  const refused = await other.run(
    ({ topic, errorOf }, name) => errorOf(() => topic(name).publisher()),
    place.name,
  );
  assertMatch(refused, /^RoleTakenError: /);
  Deno.kill(pid, "SIGKILL");
  const next = other.run(async ({ topic }, name) => {
    using publisher = await topic(name).nextPublisher({ timeout: 60_000 });
    return publisher.trySend(new Uint8Array(3));
  }, place.name);
  assertEquals(await next, true);
});

namespaceTest(
  "locks of a killed owner are recovered from another PID namespace",
  PID_NAMESPACE,
  async () => {
    using place = new Name();
    await using owner = startProcess(APART);
    await owner.run(({ lock, rwLock, kept }, name) => {
      const [one, many] = [lock(name).open(), rwLock(name).open()];
      kept.set("all", [one, one.lockSync(), many, many.writeSync()]);
    }, place.name);
    await using other = startProcess(APART);
    const held = await other.run(({ lock, rwLock, kept }, name) => {
      const [one, many] = [lock(name).open(), rwLock(name).open()];
      kept.set("one", one).set("many", many);
      return [one.tryLock() === undefined, many.tryWrite() === undefined];
    }, place.name);
    assertEquals(held, [true, true]);
    await owner.kill();
    const recovered = await other.run(({ kept, lock, rwLock }) => {
      const one = kept.get("one") as ReturnType<ReturnType<typeof lock>["open"]>;
      const many = kept.get("many") as ReturnType<ReturnType<typeof rwLock>["open"]>;
      const timeout = 60_000;
      return [one.lockSync({ timeout }).recovered, many.writeSync({ timeout }).recovered];
    }, undefined);
    assertEquals(recovered, [true, true]);
  },
);

namespaceTest("promises are woken across PID namespaces", PID_NAMESPACE, async () => {
  using place = new Name();
  await using server = startProcess(APART);
  await using client = startProcess(APART);
  await server.run(({ calls, kept }, name) => {
    const own = calls(name, { request: "f64", response: "f64" }).server();
    kept.set("server", own);
    void own.serve((value) => 2 * value);
  }, place.name);
  const sum = await client.run(async ({ calls }, name) => {
    using own = calls(name, { request: "f64", response: "f64" }).client();
    let sum = 0;
    for (let i = 1; i <= 100; i++) sum += await own.call(i, { timeout: 60_000 });
    return sum;
  }, place.name);
  assertEquals(sum, 10_100);
});

/** The process that `unshare --fork` has started. */
function childOf(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ")[0]);
}
