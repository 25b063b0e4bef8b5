/**
 * Event loops that hear their bells by a FIFO. The test runner's own loop has no FIFO, so other
 * programs hear, and the tests ring.
 */

import { assert, assertEquals } from "@std/assert";
import { hallPathOf, post, removeAbandonedFifos } from "../../src/os/fifo.ts";
import { ReadySet } from "../../src/wait/ready_set.ts";
import { Child } from "../os/child.ts";
import { ScratchFile } from "../os/scratch.ts";
import { until } from "../os/until.ts";
import { Scene } from "./scene.ts";

const REFUSED = 0xffffffff;
const ENOENT = 2;
const ENXIO = 6;

function pathOf(id: number): string {
  return `/dev/shm/vring-wake.${id.toString(16).padStart(8, "0")}`;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A program that hears, and the scene that it shares with the test. */
class Stage implements AsyncDisposable {
  readonly #file = new ScratchFile(Scene.sizeOf(1));
  readonly scene = Scene.at(this.#file.path);
  readonly child: Child;

  constructor(story: string) {
    const program = new URL("./child_hearer.ts", import.meta.url);
    const flags = ["--allow-ffi", "--allow-read"]; // of the Worker's file
    this.child = new Child(program, { args: [this.#file.path, story], flags });
  }

  get claim(): number {
    return this.scene.place.bell.loop!.load();
  }

  /** Rings whenever the program has claimed the bell, until it has told that it heard. */
  async ringUntilHeard(id: number): Promise<void> {
    let line: string | undefined;
    while (line !== "heard") {
      await until("the program claims the bell", () => this.claim === id);
      this.scene.place.publish();
      line = await this.child.line();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
    removeAbandonedFifos();
    this.scene[Symbol.dispose]();
    this.#file[Symbol.dispose]();
  }
}

for (const story of ["main", "worker"]) {
  Deno.test(`an event loop hears its bell, and its FIFO ends with it, in a ${story}`, async () => {
    await using stage = new Stage(story);
    const id = Number(await stage.child.line());
    await stage.ringUntilHeard(id);
    const { code, stderr } = await stage.child.ending();
    assertEquals([code, stderr], [0, ""]);
    assert(!exists(pathOf(id)));
    assertEquals(stage.claim, 0);
    assertEquals([post(id), post(id)], [-ENXIO, -ENOENT]); // written to before, and by its name
  });
}

Deno.test("a ring clears the claim of a killed program, whose FIFO is removed later", async () => {
  await using stage = new Stage("main");
  const id = Number(await stage.child.line());
  await until("the program claims the bell", () => stage.claim === id);
  stage.child.kill("SIGSTOP"); // its claim stays, however long this test takes
  await until("the program is stopped", () => stage.child.state === "T");
  const claim = stage.claim;
  stage.child.kill("SIGKILL");
  await stage.child.ending();
  const { bell } = stage.scene.place;
  bell.loop!.store(id);
  assert(claim === id || claim === 0); // 0 at the end of its second slice
  bell.raise();
  bell.ring();
  assertEquals(stage.claim, 0);
  assert(exists(pathOf(id)));
  removeAbandonedFifos();
  assert(!exists(pathOf(id)));
});

for (const how of ["thread", "loop"]) {
  Deno.test(`a set of things is woken from another process, and its hall ends with it: ${how}`, async () => {
    await using stage = new Stage(how);
    const id = Number(await stage.child.line());
    for (let i = 0; i < 3; i++) {
      await until("the bell is armed", () => stage.scene.place.bell.word.load() % 2 === 1);
      assertEquals(stage.claim, id + 1);
      stage.scene.place.publish();
      assertEquals(await stage.child.line(), "heard");
    }
    const { code, stderr } = await stage.child.ending();
    assertEquals([code, stderr], [0, ""]);
    assert(!exists(hallPathOf(id)));
    assert(!exists(pathOf(id)));
  });
}

Deno.test("another isolate takes over the bells of a killed one, whose hall is removed later", async () => {
  await using stage = new Stage("thread");
  const id = Number(await stage.child.line());
  await until("the bell is armed", () => stage.scene.place.bell.word.load() % 2 === 1);
  const make = () =>
    ReadySet.of([{ owner: 0, condition: { ...stage.scene.place.reaches(1), isSteady: true } }]);
  assertEquals(make(), undefined);
  stage.child.kill("SIGKILL");
  await stage.child.ending();
  stage.scene.place.publish(); // to the hall that nobody uses
  assertEquals(stage.claim, id + 1);
  using set = make();
  assertEquals(set!.take()?.owner, 0);
  assert(exists(hallPathOf(id)));
  Deno.writeTextFileSync(hallPathOf(2), "alone");
  removeAbandonedFifos();
  for (const fifo of [id, 2]) assert(!exists(hallPathOf(fifo)));
});

for (const [what, id, pathOfIt] of [["FIFO", 8, pathOf], ["hall", 9, hallPathOf]] as const) {
  Deno.test(`a waker writes to no file but a ${what}, and refuses all others from then on`, () => {
    using file = new ScratchFile(Scene.sizeOf(1));
    using scene = Scene.at(file.path);
    const { bell } = scene.place;
    const path = pathOfIt(8);
    Deno.writeTextFileSync(path, "mine");
    try {
      bell.loop!.store(id);
      bell.raise();
      bell.ring();
      assertEquals(Deno.readTextFileSync(path), "mine");
      assertEquals(bell.loop!.load(), REFUSED);
      assert(!bell.claim(id));
    } finally {
      Deno.removeSync(path);
    }
  });
}

Deno.test("a full FIFO is a success", async () => {
  await using stage = new Stage("main");
  const id = Number(await stage.child.line());
  stage.child.kill("SIGSTOP");
  await until("the program is stopped", () => stage.child.state === "T");
  for (let i = 0; i < 70_000; i++) assertEquals(post(id), 0);
  stage.child.kill("SIGCONT");
  await stage.ringUntilHeard(id);
});
