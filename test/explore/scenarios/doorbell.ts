/**
 * The doorbell: any number of waiters, any number of wakers, synchronous and asynchronous.
 *
 * @module
 */

import { Word32 } from "../../../src/memory/word.ts";
import { Doorbell, FencedDoorbell } from "../../../src/wait/doorbell.ts";
import {
  type Actors,
  type ActorSpec,
  makeMemory,
  mapMemory,
  type Row,
  type Scenario,
  scenarios,
} from "../scenario.ts";
import { wait, waitSync } from "../../wait/outcome.ts";

const BELL = { path: "bell", offset: 0 };
const LOOP = { path: "loop", offset: 4 };
const COUNT = { path: "count", offset: 64 };

/** The count of things published, and the bell that is rung for them. */
function shared(loop?: typeof LOOP, Bell = Doorbell) {
  const memory = mapMemory("shared");
  return { bell: new Bell(memory, BELL, 0, loop), count: new Word32(memory, COUNT) };
}

function waker(times: number, loop?: typeof LOOP) {
  return () => {
    const { bell, count } = shared(loop);
    for (let i = 0; i < times; i++) {
      count.add(1);
      bell.ring();
    }
  };
}

/** Waits for the count to reach 1, 2 ... `upTo`, one after the other. */
function sleeper(upTo: number, Bell = Doorbell) {
  return () => {
    const { bell, count } = shared(undefined, Bell);
    for (let target = 1; target <= upTo; target++) {
      const ready = () => count.load() >= target;
      check(waitSync({ bell, watch: count, ready }, { spin: 0 }));
    }
    return "ready";
  };
}

/** Waits on the event loop. */
function asyncSleeper(upTo: number, loop?: typeof LOOP, Bell = Doorbell) {
  return async () => {
    const { bell, count } = shared(loop, Bell);
    for (let target = 1; target <= upTo; target++) {
      const ready = () => count.load() >= target;
      check(await wait({ bell, watch: count, ready }, { spin: 0 }));
    }
    return "ready";
  };
}

function check(outcome: string): void {
  if (outcome !== "ready") throw new Error(`the wait ended with ${outcome}`);
}

function scenario(name: string, about: string, actors: Actors, bounds: Row["bounds"]): Row {
  const setup = () => makeMemory("shared", 128);
  const check: Scenario["check"] = ({ results, dead }) => {
    const stuck = Object.keys(actors).filter((actor) =>
      actor.startsWith("sleeper") && !dead.has(actor) && results[actor] !== "ready"
    );
    return stuck.length === 0 ? undefined : `${stuck.join(" and ")} did not finish`;
  };
  return { name, about, setup, actors, bounds, check };
}

/** Publishes and looks at the bell in one call; without a fence the load may pass the store. */
function publisher(times: number, loop?: typeof LOOP, Bell = Doorbell) {
  return () => {
    const { bell, count } = shared(loop, Bell);
    for (let i = 1; i <= times; i++) bell.publish(count, i);
  };
}

/** A second waker that publishes and rings whatever the first did not live to. */
function successor(after: string, total: number, loop?: typeof LOOP): ActorSpec {
  const body = () => {
    const { bell, count } = shared(loop);
    while (count.load() < total) count.add(1);
    bell.ring(); // a newcomer rings every bell of its role
  };
  return { body, after, immortal: true };
}

/** All scenarios of the doorbell. */
export const DOORBELL: readonly Scenario[] = scenarios([
  scenario("doorbell-1-1", "one waiter, one waker, two messages", {
    sleeper: sleeper(2),
    waker: waker(2),
  }, "3/0/1"),
  scenario("doorbell-2-1", "two waiters, one waker", {
    sleeper1: sleeper(2),
    sleeper2: sleeper(2),
    waker: waker(2),
  }, "3/0/1"),
  scenario("doorbell-2-2", "two waiters, two wakers", {
    sleeper1: sleeper(2),
    sleeper2: sleeper(2),
    waker1: waker(1),
    waker2: waker(1),
  }, "3/0/1"),
  scenario("doorbell-3-2", "three waiters, two wakers", {
    sleeper1: sleeper(1),
    sleeper2: sleeper(1),
    sleeper3: sleeper(2),
    waker1: waker(1),
    waker2: waker(1),
  }, "3/0/0"),
  scenario("doorbell-death", "two waiters, a waker that dies anywhere, and its successor", {
    sleeper1: sleeper(2),
    sleeper2: sleeper(2),
    waker: waker(2),
    successor: successor("waker", 2),
  }, "3/1/0"),
  scenario(
    "doorbell-publish",
    "two waiters, and a waker that publishes, with no barrier of its own",
    {
      sleeper1: sleeper(2),
      sleeper2: sleeper(1),
      waker: publisher(2),
    },
    "3/0/1",
  ),
  scenario("doorbell-fenced", "two waiters without a barrier, and a waker that has a fence", {
    sleeper1: sleeper(2, FencedDoorbell),
    sleeper2: sleeper(1, FencedDoorbell),
    waker: publisher(2, undefined, FencedDoorbell),
  }, "3/0/1"),
  scenario(
    "doorbell-fenced-loop",
    "the same, and the waiters hear bytes or find the bell claimed",
    {
      sleeper1: asyncSleeper(2, LOOP, FencedDoorbell),
      sleeper2: asyncSleeper(1, LOOP, FencedDoorbell),
      waker: publisher(2, LOOP, FencedDoorbell),
    },
    "3/0/0",
  ),
  scenario("doorbell-fenced-death", "a waker with a fence dies anywhere, and has a successor", {
    sleeper1: sleeper(2, FencedDoorbell),
    sleeper2: asyncSleeper(1, LOOP, FencedDoorbell),
    waker: publisher(2, LOOP, FencedDoorbell),
    successor: successor("waker", 2, LOOP),
  }, "3/1/0"),
  scenario("doorbell-async", "one waiter on the event loop, one waker", {
    sleeper: asyncSleeper(2),
    waker: waker(2),
  }, "3/0/1"),
  scenario("doorbell-mixed", "a waiter that blocks, one on the event loop, and a waker that dies", {
    sleeper1: sleeper(1),
    sleeper2: asyncSleeper(1),
    waker: waker(1),
    successor: successor("waker", 1),
  }, "3/1/0"),
  scenario("doorbell-loop", "one waiter that hears bytes, one waker", {
    sleeper: asyncSleeper(2, LOOP),
    waker: waker(2, LOOP),
  }, "3/0/1"),
  scenario("doorbell-loop-two-wakers", "one waiter that hears bytes, two wakers", {
    sleeper: asyncSleeper(2, LOOP),
    waker1: waker(1, LOOP),
    waker2: waker(1, LOOP),
  }, "3/0/0"),
  scenario("doorbell-loops", "two event loops, of which one finds the bell claimed, and a waker", {
    sleeper1: asyncSleeper(1, LOOP),
    sleeper2: asyncSleeper(1, LOOP),
    waker: waker(1, LOOP),
  }, "2/0/0"),
  scenario("doorbell-loop-death", "a waiter that hears bytes, and a waker that dies anywhere", {
    sleeper: asyncSleeper(2, LOOP),
    waker: waker(2, LOOP),
    successor: successor("waker", 2, LOOP),
  }, "3/1/0"),
]);
