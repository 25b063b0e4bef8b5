/**
 * Frames in which the sender fills and the receiver reads every byte, as fast as possible here:
 * with one value, and by comparing each byte with the next.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { topic } from "../src/vdds/definition.ts";
import type { Publisher } from "../src/vdds/publisher.ts";
import type { Subscriber } from "../src/vdds/subscriber.ts";
import { type BytePlan, ByteSide, type Carrier, promised } from "./harness/byte_side.ts";
import type { Peer } from "./harness/peer.ts";
import type { Contender } from "./harness/rounds.ts";
import type { Answering, Asking, Order, Way } from "./harness/traffic.ts";
import { onSocket } from "./harness/unix_socket.ts";
import { introduceThread, nextMessage, settledWorker, workerPort } from "./harness/workers.ts";

/** A picture of 1920 by 1080 with three bytes for each point. */
export const FRAME_BYTES = 6_220_800;

const SPINNING = { spin: 5e6, timeout: 20e3 };
const VALUES = 251; // a prime: no frame can be taken for one that is a few later

/** The frames of one sender: their contents, and the check of them on arrival. */
export class Pictures {
  #filled = 0;
  #read = 0; // bytes

  fill(frame: Uint8Array): void {
    frame.fill(this.#filled++ % VALUES);
  }

  /** Reads the next bytes that arrive. */
  read(bytes: Uint8Array<ArrayBuffer>): void {
    for (let at = 0; at < bytes.length;) {
      const value = Math.floor(this.#read / FRAME_BYTES) % VALUES;
      const length = Math.min(bytes.length - at, FRAME_BYTES - this.#read % FRAME_BYTES);
      const part = Buffer.from(bytes.buffer, bytes.byteOffset + at, length);
      const isUniform = part.compare(part, 1, length, 0, length - 1) === 0;
      if (part[0] !== value || !isUniform) throw new Error("That is another frame");
      this.#read += length;
      at += length;
    }
  }
}

const NOTHING = { read() {} };

/** Frames through a topic, in place; answers through another one. */
export class Frames implements Asking, Answering, Disposable {
  readonly #pictures = new Pictures();
  readonly #answerEvery: number;
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;

  constructor(order: Order, depth: number, asks: boolean) {
    const { name, answerEvery, bytes, answerBytes } = order;
    const there = topic(`${name}/there`, { depth, size: bytes });
    const back = topic(`${name}/back`, { depth, size: answerBytes });
    const [to, from] = asks ? [there, back] : [back, there];
    this.#answerEvery = answerEvery;
    this.#publisher = to.publisher();
    this.#subscriber = from.subscriber();
  }

  static way(depth: number): Way {
    const side = (asks: boolean) => (order: Order) => new Frames(order, depth, asks);
    return { asking: side(true), answering: side(false) };
  }

  ask(): void {
    for (let i = this.#answerEvery; i > 0; i--) {
      const loan = this.#publisher.loanSync(SPINNING);
      this.#pictures.fill(loan.bytes);
      loan.publish();
    }
    this.#take(NOTHING);
  }

  answer(times: number): void {
    for (; times > 0; times--) {
      for (let i = this.#answerEvery; i > 0; i--) this.#take(this.#pictures);
      this.#publisher.loanSync(SPINNING).publish();
    }
  }

  #take(reader: Pick<Pictures, "read">): void {
    using sample = this.#subscriber.takeSync(SPINNING)!;
    reader.read(sample.bytes);
  }

  [Symbol.dispose](): void {
    this.#publisher.close();
    this.#subscriber.close();
  }
}

/** Fills the frames for a connection. */
class Filling implements Carrier {
  readonly #connection: Carrier;
  readonly #pictures = new Pictures();

  constructor(connection: Carrier) {
    this.#connection = connection;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (bytes.length === FRAME_BYTES) this.#pictures.fill(bytes); // and not the rest of one
    return this.#connection.write(bytes);
  }

  read(room: Uint8Array<ArrayBuffer>): Promise<number | null> {
    return this.#connection.read(room);
  }
}

/** Reads frames from a connection, piece by piece. */
class Reading implements Carrier {
  readonly #connection: Carrier;
  readonly #pictures = new Pictures();

  constructor(connection: Carrier) {
    this.#connection = connection;
  }

  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#connection.write(bytes);
  }

  async read(room: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const length = await this.#connection.read(room);
    if (length !== null) this.#pictures.read(room.subarray(0, length));
    return length;
  }
}

/** A contender whose peer has {@linkcode frameHandlers}. */
export function onFilledSocket(plan: BytePlan, peer: Peer): Promise<Contender> {
  const wrap = (connection: Deno.Conn) => new Filling(connection);
  return onSocket(plan, peer, { open: "framesOpen", answer: "frames", wrap });
}

/** The peer's handlers. */
export function frameHandlers() {
  let side: ByteSide;
  let plan: BytePlan;
  return {
    async framesOpen(order: BytePlan & { path: string }): Promise<void> {
      plan = order;
      const connection = await Deno.connect({ transport: "unix", path: order.path });
      side = new ByteSide(new Reading(connection), order.answerBytes);
    },
    async frames(answers: number): Promise<void> {
      for (let i = 0; i < answers; i++) {
        await side.receive(plan.bytes * plan.answerEvery);
        await side.send(1);
      }
    },
  };
}

/** A contender whose Worker reads, on this processor. */
export async function onFilledPostMessage(
  plan: BytePlan,
  cpu: number,
  stack: AsyncDisposableStack,
): Promise<Contender> {
  const worker = await settledWorker(import.meta.url, cpu, JSON.stringify(plan));
  stack.defer(() => worker.terminate());
  const pictures = new Pictures();
  const frame = new Uint8Array(plan.bytes);
  return promised("Deno, postMessage to a Worker", plan, async () => {
    const answer = nextMessage(worker);
    for (let i = 0; i < plan.answerEvery; i++) {
      pictures.fill(frame);
      worker.postMessage(frame);
    }
    await answer;
  });
}

const port = workerPort();
if (port !== undefined) {
  const { answerEvery, answerBytes }: BytePlan = JSON.parse(self.name);
  const pictures = new Pictures();
  const answer = new Uint8Array(answerBytes);
  let received = 0;
  port.onmessage = ({ data }) => {
    pictures.read(data);
    if (++received % answerEvery === 0) port.postMessage(answer);
  };
  introduceThread(port);
}
