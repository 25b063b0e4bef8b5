/**
 * The checks of your ring, in the order of the chapters. The ring runs on real memory, in the
 * library's explorer, and at last in processes that are killed.
 *
 * @module
 */

import { checksOf as mirrorChecks } from "../05_mirror_ring/check.ts";
import { type Check, expect, runChecks, Wrong } from "../check.ts";
import { SIZE, type Trial, tryRings } from "./explored.ts";
import { orderedLikeThis } from "./in_order.ts";
import { killConsumers, killProducers } from "./kills.ts";
import type { RingMemory, RingWork } from "./memory.ts";
import { closeRing, makeRing, messageOf, numberOf, RealMemory, SIZE as REAL_SIZE } from "./real.ts";

/** Checks your work and prints the results. `file` is its `import.meta.url`, for other processes. */
export function checkRing(work: RingWork, file?: string): void {
  runChecks("24_your_ring", checksOf(work, file));
}

/** The checks, stage by stage. */
export function checksOf(work: RingWork, file?: string): Check[] {
  return [
    ...mirror(work),
    ...positions(work),
    ...order(work),
    ...sleeping(work),
    ...manyProducers(work),
    ...deaths(work),
    ...file === undefined ? [] : kills(work, file),
  ];
}

function part<K extends keyof RingWork>(
  work: RingWork,
  name: K,
  chapter: number,
): NonNullable<RingWork[K]> {
  const own = work[name];
  expect(
    own !== undefined,
    `Write \`${name}\` after chapter ${chapter}, and pass it to checkRing.`,
  );
  return own;
}

// ---- chapter 5 ----

function mirror(work: RingWork): Check[] {
  const mapRing = (...args: readonly [fd: number, header: number, capacity: number]) =>
    part(work, "mapRing", 5)(...args);
  return mirrorChecks(mapRing).map((check) => ({ ...check, what: `5 mirror: ${check.what}` }));
}

// ---- chapter 10 ----

/** A size of messages that divides the capacity. */
const FITTING = 64;

/** Uses a ring on real memory. */
function useRing(work: RingWork, use: (memory: RealMemory) => void, size = REAL_SIZE): void {
  const fd = makeRing();
  try {
    using memory = new RealMemory(part(work, "mapRing", 5), fd, { size });
    use(memory);
  } finally {
    closeRing(fd);
  }
}

function said(message: Uint8Array | undefined): string {
  if (message === undefined) return "no message";
  const number = numberOf(message);
  return number === undefined ? "bytes of no message" : `message ${number}`;
}

function positions(work: RingWork): Check[] {
  return [
    {
      what: "10 positions: messages come out as they went in, and an empty ring has none",
      check: () => useRing(work, (memory) => sendAndReceive(work, memory, 0)),
      hint: "a position counts all bytes; the place in the ring is its remainder by the capacity.",
    },
    {
      what: "10 positions: a full ring refuses, and every byte of it is usable",
      check: () => {
        useRing(work, (memory) => fillUp(work, memory));
        useRing(work, (memory) => fillUp(work, memory), FITTING);
      },
      hint:
        "`head - tail` bytes are used. A message fits if `size` more are not above the capacity.",
    },
    {
      what: "10 positions: they wrap at 2^32",
      check: () => {
        useRing(work, (memory) => sendAndReceive(work, memory, 2 ** 32 - 4 * REAL_SIZE));
        useRing(work, (memory) => fillUp(work, memory, 2 ** 32 - 4 * REAL_SIZE));
      },
      hint: "`>>> 0` after a sum or a difference.",
    },
    {
      what: "10 publish last: every order of a producer and a consumer",
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
  const Ring = part(work, "Ring", 10);
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
  const Ring = part(work, "Ring", 10);
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

/** Just below the wrap, and such that the second message crosses the end. */
const START = 2 ** 32 - 24;

const text = (number: number) => messageOf(number, SIZE);

/** Sends these messages; looks again where the ring is full. Returns how many were sent. */
function sending(work: RingWork, numbers: readonly number[], lane = 0) {
  return (lanes: readonly RingMemory[]) => {
    const Ring = part(work, "Ring", 10);
    const ring = lanes.length === 1
      ? new Ring(lanes[0]!)
      : new Ring(lanes[lane]!, lanes[0]!.word("bell"));
    return numbers.filter((number) => ring.trySend(text(number))).length;
  };
}

/** What a party has received: the numbers, or "torn". */
function heard(messages: readonly (Uint8Array | undefined)[]): string {
  const told = messages.filter((message) => message !== undefined).map((message) =>
    numberOf(message) ?? "torn"
  );
  return told.join();
}

/** Tries a producer of three messages, for which there is no room at once, and a consumer. */
function tryAll(work: RingWork, bounds: Partial<Trial>): void {
  const Ring = part(work, "Ring", 10);
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

function run(trial: Trial): void {
  const { wrong, picture } = tryRings(trial);
  if (wrong !== undefined) throw new Wrong(`In this order: ${wrong}.`, picture);
}

// ---- chapter 11 ----

function order(work: RingWork): Check[] {
  return [
    {
      what: "11 order: on a processor that reorders, no message is torn",
      check: () => tryAll(work, { reorderings: 1, switches: 2 }),
      hint: "which store must stay behind the bytes, and which load in front of them?",
    },
    {
      what: "11 order: each word is stored and loaded as Arm needs it",
      check: () => orderedLikeThis(part(work, "Ring", 10)),
      hint: "publish by a release, look at the other side's word by an acquire.",
    },
  ];
}

// ---- chapter 13 ----

/** Tries a producer and a consumer that sleeps until it has two messages. */
function trySleeping(work: RingWork, bounds: Partial<Trial> = {}): void {
  const Ring = part(work, "Ring", 10);
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

function receive(ring: { receive?(): Uint8Array }): Uint8Array {
  expect(typeof ring.receive === "function", "Write `receive` after chapter 13.");
  return ring.receive();
}

function sleeping(work: RingWork): Check[] {
  return [
    {
      what: "13 the bell: no system call while nobody sleeps, and a sleep while there is none",
      check: () => useRing(work, (memory) => countCalls(work, memory)),
      hint: "the bell's lowest bit says whether somebody waits.",
    },
    {
      what: "13 the bell: every order, and nobody sleeps for ever",
      check: () => trySleeping(work),
      hint: "look, raise the bell, look again, sleep on the value that you raised.",
    },
    {
      what: "13 the bell: the same on a processor that reorders",
      check: () => trySleeping(work, { reorderings: 1, switches: 2 }),
      hint: "the look at the bell must come after the store of the head.",
    },
  ];
}

/** Counts the system calls of a ring. */
function countCalls(work: RingWork, memory: RealMemory): void {
  let wakes = 0;
  let sleeps = 0;
  const Ring = part(work, "Ring", 10);
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

// ---- chapter 17 ----

function manyProducers(work: RingWork): Check[] {
  return [
    {
      what: "17 many producers: each lane has its turn",
      check: () => [0, 1, 2].forEach((busy) => takeTurns(work, busy)),
      hint: "begin behind the lane that was served last.",
    },
    {
      what: "17 many producers: two of them, every order, and nobody sleeps for ever",
      check: () => {
        const Many = part(work, "Many", 17);
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
  const [Ring, Many] = [part(work, "Ring", 10), part(work, "Many", 17)];
  using stack = new DisposableStack();
  const lanes = [0, 1, 2].map(() => {
    const fd = makeRing();
    stack.defer(() => closeRing(fd));
    return stack.use(new RealMemory(part(work, "mapRing", 5), fd));
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

// ---- chapter 24 ----

function deaths(work: RingWork): Check[] {
  return [
    {
      what: "24 the explorer: the producer is killed anywhere, and another one continues",
      check: () => killProducer(work),
      hint: "what is in shared memory when the producer dies between any two operations?",
    },
    {
      what: "24 the explorer: the consumer is killed anywhere, and another one continues",
      check: () => killConsumer(work),
      hint: "a message whose room was not given back must be received again.",
    },
  ];
}

function killProducer(work: RingWork): void {
  const Ring = part(work, "Ring", 10);
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
  const Ring = part(work, "Ring", 10);
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

function kills(work: RingWork, file: string): Check[] {
  return [
    {
      what: "24 torture: producers that are killed between two operations, on real memory",
      check: () => killProducers(work, file),
      hint: "see what was published before the kill; the next producer must continue from there.",
    },
    {
      what: "24 torture: consumers that are killed",
      check: () => killConsumers(work, file),
      hint: "no message may be lost; the one that was being received may come twice.",
    },
  ];
}
