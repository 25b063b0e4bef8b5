/** The recorder as a program: real files, real kills, a real full disk. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { McapReader } from "../../src/record/mod.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Program, TerminalProgram } from "../program.ts";
import { Name } from "../shared/scene.ts";

const CLI = "src/cli/main.ts";

/** A file that is gone after the test. */
class TemporaryFile implements Disposable {
  readonly path = Deno.makeTempFileSync({ suffix: ".mcap" });

  /** The numbers in the messages, and whether the file was ended. */
  read(): { numbers: number[]; isWhole: boolean } {
    const bytes = Deno.readFileSync(this.path);
    const reader = new McapReader((at, count) => bytes.slice(at, at + count), this.path);
    const numbers = Array.from(
      reader.messages(),
      ({ data }) => new DataView(data.buffer, data.byteOffset).getUint32(0, true),
    );
    return { numbers, isWhole: reader.isWhole };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

/** Publishes numbers from 1 on, one each turn, until disposed. */
class Numbers implements AsyncDisposable {
  readonly publisher;
  sent = 0;
  #goesOn = true;
  readonly #running: Promise<void>;

  constructor(name: string, size: number) {
    this.publisher = topic(name, { size, depth: 64, policy: "dropOldest", history: 1 }).publisher();
    this.#running = this.#run(size);
  }

  async #run(size: number): Promise<void> {
    await this.publisher.waitForPeers(1);
    const sample = new Uint8Array(size);
    const number = new DataView(sample.buffer);
    while (this.#goesOn) {
      for (let i = 0; i < 20; i++) {
        number.setUint32(0, ++this.sent, true);
        this.publisher.trySend(sample);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async stop(): Promise<void> {
    this.#goesOn = false;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.publisher.close();
  }
}

/** Starts to record a topic into a file. */
function recorder(name: string, path: string, ...options: string[]): Program {
  return new Program(`--allow-write=${path}`, CLI, "record", name, "--output", path, ...options);
}

Deno.test("a recorder that is killed leaves all whole chunks, without a gap that is not counted", async () => {
  for (let round = 0; round < 5; round++) {
    using place = new Name();
    using file = new TemporaryFile();
    await using program = recorder(place.name, file.path, "--compression", "none");
    await program.until(/Recording into/);
    await using numbers = new Numbers(place.name, 5000);
    // A quarter of a chunk more: then the last of these chunks is whole.
    const large = async () => (await Deno.stat(file.path)).size > (1.25 + round) * 2 ** 20;
    while (!await large()) await new Promise((resolve) => setTimeout(resolve, 5));
    await program.killed();
    await numbers.stop();
    const { numbers: found, isWhole } = file.read();
    assertEquals(isWhole, false);
    assert(found.length >= 200 * (1 + round), `${found.length}`);
    assert(found.every((number, i) => i === 0 || number > found[i - 1]!));
  }
});

Deno.test("Ctrl-C ends a recording whose account is exact, and replay publishes it", async () => {
  using place = new Name();
  using file = new TemporaryFile();
  await using program = recorder(place.name, file.path, "--json");
  await using numbers = new Numbers(place.name, 100);
  while (numbers.sent < 500) await new Promise((resolve) => setTimeout(resolve, 5));
  await numbers.stop();
  program.kill("SIGINT");
  assertEquals((await program.end()).code, 0);
  const account = JSON.parse(program.out);
  const { numbers: found, isWhole } = file.read();
  assertEquals([account.recorded, account.recorded + account.lost], [found.length, numbers.sent]);
  assert(isWhole);
  await numbers[Symbol.asyncDispose]();

  await using info = new Program(`--allow-read=${file.path}`, CLI, "info", file.path, "--json");
  const [, messages] = await info.until(/"messages":(\d+)/);
  assertEquals(Number(messages), found.length);

  const definition = topic(place.name, { size: 100, depth: 64, policy: "dropOldest", history: 1 });
  using subscriber = definition.subscriber();
  const read = `--allow-read=${file.path}`;
  await using player = new Program(read, CLI, "replay", file.path, "--rate", "0", "--wait", "1");
  const first = await subscriber.receive();
  assertEquals(
    new DataView(first!.value.buffer, first!.value.byteOffset).getUint32(0, true),
    found[first!.lost], // those before it were overwritten, if this process was slow
  );
  assertEquals((await player.end()).code, 0);
});

Deno.test("vring replay shows its progress in a terminal, steps, goes on and quits", async () => {
  using place = new Name();
  using file = new TemporaryFile();
  await using program = recorder(place.name, file.path);
  await using numbers = new Numbers(place.name, 100);
  while (numbers.sent < 100) await new Promise((resolve) => setTimeout(resolve, 5));
  await numbers[Symbol.asyncDispose]();
  program.kill("SIGINT");
  await program.end();

  const definition = topic(place.name, { size: 100, depth: 64, policy: "dropOldest", history: 1 });
  using subscriber = definition.subscriber();
  const args = [CLI, "replay", file.path, "--paused", "--loop", "--start", "0s"];
  await using player = new TerminalProgram(`--allow-read=${file.path}`, ...args);
  await player.until(/paused/);
  await player.type("\x1b[C");
  assertEquals((await subscriber.receive())?.lost, 0);
  await player.type(" ");
  await player.until(/playing/);
  while ((await subscriber.receive())!.sequence < 2 * numbers.sent) continue; // the second round
  await player.type("q");
  await player.until(/\d+ messages/);
  await player.end();
});

Deno.test("vring replay publishes the topics that --topic names, under other names", async () => {
  using place = new Name();
  using file = new TemporaryFile();
  await using program = recorder(place.name, file.path);
  await using numbers = new Numbers(place.name, 100);
  while (numbers.sent < 100) await new Promise((resolve) => setTimeout(resolve, 5));
  await numbers[Symbol.asyncDispose]();
  program.kill("SIGINT");
  await program.end();
  const read = `--allow-read=${file.path}`;
  const other = `${place.name}/other`;
  const names = `nothing/**,/${place.name}:=/${other}`;
  using subscriber = topic(other, { size: 100, depth: 64, policy: "dropOldest", history: 1 })
    .subscriber();
  await using player = new Program(read, CLI, "replay", file.path, "--rate", "0", "--topic", names);
  assertEquals((await subscriber.receive())?.value.length, 100);
  assertEquals((await player.end()).code, 0);
  await using nobody = new Program(read, CLI, "replay", file.path, "--topic", "nothing");
  await nobody.refused(1, /^Cannot replay .*: it has no such topic; it has t\S+$/m);
  await using late = new Program(read, CLI, "replay", file.path, "--start", "9m");
  await late.refused(1, /^Cannot replay .*: it ends before --start; vring info shows/);
  for (const bad of [["--start", "soon"], ["--topic", "a:="], ["--topic", "a:=b:=c"]]) {
    await using refused = new Program(read, CLI, "replay", file.path, ...bad);
    await refused.refused(2, /^Cannot (start at|replay topic) .*: pass /);
  }
});

Deno.test("a recorder without the permission to write prints the flag", async () => {
  await using program = new Program(CLI, "record", "x", "--output", "/tmp/x.mcap");
  const { code, err } = await program.end();
  assertEquals(code, 1);
  assertMatch(err, /run with --allow-write=\/tmp\/x\.mcap/);
});
