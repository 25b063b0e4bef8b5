/**
 * One "host" of the demo of bridges: a program that publishes or subscribes, and a bridge beside it,
 * which know nothing of each other. bridge_demo.ts starts it, each host with a /dev/shm of its own
 * where that is possible.
 *
 * @module
 */

import { struct, topic } from "../mod.ts";
import { namespace } from "../src/testing/namespace.ts";
import { run } from "../src/cli/run.ts";

const [role, host, server, prefix] = Deno.args as [string, string, string, string];
if (prefix !== undefined) namespace(prefix); // the hosts share /dev/shm, so their names differ

const Count = struct("count", { number: "u32", at: "f64" });
const counts = topic("demo/count", { type: Count, depth: 64, policy: "dropOldest" });

const end = new AbortController();
Deno.addSignalListener("SIGINT", () => end.abort());

/** Tells the demo something, as a line of JSON. */
function tell(value: object): void {
  console.log(JSON.stringify({ host, ...value }));
}

async function publish(): Promise<void> {
  using publisher = counts.publisher();
  await publisher.waitForPeers(1, { signal: end.signal });
  await new Promise((resolve) => setTimeout(resolve, 500)); // until the far bridge is there
  for (let number = 1; !end.signal.aborted; number++) {
    publisher.trySend({ number, at: Date.now() });
    if (number % 100 === 0) tell({ sent: number });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  tell({ sent: publisher.sequence, isLast: true });
}

async function subscribe(): Promise<void> {
  using subscriber = counts.subscriber();
  let [received, number] = [0, 0];
  for await (const sample of subscriber.samples({ until: end.signal })) {
    number = sample.value.number;
    if (sample.lost > 0 && received > 0) tell({ gap: sample.lost, before: number });
    if (++received % 100 === 0) tell({ received, lost: subscriber.lost });
  }
  tell({ received, lost: subscriber.lost, number, isLast: true });
}

const list = role === "publish" ? "--export" : "--import";
const bridging = run(
  ["bridge", "nats", "--server", server, "--host", host, list, "demo/**", "--json"],
  {
    write(text) {
      for (const line of text.trim().split("\n")) tell({ bridge: JSON.parse(line) });
    },
    error: (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
    isTerminal: false,
    noColor: true,
    width: 80,
    interrupt: end.signal,
  },
);
await (role === "publish" ? publish() : subscribe());
Deno.exit(await bridging);
