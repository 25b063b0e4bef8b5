/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Listen, Room } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Listen>[] {
  const wanted = (room: Room, mask: number) =>
    Array.from({ length: room.slots }, (_, slot) => slot).filter((slot) => mask >> slot & 1);
  /** A listener that does this before it sleeps, and repeats it until it has news to return. */
  const listen = (
    { raised = wanted, slept, before = true, after = true, again = true, note = "at once" }: {
      raised?: typeof wanted;
      slept?: number;
      before?: boolean;
      after?: boolean;
      again?: boolean;
      note?: "at once" | "later" | "never";
    } = {},
  ): Listen =>
  (room, mask, { seen }) => {
    const look = () => {
      let news = 0;
      for (const slot of wanted(room, mask)) {
        const sequence = room.sequence(slot);
        if (sequence > seen[slot]!) news |= 1 << slot;
        if (note === "at once") seen[slot] = sequence;
      }
      if (note === "later" && news > 0) {
        for (const slot of wanted(room, mask)) seen[slot] = room.sequence(slot);
      }
      return news;
    };
    for (;;) {
      const news = before ? look() : 0;
      if (news !== 0) return news;
      const bells = raised(room, mask).map((slot) => [slot, room.raise(slot)] as const);
      const found = after ? look() : 0;
      if (found !== 0) return found;
      room.sleep(bells.slice(0, slept));
      if (!again) return look();
    }
  };
  const [told, once] = ["it returns existing news", "it reports each message once"];
  const [others, any] = ["slots outside the mask", "a message in any slot"];
  const [moment, nothing] = ["a message at any moment", "a bell that rings without"];
  return [
    {
      mistake: "reports nothing",
      answer: () => 0,
      fails: told,
    },
    {
      mistake: "reports the whole mask",
      answer: (_, mask) => mask,
      fails: told,
    },
    {
      mistake: "raises the bells before it looks",
      answer: listen({ before: false }),
      fails: told,
    },
    {
      mistake: "looks at one slot for ever",
      answer: (room) => {
        for (;;) room.sequence(0);
      },
      fails: told,
    },
    {
      mistake: "looks at a slot that does not exist",
      answer: (room) => room.sequence(room.slots),
      fails: told,
    },
    {
      mistake: "never notes what it has reported",
      answer: listen({ note: "never" }),
      fails: once,
    },
    {
      mistake: "raises bells outside the mask",
      answer: listen({ raised: (room) => wanted(room, -1) }),
      fails: others,
    },
    {
      mistake: "listens to all slots",
      answer: (room, _, mind) => listen()(room, -1, mind),
      fails: others,
    },
    {
      mistake: "sleeps on two bells only",
      answer: listen({ slept: 2 }),
      fails: any,
    },
    {
      mistake: "sleeps without another look",
      answer: listen({ after: false }),
      fails: moment,
    },
    {
      mistake: "notes what it has not reported",
      answer: listen({ note: "later" }),
      fails: moment,
    },
    {
      mistake: "returns from a ring without a message",
      answer: listen({ again: false }),
      fails: nothing,
    },
  ];
}
