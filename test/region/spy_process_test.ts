/**
 * A hostile process of another user that may only read a region: it changes nothing, and its wake-ups
 * disturb nobody. The kernel lets it lock bytes for reading, which keeps newcomers from roles.
 */

import { assertEquals } from "@std/assert";
import type { Party } from "../shared/party.ts";
import { NO_ROOT, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./spy_child.ts";

const { test, startProcess } = processTests<Tools>(
  new URL("./spy_child.ts", import.meta.url),
  "hostile readers",
);

const STRANGER = 54_321;

/** Closes the handles of the members; returns their errors. */
function closeAll(members: Party<Tools>): Promise<string[]> {
  return members.run(
    ({ kept, errorOf }) => kept.map((handle) => errorOf(() => handle[Symbol.dispose]())),
    undefined,
  );
}

/** So many messages go by while the other process does what it can. */
const COUNT = 100;

test(
  "a process that may only read a region can neither change it nor disturb its members",
  async () => {
    using name = new Name();
    await using members = startProcess();
    await using hostile = startProcess();
    const path = name.path("topic");
    await members.run(({ topic, kept }, name) => {
      const definition = topic(name, { mode: 0o644, depth: 4, size: 64 });
      kept.push(definition.publisher(), definition.subscriber());
    }, name.name);
    const { succeeded, observed } = await hostile.run(
      ({ becomeUser, Spy, spies, topic, errorOf }, { path, user, name }) => {
        becomeUser(user);
        const spy = new Spy(path);
        spies.push(spy);
        const definition = topic(name, { depth: 4, size: 64, anyOwner: true });
        using observer = definition.observer();
        const observed = [
          errorOf(() => observer.tryReceive()),
          errorOf(() => definition.subscriber()),
        ];
        return { succeeded: spy.attack(), observed };
      },
      { path, user: STRANGER, name: name.name },
    );
    assertEquals(succeeded, []);
    assertEquals(observed, ["none", "OsError"]); // it may look, and not become a member
    const disturbing = hostile.run(({ spies }) => spies[0]!.wakeAll(4), undefined);
    const right = await members.run(async ({ kept }, count) => {
      type Pair = [
        { send(value: Uint8Array): Promise<void> },
        { receive(options: object): Promise<{ value: Uint8Array } | undefined> },
      ];
      const [publisher, subscriber] = kept as unknown as Pair;
      let right = 0;
      for (let i = 0; i < count; i++) {
        const receiving = subscriber.receive({ timeout: 20_000, spin: 0 });
        if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve));
        await publisher.send(new Uint8Array(64).fill(i));
        const message = await receiving;
        if (message?.value.every((byte) => byte === (i & 255))) right++;
      }
      return right;
    }, COUNT);
    assertEquals(right, COUNT);
    await disturbing;
    assertEquals(await closeAll(members), ["none", "none"]);
    assertEquals(name.files(), []);
  },
  NO_ROOT,
);

test("a process that may only read a region can keep its roles taken, until it ends", async () => {
  using name = new Name();
  await using members = startProcess();
  await using hostile = startProcess();
  await members.run(({ spsc, kept }, name) => {
    kept.push(spsc(name, { mode: 0o644 }).producer());
  }, name.name);
  const locked = await hostile.run(({ becomeUser, Spy, spies }, { path, user }) => {
    becomeUser(user);
    spies.push(new Spy(path));
    return spies[0]!.lockAll(100);
  }, { path: name.path("spsc"), user: STRANGER });
  assertEquals(locked, 99); // the producer holds a byte
  const open = () =>
    members.run(({ spsc, errorOf, kept }, name) => {
      return errorOf(() => kept.push(spsc(name).consumer()));
    }, name.name);
  assertEquals(await open(), "RoleTakenError"); // at once, and no wait for ever
  await hostile.kill();
  assertEquals(await open(), "none");
  assertEquals(await closeAll(members), ["none", "none"]);
  assertEquals(name.files(), []);
}, NO_ROOT);
