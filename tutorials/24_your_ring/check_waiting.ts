/**
 * The checks of your ring, second part: sleeps, many producers, and deaths.
 *
 * @module
 */

import { type Check, expect } from "../check.ts";
import type { Trial } from "./explored.ts";
import { killConsumers, killProducers } from "./kills.ts";
import type { RingWork } from "./memory.ts";
import { heard, part, receive, run, said, sending, START, useRing } from "./parts.ts";
import { closeRing, makeRing, messageOf, numberOf, RealMemory } from "./real.ts";

/** Tries a producer and a consumer that sleeps until it has two messages. */
function trySleeping(work: RingWork, bounds: Partial<Trial> = {}): void {
  const Ring = part(work, "Ring");
  run({
    start: START,
    parties: {
      producer: { code: sending(work, [1, 2]) },
      consumer: {
        code: ([lane]) => {
          const ring = new Ring(lane!);
          return heard([receive(ring), receive(ring)]);
        },
      },
    },
    check: ({ consumer }) => consumer === "1,2" ? undefined : `it received ${consumer}`,
    switches: 3,
    ...bounds,
  });
}

/** The checks of the bell. */
export function sleeping(work: RingWork): Check[] {
  return [
    {
      what: "the bell: no system call while nobody sleeps, and a sleep while there is none",
      check: () => useRing(work, (memory) => countCalls(work, memory)),
      hint: "the bell's lowest bit says whether somebody waits.",
    },
    {
      what: "the bell: every order, and nobody sleeps for ever",
      check: () => trySleeping(work),
      hint: "look, raise the bell, look again, sleep on the value that you raised.",
    },
    {
      what: "the bell: the same on a processor that reorders",
      check: () => trySleeping(work, { reorderings: 1, switches: 2 }),
      hint: "the look at the bell must come after the store of the head.",
    },
  ];
}

/** Counts the system calls of a ring. */
function countCalls(work: RingWork, memory: RealMemory): void {
  let wakes = 0;
  let sleeps = 0;
  const Ring = part(work, "Ring");
  const producer: { trySend(message: Uint8Array): boolean } = new Ring(memory, {
    ...memory.word("bell"),
    addAndWake: () => void wakes++,
  });
  for (let number = 0; number < 10; number++) producer.trySend(messageOf(number, memory.size));
  expect(wakes === 0, `Nobody sleeps, and ten messages cost ${wakes} system calls.`);
  const bell = memory.word("bell");
  const consumer = new Ring(memory, {
    ...bell,
    sleepWhile: (value) => {
      sleeps++;
      expect(sleeps < 3, "A message is there, and receive() sleeps again and again.");
      expect(bell.load() === value, `The bell is ${bell.load()}, and you sleep on ${value}.`);
      expect((value & 1) === 1, `You sleep while the bell is ${value}: nobody sees that you wait.`);
      new Ring(memory).trySend(messageOf(10));
    },
  });
  for (let number = 0; number <= 10; number++) {
    const message = receive(consumer);
    expect(numberOf(message) === number, `receive() returns ${said(message)}, not ${number}.`);
  }
  expect(sleeps === 1, `There was no message once, and receive() slept ${sleeps} times.`);
}

/** The checks of many producers. */
export function manyProducers(work: RingWork): Check[] {
  return [
    {
      what: "many producers: each lane has its turn",
      check: () => [0, 1, 2].forEach((busy) => takeTurns(work, busy)),
      hint: "begin behind the lane that was served last.",
    },
    {
      what: "many producers: two of them, every order, and nobody sleeps for ever",
      check: () => {
        const Many = part(work, "Many");
        run({
          lanes: 2,
          parties: {
            one: { code: sending(work, [1], 0) },
            other: { code: sending(work, [2], 1) },
            consumer: {
              code: (lanes) => {
                const many = new Many(lanes);
                return heard([many.receive(), many.receive()]);
              },
            },
          },
          check: ({ consumer }) =>
            ["1,2", "2,1"].includes(`${consumer}`) ? undefined : `it received ${consumer}`,
        });
      },
      hint:
        "all producers ring the bell of the first lane, and the consumer looks at all lanes again.",
    },
  ];
}

/** One lane always has messages, and the others have one each. */
function takeTurns(work: RingWork, busy: number): void {
  const [Ring, Many] = [part(work, "Ring"), part(work, "Many")];
  using stack = new DisposableStack();
  const lanes = [0, 1, 2].map(() => {
    const fd = makeRing();
    stack.defer(() => closeRing(fd));
    return stack.use(new RealMemory(part(work, "mapRing"), fd));
  });
  const many = new Many(lanes);
  let sent = 0;
  for (const [lane, memory] of lanes.entries()) {
    const ring = new Ring(memory, lanes[0]!.word("bell"));
    for (let i = 0; i < (lane === busy ? 9 : 1); i++) {
      ring.trySend(messageOf(100 * lane + i));
      sent++;
    }
  }
  const taken = Array.from({ length: sent + 1 }, () => many.tryReceive());
  const numbers = taken.map((message) => message && (numberOf(message) ?? "torn"));
  const told = numbers.map((number) => number ?? "none").join(", ");
  const about = `Lane ${busy} has 9 messages, from ${100 * busy} on; the others have one each.`;
  const others = [0, 100, 200].filter((number) => number !== 100 * busy);
  expect(
    others.every((number) => numbers.slice(0, 4).includes(number)),
    `${about} The first calls return ${numbers.slice(0, 4).join(", ")}.`,
  );
  const own = numbers.filter((number) => !others.includes(Number(number)));
  const right = Array.from({ length: 9 }, (_, i) => 100 * busy + i).join();
  expect(own.join() === `${right},`, `${about} ${sent + 1} calls return ${told}.`);
}

/** The checks of deaths, in the explorer. */
export function deaths(work: RingWork): Check[] {
  return [
    {
      what: "the explorer: the producer is killed anywhere, and another one continues",
      check: () => killProducer(work),
      hint: "what is in shared memory when the producer dies between any two operations?",
    },
    {
      what: "the explorer: the consumer is killed anywhere, and another one continues",
      check: () => killConsumer(work),
      hint: "a message whose room was not given back must be received again.",
    },
  ];
}

function killProducer(work: RingWork): void {
  const Ring = part(work, "Ring");
  run({
    start: START,
    parties: {
      producer: { code: sending(work, [1]), mayDie: true },
      heir: { code: sending(work, [2]), after: "producer" },
      consumer: {
        code: ([lane]) => {
          const ring = new Ring(lane!);
          const messages = [receive(ring)];
          if (numberOf(messages[0]!) === 1) messages.push(receive(ring));
          return heard(messages);
        },
      },
    },
    deaths: 1,
    check: ({ consumer }, dead) => {
      const right = dead.has("producer") ? ["2", "1,2"] : ["1,2"];
      return right.includes(`${consumer}`) ? undefined : `the consumer received ${consumer}`;
    },
  });
}

function killConsumer(work: RingWork): void {
  const Ring = part(work, "Ring");
  run({
    start: START,
    parties: {
      producer: { code: sending(work, [1, 2]) },
      consumer: { code: ([lane]) => heard([receive(new Ring(lane!))]), mayDie: true },
      heir: {
        code: ([lane]) => {
          const ring = new Ring(lane!);
          const messages = [receive(ring)];
          if (numberOf(messages[0]!) === 1) messages.push(receive(ring));
          return heard(messages);
        },
        after: "consumer",
      },
    },
    deaths: 1,
    check: ({ heir }, dead) => {
      const right = dead.has("consumer") ? ["1,2", "2"] : ["2"];
      return right.includes(`${heir}`) ? undefined : `the next consumer received ${heir}`;
    },
  });
}

/** The checks of deaths, with processes that are killed. */
export function kills(work: RingWork, file: string): Check[] {
  return [
    {
      what: "torture: producers that are killed between two operations, on real memory",
      check: () => killProducers(work, file),
      hint: "see what was published before the kill; the next producer must continue from there.",
    },
    {
      what: "torture: consumers that are killed",
      check: () => killConsumers(work, file),
      hint: "no message may be lost; the one that was being received may come twice.",
    },
  ];
}
