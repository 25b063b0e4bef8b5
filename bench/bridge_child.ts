/**
 * The programs of bench/bridge.ts: publishers and subscribers of a topic, and the same over plain
 * NATS. Each prints "ready", and a subscriber then one line of JSON with its figures.
 *
 * @module
 */

import { connect } from "../src/bridge/nats_client.ts";
import { namespace } from "../src/testing/namespace.ts";
import { topic, waitAny } from "../mod.ts";

/** What to send. */
interface Plan {
  /** `topic` or `nats`. */
  readonly over: "topic" | "nats";
  readonly role: "send" | "receive";
  /** The prefix of the host's names, or the URL of the server. */
  readonly at: string;
  readonly size: number;
  readonly count: number;
  /** The pause after each message in milliseconds; 0 sends as fast as possible. */
  readonly pauseMs: number;
}

const CHUNK = 2 ** 18;
const plan: Plan = JSON.parse(Deno.args[0]!);
const { over, role, at, size, count, pauseMs } = plan;

/** The time of day, which all processes of a machine read alike. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function definition() {
  const isFrame = size > 100_000; // a camera does not wait for a network
  const options = isFrame
    ? { depth: 8, policy: "dropOldest" } as const
    : { depth: 1024, policy: "block" } as const;
  return topic("bench", { size, ...options });
}

/** Collects what arrives, and prints the figures at the end. */
class Figures {
  readonly #delays: number[] = [];
  #first = 0;
  #received = 0;

  /** Counts a message; returns whether it was the last. */
  add(bytes: Uint8Array): boolean {
    if (this.#received === 0) this.#first = now();
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#received++;
    if (pauseMs > 0) this.#delays.push(now() - data.getFloat64(0, true));
    return data.getUint32(8, true) === count;
  }

  print(lost: number): void {
    const seconds = (now() - this.#first) / 1000;
    this.#delays.splice(0, 20); // until everything is compiled
    this.#delays.sort((a, b) => a - b);
    const at = (share: number) => this.#delays[Math.floor(share * this.#delays.length)];
    const rate = (this.#received - 1) / seconds;
    const delay = { median: at(0.5), p99: at(0.99) };
    console.log(JSON.stringify({ rate, received: this.#received, lost, delay }));
  }
}

function stamp(bytes: Uint8Array, number: number): void {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  data.setFloat64(0, now(), true);
  data.setUint32(8, number, true);
}

const roles = {
  async "topic send"() {
    namespace(at);
    const publisher = definition().publisher();
    await publisher.waitForPeers(1);
    await pause(500); // until the far side subscribes
    const bytes = new Uint8Array(size);
    for (let i = 1; i <= count; i++) {
      stamp(bytes, i);
      if (!publisher.trySend(bytes)) await publisher.send(bytes);
      if (size > CHUNK) await pause(5); // twice as fast as anything that was seen
      if (pauseMs > 0) await pause(pauseMs);
    }
    for (;; await pause(50)) publisher.trySend(bytes); // the last one may be lost
  },
  async "topic receive"() {
    namespace(at);
    const subscriber = definition().subscriber();
    const figures = new Figures();
    console.log("ready");
    for (let ended = false; !ended;) {
      await waitAny([subscriber]);
      subscriber.poll(({ bytes }) => void (ended ||= figures.add(bytes)));
    }
    figures.print(subscriber.lost);
    subscriber.close();
  },
  async "nats send"() {
    const connection = await connect({ servers: at });
    await pause(500);
    const bytes = new Uint8Array(size);
    for (let i = 1; i <= count; i++) {
      stamp(bytes, i);
      if (size <= CHUNK) connection.publish("bench", bytes.slice());
      for (let from = 0; size > CHUNK && from < size; from += CHUNK) {
        connection.publish("bench", bytes.slice(from, from + CHUNK));
      }
      if (pauseMs > 0) await pause(pauseMs);
      else if (size > CHUNK ? i % 4 === 0 : i % 2000 === 0) await connection.flush();
    }
    await connection.flush();
    await pause(60_000); // until it is killed
  },
  async "nats receive"() {
    const connection = await connect({ servers: at });
    const figures = new Figures();
    const frame = new Uint8Array(size);
    let filled = 0;
    const done = Promise.withResolvers<void>();
    connection.subscribe("bench", {
      callback: (_error, { data }) => {
        if (size <= CHUNK) return void (figures.add(data) && done.resolve());
        frame.set(data, filled);
        filled += data.length;
        if (filled < size) return;
        filled = 0;
        if (figures.add(frame)) done.resolve();
      },
    });
    await connection.flush();
    console.log("ready");
    await done.promise;
    figures.print(0);
    await connection.close();
  },
};

await roles[`${over} ${role}`]();
Deno.exit();
