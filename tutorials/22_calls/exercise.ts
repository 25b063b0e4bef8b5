/**
 * Exercise: calls without an answer.
 *
 * A client numbers its calls from 0 to 3, and an answer repeats the number. Write what it remembers:
 *
 *     begin(mind, server, deadline)   a call begins. Returns a number for it; undefined if none is free
 *     receive(mind, number)           an answer is here. Returns whether a call waits for it
 *     expire(mind, now)               returns the numbers of the calls that fail now: their deadline
 *                                     is `now` or earlier
 *     lose(mind, server)              a server is dead. Returns the numbers of its calls that fail now
 *     mind.calls[number]              yours: what you know of a call; undefined at first
 *
 * A server answers each request once at most, and after the death of a server nothing comes from it.
 * A call that timed out may still be answered, later. No call is settled twice, and none with the
 * answer to another. Run it with `deno run --allow-ffi tutorials/22_calls/exercise.ts`.
 *
 * @module
 */

import { type Call, checkCalls, type Mind, NUMBERS } from "./check.ts";

function begin(mind: Mind, server: number, deadline: number): number | undefined {
  for (let number = 0; number < NUMBERS; number++) {
    if (mind.calls[number] !== undefined) continue;
    mind.calls[number] = { server, deadline, waits: true };
    return number;
  }
  return undefined;
}

function receive(mind: Mind, number: number): boolean {
  const call: Call | undefined = mind.calls[number];
  mind.calls[number] = undefined;
  return call !== undefined;
}

function expire(mind: Mind, now: number): number[] {
  const failed: number[] = [];
  for (const [number, call] of mind.calls.entries()) {
    if (call === undefined || call.deadline > now) continue;
    failed.push(number);
    mind.calls[number] = undefined;
  }
  return failed;
}

function lose(mind: Mind, server: number): number[] {
  void server;
  return expire(mind, Infinity);
}

checkCalls({ begin, receive, expire, lose });
