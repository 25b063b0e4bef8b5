/**
 * Broken: processes that throw, that do not come to an end, and that leave files and processes
 * behind. The account has to report each.
 *
 * @module
 */

import { type Actor, defineWorkload } from "../workload.ts";

type Member = Actor<"atIt">;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Throws once the others have misbehaved. */
async function misbehave(actor: Member): Promise<void> {
  await until(() => actor.over || actor.life === 0 && actor.total("atIt") === 2);
  if (actor.life === 0) throw new Error("this is thrown on purpose");
}

async function litter(actor: Member): Promise<void> {
  if (actor.life === 0) {
    Deno.writeTextFileSync(`/dev/shm/vring.torture.${actor.name("litter")}`, "");
    const args = ["eval", "await new Promise(() => setInterval(() => {}, 1000));"];
    const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
    new Deno.Command(Deno.execPath(), { args, ...streams }).spawn().unref();
    actor.count("atIt");
  }
  await until(() => actor.over);
}

function goOn(actor: Member): Promise<void> {
  actor.count("atIt");
  return new Promise(() => setInterval(() => {}, 1000));
}

export default defineWorkload<"atIt">({
  about: "processes that throw, never end, and leave things behind",
  cells: { atIt: 1 }, // processes that litter, or do not end
  parts: {
    thrower: { seats: 1, run: misbehave },
    litterer: { seats: 1, run: litter },
    endless: { seats: 1, run: goOn },
  },
  begin: () => ({}),
});
