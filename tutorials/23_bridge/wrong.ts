/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Account, Arrive, Message, Mind } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** A right answer, with what may be wrong in it. */
function bridge(
  {
    first = (mind, message) => Math.max(message.first, mind.last + 1),
    isOld = (mind, message) => message.first + message.count - 1 <= mind.last,
    lost = (mind, number) => number - mind.published - 1,
    grown = (
      account,
      message,
    ) => [message.before - account.before, message.inside - account.inside],
    refuse = (account) => account.here++,
  }: {
    first?: (mind: Mind, message: Message) => number;
    isOld?: (mind: Mind, message: Message) => boolean;
    lost?: (mind: Mind, number: number, last: number) => number;
    grown?: (account: Account, message: Message) => readonly [before: number, inside: number];
    refuse?: (account: Account, mind: Mind, number: number) => void;
  } = {},
): Arrive {
  return (mind, message, publish) => {
    const { account } = mind;
    if (isOld(mind, message)) return;
    const begin = first(mind, message);
    const last = mind.last;
    const [before, inside] = grown(account, message);
    account.wire += begin - last - 1 - before - inside;
    account.before += before;
    account.inside += inside;
    mind.last = message.first + message.count - 1;
    for (let number = begin; number <= mind.last; number++) {
      if (publish(number, lost(mind, number, last))) {
        account.published++;
        mind.published = number;
      } else refuse(account, mind, number);
    }
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Arrive>[] {
  const [arrives, gap, places] = [
    "frames that arrive",
    "a gap in the numbers",
    "frames lost before",
  ];
  const [refused, twice] = ["a frame that the topic refuses", "messages that come twice"];
  return [
    { mistake: "publishes nothing", answer: () => {}, fails: arrives },
    {
      mistake: "publishes only the first frame of a message",
      answer: (mind, message, publish) => bridge()(mind, { ...message, count: 1 }, publish),
      fails: arrives,
    },
    {
      mistake: "counts nothing",
      answer: (mind, message, publish) => {
        const counted: Mind = { ...mind, account: { ...mind.account } };
        bridge()(counted, message, publish);
        mind.last = counted.last;
        mind.published = counted.published;
      },
      fails: arrives,
    },
    {
      mistake: "does not look at marks",
      answer: (mind, message, publish) => {
        if (message.count > 0) bridge()(mind, message, publish);
      },
      fails: gap,
    },
    { mistake: "never says that any is lost", answer: bridge({ lost: () => 0 }), fails: gap },
    {
      mistake: "counts all of the gap as lost on the wire",
      answer: bridge({ grown: () => [0, 0] }),
      fails: places,
    },
    {
      mistake: "takes the totals for what was lost just now",
      answer: bridge({ grown: (_, { before, inside }) => [before, inside] }),
      fails: places,
    },
    {
      mistake: "counts what was lost inside as lost before",
      answer: bridge({
        grown: (account, message) => [
          message.before + message.inside - account.before - account.inside,
          0,
        ],
      }),
      fails: places,
    },
    {
      mistake: "does not count what is refused",
      answer: bridge({ refuse: () => {} }),
      fails: refused,
    },
    {
      mistake: "takes a refused frame for a published one",
      answer: bridge({
        refuse: (account, mind, number) => {
          account.here++;
          mind.published = number;
        },
      }),
      fails: refused,
    },
    {
      mistake: "counts a refused frame twice",
      answer: bridge({
        refuse: (account) => {
          account.here++;
          account.wire++;
        },
      }),
      fails: refused,
    },
    {
      mistake: "publishes a message that comes twice again",
      answer: bridge({ isOld: () => false, first: (_, message) => message.first }),
      fails: twice,
    },
    {
      mistake: "drops a message whose first frame is old",
      answer: bridge({ isOld: (mind, message) => message.first <= mind.last }),
      fails: twice,
    },
    {
      mistake: "publishes the old frames of a message with new ones",
      answer: bridge({ first: (_, message) => message.first }),
      fails: twice,
    },
  ];
}
