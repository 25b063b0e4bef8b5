/**
 * `deno task bench:bridge [rate] [frames] [delay] [--rounds N]`: topics over two bridges and a server on this machine, next to a plain
 * program for NATS, and to a topic of one host, in the same run. The plain program sends each message
 * by itself, and once more packed, as many in one message of NATS as a bridge packs. To measure
 * delays, one program sends a message over each of the three ways in turn.
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
}

/** The delays of one way in milliseconds. */
interface Delay {
  readonly median: number;
  readonly p99: number;
}

type Delays = Readonly<Record<"plain" | "bridge" | "local", Delay>>;

interface Workload {
  readonly size: number;
  readonly count: number;
  readonly warmUp: number;
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
async function run<F>(plan: Workload & Record<string, unknown>): Promise<F> {
  const receiver = new Printed(start(CHILD, JSON.stringify({ ...plan, role: "receive" })));
  await receiver.until(/ready/);
  const sender = start(CHILD, JSON.stringify({ ...plan, at: plan.from, role: "send" }));
  const line = await receiver.until(/\{.*\}/);
  sender.kill("SIGKILL");
  await sender.stdout.cancel();
  await Promise.all([sender.status, receiver.process.status]);
  return JSON.parse(line);
}

/** Runs two bridges during a measurement between their hosts. */
async function bridged<F>(server: string, place: string, measure: () => Promise<F>): Promise<F> {
  const net = ["nats", "--server", server, "--realm", place];
  const bridges = [
    new Printed(start(BRIDGE, `${place}-a`, ...net, "--host", "a", "--export", "bench")),
    new Printed(start(BRIDGE, `${place}-b`, ...net, "--host", "b", "--import", "bench")),
  ];
  await Promise.all(bridges.map((each) => each.until(/Ctrl-C/)));
  const found = await measure();
  for (const { process } of bridges) {
    process.kill("SIGINT");
    await process.status;
  }
  return found;
}

function unlinkAll(place: string): void {
  for (const host of ["a", "b", "c"]) namespace(`${place}-${host}`)[Symbol.dispose]();
}

/** The ways from a sender to a receiver. */
interface Results {
  readonly plain: Figures[];
  readonly packed: Figures[];
  readonly bridge: Figures[];
  readonly local: Figures[];
}

async function compare(workload: Workload, rounds: number): Promise<Results> {
  const results: Results = { plain: [], packed: [], bridge: [], local: [] };
  await using server = await NatsServer.start();
  const { url } = server;
  for (let round = 0; round < rounds; round++) {
    results.plain.push(await run({ over: "nats", from: url, at: url, ...workload }));
    if (workload.size < 1000) {
      results.packed.push(await run({ over: "packed", from: url, at: url, ...workload }));
    }
    const place = `bench-${Deno.pid}-${round}`;
    const between = (from: string, at: string) =>
      run<Figures>({ over: "topic", from: `${place}-${from}`, at: `${place}-${at}`, ...workload });
    results.bridge.push(await bridged(url, place, () => between("a", "b")));
    results.local.push(await between("c", "c"));
    unlinkAll(place);
  }
  return results;
}

async function compareDelays(workload: Workload, rounds: number): Promise<Delays[]> {
  const delays: Delays[] = [];
  await using server = await NatsServer.start();
  for (let round = 0; round < rounds; round++) {
    const place = `bench-${Deno.pid}-${round}`;
    const hosts = { from: `${place}-a`, to: `${place}-b`, server: server.url };
    delays.push(
      await bridged(server.url, place, () => run<Delays>({ over: "all", hosts, ...workload })),
    );
    unlinkAll(place);
  }
  return delays;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Puts a median and its spread into words. */
function shown(values: readonly number[], unit: string): string {
  const rounded = (value: number) => Math.round(value).toLocaleString("en");
  const [least, most] = [Math.min(...values), Math.max(...values)].map(rounded);
  return `${rounded(median(values))}${unit} (${least} to ${most})`;
}

const WORKLOADS = {
  rate: { size: 64, count: 1_000_000, warmUp: 300_000, pauseMs: 0 },
  frames: { size: 6_220_800, count: 150, warmUp: 20, pauseMs: 0 },
  delay: { size: 64, count: 1_000, warmUp: 400, pauseMs: 5 },
} as const;

const NAMES = {
  plain: "plain NATS",
  packed: "plain NATS, packed",
  bridge: "two bridges",
  local: "within one host",
} as const;

function printRates(name: string, results: Results): void {
  console.log(`${name}:`);
  for (const way of ["plain", "packed", "bridge", "local"] as const) {
    const all = results[way];
    if (all.length === 0) continue;
    const lost = all.reduce((sum, { lost }) => sum + lost, 0);
    const received = all.reduce((sum, { received }) => sum + received, 0);
    const share = lost > 0 ? `, ${Math.round(100 * lost / (lost + received))} % lost` : "";
    console.log(`  ${NAMES[way].padEnd(19)} ${shown(all.map(({ rate }) => rate), "/s")}${share}`);
  }
  const ratio = (way: Figures[]) => {
    const ratios = way.map(({ rate }, i) => rate / results.bridge[i]!.rate);
    return median(ratios).toFixed(2);
  };
  const packed = results.packed.length > 0 ? `, packed / bridges = ${ratio(results.packed)}` : "";
  console.log(`  plain / bridges = ${ratio(results.plain)}${packed} (medians of the rounds)`);
}

function printDelays(delays: readonly Delays[]): void {
  console.log("delay:");
  const us = (way: keyof Delays, key: keyof Delay) => delays.map((each) => each[way][key] * 1000);
  for (const way of ["plain", "bridge", "local"] as const) {
    const p99 = Math.round(median(us(way, "p99")));
    console.log(`  ${NAMES[way].padEnd(19)} ${shown(us(way, "median"), " us")}, 99 %: ${p99} us`);
  }
  const more = delays.map(({ plain, bridge }) => (bridge.median - plain.median) * 1000);
  const wakeUps = us("local", "median").map((each) => 2 * each);
  console.log(`  x = ${shown(more, " us")}; two wake-ups = ${shown(wakeUps, " us")}`);
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
    if (name === "delay") printDelays(await compareDelays(workload, Number(rounds)));
    else printRates(name, await compare(workload, Number(rounds)));
  }
}

if (import.meta.main) await main();
