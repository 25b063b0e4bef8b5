/**
 * The checks of the exercise, which try every order of the operations.
 *
 * @module
 */

import { type Check, expect, runChecks, Wrong } from "../check.ts";
import { type Bell, sleeper, waker } from "./bells.ts";
import { type Event, explore, Machine, type Party } from "./machine.ts";
import { sleepersAt, tracksOf } from "./tracks.ts";

export type { Shared } from "./machine.ts";

/** Checks an answer and prints the results. */
export function checkBell(bell: Bell): void {
  runChecks(import.meta.url, checksOf(bell));
}

/** The checks that an answer must pass. */
export function checksOf(bell: Bell): Check[] {
  return [
    {
      what: "ring wakes a sleeping reader",
      check: () => wakeUp(bell),
      hint: "ring must wake on the word that sleep sleeps on.",
    },
    {
      what: "after a wake-up, a reader that wants more sleeps again",
      check: () => sleepAgain(bell),
      hint: "which value has the bell after it rang, and on which value do you sleep?",
    },
    {
      what: "nobody sleeps: no system call",
      check: () => countCalls(bell, false),
      hint: "a word must say whether a reader sleeps.",
    },
    {
      what: "no system call either once all have been woken",
      check: () => countCalls(bell, true),
      hint:
        "how does the word come to say that nobody sleeps? Only ring knows that it has woken all.",
    },
    {
      what: "one reader, one message, every order: nobody sleeps for ever",
      check: () => tryAll([sleeper("reader", bell), waker("writer", bell)]),
      hint: "what if the message arrives after the last look, or before the flag is up?",
    },
    {
      what: "one reader that wants two messages",
      check: () => tryAll([sleeper("reader", bell, 2), waker("writer", bell, { publishes: 2 })]),
      hint: "can the reader raise the flag again between the writer's look at it and its store?",
    },
    {
      what: "two readers that wait for one message, or for two",
      check: () => {
        tryAll([sleeper("reader 0", bell), sleeper("reader 1", bell), waker("writer", bell)]);
        tryAll([
          sleeper("reader 0", bell),
          sleeper("reader 1", bell, 2),
          waker("writer", bell, { publishes: 2 }),
        ]);
      },
      hint: "each reader must sleep on a value of its own, and no reader may lower a " +
        "flag on which another one relies. What if the flag also counted?",
    },
    {
      what: "the writer is killed anywhere, and another one takes over",
      check: () =>
        tryAll([
          sleeper("reader", bell),
          waker("writer", bell, { mayDie: true }),
          waker("heir", bell, { after: "writer" }),
        ]),
      hint: "the writer must not die between lowering the flag and waking all: make them one step.",
    },
  ];
}

const MOST_STEPS = 100;

/** Runs a party until it ends or sleeps. */
function goOn(machine: Machine, index: number): Event[] {
  const events: Event[] = [];
  while (machine.canRun(index)) {
    expect(events.length < MOST_STEPS, "After a hundred operations it has not ended.");
    events.push(machine.step(index));
  }
  return events;
}

/** Sleeps again after a wake-up, although the bell has another value then. */
function sleepAgain(bell: Bell): void {
  const parties = [sleeper("reader", bell, 2), waker("writer", bell)];
  const machine = new Machine(parties);
  const events = goOn(machine, 0);
  events.push(...goOn(machine, 1));
  const before = events.length;
  while (machine.canRun(0) && events.length < before + MOST_STEPS) events.push(machine.step(0));
  expect(
    machine.isAsleep(0),
    "After the first message the reader wants another one, and never sleeps again.",
    () => tracksOf(events.slice(0, before + 8), parties, { title: "It goes on like this" }),
  );
}

function wakeUp(bell: Bell): void {
  const parties = [sleeper("reader", bell), waker("writer", bell)];
  const machine = new Machine(parties);
  const events = goOn(machine, 0);
  const picture = () => tracksOf(events, parties, { title: "First the reader, then the writer" });
  expect(machine.isAsleep(0), "The reader does not sleep.", picture);
  events.push(...goOn(machine, 1), ...goOn(machine, 0));
  expect(!machine.isAsleep(0), "The reader still sleeps.", picture);
}

/** Two messages: a reader may sleep before the first, and none sleeps before the second. */
function countCalls(bell: Bell, asleep: boolean): void {
  const parties = [sleeper("reader", bell), waker("writer", bell), waker("another", bell)];
  const machine = new Machine(parties);
  const events = asleep ? goOn(machine, 0) : [];
  events.push(...goOn(machine, 1), ...goOn(machine, 0));
  const calls = goOn(machine, 2).filter(({ text }) => /wake/i.test(text));
  expect(
    calls.length === 0,
    "Nobody sleeps, but the last message costs a system call.",
    () => tracksOf([...events, ...calls], parties, { title: "Two messages" }),
  );
}

function tryAll(parties: readonly Party[]): void {
  const { lost } = explore(parties);
  if (lost === undefined) return;
  const end = sleepersAt(lost, parties);
  throw new Wrong(
    "In this order, a reader sleeps for ever.",
    tracksOf(lost, parties, { title: "The shortest order that goes wrong", end }),
  );
}
