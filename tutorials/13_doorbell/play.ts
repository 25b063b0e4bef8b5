/**
 * Lets you take the steps of two readers and a writer, one operation for each number that you type.
 * Run it with `deno run --allow-ffi tutorials/13_doorbell/play.ts flag`; the other ways to sleep
 * are in bells.ts.
 *
 * @module
 */

import { wrap } from "../picture.ts";
import { ask } from "../narrator.ts";
import { BELLS, sleeper, waker } from "./bells.ts";
import { headOf, lineOf } from "./film.ts";
import { Machine } from "./machine.ts";

const [name = "flag"] = Deno.args;
const bell = BELLS[name];
if (bell === undefined) {
  console.error(`Cannot play with ${name}: pass ${Object.keys(BELLS).join(" or ")}`);
  Deno.exit(2);
}

const parties = [sleeper("reader 0", bell), sleeper("reader 1", bell), waker("writer 2", bell)];
const names = parties.map((party) => party.name);
const machine = new Machine(parties);

console.log(`\n${
  wrap(
    `Two readers wait for a message, and a writer sends one. Type 0, 1 or 2 to let one of them take
    its next step, or several numbers at once; an empty line ends. Can you make a reader sleep for
    ever?`,
  )
}\n`);
console.log(headOf(names));
for (;;) {
  const movers = [0, 1, 2].filter((index) => machine.canRun(index));
  if (movers.length === 0) break;
  const line = ask(`${movers.join(" or ")}> `)?.trim();
  if (line === undefined || line === "") Deno.exit();
  if (!Deno.stdin.isTerminal()) console.log(line); // which a terminal has shown already
  for (const digit of line.replaceAll(/\s/g, "")) {
    const index = Number(digit);
    if (!(index in parties)) console.log(`${digit}: there are 0, 1 and 2`);
    else if (machine.canRun(index)) console.log(lineOf(machine.step(index), names));
    else console.log(`${names[index]} ${machine.isAsleep(index) ? "is asleep" : "is done"}`);
  }
}
const asleep = names.filter((_, index) => machine.isAsleep(index));
console.log(
  asleep.length === 0
    ? "\nAll are done, and nobody sleeps."
    : `\nThere is a message, and nobody will wake ${asleep.join(" and ")}.`,
);
