/** Regions in a directory of their own, away from /dev/shm. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Errno, OsError } from "../../src/errors.ts";
import { domain } from "../../src/babus/definition.ts";
import { calls } from "../../src/calls/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { regions, sweep } from "../../src/region/list.ts";
import { observe } from "../../src/region/region_observer.ts";
import { lock } from "../../src/shared/semaphore_lock.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { byteRing, spsc } from "../../src/spsc/definition.ts";
import { namespace } from "../../src/testing/mod.ts";
import { topic } from "../../src/vdds/definition.ts";
import { topics } from "../../src/vdds/topics.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { vring } from "../cli/vring.ts";
import { openRegion } from "./opening.ts";
import { CONTROL, Place, TYPE } from "./scene.ts";

/** A new directory on a tmpfs, which is gone after the test. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "folder-" });

  files(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("every definition puts its files into the directory, and its last handle removes them", () => {
  using folder = new Folder();
  const place = { directory: folder.path };
  {
    using _ring = spsc("ring", place).producer();
    using _bytes = byteRing("bytes", place).consumer();
    using _many = mpsc("many", place).producer();
    using _calls = calls("calls", place).server();
    using _log = circular("log", place).writer();
    using _topic = topic("cam/left", place).publisher();
    using _merged = topic("cam/all", { ...place, publishers: "many" }).publisher({ source: "a" });
    using _domain = domain("robot", { speed: {} }, place).open();
    using _memory = sharedMemory("memory", { ...place, size: 8 }).open();
    using _lock = rwLock("table", place).open();
    assertEquals(folder.files(), [
      "vring.calls.calls",
      "vring.circular.log",
      "vring.mpsc.many",
      "vring.rwlock.table",
      "vring.shm.memory",
      "vring.slot.robot~speed",
      "vring.sources.cam~all",
      "vring.spsc.bytes",
      "vring.spsc.ring",
      "vring.topic.cam~all~a",
      "vring.topic.cam~left",
    ]);
    const all = regions(place);
    assertEquals(all.length, 11);
    assert(all.every(({ path }) => path.startsWith(`${folder.path}/`)));
    assertEquals(topics(place).map(({ name }) => name), ["cam/all/a", "cam/left"]);
    assertEquals(domain("robot", undefined, place).info().map(({ name }) => name), ["speed"]);
    assertEquals(observe("spsc", "ring", place).members, 1);
    using _observer = observe("shm", "memory", place);
  }
  assertEquals(folder.files(), []);
});

Deno.test("the same name in two directories is two regions", () => {
  using here = new Folder();
  using there = new Folder();
  const [mine, yours] = [here, there].map(({ path }) =>
    sharedMemory("m", { size: 8, directory: path })
  ) as [ReturnType<typeof sharedMemory>, ReturnType<typeof sharedMemory>];
  using a = mine.open();
  using b = yours.open();
  a.bytes[0] = 7;
  assertEquals([a.references, b.references, b.bytes[0]], [1, 1, 0]);
  assertEquals(mine.info()?.path, `${here.path}/vring.shm.m`);
  assertEquals(yours.unlink(), true);
  assertEquals([here.files(), there.files()], [["vring.shm.m"], []]);
});

Deno.test("messages go through a directory, to merged subscribers and observers too", async () => {
  using folder = new Folder();
  const place = { directory: `${folder.path}/` }; // a slash at the end changes nothing
  const scans = topic("scans", { ...place, publishers: "many" });
  using subscriber = scans.subscriber();
  using observer = scans.observer();
  using left = scans.publisher({ source: "left" });
  const next = subscriber.receive({ timeout: 60_000 });
  left.trySend(new Uint8Array([7]));
  assertEquals((await next)?.value, new Uint8Array([7]));
  assertEquals((await observer.receive({ timeout: 60_000 }))?.value, new Uint8Array([7]));
  assertEquals(scans.info()?.publishers, 1);
  left.close();
  subscriber.close();
  assertEquals(scans.unlink(), false);
});

Deno.test("sweep() removes what was left in a directory, and nothing elsewhere", () => {
  using folder = new Folder();
  sharedMemory("kept", { size: 8, persist: true, directory: folder.path }).open().close();
  using ring = spsc("ring", { directory: folder.path }).producer();
  Deno.copyFileSync(`${folder.path}/vring.spsc.ring`, `${folder.path}/vring.spsc.left`);
  const removed = sweep({ directory: folder.path }).map(({ kind, name }) => [kind, name]);
  assertEquals(removed, [["spsc", "left"]]);
  assertEquals([folder.files(), ring.closed], [["vring.shm.kept", "vring.spsc.ring"], false]);
});

Deno.test("errors name the directory, and what is wrong with it", () => {
  using folder = new Folder();
  const missing = `${folder.path}/missing`;
  const open = (directory: string) => () => sharedMemory("m", { size: 8, directory }).open();
  const gone = assertThrows(open(missing), OsError);
  assertEquals(gone.errno, Errno.ENOENT);
  assertMatch(gone.message, new RegExp(`there is no ${missing} \\(.*mount a tmpfs on ${missing}`));
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "");
  assertMatch(assertThrows(open(file), OsError).message, /file is not a directory/);
  assertMatch(assertThrows(open("/proc"), OsError).message, /\/proc is|in \/proc/);
  assertThrows(
    open("relative"),
    TypeError,
    'the option directory is "relative"; pass the absolute',
  );
  assertThrows(open("/a\0b"), TypeError, "the absolute path of a directory");
  assertEquals(regions({ directory: missing }), []);
  assertThrows(() => regions({ directory: "x" }), TypeError, "Cannot list regions: the option");
  const options = { directory: folder.path } as object;
  assertThrows(() => lock("door", options), TypeError, "it takes no option directory");
});

Deno.test("a namespace may have a directory, in which all definitions without one are", () => {
  using folder = new Folder();
  const state = sharedMemory("state", { size: 8 });
  {
    using names = namespace(undefined, { directory: folder.path });
    using _memory = state.open();
    assertEquals(folder.files(), [`vring.shm.${names.prefix}.state`]);
    assertEquals(regions().map(({ name }) => name), ["state"]);
  }
  assertEquals(folder.files(), []);
  assertEquals(state.info(), undefined);
});

Deno.test("nobody sleeps by a FIFO at memory outside of /dev/shm", () => {
  using folder = new Folder();
  using place = new Place();
  using here = openRegion(TYPE, place.path, { dataBytes: 8 });
  using there = openRegion(TYPE, `${folder.path}/vring.test.a`, { dataBytes: 8 });
  const { turn, count } = CONTROL.fields;
  const bellIn = ({ mapping, controlOffset }: typeof here) =>
    new Doorbell(mapping, turn, controlOffset, count);
  const near = bellIn(here);
  const far = bellIn(there);
  assertEquals([near.claim(5), far.claim(5)], [true, false]);
  far.loop!.store(5); // by a party that sees the same memory in its /dev/shm
  far.raise();
  far.ring();
  assertEquals(far.loop!.load(), 0xffffffff); // REFUSED: from now on that party uses the futex
});

Deno.test("vring --directory looks into another directory", async () => {
  using folder = new Folder();
  using _ring = spsc("ring", { directory: folder.path }).producer();
  using _body = domain("robot", { speed: {} }, { directory: folder.path }).open();
  const { out } = await vring(["ls", "--directory", folder.path]);
  assertEquals(out.trim().split("\n").slice(1).map((line) => line.split(/ +/)[1]), [
    "robot/speed",
    "ring",
  ]);
  const { out: info } = await vring(["info", "ring", "robot/speed", "--directory", folder.path]);
  assertMatch(info, new RegExp(`spsc\\("ring", .*directory: "${folder.path}" }\\)`));
  assertMatch(info, new RegExp(`domain\\("robot", .* }, { directory: "${folder.path}" }\\)`));
  const { code, err } = await vring("ls --directory here");
  assertEquals([code, err], [2, "Cannot use --directory here: pass an absolute path\n"]);
});
