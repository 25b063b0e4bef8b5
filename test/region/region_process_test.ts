/**
 * Regions between processes: one party amid the steps of another, as other users, in a small
 * /dev/shm.
 */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { regions } from "../../src/region/list.ts";
import { programArguments } from "../shared/party.ts";
import { NO_ROOT, processTests } from "../shared/processes.ts";
import type { Findings, SceneName } from "./pairs.ts";
import type { Tools } from "./region_child.ts";
import { dataOf, forge, idAt, idOf, patterned, Place, TYPE } from "./scene.ts";
import { openRegion, untilFree } from "./opening.ts";

const SIZE = 600;
const CONTENTS = patterned(SIZE, 5);

const { test, mountTest, startProcess } = processTests<Tools>(
  new URL("./region_child.ts", import.meta.url),
  "regions",
);

/** A test of what is different for different users. */
function rootTest(name: string, fn: () => Promise<void>): void {
  test(name, fn, NO_ROOT);
}

/** Some user that no file belongs to. */
const STRANGER = 54_321;

// ---- at the same time ----

/** The scenes of each program: about half of the cases. */
const SCENES: SceneName[][] = [
  ["nothing", "one member"],
  ["two members", "an abandoned region", "a kept region"],
];

async function findingsIn(scenes: SceneName[]): Promise<Findings> {
  using place = new Place();
  const program = programArguments(new URL("./pairs.ts", import.meta.url), true);
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...program, place.path, ...scenes],
    stderr: "inherit",
  }).output();
  assert(success);
  return JSON.parse(new TextDecoder().decode(stdout));
}

test("Region keeps every rule when another process acts between any two steps", async () => {
  const halves = await Promise.all(SCENES.map(findingsIn));
  const sum = (count: (findings: Findings) => number) =>
    halves.reduce((total, half) => total + count(half), 0);
  const [cases, gaveUp] = [sum(({ cases }) => cases), sum(({ gaveUp }) => gaveUp)];
  assert(cases > 5000 && gaveUp < cases / 5, `${cases} cases, ${gaveUp} given up`);
  const found = halves.flatMap(({ broken }) => broken)
    .map(({ rule, scene, outer, inner, step }) =>
      `${rule}: ${scene}: ${outer}, ${inner} at ${step}`
    );
  assertEquals(found, []);
});

test("Region.countMembers() counts the stopped and not the killed", async () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: 600 });
  await using member = startProcess();
  await member.run(({ openRegion, TYPE, open }, path) => {
    for (let i = 0; i < 3; i++) open.push(openRegion(TYPE, path, { dataBytes: 600 }));
  }, place.path);
  member.signal("SIGSTOP");
  assertEquals(region.countMembers(), 4);
  await member.kill();
  assertEquals(region.countMembers(), 1);
});

test("a role is free once its holder is killed", async () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: 0 });
  await using holder = startProcess();
  await holder.run(({ openRegion, TYPE, open, roles }, path) => {
    const region = openRegion(TYPE, path, { dataBytes: 0 });
    open.push(region);
    roles.push(region.tryHold(3)!);
  }, place.path);
  assert(region.isHeld(3) && !region.isHeld(2));
  assertEquals(region.tryHold(3), undefined);
  holder.signal("SIGSTOP"); // stopped is not dead
  await assertRejects(() => untilFree(region, 3, { timeout: 20 }), DOMException, "20 ms");
  holder.signal("SIGKILL");
  await untilFree(region, 3, { timeout: 10_000 });
  using role = region.tryHold(3);
  assert(role !== undefined);
});

test("openRegion() gives up when a stopped process never finishes removing the region", async () => {
  using place = new Place();
  forge(place.path);
  await using party = startProcess({ trapped: true });
  const error = await party.run(({ openRegion, LockFile, MEMBER, TYPE, inHurry }, path) => {
    using other = new LockFile(path, { write: true, what: "the test" });
    other.tryLock(MEMBER, "write");
    try {
      inHurry(() => openRegion(TYPE, path, { dataBytes: 512 }).close());
      return undefined;
    } catch (error) {
      return { name: (error as Error).name, message: (error as Error).message };
    }
  }, place.path);
  assertEquals(error?.name, "VringError");
  assertStringIncludes(error!.message, "another process has been removing it");
});

test("Region.close() gives its memory up before its roles and its name", async () => {
  using place = new Place();
  await using party = startProcess({ trapped: true });
  const steps = await party.run(({ openRegion, TYPE, stepsOf }, path) => {
    const region = openRegion(TYPE, path, { dataBytes: 600 });
    region.tryHold(0);
    return stepsOf(() => region.close());
  }, place.path);
  const kept = ["retire", "close lock file", "unlink", "close lock file"];
  assertEquals(steps.filter((step) => kept.includes(step)), kept);
});

test("openRegion() leaves nothing behind when it cannot map the file of the last member", async () => {
  using place = new Place();
  await using party = startProcess({ trapped: true });
  const error = await party.run(({ openRegion, TYPE, withTrap }, path) => {
    const last = openRegion(TYPE, path, { dataBytes: 600 });
    try {
      withTrap((_call, name) => {
        if (name !== "map") return;
        last.close();
        throw new RangeError("no addresses left");
      }, () => openRegion(TYPE, path, { dataBytes: 600 }));
      return "no error";
    } catch (error) {
      return `${error}`;
    }
  }, place.path);
  assertStringIncludes(error, "no addresses left");
  assert(!place.exists);
});

// ---- permissions ----

test("openRegion() gives a file its mode under any umask", async () => {
  using place = new Place();
  await using party = startProcess();
  if (NO_ROOT === undefined) await party.run(({ becomeUser }, user) => becomeUser(user), STRANGER);
  const modes = [undefined, 0o660, 0o666];
  const made = await party.run(
    ({ openRegion, TYPE }, { path, modes }) =>
      [0, 0o022, 0o077, 0o200, 0o777].map((umask) => {
        Deno.umask(umask);
        return modes.map((mode) => {
          using _region = openRegion(TYPE, path, {
            dataBytes: 0,
            ...mode !== null && { mode },
          });
          return Deno.statSync(path).mode! & 0o7777;
        });
      }),
    { path: place.path, modes },
  );
  assertEquals(made, Array(5).fill([0o600, 0o660, 0o666]));
});

rootTest("joinRegion() with readOnly attaches where writing is not permitted", async () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: SIZE, mode: 0o444 });
  dataOf(region).set(CONTENTS);
  await using party = startProcess();
  const seen = await party.run(({ joinRegion, TYPE, patterned, becomeUser }, { path, user }) => {
    becomeUser(user);
    using region = joinRegion(TYPE, path, { readOnly: true })!;
    const data = region.mapping.bytes.subarray(region.dataOffset);
    const expected = patterned(600, 5);
    return {
      length: data.length,
      agrees: data.every((byte, i) => byte === expected[i]),
      readOnly: region.readOnly,
      held: region.isHeld(0),
    };
  }, { path: place.path, user: STRANGER });
  assertEquals(seen, { length: SIZE, agrees: true, readOnly: true, held: false });

  const refused = (act: Parameters<typeof party.run<string, void>>[0]) =>
    assertRejects(() => party.run(act, place.path), Error, "EACCES");
  await refused(({ openRegion, TYPE }, path) => openRegion(TYPE, path, { dataBytes: 600 }).close());
  await refused(({ joinRegion, TYPE }, path) => joinRegion(TYPE, path)?.close());
  await refused(({ Region, TYPE }, path) => void Region.unlink(TYPE, path));
  assert(place.exists);
});

rootTest("the option group lets its members observe, and nobody else", async () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: SIZE, group: STRANGER });
  using named = new Place();
  using _named = openRegion(TYPE, named.path, {
    dataBytes: SIZE,
    group: "root",
    mode: 0o660,
  });
  const { gid, mode } = Deno.statSync(named.path);
  assertEquals([gid, mode! & 0o777], [0, 0o660]);
  dataOf(region).set(CONTENTS);
  await using party = startProcess();
  const seen = await party.run((tools, { path, user }) => {
    const { joinRegion, TYPE, patterned, becomeUser, errorOf } = tools;
    becomeUser(user);
    using region = joinRegion(TYPE, path, { readOnly: true })!;
    const expected = patterned(600, 5);
    return {
      agrees: region.mapping.bytes.subarray(region.dataOffset).every((b, i) => b === expected[i]),
      members: region.countMembers(),
      refused: errorOf(() => joinRegion(TYPE, path)),
    };
  }, { path: place.path, user: STRANGER });
  assertEquals([seen.agrees, seen.members], [true, 1]);
  assertStringIncludes(seen.refused, "its mode is 0o640, and you are user 54321 (openat: EACCES)");
  await using outsider = startProcess();
  const refused = await outsider.run(
    ({ joinRegion, TYPE, becomeUser, errorOf }, { path, user }) => {
      becomeUser(user);
      return errorOf(() => joinRegion(TYPE, path, { readOnly: true }));
    },
    { path: place.path, user: STRANGER + 1 },
  );
  assertStringIncludes(refused, "to observe it, mode: 0o644 or the option group");
});

rootTest("an observer sees another user's region if it trusts any owner", async () => {
  using place = new Place();
  await using owner = startProcess();
  await owner.run(({ openRegion, TYPE, becomeUser, open }, { path, user }) => {
    becomeUser(user);
    open.push(openRegion(TYPE, path, { dataBytes: 600, mode: 0o644 }));
  }, { path: place.path, user: STRANGER });
  await using observer = startProcess();
  const [refused, anyOwner] = await observer.run((tools, { path, user }) => {
    const { joinRegion, TYPE, becomeUser, errorOf } = tools;
    becomeUser(user);
    const refused = errorOf(() => joinRegion(TYPE, path, { readOnly: true }));
    using region = joinRegion(TYPE, path, { readOnly: true, anyOwner: true });
    return [refused, region!.countMembers()];
  }, { path: place.path, user: STRANGER + 1 });
  assertStringIncludes(`${refused}`, "it belongs to user 54321, and you are user 54322");
  assertEquals(anyOwner, 1);
});

rootTest("joinRegion() does not reach what its mode hides", async () => {
  using place = new Place();
  using _region = openRegion(TYPE, place.path, { dataBytes: SIZE });
  await using party = startProcess();
  const info = await party.run(({ regions, becomeUser }, { path, user }) => {
    becomeUser(user);
    return regions().find((info) => info.path === path)!;
  }, { path: place.path, user: STRANGER });
  await assertRejects(
    () =>
      party.run(
        ({ joinRegion, TYPE }, path) => joinRegion(TYPE, path, { readOnly: true })?.close(),
        place.path,
      ),
    Error,
    "EACCES",
  );
  assertEquals(info.owner, 0);
  assertEquals([info.inUse, info.details], [undefined, undefined]);
  assertEquals(info.problem, "it may not be read");
});

rootTest("openRegion() trusts root's region", async () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: SIZE, mode: 0o666 });
  await using party = startProcess();
  await party.run(({ openRegion, TYPE, patterned, becomeUser }, { path, user }) => {
    becomeUser(user);
    using region = openRegion(TYPE, path, { dataBytes: 600 });
    region.mapping.bytes.set(patterned(600, 5), region.dataOffset);
  }, { path: place.path, user: STRANGER });
  assertEquals(dataOf(region), CONTENTS);
});

rootTest("Region.close() of the last member leaves what it may not unlink", async () => {
  using place = new Place();
  const region = openRegion(TYPE, place.path, { dataBytes: SIZE, mode: 0o666 });
  await using party = startProcess();
  await party.run(({ openRegion, TYPE, open, becomeUser }, { path, user }) => {
    becomeUser(user);
    open.push(openRegion(TYPE, path, { dataBytes: 600 }));
  }, { path: place.path, user: STRANGER });
  const old = idOf(region);
  region.close();
  await party.run(({ open }) => open.pop()!.close(), undefined);
  assertEquals(idAt(place.path), old);
  assertEquals(regions().find(({ path }) => path === place.path)?.inUse, false);

  using next = openRegion(TYPE, place.path, { dataBytes: SIZE });
  assert(next.created);
});

rootTest("openRegion() says that an abandoned region may not be removed", async () => {
  using place = new Place();
  forge(place.path, { data: CONTENTS });
  Deno.chmodSync(place.path, 0o666);
  await using party = startProcess({ trapped: true });
  await party.run(({ becomeUser }, user) => becomeUser(user), STRANGER);
  const attempt = () =>
    party.run(
      ({ openRegion, TYPE, inHurry }, path) =>
        inHurry(() => openRegion(TYPE, path, { dataBytes: 600 }).close()),
      place.path,
    );
  const error = await assertRejects(attempt, Error, "EPERM");
  assertEquals((error as Error).name, "OsError");
  assert(place.exists);
});

rootTest("Region.unlink() says that a name may not be removed", async () => {
  using place = new Place();
  using region = openRegion(TYPE, place.path, { dataBytes: SIZE, mode: 0o666 });
  await using party = startProcess();
  await party.run(({ becomeUser }, user) => becomeUser(user), STRANGER);
  const attempt = () =>
    party.run(({ Region, TYPE }, path) => Region.unlink(TYPE, path), place.path);
  const error = await assertRejects(attempt, Error, "EPERM");
  assertEquals((error as Error).name, "OsError");
  assertEquals(idAt(place.path), idOf(region));
});

// ---- memory ----

const MIB = 2 ** 20;

mountTest("openRegion() reserves all that fits and refuses one byte more", async () => {
  await using party = startProcess({ shmBytes: MIB });
  const { fits, error, files } = await party.run(({ openRegion, TYPE, dataOffsetOf }, mib) => {
    const sizeOf = (bytes: number) => ({ dataBytes: bytes - dataOffsetOf(TYPE) });
    const path = (name: string) => `/dev/shm/vring.test.${name}`;
    using region = openRegion(TYPE, path("a"), sizeOf(mib / 2));
    let error: unknown;
    try {
      openRegion(TYPE, path("b"), sizeOf(mib / 2 + 1)).close();
    } catch (reason) {
      error = `${reason}`;
    }
    const files = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name);
    using rest = openRegion(TYPE, path("b"), sizeOf(mib / 2));
    return { fits: [region.created, rest.created], error, files };
  }, MIB);
  assertEquals(fits, [true, true]);
  assertEquals(files, ["vring.test.a"]);
  assertStringIncludes(`${error}`, "ENOSPC");
  const numbers = `${error}`.match(/[0-9][0-9.,]* ?[kMG]?i?B/gi);
  assert(numbers?.length === 2 && numbers[0] !== numbers[1], `${error}`);
});

test("openRegion() does not begin to reserve more than fits", async () => {
  using place = new Place();
  await using party = startProcess({ trapped: true });
  const { calls, error } = await party.run(({ openRegion, TYPE, withTrap }, path) => {
    const calls: string[] = [];
    try {
      withTrap(
        (_call, name) => void calls.push(name),
        () => openRegion(TYPE, path, { dataBytes: 2 ** 45 }).close(),
      );
      return { calls, error: "" };
    } catch (error) {
      return { calls, error: `${error}` };
    }
  }, place.path);
  assertStringIncludes(error, "ENOSPC");
  assertEquals([calls.includes("space"), calls.includes("allocate")], [true, false]);
});

/** Fills three quarters of /dev/shm when a region of half of it is about to be reserved. */
async function filledMeanwhile(): Promise<{ message: string; opened: number; names: string[] }> {
  await using party = startProcess({ shmBytes: MIB, trapped: true });
  return await party.run(({ openRegion, TYPE, withTrap, dataOffsetOf, openFiles }, mib) => {
    let message = "";
    try {
      withTrap((_call, name) => {
        if (name === "allocate") Deno.writeFileSync("/dev/shm/filler", new Uint8Array(mib * 3 / 4));
      }, () => openRegion(TYPE, "/dev/shm/vring.test.a", { dataBytes: mib / 2 }).close());
    } catch (error) {
      message = `${error}`;
    }
    const opened = openFiles();
    const names = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name);
    // All that the filler has not taken is free again.
    const rest = mib / 4 - dataOffsetOf(TYPE);
    using _rest = openRegion(TYPE, "/dev/shm/vring.test.b", { dataBytes: rest });
    return { message, opened, names };
  }, MIB);
}

mountTest("openRegion() gives everything back when /dev/shm fills up meanwhile", async () => {
  const { message, opened, names } = await filledMeanwhile();
  assertStringIncludes(message, "OsError");
  assertStringIncludes(message, "ENOSPC");
  assertEquals([opened, names], [0, ["filler"]]);
});

mountTest(
  "openRegion() reports the free space after a failed reservation, not before",
  async () => {
    const { message } = await filledMeanwhile();
    const [free, needed] = message.match(/[0-9]+\.[0-9]+/g)!.map(Number);
    assert(free! < needed!, message);
  },
);

mountTest("openRegion() joins a region whose creator took the memory first", async () => {
  await using party = startProcess({ shmBytes: MIB, trapped: true });
  const same = await party.run(({ openRegion, TYPE, withTrap, idOf }, mib) => {
    const path = "/dev/shm/vring.test.a";
    const options = { dataBytes: mib * 3 / 4 };
    let other: ReturnType<typeof openRegion> | undefined;
    using region = withTrap((_call, name) => {
      if (name === "allocate") other ??= openRegion(TYPE, path, options);
    }, () => openRegion(TYPE, path, options));
    const same = idOf(region) === idOf(other!);
    other!.close();
    return same;
  }, MIB);
  assert(same);
});

mountTest("Region can be written to the last byte when /dev/shm is full", async () => {
  await using party = startProcess({ shmBytes: MIB });
  const seen = await party.run(({ openRegion, TYPE, MIRRORED, patterned }, mib) => {
    using plain = openRegion(TYPE, "/dev/shm/vring.test.a", { dataBytes: mib / 4 + 123 });
    using ring = openRegion(MIRRORED, "/dev/shm/vring.test_mirror.a", { dataBytes: mib / 4 });
    using filler = Deno.openSync("/dev/shm/filler", { write: true, create: true });
    const page = new Uint8Array(4096).fill(1);
    let full = "";
    while (full === "") {
      try {
        filler.writeSync(page);
      } catch (error) {
        full = (error as Error).message;
      }
    }
    return [
      full,
      ...[plain, ring].map((region) => {
        const expected = patterned(region.dataBytes);
        region.mapping.bytes.set(expected, region.dataOffset);
        region.mapping.bytes.fill(7, region.controlOffset, region.dataOffset);
        const file = Deno.readFileSync(`/dev/shm/vring.${region.header.kind}.a`);
        return file.subarray(region.dataOffset).every((byte, i) => byte === expected[i]);
      }),
    ];
  }, MIB);
  assertStringIncludes(`${seen[0]}`, "No space left");
  assertEquals(seen.slice(1), [true, true]);
});

// ---- listing ----

mountTest("regions() leaves out files that vanish while it looks", async () => {
  await using party = startProcess({ shmBytes: MIB, trapped: true }); // no other file adds steps
  const problems = await party.run(({ regions, forge, withTrap }) => {
    const path = "/dev/shm/vring.test.fleeting";
    const problems: unknown[] = [];
    for (let step = 1, reached = true; reached; step++) {
      forge(path);
      reached = false;
      const infos = withTrap((call, name) => {
        if (call !== step) return;
        reached = true;
        Deno.removeSync(path);
        problems.push(name);
      }, () => regions());
      const info = infos.find((info) => info.path === path);
      problems.push(info === undefined ? "gone" : info.problem ?? "seen");
    }
    return problems;
  }, undefined);
  const outcomes = problems.filter((_, i) => i % 2 === 1);
  assertEquals(outcomes[0], "gone");
  assertEquals(outcomes.at(-1), "seen");
  assertEquals([...new Set(outcomes)].sort(), ["gone", "seen"], JSON.stringify(problems));
});

mountTest("sweep() removes the regions that nobody has open and that do not persist", async () => {
  await using party = startProcess({ shmBytes: MIB });
  const { removed, again, left } = await party.run(({ openRegion, TYPE, forge, sweep }) => {
    const path = (name: string) => `/dev/shm/vring.test.${name}`;
    using _open = openRegion(TYPE, path("open"), { dataBytes: 8 });
    openRegion(TYPE, path("kept"), { dataBytes: 8, persist: true }).close();
    forge(path("killed-1"));
    forge(path("killed-2"));
    Deno.writeTextFileSync(path("broken"), "not a region");
    Deno.writeTextFileSync("/dev/shm/foreign", "not ours");
    const removed = sweep().map(({ name, kind, inUse }) => [name, kind, inUse]);
    const left = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name).sort();
    return { removed, again: sweep().length, left };
  }, undefined);
  assertEquals(removed, [["killed-1", "test", false], ["killed-2", "test", false]]);
  assertEquals(again, 0);
  const names = ["foreign", "vring.test.broken", "vring.test.kept", "vring.test.open"];
  assertEquals(left, names);
});

mountTest("sweep() leaves files of other users that it may not remove", async () => {
  await using party = startProcess({ shmBytes: MIB });
  const seen = await party.run(({ forge, sweep, becomeUser }, user) => {
    forge("/dev/shm/vring.test.root");
    Deno.chmodSync("/dev/shm", 0o1777);
    forge("/dev/shm/vring.test.open-root");
    Deno.chmodSync("/dev/shm/vring.test.open-root", 0o666);
    becomeUser(user);
    forge("/dev/shm/vring.test.mine");
    return sweep().map(({ name }) => name);
  }, STRANGER);
  assertEquals(seen, ["mine"]);
});
