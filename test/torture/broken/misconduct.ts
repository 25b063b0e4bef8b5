/**
 * Broken: processes that throw, that do not come to an end, and that leave files and processes
 * behind. It shows that the account tells of each.
 *
 * @module
 */

import { type Actor, defineWorkload } from "../workload.ts";

async function untilOver(actor: Actor<never>): Promise<void> {
  while (!actor.over) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function misbehave(actor: Actor<never>): Promise<void> {
  if (actor.life === 0) throw new Error("this is thrown on purpose");
  await untilOver(actor);
}

async function litter(actor: Actor<never>): Promise<void> {
  if (actor.life === 0) {
    Deno.writeTextFileSync(`/dev/shm/vring.torture.${actor.name("litter")}`, "");
    const args = ["eval", "await new Promise(() => setInterval(() => {}, 1000));"];
    const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
    new Deno.Command(Deno.execPath(), { args, ...streams }).spawn().unref();
  }
  await untilOver(actor);
}

export default defineWorkload<never>({
  about: "processes that throw, never end, and leave things behind",
  cells: {},
  parts: {
    thrower: { seats: 1, run: misbehave },
    litterer: { seats: 1, run: litter },
    endless: { seats: 1, run: () => new Promise(() => setInterval(() => {}, 1000)) },
  },
  begin: () => ({ counts: () => ({}) }),
});
