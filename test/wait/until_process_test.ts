import { assertEquals, assertStringIncludes } from "@std/assert";
import { hasWaitv } from "../../src/os/futex.ts";
import { waitSync } from "./outcome.ts";
import { Child } from "../os/child.ts";
import { ScratchFile } from "../os/scratch.ts";
import { until } from "../os/until.ts";
import { Scene } from "./scene.ts";

/** The number of the system call, on both processors. */
const FUTEX_WAITV = "449";

/** A scene in a file, and a program that acts in it. */
class Stage implements AsyncDisposable {
  readonly #file = new ScratchFile(Scene.sizeOf(2));
  readonly scene = Scene.at(this.#file.path, 2);
  readonly child: Child;

  constructor(story: string, flags = ["--allow-ffi"]) {
    const program = new URL("./child_waiter.ts", import.meta.url);
    this.child = new Child(program, { args: [this.#file.path, story], flags });
  }

  /** Resolves once the program has raised the bell: it sleeps or is about to. */
  async asleep(): Promise<void> {
    await until("the child waits", () => this.scene.place.bell.word.load() % 2 === 1);
    await until("the child sleeps", () => this.child.state === "S");
  }

  /** Resolves once the program has slept for a slice, and sleeps for several. */
  async idle(): Promise<void> {
    await this.asleep();
    if (!hasWaitv()) return; // then it sleeps as before, a slice at a time
    const call = () => Deno.readTextFileSync(`/proc/${this.child.pid}/syscall`).split(" ")[0];
    await until("the child is idle", () => call() === FUTEX_WAITV);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
    this.scene[Symbol.dispose]();
    this.#file[Symbol.dispose]();
  }
}

for (const story of ["sync", "async"]) {
  Deno.test(`a ring wakes another process from its ${story} wait`, async () => {
    await using stage = new Stage(story);
    await stage.asleep();
    stage.scene.place.publish();
    const { code, lines, stderr } = await stage.child.ending();
    assertEquals([code, lines, stderr], [0, ["ready"], ""]);
  });
}

Deno.test("a process that spins for ever sees what another one publishes", async () => {
  await using stage = new Stage("spin");
  await until("the child runs", () => stage.child.state === "R" || stage.child.state === "S");
  stage.scene.place.publish();
  assertEquals((await stage.child.ending()).lines, ["ready"]);
  assertEquals(stage.scene.place.bell.word.load(), 0);
});

for (const story of ["echo", "echoAsync"]) {
  Deno.test(`two processes that wait for each other in turn lose no wake-up, ${story}`, async () => {
    await using stage = new Stage(story);
    const [there, back] = stage.scene.places;
    for (let count = 1; count <= 500; count++) {
      there!.publish();
      assertEquals(waitSync(back!.reaches(count), { timeout: 30_000, spin: 0 }), "ready");
    }
    assertEquals(await stage.child.line(), "done");
  });
}

Deno.test("Ctrl-C ends a program that is blocked in waitSync()", async () => {
  await using stage = new Stage("sync");
  await stage.asleep();
  stage.child.kill("SIGINT");
  const { signal, lines } = await stage.child.ending();
  assertEquals([signal, lines], ["SIGINT", []]);
});

Deno.test("Ctrl-C ends a program that is blocked in waitSync() and has a SIGINT listener", async () => {
  await using stage = new Stage("syncListening");
  await stage.asleep();
  stage.child.kill("SIGINT");
  const { success, signal, stderr } = await stage.child.ending();
  assertEquals(success, false);
  if (signal === "SIGINT") return; // Deno gave up the listener before it had dealt with the signal
  assertStringIncludes(
    stderr,
    "AbortError: Cannot wait any longer: Ctrl-C arrived while this call",
  );
});

Deno.test("Ctrl-C reaches the SIGINT listener once the program has caught the AbortError", async () => {
  await using stage = new Stage("syncCatching");
  await stage.asleep();
  stage.child.kill("SIGINT");
  const { code, lines } = await stage.child.ending();
  assertEquals([code, lines.length, lines[1]], [7, 2, "heard"]);
  assertStringIncludes(lines[0]!, "AbortError");
});

Deno.test("Ctrl-C ends a program in waitSync() that has a SIGINT listener no longer", async () => {
  await using stage = new Stage("syncNoLongerListening");
  await stage.asleep();
  stage.child.kill("SIGINT");
  const { success, lines } = await stage.child.ending();
  assertEquals([success, lines], [false, []]);
});

Deno.test("Ctrl-C ends a program that spins in waitSync() and has a SIGINT listener", async () => {
  await using stage = new Stage("spinListening");
  await until("the child spins", () => stage.scene.place.bell.word.load() % 2 === 1);
  await until("the child spins", () => stage.child.state === "R");
  // One that arrives before the wait has begun is not for it: press again, as people do.
  const again = setInterval(() => stage.child.kill("SIGINT"), 200);
  stage.child.kill("SIGINT");
  const { success, signal, stderr } = await stage.child.ending().finally(() =>
    clearInterval(again)
  );
  assertEquals(success, false);
  if (signal === "SIGINT") return;
  assertStringIncludes(
    stderr,
    "AbortError: Cannot wait any longer: Ctrl-C arrived while this call",
  );
});

Deno.test("Ctrl-C reaches the SIGINT listener during wait()", async () => {
  await using stage = new Stage("asyncListening");
  await stage.asleep();
  stage.child.kill("SIGINT");
  const { code, lines } = await stage.child.ending();
  assertEquals([code, lines], [7, ["heard"]]);
});

Deno.test("Ctrl-C ends waitSync() of a Worker, and reaches the SIGINT listener", async () => {
  await using stage = new Stage("workerInSync", ["--allow-ffi", "--allow-read"]);
  await stage.asleep();
  stage.child.kill("SIGINT");
  const { code, lines } = await stage.child.ending();
  assertEquals([code, lines.length], [7, 2]);
  assertEquals(lines.includes("heard"), true);
  assertStringIncludes(lines.join(), "AbortError");
});

Deno.test("a ring, or a change without a ring, ends an idle wait that words can end", async () => {
  for (const rings of [true, false]) {
    await using stage = new Stage("idle");
    await stage.idle();
    const { place } = stage.scene;
    if (rings) place.publish();
    else place.count.add(1);
    assertEquals((await stage.child.ending()).lines, ["ready"]);
  }
});

Deno.test("Ctrl-C ends an idle wait that words can end", async () => {
  await using stage = new Stage("idleListening");
  await stage.idle();
  stage.child.kill("SIGINT");
  const { success, signal, stderr } = await stage.child.ending();
  assertEquals(success, false);
  if (signal === "SIGINT") return; // Deno gave up the listener before it had dealt with the signal
  assertStringIncludes(stderr, "AbortError: Cannot wait any longer");
});

Deno.test("another signal does not end waitSync()", async () => {
  await using stage = new Stage("syncOtherSignal");
  await stage.asleep();
  for (let i = 0; i < 5; i++) {
    stage.child.kill("SIGUSR1");
    await stage.asleep();
  }
  stage.scene.place.publish();
  assertEquals((await stage.child.ending()).lines, ["ready"]);
});

Deno.test("waitSync() keeps waiting when the process is stopped and continued", async () => {
  await using stage = new Stage("sync");
  await stage.asleep();
  stage.child.kill("SIGSTOP");
  await until("the child is stopped", () => stage.child.state === "T");
  stage.scene.place.publish();
  stage.child.kill("SIGCONT");
  assertEquals((await stage.child.ending()).lines, ["ready"]);
});

Deno.test("a ring keeps working when a process was killed in its sleep", async () => {
  await using stage = new Stage("sync");
  await stage.asleep();
  stage.child.kill("SIGKILL");
  assertEquals((await stage.child.ending()).signal, "SIGKILL");
  const { bell } = stage.scene.place;
  const raised = bell.word.load();
  bell.ring();
  assertEquals(bell.word.load(), raised + 1);
});

Deno.test("a program ends by itself once nobody waits", async () => {
  await using stage = new Stage("manyThatEnd");
  const { code, lines, stderr } = await stage.child.ending();
  assertEquals([code, lines, stderr], [0, ["timeout"], ""]);
});

Deno.test("Deno.exit() ends a program in the middle of wait()", async () => {
  await using stage = new Stage("exit");
  const { code, stderr } = await stage.child.ending();
  assertEquals([code, stderr], [5, ""]);
});

Deno.test("an uncaught error ends a program in the middle of wait()", async () => {
  await using stage = new Stage("throws");
  const { code, stderr } = await stage.child.ending();
  assertEquals(code, 1);
  assertStringIncludes(stderr, "on purpose");
});
