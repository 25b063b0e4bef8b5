/**
 * Messages of 0 to 1020 bytes that another process echoes, through two rings of a page, with every
 * byte checked on either side. A test does a few; this does ten million:
 *
 * ```sh
 * deno run --allow-all test/spsc/stress.ts 10000000
 * ```
 *
 * @module
 */

import { SpscConsumer } from "../../src/spsc/consumer.ts";
import { SpscProducer } from "../../src/spsc/producer.ts";
import { Party } from "../shared/party.ts";
import { Name } from "../shared/scene.ts";
import { isPayload, payload } from "../circular/scene.ts";
import type { Tools } from "./spsc_child.ts";
import { CAPACITY } from "./scene.ts";

const LONGEST = 1020;

/** So many are echoed in one answer of the other process, which must come in time. */
const BLOCK = 20_000;

/** The length of a message: any is as likely as any other. */
function sizeOf(sequence: number): number {
  return (Math.imul(sequence + 1, 0x9e3779b1) >>> 8) % (LONGEST + 1);
}

/** Starts a process that has the other ends of two rings. */
async function startEcho(there: Name, back: Name): Promise<Party<Tools>> {
  const party: Party<Tools> = Party.start(new URL("./spsc_child.ts", import.meta.url), "process");
  await party.run(({ SpscConsumer, SpscProducer, consumers, producers }, { there, back }) => {
    consumers.push(SpscConsumer.open(there));
    producers.push(SpscProducer.open(back));
  }, { there: there.name, back: back.name });
  return party;
}

/** Has the process echo so many messages: by copy and in place in turn. Gives how many were wrong. */
function echoThere(party: Party<Tools>, first: number, count: number): Promise<number> {
  return party.run((tools, { first, count }) => {
    const { consumers: [consumer], producers: [producer], isPayload } = tools;
    let wrong = 0;
    for (let i = first; i < first + count; i++) {
      const outcome = i % 2 === 0 ? consumer!.receiveSync() : consumer!.takeSync();
      if (outcome.state === "closed") throw new Error(`closed before message ${i}`);
      using sample = "sample" in outcome ? outcome.sample : undefined;
      const bytes = sample?.bytes ?? ("value" in outcome ? outcome.value : new Uint8Array(0));
      if (!isPayload(bytes, i)) wrong++;
      if (i % 3 === 0) producer!.sendSync(bytes);
      else {
        producer!.claimSync(bytes.length).set(bytes);
        producer!.publish();
      }
    }
    return wrong;
  }, { first, count });
}

/** Echoes so many messages; throws at the first that is wrong. */
export async function echo(total: number): Promise<void> {
  using there = new Name();
  using back = new Name();
  using producer = SpscProducer.open(there.name, { capacity: CAPACITY });
  using consumer = SpscConsumer.open(back.name, { capacity: CAPACITY });
  await using party = await startEcho(there, back);
  let seen = 0;
  const check = (bytes: Uint8Array) => {
    const right = bytes.length === sizeOf(seen) && isPayload(bytes, seen);
    if (!right) throw new Error(`Message ${seen} came back wrong`);
    seen++;
  };
  for (let sent = 0; sent < total;) {
    const end = Math.min(total, sent + BLOCK);
    const echoing = echoThere(party, sent, end - sent);
    while (seen < end) {
      while (sent < end && producer.trySend(payload(sent, sizeOf(sent)))) sent++;
      if (consumer.poll(check) === 0) consumer.waitSync();
    }
    const wrong = await echoing;
    if (wrong > 0) throw new Error(`${wrong} of the messages before ${end} arrived wrong`);
  }
}

if (import.meta.main) {
  const total = Number(Deno.args[0] ?? 10_000_000);
  const start = performance.now();
  await echo(total);
  const seconds = (performance.now() - start) / 1000;
  console.log(`${total} messages were echoed in ${seconds.toFixed(1)} s, and every byte was right`);
}
