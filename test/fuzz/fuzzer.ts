/**
 * Opens mutated files, and keeps those that take a branch which none took before.
 *
 * @module
 */

import { Random } from "../random.ts";
import { HITS, instrument } from "./instrument.ts";
import { apply, type Input, mutate, placesIn } from "./mutate.ts";
import { NAME, TARGETS } from "./targets.ts";

/** What fuzzing found. */
export interface FuzzReport {
  /** Calls that list or open a mutated file. */
  readonly executions: number;
  readonly seconds: number;
  /** The branches of the bundle, and those that were taken. */
  readonly branches: number;
  readonly taken: number;
  /** Inputs that take a branch which no earlier one takes. */
  readonly corpus: readonly Input[];
  /** What must not be, with the input that shows it. */
  readonly findings: readonly { readonly input: Input; readonly text: string }[];
}

/** How many executions share one look at the counters. */
const BATCH = 64;
const SLOWEST_MS = 2000;

/** The calls of an input besides those of its target: regions() and topics(). */
const CALLS = 2;

type Execute = (kind: string, path: string, bytes: Uint8Array) => string | undefined;

interface Base {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly places: readonly number[];
}

/** Makes the region of each target, and reads its file. */
function bases(): Map<string, Base> {
  return new Map(
    Object.entries(TARGETS).map(([kind, target]) => {
      target.make();
      try {
        const file = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
          .find((name) => name.includes(`.${NAME}`))!;
        const path = `/dev/shm/${file}`;
        const bytes = Deno.readFileSync(path);
        return [kind, { path, bytes, places: placesIn(bytes) }];
      } finally {
        target.unlink();
      }
    }),
  );
}

/** Bundles the library with the leaves of the fuzzer, changes the text, and instruments it. */
async function load(change: (text: string) => string) {
  const root = new URL("../../", import.meta.url);
  const map = new URL("import_map.json", import.meta.url).pathname;
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--import-map", map, "test/fuzz/entry.ts"],
    cwd: root,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { text, branches } = instrument(change(new TextDecoder().decode(stdout)));
  const hits = new Uint8Array(branches);
  (globalThis as Record<string, unknown>)[HITS] = hits;
  const file = Deno.makeTempFileSync({ suffix: ".js" });
  try {
    Deno.writeTextFileSync(file, text);
    const { execute } = await import(`file://${file}`) as { execute: Execute };
    return { execute, hits };
  } finally {
    Deno.removeSync(file);
  }
}

/** Fuzzes for so many seconds, beginning with a corpus. */
export async function fuzz({ seconds, seed, corpus, change = (text) => text, onProgress }: {
  readonly seconds: number;
  readonly seed: number;
  readonly corpus: readonly Input[];
  /** A change of the bundle, to see a mistake being found. */
  readonly change?: ((text: string) => string) | undefined;
  readonly onProgress?: (report: FuzzReport) => void;
}): Promise<FuzzReport> {
  const files = bases();
  const { execute, hits } = await load(change);
  const random = new Random(seed, "fuzz");
  const seen = new Uint8Array(hits.length);
  const kept: Input[] = [];
  const findings: { input: Input; text: string }[] = [];
  let executions = 0;

  const { stackTraceLimit } = Error;
  const run = (input: Input) => {
    const base = files.get(input.kind);
    if (base === undefined) return; // of a corpus with a target that is gone
    const bytes = apply(input, base.bytes);
    const start = performance.now();
    Error.stackTraceLimit = 0; // nearly all errors are refusals, and a stack costs most of one
    let text = execute(input.kind, base.path, bytes);
    Error.stackTraceLimit = stackTraceLimit;
    executions += CALLS + TARGETS[input.kind]!.open.length;
    let ms = performance.now() - start;
    if (ms > SLOWEST_MS) { // or this process had no turn: once more
      const again = performance.now();
      execute(input.kind, base.path, bytes);
      ms = performance.now() - again;
    }
    if (text !== undefined) {
      text = execute(input.kind, base.path, bytes) ?? text; // with a stack
      findings.push({ input, text });
    }
    if (ms > SLOWEST_MS) findings.push({ input, text: `it took ${ms.toFixed(0)} ms` });
  };
  const hasNew = () => {
    for (let i = 0; i < hits.length; i++) if (hits[i]! > seen[i]!) return true;
    return false;
  };
  const keep = (input: Input) => {
    for (let i = 0; i < hits.length; i++) seen[i]! |= hits[i]!;
    kept.push(input);
  };
  /** Runs inputs together, and once more each if they took a new branch. */
  const runBatch = (inputs: readonly Input[]) => {
    hits.fill(0);
    for (const input of inputs) run(input);
    if (!hasNew()) return;
    for (const input of inputs) {
      hits.fill(0);
      run(input);
      if (hasNew()) keep(input);
    }
  };

  const start = performance.now();
  for (const kind of files.keys()) runBatch([{ kind, edits: [] }]);
  for (const input of corpus) runBatch([input]);
  const report = (): FuzzReport => ({
    executions,
    seconds: (performance.now() - start) / 1000,
    branches: hits.length,
    taken: seen.reduce((sum, hit) => sum + hit, 0),
    corpus: kept,
    findings,
  });
  let shown = start;
  while (performance.now() - start < seconds * 1000 && findings.length < 20) {
    runBatch(Array.from({ length: BATCH }, () => {
      const input = random.pick(kept);
      const { bytes, places } = files.get(input.kind)!;
      return mutate(random, input, bytes, places);
    }));
    if (performance.now() - shown < 1000) continue;
    shown = performance.now();
    onProgress?.(report());
  }
  return report();
}
