/**
 * A ring of others: ringbuf.js, in a SharedArrayBuffer between a Worker and its creator. It carries
 * bytes without lengths, so both sides have to know the length of a message; and it has no way to
 * wait, so both sides spin.
 *
 * @module
 */

import { RingBuffer } from "ringbuf.js";
import type { Contender } from "./rounds.ts";
import {
  type Answering,
  answersOf,
  type Asking,
  measure,
  Numbered,
  type Setting,
  type Traffic,
} from "./traffic.ts";
import { introduceThread, nextMessage, settledWorker, workerPort } from "./workers.ts";

/** The first message to the Worker. */
interface Opening extends Traffic {
  readonly there: SharedArrayBuffer;
  readonly back: SharedArrayBuffer;
}

/** One end of both rings. */
class Side implements Asking, Answering {
  readonly #answerEvery: number;
  readonly #to: RingBuffer;
  readonly #from: RingBuffer;
  readonly #out: Numbered;
  readonly #in: Numbered;
  #number = 0;

  constructor(
    { answerEvery }: Traffic,
    [to, outBytes]: [SharedArrayBuffer, number],
    [from, inBytes]: [SharedArrayBuffer, number],
  ) {
    this.#answerEvery = answerEvery;
    this.#to = new RingBuffer(to, Uint8Array);
    this.#from = new RingBuffer(from, Uint8Array);
    this.#out = new Numbered(outBytes);
    this.#in = new Numbered(inBytes);
  }

  ask(): void {
    for (let i = this.#answerEvery; i > 0; i--) {
      this.#number++;
      this.#send();
    }
    this.#receive();
  }

  answer(times: number): void {
    for (; times > 0; times--) {
      for (let i = this.#answerEvery; i > 0; i--) {
        this.#number++;
        this.#receive();
      }
      this.#send();
    }
  }

  #send(): void {
    const { bytes } = this.#out;
    this.#out.number = this.#number;
    while (this.#to.availableWrite() < bytes.length);
    this.#to.push(bytes);
  }

  #receive(): void {
    const { bytes } = this.#in;
    while (this.#from.availableRead() < bytes.length);
    this.#from.pop(bytes);
    this.#in.expect(this.#number);
  }
}

/** A contender whose Worker runs on this processor. */
export async function onRingbuf(
  { traffic, plan, stack }: Omit<Setting, "peer">,
  cpu: number,
): Promise<Contender> {
  const worker = await settledWorker(import.meta.url, cpu, "ringbuf");
  stack.defer(() => worker.terminate());
  const storage = () => RingBuffer.getStorageForCapacity(traffic.capacity, Uint8Array);
  const opening: Opening = { ...traffic, there: storage(), back: storage() };
  const { there, back, bytes, answerBytes } = opening;
  const side = new Side(traffic, [there, bytes], [back, answerBytes]);
  worker.postMessage(opening);
  const round = async () => {
    const begins = nextMessage(worker);
    worker.postMessage(answersOf(traffic, plan));
    await begins;
    return await measure(side, traffic, plan);
  };
  return { name: "ringbuf.js, with a Worker", round };
}

const port = workerPort();
if (port !== undefined) {
  let side: Side;
  port.onmessage = ({ data }: MessageEvent<Opening | number>) => {
    if (typeof data === "number") {
      port.postMessage("begins");
      side.answer(data);
    } else {
      const { there, back, bytes, answerBytes } = data;
      side = new Side(data, [back, answerBytes], [there, bytes]);
    }
  };
  introduceThread(port);
}
