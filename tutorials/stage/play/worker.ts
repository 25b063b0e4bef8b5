/**
 * The Worker of the playground: the explorer's engine, the shipped algorithms, and every scenario.
 *
 * @module
 */

import "./polyfills.ts";
import {
  type Bounds,
  explore,
  type Report,
  type Scenario,
} from "../../../test/explore/engine/mod.ts";
import { CONVENTIONS } from "../../../test/explore/scenario.ts";
import { SCENARIOS } from "../../../test/explore/scenarios/index.ts";
import { film } from "./film.ts";
import { type LineTable, sourceOf } from "./lines.ts";
import { added, changingResult, linesBefore, MOST_STATES, scenarioOf, type Strip } from "./own.ts";
import { type Locate, OWN, type Place } from "./places.ts";
import type { Answer, Found, Listed, Request, Subject } from "./protocol.ts";

/** The globals of a Worker that is a classic script. */
interface Scope {
  readonly location: { readonly href: string };
  onmessage: ((event: { data: Request & { id: number } }) => void) | null;
  postMessage(answer: Answer): void;
  importScripts(url: string): void;
  stripTypes?: Strip;
}

const scope = globalThis as unknown as Scope;

/** A search of a shipped scenario ends after so long; the reader can stop it before. */
const SEARCH_MS = 60_000;

/** A search of own code ends before the page kills the Worker. */
const OWN_SEARCH_MS = 1600;

Object.assign(Error, { stackTraceLimit: 60 });

let table: Promise<LineTable> | undefined;

/** Reads the line table, once. */
function lineTable(): Promise<LineTable> {
  return table ??= fetch(new URL("lines.json", scope.location.href)).then((answer) =>
    answer.json()
  );
}

async function locator(): Promise<Locate> {
  const lines = await lineTable();
  return (url, line, column) => {
    if (url.endsWith(OWN)) return { source: OWN, line: line - linesBefore() };
    if (!url.endsWith("worker.js")) return undefined;
    return sourceOf(lines, line, column);
  };
}

function strip(): Strip {
  if (scope.stripTypes === undefined) scope.importScripts("strip.js");
  return scope.stripTypes!;
}

function scenarioFor(subject: Subject): Scenario {
  if ("source" in subject) return scenarioOf(subject.source, strip());
  const scenario = SCENARIOS.find(({ name }) => name === subject.name);
  if (scenario === undefined) throw new Error(`Cannot find the scenario "${subject.name}"`);
  return scenario;
}

function list(): Listed[] {
  return SCENARIOS.map(({ name, about, expect, bounds, actors }) => {
    return { name, about, expect, bounds, parties: Object.keys(actors) };
  });
}

/** The bounds of `deno task explore --weak`. */
function weakened({ preemptions, deaths, reorderings = 1 }: Bounds): Bounds {
  return {
    preemptions: Math.min(2, Math.max(1, preemptions)),
    deaths: Math.min(1, deaths),
    noise: 0,
    reorderings,
  };
}

/** Searches with no preemption, then with one, and so on, so that the first finding is simple. */
async function search(
  subject: Subject,
  isWeak: boolean,
  progress: (report: Report) => void,
): Promise<Found> {
  const scenario = scenarioFor(subject);
  const isOwn = "source" in subject;
  const changing = isOwn ? await changingResult(scenario) : undefined;
  const bounds = isWeak ? weakened(scenario.bounds) : scenario.bounds;
  const end = performance.now() + (isOwn ? OWN_SEARCH_MS : SEARCH_MS);
  let report: Report | undefined;
  for (let preemptions = 0; preemptions <= bounds.preemptions; preemptions++) {
    const before = report;
    report = added(
      before,
      await explore(scenario, {
        bounds: { ...bounds, preemptions },
        conventions: CONVENTIONS,
        budgetMs: Math.max(0, end - performance.now()),
        states: isOwn ? MOST_STATES : undefined,
        shortest: true,
        progress: (report) => progress(added(before, report)),
      }),
    );
    if (report.finding !== undefined || !report.exhausted) break;
  }
  return { report: report!, bounds, changing };
}

async function answer(id: number, request: Request): Promise<Answer> {
  switch (request.ask) {
    case "list":
      await lineTable();
      return { id, list: list() };
    case "prepare":
      strip();
      return { id, ready: true };
    case "film": {
      const options = {
        conventions: CONVENTIONS,
        locate: await locator(),
        reached: (party: string, place: Place | undefined) => {
          if ("source" in request.subject) scope.postMessage({ id, reached: { party, place } });
        },
      };
      return { id, film: await film(scenarioFor(request.subject), request.token, options) };
    }
    case "search": {
      const progress = (report: Report) => scope.postMessage({ id, progress: report });
      return { id, found: await search(request.subject, request.isWeak, progress) };
    }
  }
}

let last: Promise<void> = Promise.resolve();

/** Answers one request after another: actors of two scenarios must not run at the same time. */
scope.onmessage = ({ data: { id, ...request } }) => {
  last = last.then(() => answer(id, request as Request)).then(
    (answer) => scope.postMessage(answer),
    (error) =>
      scope.postMessage({ id, error: error instanceof Error ? error.message : `${error}` }),
  );
};
