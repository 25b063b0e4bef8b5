/**
 * What Deno has without us: messages over a Unix socket, as the peer to compare with.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import type { Peer } from "./peer.ts";
import { type Contender, median } from "./rounds.ts";

/** What is sent in a round. */
export interface SocketPlan {
  /** The bytes of a message. */
  readonly bytes: number;
  /** After how many messages the sender waits for an answer .. */
  readonly answerEvery: number;
  /** .. of how many bytes. */
  readonly answerBytes: number;
  /** How many times it does that. */
  readonly answers: number;
}

/** One end of a connection. */
class SocketSide {
  readonly #connection: Deno.UnixConn;
  readonly #message: Uint8Array<ArrayBuffer>;
  readonly #room: Uint8Array<ArrayBuffer>;

  constructor(connection: Deno.UnixConn, messageBytes: number) {
    this.#connection = connection;
    this.#message = new Uint8Array(messageBytes);
    this.#room = new Uint8Array(Math.max(messageBytes, 65536));
  }

  async send(messages: number): Promise<void> {
    for (let i = 0; i < messages; i++) {
      let sent = await this.#connection.write(this.#message);
      while (sent < this.#message.length) {
        sent += await this.#connection.write(this.#message.subarray(sent));
      }
    }
  }

  /** Receives so many bytes, in pieces as large as they come. */
  async receive(bytes: number): Promise<void> {
    while (bytes > 0) {
      const length = await this.#connection.read(this.#room);
      if (length === null) throw new Error("The other process of the measurement has ended");
      bytes -= length;
    }
  }
}

/** A contender whose peer has {@linkcode socketHandlers}. */
export async function onSocket(plan: SocketPlan, peer: Peer): Promise<Contender> {
  const { bytes, answerEvery, answerBytes, answers } = plan;
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/socket`;
  using listener = Deno.listen({ transport: "unix", path });
  await peer.begin("socketOpen", { ...plan, path });
  const side = new SocketSide(await listener.accept(), bytes);
  await peer.end();
  Deno.removeSync(folder, { recursive: true });
  const round = async () => {
    await peer.begin("socket", answers);
    const each = new Float64Array(answers);
    for (let i = 0; i < answers; i++) {
      const before = now();
      await side.send(answerEvery);
      await side.receive(answerBytes);
      each[i] = (now() - before) / answerEvery;
    }
    await peer.end();
    return { typical: median(each), ...answerEvery === 1 ? { each } : {} };
  };
  return { name: "Deno, Unix socket", round };
}

/** The peer's handlers. */
export function socketHandlers() {
  let side: SocketSide;
  let plan: SocketPlan;
  return {
    async socketOpen(order: SocketPlan & { path: string }): Promise<void> {
      plan = order;
      side = new SocketSide(
        await Deno.connect({ transport: "unix", path: order.path }),
        order.answerBytes,
      );
    },
    async socket(answers: number): Promise<void> {
      for (let i = 0; i < answers; i++) {
        await side.receive(plan.bytes * plan.answerEvery);
        await side.send(1);
      }
    },
  };
}
