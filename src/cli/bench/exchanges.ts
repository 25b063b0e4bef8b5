/**
 * The exchanges that `vring bench` measures between two processes.
 *
 * One side asks and the other answers. Both open the same exchanges and count alike, so the only
 * order between them is "this exchange, so many times".
 *
 * @module
 */

import { VringError } from "../../errors.ts";
import { Word32 } from "../../memory/word.ts";
import { sharedMemory } from "../../shared/shared_memory.ts";
import { spsc } from "../../spsc/definition.ts";
import { topic } from "../../vdds/definition.ts";

/** One side of an exchange. */
export interface Side {
  send(): void | Promise<void>;
  receive(): void | Promise<void>;
}

/** A kind of exchange: messages there, and one back. */
export interface Kind {
  readonly name: string;
  /** The messages there for each one back. */
  readonly there: number;
  /** Whether its waits leave the event loop free. */
  readonly later?: boolean;
}

/** An exchange through shared memory. */
export interface Exchange extends Kind {
  /** Opens one side; the side lives until the stack is disposed. */
  open(prefix: string, asks: boolean, stack: DisposableStack): Side;
}

/** The bytes of a small message. */
const SMALL = 64;

/** The bytes of a large message. */
const LARGE = 2 ** 20;

/** A side that waits this long gives up: the other process must be gone. */
const PATIENCE_MS = 20_000;

/** Spins for longer than any message needs. */
const SPINNING = { spin: 1e6, timeout: PATIENCE_MS };

/** Sleeps at once. */
const SLEEPING = { spin: 0, timeout: PATIENCE_MS };

/** The exchanges through shared memory; the first is the floor. */
export const EXCHANGES: readonly Exchange[] = [
  { name: "words", there: 1, open: openWords },
  { name: "ring", there: 1, open: openRing },
  { name: "topic", there: 1, open: openTopic },
  { name: "ring-promises", there: 1, later: true, open: openRingLater },
  { name: "ring-one-way", there: 5000, open: openRing },
  { name: "ring-frames", there: 1, open: openRingFrames },
  { name: "topic-frames", there: 1, open: openTopicFrames },
];

/** The exchanges through a socket, which one side has connected to the other. */
export const SOCKET_EXCHANGES: readonly Kind[] = [
  { name: "socket", there: 1, later: true },
  { name: "socket-frames", there: 1, later: true },
];

/** Exchanges messages on the side that asks. */
export async function ask({ send, receive }: Side, { there, later }: Kind, count: number) {
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < there; k++) later ? await send() : send();
    later ? await receive() : receive();
  }
}

/** Exchanges messages on the side that answers. */
export async function answer({ send, receive }: Side, { there, later }: Kind, count: number) {
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < there; k++) later ? await receive() : receive();
    later ? await send() : send();
  }
}

/** Each side writes a word and spins on that of the other. */
function openWords(prefix: string, asks: boolean, stack: DisposableStack): Side {
  const { bytes } = stack.use(sharedMemory(`${prefix}-words`, { size: 256 }).open());
  const { buffer } = bytes;
  const [doubles, values] = [new Float64Array(buffer, bytes.byteOffset), new DataView(buffer)];
  const memory = { address: 0, bytes, buffer, doubles, values }; // no address: nothing sleeps
  const [own, other] = [0, 128].map((offset) => new Word32(memory, { path: "word", offset }));
  const [mine, peers] = asks ? [own!, other!] : [other!, own!];
  let [sent, received] = [0, 0];
  return {
    send: () => mine.store(++sent),
    receive() {
      received++;
      const start = performance.now();
      for (let looks = 1; peers.load() !== received; looks++) {
        if (looks % 10_000 === 0 && performance.now() - start > PATIENCE_MS) throw gone();
      }
    },
  };
}

function gone(): VringError {
  return new VringError("Cannot go on measuring: the other process is gone");
}

/** Opens one ring for each direction. */
function rings(prefix: string, asks: boolean, stack: DisposableStack, capacity: number) {
  const [there, back] = ["there", "back"].map((way) => spsc(`${prefix}-${way}`, { capacity }));
  const [outward, inward] = asks ? [there!, back!] : [back!, there!];
  return { out: stack.use(outward.producer()), in: stack.use(inward.consumer()) };
}

function openRing(prefix: string, asks: boolean, stack: DisposableStack): Side {
  const ends = rings(prefix, asks, stack, 2 ** 16);
  const message = new Uint8Array(SMALL);
  const into = new Uint8Array(SMALL);
  return {
    send() {
      if (!ends.out.trySend(message)) ends.out.sendSync(message, SPINNING);
    },
    receive() {
      while (ends.in.tryReceiveInto(into) < 0) ends.in.waitSync(SPINNING);
    },
  };
}

function openRingLater(prefix: string, asks: boolean, stack: DisposableStack): Side {
  const ends = rings(prefix, asks, stack, 2 ** 16);
  const message = new Uint8Array(SMALL);
  return {
    send: () => ends.out.send(message, SLEEPING),
    receive: async () => void await ends.in.receive(SLEEPING),
  };
}

function openRingFrames(prefix: string, asks: boolean, stack: DisposableStack): Side {
  const ends = rings(prefix, asks, stack, 4 * LARGE);
  const message = new Uint8Array(asks ? LARGE : SMALL);
  return {
    send() {
      const claim = ends.out.claimSync(message.length, SPINNING);
      claim.bytes.set(message);
      claim.publish();
    },
    receive: () => ends.in.takeSync(SPINNING)!.ack(),
  };
}

/** Opens one topic for each direction. */
function topics(prefix: string, asks: boolean, stack: DisposableStack, size: number) {
  const [there, back] = ["there", "back"].map((way) =>
    topic(`${prefix}-${way}`, { depth: 4, size })
  );
  const [outward, inward] = asks ? [there!, back!] : [back!, there!];
  return { out: stack.use(outward.publisher()), in: stack.use(inward.subscriber()) };
}

function openTopic(prefix: string, asks: boolean, stack: DisposableStack): Side {
  return topicSide(topics(prefix, asks, stack, SMALL), SMALL);
}

function openTopicFrames(prefix: string, asks: boolean, stack: DisposableStack): Side {
  return topicSide(topics(prefix, asks, stack, LARGE), asks ? LARGE : SMALL);
}

function topicSide(ends: ReturnType<typeof topics>, length: number): Side {
  const message = new Uint8Array(length);
  return {
    send() {
      const loan = ends.out.loanSync(SPINNING);
      loan.bytes.set(message);
      loan.publish(length);
    },
    receive: () => ends.in.takeSync(SPINNING)![Symbol.dispose](),
  };
}

/** The side of a socket exchange; `large` is the larger of its messages. */
export function socketSide(connection: Deno.Conn, asks: boolean, name: string): Side {
  const large = name === "socket-frames";
  const [sent, expected] = large && asks ? [LARGE, SMALL] : large ? [SMALL, LARGE] : [SMALL, SMALL];
  const message = new Uint8Array(sent);
  const into = new Uint8Array(expected);
  return {
    async send() {
      for (let rest = message; rest.length > 0;) {
        rest = rest.subarray(await connection.write(rest));
      }
    },
    async receive() {
      for (let filled = 0; filled < expected;) {
        const count = await connection.read(into.subarray(filled));
        if (count === null) throw gone();
        filled += count;
      }
    },
  };
}
