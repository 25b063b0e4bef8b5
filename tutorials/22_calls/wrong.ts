/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { type Answer, type Call, type Mind, NUMBERS } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

const right: Answer = {
  begin: (mind, server, deadline) => {
    const number = mind.calls.indexOf(undefined);
    if (number === -1) return undefined;
    mind.calls[number] = { server, deadline, waits: true };
    return number;
  },
  receive: (mind, number) => {
    const call = mind.calls[number];
    mind.calls[number] = undefined;
    return call?.waits === true;
  },
  expire: (mind, now) =>
    select(mind, (call) => call.waits && call.deadline <= now, (call) => call.waits = false),
  lose: (mind, server) => {
    const failed = select(mind, (call) => call.server === server && call.waits, () => {});
    select(mind, (call) => call.server === server, (_, number) => mind.calls[number] = undefined);
    return failed;
  },
};

/** Does something with the calls for which this holds, and returns their numbers. */
function select(
  mind: Mind,
  holds: (call: Call) => boolean,
  act: (call: Call, number: number) => void,
): number[] {
  return mind.calls.flatMap((call, number) => {
    if (call === undefined || !holds(call)) return [];
    act(call, number);
    return [number];
  });
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Answer>[] {
  const [reached, expired, late] = ["each answer reaches", "a call fails at", "a late answer"];
  const [death, all] = ["the death of a server", "all of that"];
  return [
    { mistake: "never begins", answer: { ...right, begin: () => undefined }, fails: reached },
    {
      mistake: "gives every call the same number",
      answer: {
        ...right,
        begin: (mind, server, deadline) => {
          mind.calls[0] = { server, deadline, waits: true };
          return 0;
        },
      },
      fails: reached,
    },
    {
      mistake: "counts up for ever",
      answer: {
        ...right,
        begin: (mind, server, deadline) => {
          const number = mind.calls.findLastIndex((call) => call !== undefined) + 1;
          mind.calls[number] = { server, deadline, waits: true };
          return number;
        },
      },
      fails: reached,
    },
    {
      mistake: "counts up and begins again, although the number is in use",
      answer: {
        ...right,
        begin: (mind, server, deadline) => {
          if (!mind.calls.includes(undefined)) return undefined;
          const count = mind as Mind & { count?: number };
          const number = (count.count ?? 0) % NUMBERS;
          count.count = number + 1;
          mind.calls[number] = { server, deadline, waits: true };
          return number;
        },
      },
      fails: reached,
    },
    {
      mistake: "settles every answer as if it were waited for",
      answer: {
        ...right,
        receive: (mind, number) => {
          mind.calls[number] = undefined;
          return true;
        },
      },
      fails: late,
    },
    {
      mistake: "keeps the number after the answer",
      answer: { ...right, receive: (mind, number) => mind.calls[number]?.waits === true },
      fails: reached,
    },
    {
      mistake: "times out one tick later",
      answer: {
        ...right,
        expire: (mind, now) =>
          select(mind, (call) => call.waits && call.deadline < now, (call) => call.waits = false),
      },
      fails: expired,
    },
    {
      mistake: "fails a call at each tick",
      answer: {
        ...right,
        expire: (mind, now) => select(mind, (call) => call.deadline <= now, () => {}),
      },
      fails: expired,
    },
    {
      mistake: "frees the number at the time-out",
      answer: {
        ...right,
        expire: (mind, now) =>
          select(mind, (call) => call.waits && call.deadline <= now, (_, number) => {
            mind.calls[number] = undefined;
          }),
      },
      fails: late,
    },
    {
      mistake: "fails the calls of all servers",
      answer: {
        ...right,
        lose: (mind) => {
          const failed = select(mind, (call) => call.waits, () => {});
          mind.calls.fill(undefined);
          return failed;
        },
      },
      fails: death,
    },
    {
      mistake: "keeps the numbers of a dead server",
      answer: {
        ...right,
        lose: (mind, server) =>
          select(mind, (call) => call.server === server && call.waits, (call) => {
            call.waits = false;
          }),
      },
      fails: death,
    },
    {
      mistake: "fails a call that timed out once more when its server dies",
      answer: {
        ...right,
        lose: (mind, server) =>
          select(mind, (call) => call.server === server, (_, number) => {
            mind.calls[number] = undefined;
          }),
      },
      fails: all,
    },
  ];
}
