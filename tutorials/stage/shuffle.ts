/**
 * The order in which the options of a question are shown: another one for each step, and the same at
 * each telling, in the browser, in the terminal and in recorded pages.
 *
 * @module
 */

import type { Step } from "./story.ts";

/** Puts the options of each question in the order in which they are shown. */
export function shuffled(folder: string, steps: readonly Step[]): Step[] {
  return steps.map((step) => {
    const { ask, run, title } = step;
    if (ask?.kind !== "choice") return step;
    const order = orderOf(`${folder}/${title}`, ask.options.length);
    const options = order.map((index) => ask.options[index]!);
    // The story knows its options in the order in which it has them.
    const told = (answer: number | undefined) => answer === undefined ? answer : order[answer];
    return {
      ...step,
      ask: { ...ask, options },
      ...run && { run: (scene) => run({ ...scene, answer: told(scene.answer) }) },
    };
  });
}

/** The numbers below `count`, in an order that a text decides. */
function orderOf(seed: string, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  let state = 0;
  for (let i = 0; i < seed.length; i++) state = mixed(state ^ seed.charCodeAt(i));
  for (let last = count - 1; last > 0; last--) {
    state = mixed(state);
    const other = state % (last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** Another number of 32 bits, in which each bit depends on all of the given ones. */
function mixed(number: number): number {
  let state = (number + 0x9e37_79b9) | 0;
  state = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
  state = Math.imul(state ^ (state >>> 15), 0x735a_2d97);
  return (state ^ (state >>> 15)) >>> 0;
}
