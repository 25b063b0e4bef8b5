/**
 * `deno task bench:bridge [rate] [frames] [delay] [--rounds N]`: topics over two bridges and a server on this machine, next to a plain
 * program for NATS, and to a topic of one host, in the same run.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { namespace } from "../src/testing/namespace.ts";
import { NatsServer, whyNoServer } from "../test/bridge/server.ts";

const CHILD = new URL("./bridge_child.ts", import.meta.url).pathname;
const BRIDGE = new URL("../test/bridge/bridge_child.ts", import.meta.url).pathname;

/** What a subscriber prints. */
interface Figures {
  readonly rate: number;
  readonly received: number;
  readonly lost: number;
  readonly delay: { readonly median: number; readonly p99: number };
}

interface Workload {
  readonly size: number;
  readonly count: number;
  readonly pauseMs: number;
}

function start(program: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", program, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Collects the output of a program. */
class Printed {
  readonly process: Deno.ChildProcess;
  text = "";
  #change = Promise.withResolvers<void>();

  constructor(process: Deno.ChildProcess) {
    this.process = process;
    this.#follow();
  }

  async #follow(): Promise<void> {
    for await (const part of this.process.stdout.pipeThrough(new TextDecoderStream())) {
      this.text += part;
      this.#change.resolve();
      this.#change = Promise.withResolvers();
    }
    this.text += "{ended}";
    this.#change.resolve();
  }

  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) return found[0];
      await this.#change.promise;
    }
  }
}

/** Runs a sender and a receiver; returns what the receiver prints. */
async function run(
  over: "topic" | "nats",
  from: string,
  to: string,
  workload: Workload,
): Promise<Figures> {
  const receiver = new Printed(
    start(CHILD, JSON.stringify({ over, role: "receive", at: to, ...workload })),
  );
  await receiver.until(/ready/);
  const sender = start(CHILD, JSON.stringify({ over, role: "send", at: from, ...workload }));
  const line = await receiver.until(/\{.*\}/);
  sender.kill("SIGKILL");
  await sender.stdout.cancel();
  await Promise.all([sender.status, receiver.process.status]);
  return JSON.parse(line);
}

/** The three ways from a sender to a receiver. */
async function compare(workload: Workload, rounds: number) {
  const results = { plain: [] as Figures[], bridge: [] as Figures[], local: [] as Figures[] };
  await using server = await NatsServer.start();
  for (let round = 0; round < rounds; round++) {
    results.plain.push(await run("nats", server.url, server.url, workload));
    const place = `bench-${Deno.pid}-${round}`;
    const net = ["nats", "--server", server.url, "--realm", place];
    const bridges = [
      new Printed(start(BRIDGE, `${place}-a`, ...net, "--host", "a", "--export", "bench")),
      new Printed(start(BRIDGE, `${place}-b`, ...net, "--host", "b", "--import", "bench")),
    ];
    await Promise.all(bridges.map((each) => each.until(/Ctrl-C/)));
    results.bridge.push(await run("topic", `${place}-a`, `${place}-b`, workload));
    for (const { process } of bridges) {
      process.kill("SIGINT");
      await process.status;
    }
    results.local.push(await run("topic", `${place}-c`, `${place}-c`, workload));
    for (const host of ["a", "b", "c"]) namespace(`${place}-${host}`)[Symbol.dispose](); // unlinks all
  }
  return results;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function rates(all: readonly Figures[]): string {
  const lost = all.reduce((sum, { lost }) => sum + lost, 0);
  const rate = median(all.map(({ rate }) => rate));
  return `${Math.round(rate).toLocaleString("en")}/s${lost > 0 ? `, ${lost} lost` : ""}`;
}

const WORKLOADS = {
  rate: { size: 64, count: 300_000, pauseMs: 0 },
  frames: { size: 6_220_800, count: 200, pauseMs: 0 },
  delay: { size: 64, count: 300, pauseMs: 5 },
} as const;

function printDelays(plain: Figures[], bridge: Figures[], local: Figures[]): void {
  const all = [plain, bridge, local];
  const [a, b, c] = all.map((each) => median(each.map(({ delay }) => delay.median)));
  const [p, q] = all.map((each) => median(each.map(({ delay }) => delay.p99)));
  const us = (ms: number | undefined) => `${Math.round(ms! * 1000)} us`;
  console.log(
    `delay: plain ${us(a)} (99 %: ${us(p)}), two bridges ${us(b)} (99 %: ${us(q)}), ` +
      `within one host ${us(c)}`,
  );
  console.log(`  x = ${us(b! - a!)}, two wake-ups = ${us(2 * c!)}`);
}

async function main(): Promise<void> {
  if (whyNoServer !== undefined) return console.log(`not run: ${whyNoServer}`);
  const { values: { rounds }, positionals } = parseArgs({
    args: Deno.args,
    options: { rounds: { type: "string", default: "3" } },
    allowPositionals: true,
  });
  for (const [name, workload] of Object.entries(WORKLOADS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const { plain, bridge, local } = await compare(workload, Number(rounds));
    if (name === "delay") {
      printDelays(plain, bridge, local);
      continue;
    }
    const [a, b] = [plain, bridge].map((all) => median(all.map(({ rate }) => rate)));
    console.log(`${name}: plain ${rates(plain)}, two bridges ${rates(bridge)}`);
    console.log(`  plain / bridges = ${(a! / b!).toFixed(2)}; within one host ${rates(local)}`);
  }
}

if (import.meta.main) await main();
