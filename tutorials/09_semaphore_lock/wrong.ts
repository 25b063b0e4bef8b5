/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { OwnLock } from "./check.ts";

const right: OwnLock = {
  enter: (door) => {
    if (!door.tryRecord()) return "busy";
    return door.tryWait() ? "clean" : "dirty";
  },
  leave: (door) => {
    door.post();
    door.dropRecord();
  },
};

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<OwnLock>[] {
  const peace = "in peace";
  const killed = "a party is killed inside";
  const visits = "another party comes between";
  return [
    {
      mistake: "is a program in C: only the number",
      answer: {
        enter: (door) => door.tryWait() ? "clean" : "busy",
        leave: (door) => door.post(),
      },
      fails: killed,
    },
    {
      mistake: "uses only the record lock",
      answer: {
        enter: (door) => door.tryRecord() ? "clean" : "busy",
        leave: (door) => door.dropRecord(),
      },
      fails: peace,
    },
    {
      mistake: "does not set the number to 1",
      answer: { ...right, leave: (door) => door.dropRecord() },
      fails: peace,
    },
    {
      mistake: "keeps the record lock",
      answer: { ...right, leave: (door) => door.post() },
      fails: peace,
    },
    {
      mistake: "tries the number when the record lock is held",
      answer: {
        ...right,
        enter: (door) => {
          const owns = door.tryRecord();
          if (door.tryWait()) return "clean";
          return owns ? "dirty" : "busy";
        },
      },
      fails: visits,
    },
    {
      mistake: "inherits without a word",
      answer: {
        ...right,
        enter: (door) => {
          if (!door.tryRecord()) return "busy";
          door.tryWait();
          return "clean";
        },
      },
      fails: killed,
    },
    {
      mistake: "sets the number to 1 when it inherits",
      answer: {
        ...right,
        enter: (door) => {
          if (!door.tryRecord()) return "busy";
          if (door.tryWait()) return "clean";
          door.post();
          return "dirty";
        },
      },
      fails: killed,
    },
    {
      mistake: "asks for the number first",
      answer: {
        ...right,
        enter: (door) => {
          const isFree = door.tryWait();
          if (!door.tryRecord()) return "busy";
          return isFree ? "clean" : "dirty";
        },
      },
      fails: visits,
    },
    {
      mistake: "drops the record lock before it sets the number",
      answer: {
        ...right,
        leave: (door) => {
          door.dropRecord();
          door.post();
        },
      },
      fails: visits,
    },
    {
      mistake: "believes that a taken number means a living party",
      answer: {
        ...right,
        enter: (door) => {
          if (!door.tryRecord()) return "busy";
          if (door.tryWait()) return "clean";
          door.dropRecord();
          return "busy";
        },
      },
      fails: killed,
    },
    {
      mistake: "an heir leaves the number at 0",
      answer: heirLeavesZero(),
      fails: killed,
    },
  ];
}

/** Posts only what it has taken itself. */
function heirLeavesZero(): OwnLock {
  let took = false;
  return {
    enter: (door) => {
      if (!door.tryRecord()) return "busy";
      took = door.tryWait();
      return took ? "clean" : "dirty";
    },
    leave: (door) => {
      if (took) door.post();
      door.dropRecord();
    },
  };
}
