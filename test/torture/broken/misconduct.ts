/**
 * Broken: processes that throw, that do not come to an end, and that leave files and processes
 * behind. It shows that the account tells of each.
 *
 * @module
 */

import { defineKind, type Stage } from "../kind.ts";

async function untilOver(stage: Stage<never>): Promise<void> {
  while (!stage.over) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function misbehave(stage: Stage<never>): Promise<void> {
  if (stage.life === 0) throw new Error("this is thrown on purpose");
  await untilOver(stage);
}

async function litter(stage: Stage<never>): Promise<void> {
  if (stage.life === 0) {
    Deno.writeTextFileSync(`/dev/shm/vring.torture.${stage.name("litter")}`, "");
    const args = ["eval", "await new Promise(() => setInterval(() => {}, 1000));"];
    const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
    new Deno.Command(Deno.execPath(), { args, ...streams }).spawn().unref();
  }
  await untilOver(stage);
}

export default defineKind<never>({
  about: "processes that throw, never end, and leave things behind",
  cells: {},
  parts: {
    thrower: { seats: 1, run: misbehave },
    litterer: { seats: 1, run: litter },
    endless: { seats: 1, run: () => new Promise(() => setInterval(() => {}, 1000)) },
  },
  begin: () => ({ counts: () => ({}) }),
});
