import { assert, assertEquals } from "@std/assert";
import { LockFile, Role } from "../../src/region/liveness.ts";
import { Child } from "../os/child.ts";
import { ScratchFile } from "../os/scratch.ts";
import { until } from "../os/until.ts";
import { untilFree } from "./opening.ts";

const LIMIT = { timeout: 30_000 };

/** A file, a look at its locks, and programs that hold its bytes. */
class Roles implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly path = this.#stack.use(new ScratchFile(0)).path;
  readonly file = this.#stack.use(new LockFile(this.path, { write: true, what: "a test" }));

  /** Starts a holder; resolves to it once it has said that it holds the byte, or that it cannot. */
  async start(byte: number, options: { gigabytes?: number; wrapper?: string[] } = {}) {
    const { gigabytes = 0, wrapper = [] } = options;
    const args = [this.path, String(byte), String(gigabytes)];
    const program = new URL("./child_holder.ts", import.meta.url);
    const child = this.#stack.use(new Child(program, { args, wrapper }));
    return { child, said: await child.line() };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

Deno.test("tryHold() keeps out another process, both ways", async () => {
  await using roles = new Roles();
  const { said } = await roles.start(3);
  assertEquals(said, "held");
  assertEquals(Role.tryHold(roles.path, 3, "a test"), undefined);
  using own = Role.tryHold(roles.path, 4, "a test");
  assert(own !== undefined);
  assertEquals((await roles.start(4)).said, "taken");
  assertEquals(roles.file.isHeldByOther(3), true);
});

Deno.test("a role becomes free when its holder ends in any way, and no other role", async () => {
  await using roles = new Roles();
  await roles.start(4);
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT", "SIGABRT"] as const) {
    const gigabytes = signal === "SIGKILL" ? 2 : 0; // which the kernel unmaps before it closes files
    const { child, said } = await roles.start(3, { wrapper: ["prlimit", "--core=0"], gigabytes });
    assertEquals(said, "held");
    child.kill(signal);
    await untilFree(roles.file, 3, LIMIT);
    using role = Role.tryHold(roles.path, 3, "a test");
    assert(role !== undefined);
    assertEquals(roles.file.isHeldByOther(4), true);
  }
});

Deno.test("a role of a process that is stopped stays held", async () => {
  await using roles = new Roles();
  const { child } = await roles.start(3);
  child.kill("SIGSTOP");
  await until("the holder is stopped", () => child.state === "T");
  assertEquals(roles.file.isHeldByOther(3), true);
  assertEquals(Role.tryHold(roles.path, 3, "a test"), undefined);
  child.kill("SIGCONT");
  await until("the holder continues", () => child.state !== "T");
  assertEquals(roles.file.isHeldByOther(3), true);
  child.kill("SIGSTOP");
  child.kill("SIGKILL"); // also while it is stopped
  await untilFree(roles.file, 3, LIMIT);
});

Deno.test("a program that the holder started does not keep its role", async () => {
  await using roles = new Roles();
  const role = Role.tryHold(roles.path, 3, "a test")!;
  const sleeper = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  try {
    role.close();
    assertEquals(roles.file.isHeldByOther(3), false);
  } finally {
    sleeper.kill("SIGKILL");
    await sleeper.status;
  }
});

Deno.test("a holder in another pid namespace is alive, and once killed it is gone", async () => {
  const wrapper = ["unshare", "--pid", "--fork", "--kill-child"];
  const problem = await whyNot(wrapper);
  if (problem !== undefined) {
    console.log(`NOT TESTED: a holder in another pid namespace, as ${problem}`);
    return;
  }
  await using roles = new Roles();
  const { child, said } = await roles.start(3, { wrapper });
  assertEquals(said, "held");
  assertEquals(roles.file.isHeldByOther(3), true);
  assertEquals((await roles.start(3)).said, "taken"); // seen from a third place
  child.kill("SIGKILL"); // and with it all of its namespace
  await untilFree(roles.file, 3, LIMIT);
});

/** Why a command cannot be used to start others here, or undefined if it can. */
async function whyNot(wrapper: string[]): Promise<string | undefined> {
  try {
    const [command, ...args] = [...wrapper, "true"];
    const { success, stderr } = await new Deno.Command(command!, { args }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `there is no ${wrapper[0]}`;
  }
}
