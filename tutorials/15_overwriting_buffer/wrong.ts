/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Read } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Read>[] {
  const lapped = "a reader that was lapped";
  const interrupted = "lapped at any moment";
  return [
    {
      mistake: "copies without any look",
      answer: (ring, next) => ({ message: ring.copy(next), next: next + 1 }),
      fails: "without a new message",
    },
    {
      mistake: "never finds a message",
      answer: (_, next) => ({ next }),
      fails: "a message that is there",
    },
    {
      mistake: "wants the same message again",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        return { message: ring.copy(next), next };
      },
      fails: "a message that is there",
    },
    {
      mistake: "never asks for the oldest",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        return { message: ring.copy(next), next: next + 1 };
      },
      fails: lapped,
    },
    {
      mistake: "counts one lost message too few",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        const [message, oldest] = [ring.copy(next), ring.oldest()];
        if (next >= oldest) return { message, next: next + 1 };
        return { lost: oldest - next - 1, next: oldest };
      },
      fails: lapped,
    },
    {
      mistake: "skips what is still intact",
      answer: (ring, next) => {
        const published = ring.published();
        if (next === published) return { next };
        const [message, oldest] = [ring.copy(next), ring.oldest()];
        if (next >= oldest) return { message, next: next + 1 };
        return { lost: published - next, next: published };
      },
      fails: lapped,
    },
    {
      mistake: "takes the oldest for overwritten",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        const [message, oldest] = [ring.copy(next), ring.oldest()];
        if (next > oldest || oldest === 0) return { message, next: next + 1 };
        return { lost: oldest - next, next: oldest };
      },
      fails: "the oldest message is still intact",
    },
    {
      mistake: "looks before the copy only",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        const [oldest, message] = [ring.oldest(), ring.copy(next)];
        if (next >= oldest) return { message, next: next + 1 };
        return { lost: oldest - next, next: oldest };
      },
      fails: interrupted,
    },
    {
      mistake: "asks for the oldest three times",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        const message = ring.copy(next);
        if (next >= ring.oldest()) return { message, next: next + 1 };
        return { lost: ring.oldest() - next, next: ring.oldest() };
      },
      fails: interrupted,
    },
    {
      mistake: "asks how many are published instead of the oldest",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        const message = ring.copy(next);
        if (ring.published() - next <= 31) return { message, next: next + 1 };
        const oldest = ring.oldest();
        return { lost: oldest - next, next: oldest };
      },
      fails: "nor is a message read",
    },
    {
      mistake: "waits for ever",
      answer: (ring, next) => {
        while (next > -1) ring.published();
        return { next };
      },
      fails: "without a new message",
    },
    {
      mistake: "asks for the oldest again after a copy that was overwritten",
      answer: (ring, next) => {
        if (next === ring.published()) return { next };
        const oldest = ring.oldest();
        if (next < oldest) return { lost: oldest - next, next: oldest };
        const message = ring.copy(next);
        if (ring.oldest() <= next) return { message, next: next + 1 };
        return { lost: ring.oldest() - next, next: ring.oldest() };
      },
      fails: "interrupted twice",
    },
  ];
}
