/** Two users with a common group, and users who are somebody else in a namespace of their own. */

import { assertEquals, assertMatch } from "@std/assert";
import { Name, namespaceTest, startProcess, USER_NAMESPACE } from "./scene.ts";

const [ALICE, BOB, EVE, TEAM] = [20_001, 20_002, 20_003, 30_000];

namespaceTest("two users of a group exchange messages, and a third one cannot", [], async () => {
  using place = new Name();
  await using alice = startProcess();
  await using bob = startProcess();
  await using eve = startProcess();
  const shared = { name: place.name, team: TEAM };
  const opened = await alice.run(({ becomeUser, spsc, kept }, { name, team, user }) => {
    becomeUser(user, [team]);
    const ring = spsc(name, { type: "f64", group: team, mode: 0o660 });
    kept.set("ring", ring.consumer());
    const { mode, owner } = ring.info()!;
    return { mode, owner };
  }, { ...shared, user: ALICE });
  assertEquals(opened, { mode: 0o660, owner: ALICE });

  const refused = await bob.run(({ becomeUser, spsc, kept, errorOf }, { name, team, user }) => {
    becomeUser(user, [team]);
    const refused = errorOf(() => spsc(name, { type: "f64" }).producer());
    kept.set("ring", spsc(name, { type: "f64", anyOwner: true }).producer());
    return refused;
  }, { ...shared, user: BOB });
  assertMatch(refused, /it belongs to user 20001, and you are user 20002 .* anyOwner: true/);

  // Long enough for the event loops to have their FIFOs, which the other user may not write to.
  const received = alice.run(async ({ kept, spsc }) => {
    type Ring = ReturnType<ReturnType<typeof spsc<"f64">>["consumer"]>;
    let sum = 0;
    for (let i = 0; i < 100; i++) {
      sum += (await (kept.get("ring") as Ring).receive({ timeout: 60_000 }))!.value;
    }
    return sum;
  }, undefined);
  await bob.run(async ({ kept, spsc }) => {
    type Ring = ReturnType<ReturnType<typeof spsc<"f64">>["producer"]>;
    for (let i = 1; i <= 100; i++) {
      await (kept.get("ring") as Ring).send(i);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }, undefined);
  assertEquals(await received, 5050);

  const stranger = await eve.run(({ becomeUser, spsc, errorOf }, { name, user }) => {
    becomeUser(user);
    const ring = spsc(name, { type: "f64", anyOwner: true });
    return [errorOf(() => ring.producer()), errorOf(() => ring.unlink())];
  }, { ...shared, user: EVE });
  for (const error of stranger) {
    assertMatch(error, /belongs to user 20001 and its mode is 0o660, and you are user 20003/);
  }
});

namespaceTest(
  "the last one out leaves the file to its owner, in a sticky directory",
  [],
  async () => {
    using place = new Name();
    const found = Deno.statSync("/dev/shm").mode! & 0o1000;
    assertEquals(found, 0o1000, "/dev/shm is not sticky here");
    await using alice = startProcess();
    await using bob = startProcess();
    const argument = { name: place.name, team: TEAM };
    await alice.run(({ becomeUser, sharedMemory, kept }, { name, team, user }) => {
      becomeUser(user, [team]);
      kept.set("m", sharedMemory(name, { size: 8, group: team, mode: 0o660 }).open());
    }, { ...argument, user: ALICE });
    await bob.run(({ becomeUser, sharedMemory, kept }, { name, team, user }) => {
      becomeUser(user, [team]);
      kept.set("m", sharedMemory(name, { size: 8, anyOwner: true }).open());
    }, { ...argument, user: BOB });
    await alice.run(({ kept }) => (kept.get("m") as Disposable)[Symbol.dispose](), undefined);
    const left = await bob.run(({ kept, sweep, regions }, name) => {
      (kept.get("m") as Disposable)[Symbol.dispose]();
      const isMine = (region: { name: string }) => region.name === name;
      return [regions().filter(isMine).length, sweep().filter(isMine).length];
    }, place.name);
    assertEquals(left, [1, 0]); // not Bob's to remove
    const swept = await alice.run(
      ({ sweep }, name) => sweep().filter((region) => region.name === name).length,
      place.name,
    );
    assertEquals(swept, 1);
  },
);

namespaceTest("an observer of the group needs only the right to read", [], async () => {
  using place = new Name();
  await using alice = startProcess();
  await using bob = startProcess();
  const argument = { name: place.name, team: TEAM };
  await alice.run(({ becomeUser, topic, kept }, { name, team, user }) => {
    becomeUser(user, [team]);
    const publisher = topic(name, { type: "f64", history: 1, group: team }).publisher();
    publisher.trySend(12.5);
    kept.set("publisher", publisher);
  }, { ...argument, user: ALICE });
  const seen = await bob.run(({ becomeUser, topic, errorOf }, { name, team, user }) => {
    becomeUser(user, [team]);
    const theirs = topic(name, { type: "f64", history: 1, anyOwner: true });
    using observer = theirs.observer();
    return [observer.tryReceive()?.value, errorOf(() => theirs.subscriber())];
  }, { ...argument, user: BOB });
  assertEquals(seen[0], 12.5);
  assertMatch(`${seen[1]}`, /its mode is 0o640, and you are user 20002/);
});

namespaceTest(
  "root of a user namespace meets root outside, and trusts nobody else",
  USER_NAMESPACE,
  async () => {
    using place = new Name();
    await using inside = startProcess({ namespaces: USER_NAMESPACE });
    await using alice = startProcess();
    await alice.run(({ becomeUser, sharedMemory, kept }, { name, user }) => {
      kept.set("mine", sharedMemory(`${name}-root`, { size: 8 }).open());
      becomeUser(user);
      kept.set("yours", sharedMemory(`${name}-alice`, { size: 8, mode: 0o666 }).open());
    }, { name: place.name, user: ALICE });
    const [meets, refused, trusting, group] = await inside.run(
      ({ sharedMemory, errorOf, rwLock }, { name, team }) => {
        using root = sharedMemory(`${name}-root`, { size: 8 }).open();
        root.bytes[0] = 7;
        const refused = errorOf(() => sharedMemory(`${name}-alice`, { size: 8 }).open());
        using theirs = sharedMemory(`${name}-alice`, { size: 8, anyOwner: true }).open();
        const group = errorOf(() => rwLock(`${name}-lock`, { group: team }).open());
        return [root.references, refused, theirs.references, group];
      },
      { name: place.name, team: TEAM },
    );
    assertEquals([meets, trusting], [2, 2]);
    assertMatch(`${refused}`, /it belongs to user 65534, and you are user 0/);
    assertMatch(`${group}`, /group 30000 does not exist in this user namespace/);
    const byte = await alice.run(
      ({ kept }) => (kept.get("mine") as { bytes: Uint8Array }).bytes[0],
      undefined,
    );
    assertEquals(byte, 7);
  },
);
