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
  /** `topic`, `nats`, or `packed` for NATS with as many messages in one as a bridge packs. */
  readonly over: "topic" | "nats" | "packed";
  readonly role: "send" | "receive";
  /** The prefix of the host's names, or the URL of the server. */
  readonly at: string;
  readonly size: number;
  readonly count: number;
  /** The number of these that are sent as fast as possible, and not measured. */
  readonly warmUp: number;
  /** The pause after each message in milliseconds; 0 sends as fast as possible. */
  readonly pauseMs: number;
}

const CHUNK = 2 ** 18;
const plan: Plan = JSON.parse(Deno.args[0]!);
const { over, role, at, size, count, warmUp, pauseMs } = plan;
/** The bytes of messages in one message of NATS. */
const PACK = over === "packed" ? Math.floor(2 ** 15 / size) * size : size;

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
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const number = data.getUint32(8, true);
    if (number <= warmUp) return false;
    if (this.#received++ === 0) this.#first = now();
    if (pauseMs > 0) this.#delays.push(now() - data.getFloat64(0, true));
    return number === count;
  }

  print(lost: number): void {
    const seconds = (now() - this.#first) / 1000;
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
      if (pauseMs > 0 && i > warmUp) await pause(pauseMs);
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
    let pack = new Uint8Array(PACK);
    let packed = 0;
    for (let i = 1; i <= count; i++) {
      stamp(bytes, i);
      if (size <= CHUNK) {
        pack.set(bytes, packed);
        packed += size;
        if (packed === PACK || i === count) {
          connection.publish("bench", pack.subarray(0, packed));
          pack = new Uint8Array(PACK);
          packed = 0;
        }
      }
      for (let from = 0; size > CHUNK && from < size; from += CHUNK) {
        connection.publish("bench", bytes.slice(from, from + CHUNK));
      }
      if (pauseMs > 0 && i > warmUp) await pause(pauseMs);
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
        for (let from = 0; size <= CHUNK && from < data.length; from += size) {
          if (figures.add(data.subarray(from, from + size))) done.resolve();
        }
        if (size <= CHUNK) return;
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

await roles[`${over === "topic" ? "topic" : "nats"} ${role}`]();
Deno.exit();
