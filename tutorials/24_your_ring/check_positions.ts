/**
 * The checks of your ring, first part: the mirror, the positions, and their order.
 *
 * @module
 */

import { checksOf as mirrorChecks } from "../05_mirror_ring/check.ts";
import { type Check, expect } from "../check.ts";
import type { Trial } from "./explored.ts";
import { orderedLikeThis } from "./in_order.ts";
import type { RingWork } from "./memory.ts";
import { heard, part, run, said, sending, START, useRing } from "./parts.ts";
import { messageOf, numberOf, type RealMemory, SIZE as REAL_SIZE } from "./real.ts";

/** The checks of the mirror. */
export function mirror(work: RingWork): Check[] {
  const mapRing = (...args: readonly [fd: number, header: number, capacity: number]) =>
    part(work, "mapRing")(...args);
  return mirrorChecks(mapRing).map((check) => ({ ...check, what: `mirror: ${check.what}` }));
}

/** A size of messages that divides the capacity. */
const FITTING = 64;

/** The checks of the positions. */
export function positions(work: RingWork): Check[] {
  return [
    {
      what: "positions: messages come out as they went in, and an empty ring has none",
      check: () => useRing(work, (memory) => sendAndReceive(work, memory, 0)),
      hint: "a position counts all bytes; the place in the ring is its remainder by the capacity.",
    },
    {
      what: "positions: a full ring refuses, and every byte of it is usable",
      check: () => {
        useRing(work, (memory) => fillUp(work, memory));
        useRing(work, (memory) => fillUp(work, memory), FITTING);
      },
      hint:
        "`head - tail` bytes are used. A message fits if `size` more are not above the capacity.",
    },
    {
      what: "positions: they wrap at 2^32",
      check: () => {
        useRing(work, (memory) => sendAndReceive(work, memory, 2 ** 32 - 4 * REAL_SIZE));
        useRing(work, (memory) => fillUp(work, memory, 2 ** 32 - 4 * REAL_SIZE));
      },
      hint: "`>>> 0` after a sum or a difference.",
    },
    {
      what: "publish last: every order of a producer and a consumer",
      check: () => tryAll(work, {}),
      hint: "the word that announces is the last store, on either side.",
    },
  ];
}

function begin(memory: RealMemory, at: number): void {
  memory.word("head").store(at >>> 0);
  memory.word("tail").store(at >>> 0);
}

function sendAndReceive(work: RingWork, memory: RealMemory, start: number): void {
  begin(memory, start);
  const Ring = part(work, "Ring");
  const [producer, consumer] = [new Ring(memory), new Ring(memory)];
  const rounds = 3 * memory.capacity / memory.size;
  for (let number = 0; number < rounds; number++) {
    const none = consumer.tryReceive();
    expect(none === undefined, `The ring is empty, and tryReceive() returns ${said(none)}.`);
    const sent = producer.trySend(messageOf(number, memory.size));
    expect(sent === true, `The ring is empty, and trySend() returns ${sent}.`);
    const head = memory.word("head").load();
    const received = consumer.tryReceive();
    expect(
      received !== undefined && numberOf(received) === number,
      `Message ${number} was sent; head is ${head}. tryReceive() returns ${said(received)}.`,
    );
  }
}

function fillUp(work: RingWork, memory: RealMemory, start = 0): void {
  begin(memory, start);
  const Ring = part(work, "Ring");
  const [producer, consumer] = [new Ring(memory), new Ring(memory)];
  const most = Math.floor(memory.capacity / memory.size);
  for (let number = 0; number < most; number++) {
    const sent = producer.trySend(messageOf(number, memory.size));
    expect(sent === true, `${number} of ${most} messages are in, and trySend() returns ${sent}.`);
  }
  const sent = producer.trySend(messageOf(most, memory.size));
  expect(sent === false, `The ring is full, and trySend() returns ${sent}.`);
  for (let number = 0; number < most; number++) {
    const received = consumer.tryReceive();
    expect(
      received !== undefined && numberOf(received) === number,
      `Message ${number} comes next. tryReceive() returns ${said(received)}.`,
    );
    const isFree = producer.trySend(messageOf(most + number, memory.size));
    expect(isFree, `Message ${number} was received, and trySend() still refuses the next one.`);
  }
}

/** Tries a producer of three messages, for which there is no room at once, and a consumer. */
function tryAll(work: RingWork, bounds: Partial<Trial>): void {
  const Ring = part(work, "Ring");
  run({
    start: START,
    parties: {
      producer: { code: sending(work, [1, 2, 3]) },
      consumer: {
        code: ([lane]) => {
          const ring = new Ring(lane!);
          return heard([ring.tryReceive(), ring.tryReceive(), ring.tryReceive()]);
        },
      },
    },
    check: ({ producer, consumer }) => {
      if (Number(producer) < 2) return "a message was refused, though there was room";
      return "1,2,3".startsWith(`${consumer}`) ? undefined : `it received ${consumer}`;
    },
    switches: 3,
    ...bounds,
  });
}

/** The checks of the order. */
export function order(work: RingWork): Check[] {
  return [
    {
      what: "order: on a processor that reorders, no message is torn",
      check: () => tryAll(work, { reorderings: 1, switches: 2 }),
      hint: "which store must stay behind the bytes, and which load in front of them?",
    },
    {
      what: "order: each word is stored and loaded as Arm needs it",
      check: () => orderedLikeThis(part(work, "Ring")),
      hint: "publish by a release, look at the other side's word by an acquire.",
    },
  ];
}
