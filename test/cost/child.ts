/**
 * Performs every operation and prints its cost as JSON: with `count` the accesses to shared memory
 * and the native calls, which import_map.json counts; with `bytes` the memory that the engine
 * allocates, for which the code runs as shipped.
 *
 * @module
 */

import { ignoreTime } from "../../src/wait/fairness.ts";
import type { Counts } from "./counter.ts";
import { allOperations, type Operation } from "./operations.ts";

const TIMES = 64;

/** Until hints have settled, arrays have grown, and the engine has compiled the code. */
const WARM_UP = { count: 3, bytes: 300 };
const MEASURED = { count: 1, bytes: 41 };

type What = "count" | "bytes";

/** The cost of one operation. */
export type Cost = Counts | number;

/** Begins a measurement; the returned function ends it. */
type Meter = () => () => Cost;

/** Bytes in the engine's heap, and in arrays outside of it. */
function bytesInUse(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function meterOf(what: What): Promise<Meter> {
  if (what === "bytes") {
    let before = 0;
    let meterBytes = 0;
    const end = () => bytesInUse() - before - meterBytes;
    return () => {
      const earlier = bytesInUse();
      before = bytesInUse();
      meterBytes = before - earlier; // it allocates its result
      return end;
    };
  }
  const { takeCounts } = await import("./counter.ts");
  return () => {
    takeCounts();
    return takeCounts;
  };
}

/** Performs an operation many times; each measurement is of so many in a row. */
async function measure(operation: Operation, what: What, meter: Meter): Promise<Cost[]> {
  const { prepare, act, finish, times = TIMES } = operation;
  const costs: Cost[] = [];
  for (let i = 0; i < WARM_UP[what] + MEASURED[what]; i++) {
    if (prepare !== undefined) await repeat(prepare, times);
    const end = meter();
    const acting = repeat(act, times);
    if (acting !== undefined) await acting;
    const cost = end();
    if (i >= WARM_UP[what]) costs.push(cost);
    if (finish !== undefined) await repeat(finish, times);
  }
  return costs;
}

/** Calls several times; returns a promise only if the calls do. */
function repeat(call: () => unknown, times: number): Promise<void> | undefined {
  for (let i = 1; i <= times; i++) {
    const result = call();
    if (result instanceof Promise) return repeatLater(result, call, times - i);
  }
  return undefined;
}

/** The rest, in a function of its own: a closure above would allocate in each turn. */
async function repeatLater(first: unknown, call: () => unknown, times: number): Promise<void> {
  await first;
  for (; times > 0; times--) await call();
}

/** The cost of each operation by its name. */
async function main(what: What): Promise<void> {
  ignoreTime(true); // a count must not depend on it
  using stack = new DisposableStack();
  const meter = await meterOf(what);
  const costs: [string, Cost][] = [];
  for (const operation of allOperations(stack)) {
    if (what === "bytes" && operation.anyBytes) continue;

    const measured = await measure(operation, what, meter);
    const { times = TIMES } = operation;
    costs.push([operation.name, averageOf(measured, times)]);
  }
  console.log(JSON.stringify(costs));
}

/** The cost of each single operation. Bytes are those of the middle measurement, whole. */
function averageOf(costs: Cost[], times: number): Cost {
  const bytes = costs.filter((cost) => typeof cost === "number");
  if (bytes.length > 0) return Math.round(bytes.sort((a, b) => a - b)[costs.length >> 1]! / times);
  const counts = costs[0] as Counts;
  const perAct = (numbers: Record<string, number>) =>
    Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, number / times]));
  return {
    words: perAct(counts.words),
    plain: perAct(counts.plain),
    native: perAct(counts.native),
  };
}

await main(Deno.args[0] as What);
