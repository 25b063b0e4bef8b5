/**
 * An answer: a number is in use until its answer has come, or its server is dead.
 * Whether somebody still waits for it is another question.
 *
 * @module
 */

import { checkCalls, type Mind, NUMBERS } from "../22_calls/check.ts";

function begin(mind: Mind, server: number, deadline: number): number | undefined {
  for (let number = 0; number < NUMBERS; number++) {
    if (mind.calls[number] !== undefined) continue;
    mind.calls[number] = { server, deadline, waits: true };
    return number;
  }
  return undefined;
}

function receive(mind: Mind, number: number): boolean {
  const call = mind.calls[number];
  mind.calls[number] = undefined;
  return call?.waits === true;
}

function expire(mind: Mind, now: number): number[] {
  const failed: number[] = [];
  for (const [number, call] of mind.calls.entries()) {
    if (call?.waits !== true || call.deadline > now) continue;
    call.waits = false;
    failed.push(number);
  }
  return failed;
}

function lose(mind: Mind, server: number): number[] {
  const failed: number[] = [];
  for (const [number, call] of mind.calls.entries()) {
    if (call?.server !== server) continue;
    if (call.waits) failed.push(number);
    mind.calls[number] = undefined;
  }
  return failed;
}

checkCalls({ begin, receive, expire, lose });
