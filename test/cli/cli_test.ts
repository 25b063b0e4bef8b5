/** The commands of `vring`, run against regions of this process and of killed ones. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { json } from "../../src/codec.ts";
import { circular } from "../../src/circular/definition.ts";
import { calls } from "../../src/calls/definition.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { byteRing, spsc } from "../../src/spsc/definition.ts";
import { array, struct } from "../../src/struct.ts";
import { topic } from "../../src/vdds/definition.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { assertFits, Program } from "../program.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { isSimilar } from "../../src/cli/found.ts";
import { Output } from "../../src/cli/output.ts";
import { overview } from "../../src/cli/run.ts";
import { objectsIn, vring } from "./vring.ts";

const Pose = struct("pose", { x: "f64", parts: array("f32", 2) });

Deno.test("vring ls lists every kind, with parties, processes and backlog", async () => {
  using _place = namespace();
  using ring = spsc("ring", { type: "f64", capacity: 4096 }).producer();
  using _bytes = byteRing("bytes").consumer();
  using _many = mpsc("many").producer();
  using publisher = topic("cam/left", { depth: 4 }).publisher();
  using _subscriber = topic("cam/left", { depth: 4 }).subscriber();
  using _memory = sharedMemory("memory", { size: 64 }).open();
  using lock = rwLock("lock").open();
  using _held = lock.tryWrite();
  using body = domain("robot", { speed: { type: "f64" } }).open();
  using _log = circular("log").writer();
  using _client = calls("work").client();
  ring.trySend(1);
  for (let i = 0; i < 3; i++) publisher.trySend(new Uint8Array(9));
  body.slots.speed.writeSync(3);

  const { code, out } = await vring("ls");
  assertEquals(code, 0);
  const lines = out.trim().split("\n");
  const lineOf = (name: string) => lines.find((line) => line.split(/ +/)[1] === name) ?? "";
  assertMatch(lines[0]!, /^KIND +NAME +TYPE +SIZE +MEMORY +BACKLOG +PARTIES$/);
  assertMatch(lineOf("ring"), new RegExp(`^spsc .* f64 .* 0 % .*1 producer \\(${Deno.pid}\\)$`));
  assertMatch(lineOf("cam/left"), /3\/4 +1 publisher \(\d+\), 1 subscriber \(\d+\)$/);
  assertMatch(lineOf("lock"), /1 writer \(\d+\)$/);
  assertMatch(lineOf("work"), /1 client \(\d+\)$/);
  assertMatch(lineOf("many"), /1 producer \(\d+\)$/);
  assertMatch(lineOf("bytes"), /bytes without messages .*1 consumer \(\d+\)$/);
  assertMatch(lineOf("robot/speed"), /^slot .* f64 /);
  assertMatch(lineOf("memory"), /in use$/);
  assertMatch(lineOf("log"), /1 writer \(\d+\)$/);
  assertEquals(lines.length, 10);

  const some = objectsIn(await vring("ls cam/* --json"));
  assertEquals(some.map(({ kind, name, members }) => [kind, name, members]), [[
    "topic",
    "cam/left",
    2,
  ]]);
  assertEquals((await vring("ls --kind slot")).out.trim().split("\n").length, 2);
});

Deno.test("vring ls says when nothing has a name, and which name was probably meant", async () => {
  using _place = namespace();
  assertEquals((await vring("ls")).code, 0);
  using _ring = spsc("camera").producer();
  const missing = "There is no region named Camera: did you mean camera?\n";
  for (const line of ["ls", "info", "hz", "echo", "delay", "pub", "top --once"]) {
    const { code, out, err } = await vring(`${line} --json Camera`);
    assertEquals([code, out, err], [1, "", missing], line);
  }
  assertMatch((await vring("ls --kind tpic")).err, /^Cannot use --kind tpic: .* mean topic\?/);
  assertMatch((await vring("ls x --directory /none")).err, /directory \/none cannot be read/);
});

Deno.test("names are similar after a typing error, and not if their numbers differ", () => {
  const similar = [["drone/pose", "drone/pse"], ["cam", "can"], ["Cam/Left", "cam-left"]];
  const other = [["cam1", "cam2"], ["pose", "map"], ["camera", "lidar"], ["ab", "ac"]];
  for (const [a, b] of similar) assert(isSimilar(a!, b!), `${a} ${b}`);
  for (const [a, b] of other) assert(!isSimilar(a!, b!), `${a} ${b}`);
});

Deno.test("vring info prints a definition that opens the region", async () => {
  using _place = namespace();
  using publisher = topic("pose", { type: Pose, depth: 4, policy: "dropOldest" }).publisher();
  using _ring = spsc("ring", { type: "f64", capacity: 4096 }).producer();
  publisher.trySend({ x: 1, parts: [1, 2] });
  const { out } = await vring("info pose");
  assertStringIncludes(out, `publisher 0: alive, process ${Deno.pid}`);
  assertStringIncludes(out, "members: 1; places for 16 more subscribers");
  assertStringIncludes(out, "all: 1 messages");
  assertMatch(out, /^ +topic_control, version .*\n +0 +depth +4\n/m);
  assertMatch(out, /^ +16 +published +1$/m);
  const source = out.slice(out.indexOf("const Pose"));
  const define = new Function(
    "struct",
    "array",
    "topic",
    `${source.replace("topic(", "return topic(")}`,
  );
  using subscriber = define(struct, array, topic).subscriber();
  publisher.trySend({ x: 2, parts: [3, 4] });
  assertEquals(subscriber.tryReceive()?.value.x, 2);
  const [ring] = objectsIn(await vring("info ring --json"));
  assertEquals(ring!.definition, 'spsc("ring", { type: "f64", capacity: 4096 })');
});

Deno.test("vring top counts the messages, the losses and the backlog between two looks", async () => {
  using _place = namespace();
  using producer = spsc("ring", { type: "f64" }).producer();
  using consumer = spsc("ring", { type: "f64" }).consumer();
  using publisher = topic("t", { type: "f64", depth: 4, policy: "dropOldest" }).publisher();
  using _subscriber = topic("t", { type: "f64", depth: 4, policy: "dropOldest" }).subscriber();
  using body = domain("d", { s: { type: "f64" } }).open();
  const sending = setInterval(() => {
    producer.trySend(1);
    consumer.tryReceive();
    publisher.trySend(2);
    body.slots.s.writeSync(3);
  }, 1);
  const printed = await vring("top --every 0.1 --count 2 --json");
  clearInterval(sending);
  const all = objectsIn(printed);
  assertEquals(all.map(({ name }) => name), ["d/s", "ring", "t", "d/s", "ring", "t"]);
  for (const { messages } of all) assert(messages as number > 0, printed.out);
  const last = all.at(-1) as { lost: number; flows: { backlog: number; room: number }[] };
  assert(last.lost > 0);
  assertEquals(last.flows.map(({ backlog, room }) => [backlog, room]), [[4, 4]]);
  assertMatch((await vring("top --every 0.01 --once")).out, /^KIND +NAME +MSG\/S/);
  assertEquals((await vring("top nothing")).code, 1);
});

Deno.test("vring echo prints the values of topics, slots and circular buffers", async () => {
  using _place = namespace();
  using publisher = topic("pose", { type: Pose, history: 2 }).publisher();
  for (let x = 1; x <= 2; x++) publisher.trySend({ x, parts: [x, 5] });
  assertEquals((await vring("echo pose --count 2 --field x")).out, "1\n2\n");
  assertEquals(
    (await vring(["echo", "pose", "--count", "1", "--filter", "x > 1", "--field", "x"])).out,
    "2\n",
  );
  assertEquals((await vring(["echo", "pose", "--filter", "x ~ 1"])).code, 2);
  const csv = "sequence,x,parts.0,parts.1\n1,1,1,5\n2,2,2,5\n";
  assertEquals((await vring("echo pose --count 2 --csv")).out, csv);
  const [first] = objectsIn(await vring("echo pose --count 1 --json"));
  assertEquals([first!.sequence, first!.value], [1, { x: 1, parts: [1, 5] }]);
  assertMatch(
    (await vring("echo pose --count 1 --hex")).out,
    /^000000000000f03f0000803f0000a040\n$/,
  );

  const [hex] = objectsIn(await vring("echo pose --once --hex --json"));
  assertEquals(hex!.hex, "000000000000f03f0000803f0000a040");
  assertEquals((await vring("echo pose --once --raw")).bytes.toHex(), hex!.hex);

  using body = domain("d", { s: { type: json<unknown>() } }).open();
  body.slots.s.writeSync({ a: 1 });
  assertEquals((await vring("echo d/s --count 1")).out, "{ a: 1 }\n");

  using writer = circular("log", { type: "f64" }).writer();
  const sending = setInterval(() => writer.trySend(7), 1);
  assertEquals((await vring("echo log --count 2")).out, "7\n7\n");
  clearInterval(sending);
});

Deno.test("vring echo prints what waits in a ring, and counts what does not", async () => {
  using _place = namespace();
  const jobs = spsc("jobs", { type: json<{ job: number }>(64) });
  using producer = jobs.producer();
  using consumer = jobs.consumer();
  for (let job = 1; job <= 4; job++) producer.trySend({ job });
  assertEquals((await vring("echo jobs --field job --timeout 0.2")).out, "1\n2\n3\n4\n");
  const { out } = await vring("echo jobs --field job --count 5", [[/4\n/, () => {
    for (let job = 5; job <= 6; job++) producer.trySend({ job });
    for (let job = 1; job <= 5; job++) consumer.tryReceive();
  }], [/6\n/, () => {}]]);
  assertEquals(out, "1\n2\n3\n4\n1 received by the consumer before this look\n6\n");
});

Deno.test("vring echo says why it cannot print", async () => {
  using _place = namespace();
  using _ring = byteRing("ring").producer();
  const { code, err } = await vring("echo ring");
  assertEquals(code, 1);
  assertStringIncludes(err, "no messages that an observer can tell apart");
  assertEquals((await vring("echo nothing")).code, 1);
  assertEquals((await vring("echo")).code, 2);
  using _publisher = topic("pose", { type: Pose }).publisher();
  for (const path of ["y", "parts.2", "x.y"]) {
    const { code, err } = await vring(`echo pose --field ${path}`);
    assertEquals(code, 2);
    assertStringIncludes(err, `Cannot show the field ${path}: the messages have no `);
  }
  assertMatch((await vring(["echo", "pose", "--filter", "part > 1"])).err, /mean parts\?/);
});

Deno.test("vring shows a topic with many publishers as one, and its sources", async () => {
  using _place = namespace();
  const many = topic("many", { type: "f64", publishers: "many", history: 1 });
  using publisher = many.publisher();
  publisher.trySend(7);
  assertMatch((await vring("ls many")).out, /^sources +many .* 1 source$/m);
  const rows = objectsIn(await vring("hz many --once --every 0.01 --json"));
  assertMatch(String(rows[0]!.name), /^many\/_[0-9a-f]{16}$/);
  assertEquals((await vring("echo many --once")).out, "7\n");
  assertStringIncludes((await vring("info many")).out, "history: 1, reserve: true, quota: 0, publ");
  using subscriber = many.subscriber();
  while (subscriber.tryReceive());
  const received = subscriber.receive();
  assertEquals((await vring("pub many 8")).code, 0);
  assertEquals((await received)?.value, 8);
});

Deno.test("vring says that messages pass a ring before they can be shown", async () => {
  using _place = namespace();
  using producer = spsc("ring", { type: "f64" }).producer();
  using consumer = spsc("ring", { type: "f64" }).consumer();
  const passing = setInterval(() => {
    producer.trySend(1);
    consumer.tryReceive();
  }, 5);
  const { out, err } = await vring("echo ring --timeout 2.2");
  clearInterval(passing);
  assertEquals(out, "");
  assertMatch(err, /^The consumer took \d+ messages in 2 s, each before it could be shown here/);
});

Deno.test("a cell that is too long for the terminal goes below its row", () => {
  let out = "";
  const write = (text: string) => void (out += text);
  const options = {
    json: false,
    write,
    writeBytes: () => {},
    error: write,
    color: false,
    width: 20,
  };
  new Output(options).foldingTable(["NAME", "PARTIES"], [["a", "one two three four"], ["b", "-"]]);
  assertEquals(out, "NAME  PARTIES\na\n       one two three\n       four\nb     -\n");
});

Deno.test("vring watch tells of regions and parties", async () => {
  using _place = namespace();
  using _there = topic("here").publisher();
  let producer: ReturnType<ReturnType<typeof spsc>["producer"]> | undefined;
  const { code, out } = await vring("watch --every 0.01", [
    [/topic here is there/, () => producer = spsc("ring").producer()],
    [/producer 0 joined/, () => producer!.close()],
    [/ring is gone/, () => {}],
  ]);
  const told = out.trim().split("\n").map((line) => line.slice(10));
  assertEquals(code, 0);
  assertEquals(told.slice(0, 3), [
    "topic here is there",
    "spsc ring appeared",
    "spsc ring: producer 0 joined",
  ]);
  assertEquals(told.at(-1), "spsc ring is gone");
});

Deno.test("vring watch --once ends after one change, and hz says that a region is gone", async () => {
  using _place = namespace();
  using stack = new DisposableStack();
  using here = topic("here").publisher();
  const open = () => stack.use(spsc("ring").producer());
  const { code, out } = await vring("watch --once --every 0.01", [
    [/here is there/, open],
    [/ appeared/, () => new Promise(() => {})], // nothing interrupts it
  ]);
  assertEquals(code, 0);
  assertMatch(out, /here is there\n.* spsc ring appeared\n$/);
  const hz = "hz here --every 0.01 --timeout 0.5";
  const { err } = await vring(hz, [[/messages\/s/, () => here.close()], [/never/, () => {}]]);
  assertEquals(err, "here is gone\n");
});

Deno.test("vring tells killed parties from living ones, and clean removes what they leave", async () => {
  using place = namespace();
  await using party = new Program("test/cli/party.ts", place.prefix);
  await party.until(/open: 5/);
  using _consumer = spsc("ring").consumer();
  using _subscriber = topic("t").subscriber();
  const before = (await vring("ls")).out;
  assertMatch(before, new RegExp(`ring .*1 producer \\(${party.pid}\\), 1 consumer`));
  assertMatch(before, new RegExp(`t .*1 publisher \\(${party.pid}\\), 2 subscribers`));

  const died = vring("watch --every 0.01", [
    [/topic t is there/, () => party.kill("SIGKILL")],
    [/(publisher 0 died.*)/s, () => {}],
  ]);
  assertMatch((await died).out, /topic t: publisher 0 died/);
  await party.killed();
  const after = (await vring("ls")).out;
  assertMatch(after, /ring .*1 dead producer, 1 consumer/);
  assertMatch(after, /t .*1 dead publisher, 1 subscriber .*1 dead subscriber/);
  assertMatch(after, /many .*1 dead producer$/m);

  const trial =
    "would remove mpsc many, [0-9.]+ [KM]iB\nwould remove topic alone, .*\n2 regions with .*\n";
  assertMatch((await vring("clean --dry-run")).out, new RegExp(`^${trial}$`));
  assertMatch(
    (await vring("clean")).out,
    /^removed mpsc many, .*\nremoved topic alone, .*\n2 regions with .*\n$/,
  );
  assertEquals((await vring("clean")).out, "There is nothing to remove.\n");
});

Deno.test("vring doctor checks the system", async () => {
  using _place = namespace();
  using _memory = sharedMemory("big", { size: 2 ** 20 }).open();
  const { code, out } = await vring("doctor");
  assertEquals(code, 0);
  assertMatch(out, /^ok +native library: loaded/);
  assertStringIncludes(out, "/dev/shm: files can be made");
  assertMatch(out, /user and mount: user \d+.*umask \d+; .*: tmpfs \d+:\d+ \(rw/);
  assertMatch(out, /contents of \/dev\/shm: \d+ files of vring with .*; the largest: \S+ [\d.]+ /);
  assertMatch(out, /^(ok|!) +processors: (one|two or more) \(this process may use [\d,-]+\): /m);
  for (
    const check of ["memfd", "locks", "futex_waitv", "membarrier", "open files"]
  ) {
    assertMatch(out, new RegExp(`^(ok|!) +${check}: `, "m"));
  }
  await using limited = new Program("src/cli/main.ts", "doctor", "--json");
  const [line] = await limited.until(/.*"permissions".*\n/);
  assertStringIncludes(JSON.parse(line).text, "--allow-write is for record");
});

Deno.test("vring says that its output cannot be written", async () => {
  const run = `'${Deno.execPath()}' run --allow-ffi src/cli/main.ts help > /dev/full`;
  const { code, stderr } = await new Deno.Command("sh", { args: ["-c", run] }).output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(code, 1);
  assertMatch(said, /^Cannot write the output: No space left on device.*\n$/);
});

Deno.test("vring explains its commands, and what it does not understand", async () => {
  assertEquals((await vring("")).code, 2);
  assertStringIncludes((await vring("--help")).out, "vring COMMAND [NAME...] [OPTIONS]");
  assertStringIncludes((await vring("ls --help")).out, "vring ls '/cam/**'");
  const unknown = await vring("lss");
  assertEquals([unknown.code, unknown.out], [2, ""]);
  assertStringIncludes(unknown.err, "did you mean ls?");
  assertEquals((await vring("ls -h")).out, (await vring("help ls")).out);
  assertEquals((await vring("help lss")).code, 2);
  for (
    const [line, said] of [
      [
        "ls --jso",
        "Cannot use --jso: vring ls has no such option; did you mean --json? vring ls --h",
      ],
      ["ls --json=1", "Cannot use --json: it takes no value; vring ls --help lists all"],
      ["top --every", "Cannot use --every: pass --every=VALUE; vring top --help lists all"],
      ["top --every -1", "Cannot use --every: pass --every=VALUE; vring top --help lists all"],
    ] as const
  ) {
    const { code, err } = await vring(line);
    assertEquals([code, err.slice(0, said.length)], [2, said]);
  }
  for (
    const [line, said] of [
      ["top --every x", "--every x: pass a number, 0.01 to 2000000"],
      ["delay x --every 1e300", "--every 1e300: pass a number, 0.01 to 2000000"],
      ["echo x --count 1.5", "--count 1.5: pass a whole number, 1 or more"],
      ["view --port 65536", "--port 65536: pass a whole number, 0 to 65535"],
      ["prometheus --port 1.5", "--port 1.5: pass a whole number, 0 to 65535"],
    ] as const
  ) {
    assertEquals([(await vring(line)).err], [`Cannot use ${said}\n`]);
  }
  for (const { name } of COMMANDS) {
    for (const text of [overview(), (await vring(`${name} --help`)).out]) assertFits(text);
  }
  assertEquals((await vring("ecko")).err.includes("did you mean echo?"), true);
  for (const shell of ["bash", "zsh", "fish"]) {
    assertStringIncludes((await vring(`completions ${shell}`)).out, "top");
  }
  assertEquals((await vring("completions sh")).code, 2);
});
