/**
 * Messages there and an answer back, by any of several ways, between this process and another one.
 *
 * A way is two sides, each made in its process. The measuring side asks: it sends as many messages
 * as the traffic says and waits for an answer. With one message for each answer that is a round
 * trip; with many it is one way, as the answer hardly counts. The first word of a message is its
 * number, which its receiver checks.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";
import { think } from "./byte_side.ts";
import type { Plan } from "./machine.ts";
import type { Peer } from "./peer.ts";
import { type Contender, median, type Round } from "./rounds.ts";

/** The messages there and back. */
export interface Traffic {
  /** The bytes of a message. */
  readonly bytes: number;
  /** The bytes that a ring holds. */
  readonly capacity: number;
  /** After how many messages the sender waits for an answer .. */
  readonly answerEvery: number;
  /** .. of how many bytes. */
  readonly answerBytes: number;
  /** How long the sender sleeps before each message that is timed by itself. */
  readonly thinkMs?: 1;
}

/** The instructions to both sides. */
export interface Order extends Traffic {
  /** The names of what they share begin with this. */
  readonly name: string;
  /** Which way. */
  readonly way: string;
}

/** The side that measures. */
export interface Asking {
  /** Sends the messages and waits for the answer. */
  ask(): void | Promise<void>;
}

/** The side in the other process. */
export interface Answering {
  /** Receives the messages and answers, so many times. */
  answer(times: number): void | Promise<void>;
}

/** A way for messages to go. The answering side is made first. */
export interface Way {
  asking(order: Order): Asking & Disposable;
  answering(order: Order): Answering & Disposable;
}

/** Ways by their names, the same in both processes. */
export type Ways = Readonly<Record<string, Way>>;

/** The needs of contenders. */
export interface Setting {
  readonly traffic: Traffic;
  readonly plan: Plan;
  readonly peer: Peer;
  readonly stack: AsyncDisposableStack;
}

/** A message that begins with its number. */
export class Numbered {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #number: Uint32Array<ArrayBuffer>;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#number = new Uint32Array(this.bytes.buffer, 0, 1);
  }

  get number(): number {
    return this.#number[0]!;
  }

  set number(number: number) {
    this.#number[0] = number;
  }

  /** Throws unless this is the message that was expected. */
  expect(number: number): void {
    if (this.#number[0] === number >>> 0) return;
    throw new Error(`Message ${this.#number[0]} came in place of message ${number >>> 0}`);
  }
}

let orders = 0;

/** A contender whose peer has {@linkcode wayHandlers}. */
export async function onWay(ways: Ways, way: string, setting: Setting): Promise<Contender> {
  const { traffic, plan, peer, stack } = setting;
  const order: Order = { ...traffic, way, name: `bench-${Deno.pid}-${orders++}` };
  await peer.begin("open", order);
  await peer.end();
  const side = stack.use(ways[way]!.asking(order));
  const round = async () => {
    await peer.begin("answer", [order.name, answersOf(traffic, plan)]);
    const measured = await measure(side, traffic, plan);
    await peer.end();
    return measured;
  };
  return { name: way, round };
}

/** The peer's handlers. */
export function wayHandlers(ways: Ways) {
  const sides = new Map<string, Answering & Disposable>();
  return {
    open(order: Order): void {
      sides.set(order.name, ways[order.way]!.answering(order));
    },
    answer([name, times]: [string, number]): void | Promise<void> {
      return sides.get(name)!.answer(times);
    },
    /** Gives everything back. */
    close(): void {
      for (const side of sides.values()) side[Symbol.dispose]();
    },
  };
}

/** How many answers there are in a round. */
export function answersOf({ answerEvery }: Traffic, plan: Plan): number {
  return warmUpOf(plan) + plan.trips + plan.blocks * plan.blockTrips / answerEvery;
}

function warmUpOf({ trips }: Plan): number {
  return Math.ceil((trips + 1) / 10);
}

/** Measures a round of {@linkcode answersOf} answers. */
export async function measure(side: Asking, traffic: Traffic, plan: Plan): Promise<Round> {
  const { trips, blocks, blockTrips } = plan;
  const { answerEvery, thinkMs = 0 } = traffic;
  for (let i = warmUpOf(plan); i > 0; i--) await side.ask();
  const each = new Float64Array(trips);
  let before = now();
  for (let i = 0; i < trips; i++) {
    if (thinkMs > 0) {
      think(thinkMs);
      before = now();
    }
    const answer = side.ask();
    if (answer !== undefined) await answer;
    const after = now();
    each[i] = after - before;
    before = after;
  }
  const times: number[] = [];
  for (let block = 0; block < blocks; block++) {
    before = now();
    for (let i = blockTrips / answerEvery; i > 0; i--) {
      const answer = side.ask();
      if (answer !== undefined) await answer;
    }
    times.push((now() - before) / blockTrips);
  }
  return { typical: median(blocks > 0 ? times : each), ...trips > 0 ? { each } : {} };
}
