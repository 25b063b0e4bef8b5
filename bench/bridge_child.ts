/**
 * The programs of bench/bridge.ts: publishers and subscribers of a topic, and the same over plain
 * NATS. Each prints "ready", and a subscriber then one line of JSON with its figures.
 *
 * @module
 */

import { connect } from "../src/bridge/nats_client.ts";
import { namespace } from "../src/testing/namespace.ts";
import { usePrefix } from "../src/region/names.ts";
import { topic, waitAny } from "../mod.ts";

/** What to send. */
interface Plan {
  /**
   * `topic`, `nats`, or `packed` for NATS with as many messages in one as a bridge packs; `all` sends
   * each message over plain NATS, in a topic of one host, and over the bridges in turn.
   */
  readonly over: "topic" | "nats" | "packed" | "all";
  readonly role: "send" | "receive";
  /** The prefix of the host's names, or the URL of the server. */
  readonly at: string;
  /** The prefixes of both hosts, and the server, for `all`. */
  readonly hosts?: { readonly from: string; readonly to: string; readonly server: string };
  readonly size: number;
  readonly count: number;
  /** The number of these that are sent as fast as possible, and not measured. */
  readonly warmUp: number;
  /** The pause after each message of `all` in milliseconds. */
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
    return number >= count;
  }

  /** The median of the delays, and the delay that 99 % of them do not exceed. */
  get delay(): { median: number; p99: number } {
    this.#delays.sort((a, b) => a - b);
    const at = (share: number) => this.#delays[Math.floor(share * this.#delays.length)]!;
    return { median: at(0.5), p99: at(0.99) };
  }

  print(lost: number): void {
    const seconds = (now() - this.#first) / 1000;
    const rate = (this.#received - 1) / seconds;
    console.log(JSON.stringify({ rate, received: this.#received, lost }));
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
      if (size > CHUNK ? i % 4 === 0 : i % 2000 === 0) await connection.flush();
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
  async "all send"() {
    const { from, server } = plan.hosts!;
    namespace(from);
    const connection = await connect({ servers: server });
    using bridged = definition().publisher();
    using near = topic("near", { size }).publisher();
    await Promise.all([bridged.waitForPeers(1), near.waitForPeers(1)]);
    await pause(500); // until the far side subscribes
    const ways = [
      (bytes: Uint8Array) => connection.publish("bench", bytes.slice()),
      (bytes: Uint8Array) => near.send(bytes),
      (bytes: Uint8Array) => bridged.send(bytes),
    ];
    const bytes = new Uint8Array(size);
    for (let i = 1;; i++) { // until it is killed
      for (const send of ways) {
        stamp(bytes, i);
        await send(bytes);
        await pause(i > warmUp ? pauseMs : 0);
      }
    }
  },
  async "all receive"() {
    const { from, to, server } = plan.hosts!;
    usePrefix(`${from}.`);
    const near = topic("near", { size }).subscriber();
    usePrefix(`${to}.`);
    const bridged = definition().subscriber();
    const connection = await connect({ servers: server });
    const figures = { plain: new Figures(), local: new Figures(), bridge: new Figures() };
    const follow = async (subscriber: typeof near, own: Figures) => {
      for (let ended = false; !ended;) {
        await waitAny([subscriber]);
        subscriber.poll(({ bytes }) => void (ended ||= own.add(bytes)));
      }
    };
    connection.subscribe("bench", { callback: (_error, { data }) => void figures.plain.add(data) });
    await connection.flush();
    console.log("ready");
    await Promise.all([follow(near, figures.local), follow(bridged, figures.bridge)]);
    const { plain, local, bridge } = figures;
    console.log(JSON.stringify({ plain: plain.delay, local: local.delay, bridge: bridge.delay }));
    near.close();
    bridged.close();
  },
};

await roles[`${over === "packed" ? "nats" : over} ${role}`]();
Deno.exit();
