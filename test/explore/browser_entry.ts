/**
 * The entry that browser_test.ts bundles: explores a synchronous and an asynchronous scenario, and
 * leaves a promise of the reports in `globalThis.explored`.
 *
 * @module
 */

import { explore, type Report } from "./engine/mod.ts";
import { CONVENTIONS } from "./scenario.ts";
import { DOORBELL } from "./scenarios/doorbell.ts";
import { SPSC } from "./scenarios/spsc.ts";

const NAMES = ["spsc-flow", "doorbell-async"];

async function exploreAll(): Promise<Record<string, Report>> {
  const reports: Record<string, Report> = {};
  for (const scenario of [...SPSC, ...DOORBELL]) {
    if (!NAMES.includes(scenario.name)) continue;
    const bounds = { ...scenario.bounds, preemptions: 1, noise: 0 };
    reports[scenario.name] = await explore(scenario, { bounds, conventions: CONVENTIONS });
  }
  return reports;
}

Object.assign(globalThis, { explored: exploreAll() });
