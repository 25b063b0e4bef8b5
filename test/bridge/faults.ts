/**
 * Two bridges under load, and faults: `deno task bridge:faults [--rounds N] [--seed N]`.
 *
 * Publishers on host "a" send numbered samples, and subscribers on host "b" check that each gap in
 * the numbers is exactly what `lost` says, that none comes twice, and that all bytes are right. In
 * each round the server, a connection, or a bridge dies under load and comes back, or the far side is
 * slow. A round ends once a sample that was sent after the fault has arrived.
 *
 * With `--reliable` bridges, nothing may be lost at all, unless the exporting bridge was killed: what
 * it had taken and not sent comes again only as far as the topic keeps a history.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import type { Publisher } from "../../src/vdds/publisher.ts";
import type { Subscriber } from "../../src/vdds/subscriber.ts";
import { Random } from "../random.ts";
import { Proxy } from "./proxy.ts";
import { NatsServer, whyNoServer } from "./server.ts";

const CHILD = new URL("./bridge_child.ts", import.meta.url).pathname;
const LARGE = 600_000;
const LARGE_EACH = 200;
const DEADLINE_MS = 60_000;

const TOPICS = {
  drop: { size: LARGE, depth: 64, history: 32, policy: "dropOldest" },
  block: { size: LARGE, depth: 64, history: 32, policy: "block" },
} as const;

type Name = keyof typeof TOPICS;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A bridge as a process of its own. */
class BridgeProcess {
  readonly #args: readonly string[];
  #process: Deno.ChildProcess | undefined;
  /** What it has printed since its last start. */
  text = "";

  constructor(...args: string[]) {
    this.#args = args;
  }

  /** Starts it, and waits until it bridges. */
  async start(): Promise<void> {
    const process = this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-ffi", "--allow-net", CHILD, ...this.#args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream());
    this.text = "";
    const begun = Promise.withResolvers<void>();
    (async () => {
      for await (const part of lines) {
        this.text += part;
        if (this.text.includes("Ctrl-C ends it.")) begun.resolve();
      }
      begun.resolve(); // it was killed
    })();
    await begun.promise;
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }
}

/** Sends numbered samples while it is on. */
class Load {
  sent = 0;
  isOn = false;
  readonly #publisher: Publisher;
  readonly #bytes = new Uint8Array(LARGE);

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  async run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      for (let i = 0; i < 5 && this.isOn; i++) this.send();
      await pause(5);
    }
  }

  /** Sends the next number, unless the topic is full and blocks. */
  send(): void {
    const number = this.sent + 1;
    const length = number % LARGE_EACH === 0 ? LARGE : 8 + number * 37 % 1500;
    const bytes = this.#bytes.subarray(0, length);
    const data = new DataView(bytes.buffer, 0, length);
    data.setUint32(0, number, true);
    data.setUint32(4, length, true);
    for (let i = 8; i < length; i += 97) bytes[i] = number * 7 + i;
    if (this.#publisher.trySend(bytes)) this.sent = number;
  }
}

/** Receives numbered samples, and checks the account. */
class Checker {
  received = 0;
  lost = 0;
  last = 0;
  isSlow = false;
  failure: string | undefined;
  readonly #subscriber: Subscriber;

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  async run(until: AbortSignal): Promise<void> {
    for await (const { bytes, lost } of this.#subscriber.samples({ until })) {
      this.#check(bytes, lost);
      if (this.isSlow) await pause(20);
    }
  }

  #check(bytes: Uint8Array, lost: number): void {
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const number = data.getUint32(0, true);
    if (data.getUint32(4, true) !== bytes.length) this.failure ??= `sample ${number} is cut`;
    for (let i = 8; i < bytes.length; i += 97) {
      if (bytes[i] !== (number * 7 + i & 255)) this.failure ??= `sample ${number} is damaged`;
    }
    const gap = number - this.last - 1;
    if (this.last > 0 && gap !== lost) {
      this.failure ??= `after sample ${this.last} came ${number}, and lost is ${lost}`;
    }
    if (this.last > 0) this.lost += lost;
    this.last = number;
    this.received++;
  }
}

/** What happens in a round. */
const FAULTS = [
  "the server is killed",
  "the exporter's connection is cut",
  "the importer's connection is cut",
  "the far side is slow",
  "the exporter is killed",
  "the importer is killed",
  "both bridges are killed",
] as const;

type Fault = typeof FAULTS[number];

/** Two hosts, their bridges and a server. */
class Scene implements AsyncDisposable {
  readonly loads: Readonly<Record<Name, Load>>;
  readonly checkers: Readonly<Record<Name, Checker>>;
  readonly #stack = new AsyncDisposableStack();
  readonly #server: NatsServer;
  readonly #proxies: readonly [Proxy, Proxy];
  readonly #bridges: readonly [BridgeProcess, BridgeProcess];

  constructor(server: NatsServer, isReliable: boolean) {
    const stack = this.#stack;
    this.#server = stack.use(server);
    const place = stack.use(namespace());
    const end = new AbortController();
    const running: Promise<void>[] = [];
    stack.defer(() => Promise.all(running).then(() => {}));
    const each = <T>(make: (name: Name) => T) => ({ drop: make("drop"), block: make("block") });
    this.loads = each((name) => new Load(stack.use(topic(name, TOPICS[name]).publisher())));
    this.checkers = each((name) =>
      new Checker(stack.use(topic(`b.${name}`, TOPICS[name]).subscriber()))
    );
    stack.defer(() => end.abort());
    for (const load of Object.values(this.loads)) running.push(load.run(end.signal));
    for (const checker of Object.values(this.checkers)) running.push(checker.run(end.signal));
    const proxies = [stack.use(new Proxy(server.port)), stack.use(new Proxy(server.port))] as const;
    this.#proxies = proxies;
    const options = isReliable ? ["--reliable"] : [];
    const bridge = (prefix: string, i: 0 | 1, ...args: string[]) => {
      const process = new BridgeProcess(prefix, "nats", "--server", proxies[i].url, ...args);
      stack.defer(() => process.kill());
      return process;
    };
    this.#bridges = [
      bridge(place.prefix, 0, "--host", "a", "--export", "drop,block", ...options),
      bridge(`${place.prefix}.b`, 1, "--host", "b", "--import", "drop,block", ...options),
    ];
  }

  async begin(): Promise<void> {
    await this.#bridges[1].start();
    await this.#bridges[0].start();
    await this.#settle("at the beginning");
  }

  /** Performs a round; returns why the account does not add up, or undefined. */
  async round(fault: Fault): Promise<string | undefined> {
    for (const load of Object.values(this.loads)) load.isOn = true;
    await pause(200);
    await this.#fault(fault);
    await pause(200);
    for (const load of Object.values(this.loads)) load.isOn = false;
    return await this.#settle(fault);
  }

  async #fault(fault: Fault): Promise<void> {
    const [exporter, importer] = this.#bridges;
    if (fault === "the server is killed") {
      await this.#server.kill();
      await pause(100);
      await this.#server.start();
    } else if (fault === "the exporter's connection is cut") this.#proxies[0].cut();
    else if (fault === "the importer's connection is cut") this.#proxies[1].cut();
    else if (fault === "the far side is slow") {
      for (const checker of Object.values(this.checkers)) checker.isSlow = true;
      await pause(500);
      for (const checker of Object.values(this.checkers)) checker.isSlow = false;
    } else {
      const killed = fault === "both bridges are killed"
        ? [importer, exporter]
        : [fault === "the exporter is killed" ? exporter : importer];
      await Promise.all(killed.map((each) => each.kill()));
      await Promise.all(killed.map((each) => each.start()));
    }
  }

  /** Sends until a sample that was sent after the fault has arrived. */
  async #settle(when: string): Promise<string | undefined> {
    for (const name of ["drop", "block"] as const) {
      const [load, checker] = [this.loads[name], this.checkers[name]];
      const from = load.sent;
      const end = performance.now() + DEADLINE_MS;
      while (checker.last <= from && checker.failure === undefined) {
        if (performance.now() > end) {
          const said = this.#bridges.map(({ text }) => text.slice(-1000)).join("\n");
          return `${name}, ${when}: nothing arrives after ${checker.last}; bridges say:\n${said}`;
        }
        load.send();
        await pause(20);
      }
      const sum = checker.received + checker.lost;
      const first = checker.last - sum + 1;
      if (checker.failure !== undefined) return `${name}, ${when}: ${checker.failure}`;
      if (first < 1) return `${name}: received and lost are ${sum} of ${checker.last}`;
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Runs rounds of faults; returns whether all accounts add up. */
async function runMode(isReliable: boolean, rounds: number, seed: number): Promise<boolean> {
  const random = new Random(seed);
  await using scene = new Scene(await NatsServer.start(), isReliable);
  await scene.begin();
  const mode = isReliable ? "reliable" : "at most once";
  const counts = new Map<Fault, { rounds: number; lost: number }>();
  const lostNow = () => scene.checkers.drop.lost + scene.checkers.block.lost;
  for (let i = 0; i < rounds; i++) {
    const fault = i < FAULTS.length ? FAULTS[i]! : FAULTS[random.below(FAULTS.length)]!;
    const before = scene.checkers.block.lost;
    const all = lostNow();
    let failure = await scene.round(fault);
    const lost = scene.checkers.block.lost - before;
    const mayLose = !isReliable || /exporter is killed|both/.test(fault);
    if (!mayLose && lost > 0) failure ??= `${fault}: ${lost} samples of a reliable topic are lost`;
    if (failure !== undefined) {
      console.log(`FAILED in round ${i + 1} (${mode}, seed ${seed}): ${failure}`);
      return false;
    }
    const count = counts.get(fault) ?? { rounds: 0, lost: 0 };
    counts.set(fault, { rounds: count.rounds + 1, lost: count.lost + lostNow() - all });
  }
  for (const [fault, { rounds, lost }] of counts) {
    console.log(`  ${String(rounds).padStart(4)} times ${fault.padEnd(34)} ${lost} lost`);
  }
  const { drop, block } = scene.checkers;
  const received = drop.received + block.received;
  console.log(
    `${mode}: ${rounds} rounds, ${received} samples received, ${lostNow()} lost, all accounted for`,
  );
  return true;
}

const { values } = parseArgs({
  args: Deno.args,
  options: { rounds: { type: "string", default: "100" }, seed: { type: "string", default: "1" } },
});
if (whyNoServer !== undefined) {
  console.log(`not run: faults of bridges: ${whyNoServer}`);
} else {
  for (const isReliable of [false, true]) {
    if (!await runMode(isReliable, Number(values.rounds), Number(values.seed))) Deno.exit(1);
  }
}
