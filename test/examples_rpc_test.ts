/**
 * Runs the examples of calls as a user would: real processes with no permission but `--allow-ffi`.
 */

import { assert, assertEquals } from "@std/assert";
import { Program, sharedFiles, sideBySide, uniqueName } from "./program.ts";

const test = sideBySide("the examples of calls");

function server(name: string, ...options: string[]): Program {
  return new Program("examples/rpc_server.ts", "--name", name, ...options);
}

function client(name: string, ...options: string[]): Program {
  return new Program("examples/rpc_client.ts", "--name", name, ...options);
}

const ANSWERS = / +[1-9][\d,]* answers\/s, [\d.]+ ms each\n/;

/** Waits for the successful end of a client; returns its summary. */
async function accountOf(program: Program) {
  const last = / ([\d,]+) answers: ([\d,]+) wrong; ([\d,]+) questions lost\. $/;
  const [answers, wrong, lost] = await program.well(last);
  return { answers: answers!, wrong, lost };
}

test("primes: clients come first, two servers share, errors travel, and nothing is left", async () => {
  const name = uniqueName();
  await using first = client(name, "--seconds", "50");
  await first.until(/Asking .*; this is client 0\n/);
  await using source = server(name);
  await source.until(/Serving .* for 8 clients; this is server 0\n/);
  await using second = client(name, "--seconds", "3", "--together", "30");
  await second.until(/; this is client 1\n/);
  await first.until(/RangeError: Cannot count primes below -1: it is 0 to 100,000,000\n/);
  await using partner = server(name);
  await partner.until(/; this is server 1\n/);
  await first.until(new RegExp(`Process ${partner.pid} answers\n`)); // they share the questions
  await first.until(ANSWERS);
  first.kill("SIGINT");
  for (const asking of [first, second]) {
    const { answers, ...rest } = await accountOf(asking);
    assert(answers > 0);
    assertEquals(rest, { wrong: 0, lost: 0 });
  }
  for (const serving of [source, partner]) {
    serving.kill("SIGINT");
    await serving.well(/ Answered [1-9][\d,]* questions\. $/);
  }
  assertEquals(sharedFiles(name), []);
});

test("primes: a server of two is killed, and the other one answers its questions", async () => {
  const name = uniqueName();
  await using asking = client(name, "--seconds", "50", "--together", "30");
  await using victim = server(name);
  await asking.until(new RegExp(`Process ${victim.pid} answers\n`));
  await using other = server(name, "--seconds", "50");
  await asking.until(new RegExp(`Process ${other.pid} answers\n`));
  await victim.killed();
  await asking.until(ANSWERS);
  asking.kill("SIGINT");
  const { answers, ...rest } = await accountOf(asking);
  assert(answers > 0);
  assertEquals(rest, { wrong: 0, lost: 0 });
  other.kill("SIGINT");
  await other.well();
});

test("primes: a server ends, the next is killed, and the client continues with a third", async () => {
  const name = uniqueName();
  await using asking = client(name, "--seconds", "50");
  {
    await using source = server(name);
    await asking.until(new RegExp(`Process ${source.pid} answers\n`));
    source.kill("SIGINT");
    await source.well();
  }
  assert(!asking.out.includes("is lost"), asking.out);
  {
    await using source = server(name);
    await asking.until(new RegExp(`Process ${source.pid} answers\n`));
    await source.killed();
  }
  await using source = server(name, "--seconds", "50");
  await asking.until(new RegExp(`Process ${source.pid} answers\n`));
  await asking.until(ANSWERS);
  asking.kill("SIGINT");
  const { answers, ...rest } = await accountOf(asking);
  assert(answers > 0);
  assertEquals(rest, { wrong: 0, lost: 0 });
  source.kill("SIGINT");
  await source.well();
  assertEquals(sharedFiles(name), []);
});
