/**
 * Roles: held by one, taken over from the dead, repaired by their holder.
 *
 * @module
 */

import { Role } from "../../../src/region/liveness.ts";
import { Word32 } from "../../../src/memory/word.ts";
import { sleepSync } from "../../../src/os/clock.ts";
import { last, makeMemory, mapMemory, pathOf, type Scenario, scenarios } from "../scenario.ts";

const ROLE = 5;

function words() {
  const memory = mapMemory("shared");
  const at = (path: string, line: number) => new Word32(memory, { path, offset: 64 * line });
  return {
    inside: [at("inside[0]", 0), at("inside[1]", 1), at("inside[2]", 2)] as const,
    intent: at("intent", 3), // the balance that is being written, 0 if none
    left: at("left", 4),
    right: at("right", 5), // left + right is 10 whenever nobody is at work
  };
}

function hold(): Role {
  for (;;) {
    const role = Role.tryHold(pathOf("shared"), ROLE, "the role");
    if (role !== undefined) return role;
    sleepSync(1);
  }
}

/** The parties marked as inside when this party acquired the role; each must be dead. */
function enter(number: number): string[] {
  using _role = hold();
  const { inside } = words();
  inside[number]!.store(1);
  const names = ["first", "second", "third"];
  const met = names.filter((_, i) => i !== number && inside[i]!.load() === 1);
  inside[number]!.store(0);
  return met;
}

/** Moves one from left to right, after finishing what a dead holder began. */
function transfer(): number {
  using _role = hold();
  const { intent, left, right } = words();
  const begun = intent.load();
  if (begun !== 0) { // idempotent: it may be done again by the next one, if this one dies
    left.store(begun);
    right.store(10 - begun);
    intent.store(0);
  }
  const next = left.load() - 1;
  intent.store(next);
  left.store(next);
  right.store(10 - next);
  intent.store(0);
  return next;
}

const setup = () => makeMemory("shared", 64 * 8);

/** All scenarios of roles. */
export const ROLES: readonly Scenario[] = scenarios([
  {
    name: "role-exclusive",
    about: "three actors hold a role in turn, and may die; two are never inside",
    setup,
    actors: { first: () => enter(0), second: () => enter(1), third: () => enter(2) },
    bounds: "2/2/0",
    check: ({ results, dead }) => {
      for (const [name, met] of Object.entries(results) as [string, string[] | undefined][]) {
        const alive = met?.filter((other) => !dead.has(other)) ?? [];
        if (alive.length > 0) return `${name} was inside together with ${alive.join(" and ")}`;
      }
      return undefined;
    },
  },
  {
    name: "role-repair",
    about: "a holder dies at work; the next holder finishes it, or dies at that too",
    setup: () => {
      makeMemory("shared", 64 * 8);
      words().left.store(10);
    },
    actors: { first: transfer, second: transfer, third: last(transfer) },
    bounds: "2/2/0",
    check: ({ bytes, dead }) => {
      const view = new Uint32Array(bytes("shared").buffer);
      const [intent, left, right] = [view[48]!, view[64]!, view[80]!];
      if (left + right !== 10 || intent !== 0) return `left ${left}, right ${right}`;
      const done = 10 - left;
      return done >= 3 - dead.size && done <= 3 ? undefined : `${done} transfers were made`;
    },
  },
]);
