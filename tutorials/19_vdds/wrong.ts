/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Subscriber } from "../../mod.ts";
import type { Show } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Show>[] {
  const [drawn, newest] = ["it draws a new frame", "it draws only the newest"];
  const [back, throwing] = ["it releases every frame that", "it releases every frame even if"];
  const [still, lost] = ["a frame does not change", "it reports every loss"];
  const seen = new WeakMap<Subscriber, number>();
  return [
    {
      mistake: "draws nothing",
      answer: () => {},
      fails: drawn,
    },
    {
      mistake: "draws what is no frame",
      answer: (_, screen) => screen.draw(new Uint8Array(1)),
      fails: drawn,
    },
    {
      mistake: "draws every frame, one after the other",
      answer: (subscriber, screen) => {
        const message = subscriber.tryReceive();
        if (message !== undefined) screen.draw(message.value);
      },
      fails: newest,
    },
    {
      mistake: "draws all frames at once",
      answer: (subscriber, screen) => void subscriber.poll(({ bytes }) => screen.draw(bytes)),
      fails: newest,
    },
    {
      mistake: "never releases a frame",
      answer: (subscriber, screen) => {
        const sample = subscriber.tryTakeLatest();
        if (sample !== undefined) screen.draw(sample.bytes);
      },
      fails: back,
    },
    {
      mistake: "releases only if the screen does not throw",
      answer: (subscriber, screen) => {
        const sample = subscriber.tryTakeLatest();
        if (sample === undefined) return;
        screen.draw(sample.bytes);
        sample[Symbol.dispose]();
      },
      fails: throwing,
    },
    {
      mistake: "releases before it draws",
      answer: (subscriber, screen) => {
        const sample = subscriber.tryTakeLatest();
        if (sample === undefined) return;
        const { bytes } = sample;
        sample[Symbol.dispose]();
        screen.draw(bytes);
      },
      fails: still,
    },
    {
      mistake: "reports no loss",
      answer: (subscriber, screen) => {
        using sample = subscriber.tryTakeLatest();
        if (sample !== undefined) screen.draw(sample.bytes);
      },
      fails: lost,
    },
    {
      mistake: "counts skipped frames as lost",
      answer: (subscriber, screen) => {
        using sample = subscriber.tryTakeLatest();
        if (sample === undefined) return;
        const missed = sample.sequence - 1 - (seen.get(subscriber) ?? 0);
        seen.set(subscriber, sample.sequence);
        if (missed > 0) screen.missed(missed);
        screen.draw(sample.bytes);
      },
      fails: lost,
    },
    {
      mistake: "draws a copy of the frame",
      answer: (subscriber, screen) => {
        using sample = subscriber.tryTakeLatest();
        if (sample === undefined) return;
        if (sample.lost > 0) screen.missed(sample.lost);
        screen.draw(sample.bytes.slice());
      },
      fails: "it draws the frame where it is",
    },
  ];
}
