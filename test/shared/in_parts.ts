/**
 * Assaults on corrupted memory, made in another process, as they might run for ever or end it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Toll } from "../corruption.ts";
import type { Party } from "./party.ts";
import { Name } from "./scene.ts";

/** Returns how often each outcome came in all; fails if there are complaints. */
export function totalOf(tolls: readonly Toll[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { complaints, seen } of tolls) {
    assertEquals(complaints.slice(0, 3), []);
    for (const [what, count] of Object.entries(seen)) total[what] = (total[what] ?? 0) + count;
  }
  return total;
}

/**
 * Returns a function that assaults in another process, in parts that have a deadline each, and fails
 * if a file is left.
 */
export function inParts<Tools, Case>(
  start: () => Party<Tools>,
  part: number,
  assault: (tools: Tools, task: { name: string; some: readonly Case[] }) => Toll | Promise<Toll>,
): (cases: readonly Case[]) => Promise<Record<string, number>> {
  return async (cases) => {
    using place = new Name();
    await using party = start();
    const tolls: Toll[] = [];
    for (let from = 0; from < cases.length; from += part) {
      const task = { name: `${place.name}.${from}`, some: cases.slice(from, from + part) };
      const toll = await party.run(assault, task).catch((error) => {
        throw new Error(`Cases ${from} and on, such as ${JSON.stringify(task.some[0])}: ${error}`);
      });
      tolls.push(toll);
    }
    assertEquals(place.files(), []);
    return totalOf(tolls);
  };
}
