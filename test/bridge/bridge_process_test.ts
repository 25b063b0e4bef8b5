/** `vring bridge` as a program, with a real server. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Program } from "../program.ts";
import { bytes, until } from "./carriers.ts";
import { NatsServer, serverTest } from "./server.ts";

const CLI = "src/cli/main.ts";
const CHILD = "test/bridge/bridge_child.ts";
const NET = "--allow-net=127.0.0.1";

serverTest("vring bridge carries topics between two hosts, and prints the account", async () => {
  await using server = await NatsServer.start();
  using place = namespace();
  const common = ["nats", "--server", server.url, "--realm", "lab"];
  await using a = new Program(
    NET,
    CHILD,
    `${place.prefix}.a`,
    ...common,
    ...["--host", "a", "--import", "/cmd/**"],
  );
  await using b = new Program(
    NET,
    CHILD,
    place.prefix,
    ...common,
    ...["--host", "b", "--export", "/cmd/go,/cam/**"],
  );
  await a.until(/Ctrl-C/);
  await b.until(/Ctrl-C/);
  using publisher = topic("cmd/go").publisher();
  await publisher.waitForPeers(1);
  using far = topic("a.cmd/go").subscriber(); // the same name on host a
  await until(() => far.peers > 0);
  for (let i = 1; i <= 10; i++) await publisher.send(bytes(i));
  for (let i = 1; i <= 10; i++) {
    assertEquals((await far.receive({ timeout: 60_000 }))!.value, bytes(i));
  }
  const list = new Program(NET, CLI, "ls", "--realm", "lab", "--server", server.url);
  await using _list = list;
  assertEquals((await list.end()).code, 0);
  assertMatch(list.out, /^HOST +KIND +NAME +TYPE +SENT\nb +topic +cmd\/go +bytes +10\n$/);
  b.kill("SIGINT");
  assertEquals((await b.end()).code, 0);
  assertMatch(b.out, /\ncmd\/go +10 +0 +0 +0\n$/);
  a.kill("SIGINT");
  assertEquals((await a.end()).code, 0);
  assertMatch(a.out, /\ncmd\/go +b +10 +0 +0 +0 +0\n$/);
});

Deno.test("vring bridge refuses credentials among its arguments, and prints missing flags", async () => {
  const cases: [string[], RegExp, number][] = [
    [["--server", "nats://me:secret@host", "--import", "x", "--host", "a"], /see the arguments/, 2],
    [["--import", "x", "--host", "a"], /pass --server nats:\/\/host:4222 or --context NAME/, 2],
    [["--server", "nats://127.0.0.1:1", "--host", "a"], /pass --export PATTERNS/, 2],
    [["--server", "nats://127.0.0.1:1", "--import", "x", "--host", "a"], /--allow-net/, 1],
    [["--server", "nats://127.0.0.1:1", "--import", "x"], /--allow-sys=hostname, or --host/, 1],
    [["--context", "lab", "--import", "x", "--host", "a"], /--allow-env=HOME/, 1],
    [["--context", "/no/lab.json", "--import", "x", "--host", "a"], /--allow-read=\/no\/lab/, 1],
  ];
  const check = async ([args, pattern, code]: typeof cases[number]) => {
    await using program = new Program(CLI, "bridge", "nats", ...args);
    const end = await program.end();
    assertMatch(end.err, pattern);
    assertEquals(end.code, code);
    assert(!end.err.includes("secret"));
  };
  await Promise.all(cases.map(check));
});
