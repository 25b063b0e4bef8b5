/**
 * Two hosts: each has a network and a /dev/shm of its own, and a cable connects them. The programs
 * are those of `deno task demo:bridge`. It needs root.
 */

import { assert, assertEquals } from "@std/assert";
import { Program } from "../program.ts";
import { until } from "./carriers.ts";
import { serverProgram, whyNoServer } from "./server.ts";

const HOST_PROGRAM = new URL("../../examples/bridge_demo_host.ts", import.meta.url).pathname;
const ADDRESSES = ["10.99.0.1", "10.99.0.2"] as const;
const SEPARATE = ["--net", "--mount", "--propagation", "private"];

/** A process in a network and a mount namespace of its own, which end with it. */
class Host implements AsyncDisposable {
  readonly #keeper: Deno.ChildProcess;

  private constructor(keeper: Deno.ChildProcess) {
    this.#keeper = keeper;
  }

  static async start(): Promise<Host> {
    const shell = "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && echo ready && exec cat";
    const args = [...SEPARATE, "sh", "-c", shell];
    const keeper = new Deno.Command("unshare", { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = keeper.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    assert(!done, "the namespaces are there");
    return new Host(keeper);
  }

  get pid(): number {
    return this.#keeper.pid;
  }

  /** Returns the words that run a command on this host. */
  command(words: readonly string[]): string[] {
    return ["nsenter", `--target=${this.pid}`, "--net", "--mount", "--", ...words];
  }

  /** Runs a command on this host. */
  run(...words: string[]): void {
    const [command, ...args] = this.command(words);
    const { success, stderr } = new Deno.Command(command!, { args }).outputSync();
    assert(success, `${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }

  /** Starts a program of this repository on this host. */
  start(...args: string[]): Program {
    const command = (words: readonly string[]) => this.command(words);
    return new class extends Program {
      protected override command(words: readonly string[]): readonly string[] {
        return command(words);
      }
    }(...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keeper.stdin.close();
    await this.#keeper.status;
  }
}

/** Why there are no such hosts here, or undefined. */
function whyNoHosts(): string | undefined {
  if (whyNoServer !== undefined) return whyNoServer;
  if (Deno.uid() !== 0) return "it needs root";
  const args = [...SEPARATE, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far"];
  try {
    const { success, stderr } = new Deno.Command("unshare", { args }).outputSync();
    if (success) return undefined;
    return `unshare ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`;
  } catch (error) {
    return `unshare cannot be run: ${error}`;
  }
}

/** The last number that a host told under a name. */
function told(program: Program, name: string): number {
  const found = Array.from(program.out.matchAll(new RegExp(`"${name}":(\\d+)`, "g")));
  return Number(found.at(-1)?.[1] ?? 0);
}

const reason = whyNoHosts();
const name = "two hosts without common memory: samples cross a cable, also one that is unplugged";
if (reason !== undefined) console.log(`not run: "${name}": ${reason}`);

Deno.test({ name, ignore: reason !== undefined }, async () => {
  await using a = await Host.start();
  await using b = await Host.start();
  a.run(..."ip link add near type veth peer name far".split(" "));
  a.run("ip", "link", "set", "far", "netns", String(b.pid));
  for (const [host, link, i] of [[a, "near", 0], [b, "far", 1]] as const) {
    host.run("ip", "address", "add", `${ADDRESSES[i]}/30`, "dev", link);
    host.run("ip", "link", "set", link, "up");
  }
  const [command, ...args] = a.command([serverProgram, "-a", ADDRESSES[0], "-p", "4222"]);
  const quiet = { stdout: "null", stderr: "null" } as const;
  await using stack = new AsyncDisposableStack();
  const server = new Deno.Command(command!, { args, ...quiet }).spawn();
  stack.defer(async () => {
    server.kill("SIGKILL");
    await server.status;
  });
  const flags = ["--allow-net", "--allow-env", HOST_PROGRAM];
  const url = `nats://${ADDRESSES[0]}:4222`;
  const receiver = stack.use(b.start(...flags, "subscribe", "b", url));
  const sender = stack.use(a.start(...flags, "publish", "a", url));
  await until(() => told(receiver, "received") >= 100);
  a.run("ip", "link", "set", "near", "down"); // the connection survives a short time
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = told(receiver, "received");
  a.run("ip", "link", "set", "near", "up");
  await until(() => told(receiver, "received") >= before + 100);
  sender.kill("SIGINT");
  await sender.until(/"isLast":true/);
  const sent = told(sender, "sent");
  await until(() => told(receiver, "received") + told(receiver, "lost") > sent - 100);
  receiver.kill("SIGINT");
  await receiver.until(/"isLast":true/);
  const [received, lost, last] = ["received", "lost", "number"].map((each) => told(receiver, each));
  assert(sent > 200, `${sent} sent`);
  assertEquals([received! + lost!, last], [last, sent]);
});
