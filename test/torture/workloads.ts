/**
 * Finds workloads: each is a file in workloads/ or broken/, and has the name of the file.
 *
 * @module
 */

import type { WorkloadModule } from "./run.ts";

/** The folders of workloads: those whose account must be clean, and those whose must not. */
export type Shelf = "workloads" | "broken";

const SHELVES: readonly Shelf[] = ["workloads", "broken"];

function folder(shelf: Shelf): URL {
  return new URL(`${shelf}/`, import.meta.url);
}

/** The names of the workloads in a folder. */
export function workloadNames(shelf: Shelf): string[] {
  const files = [...Deno.readDirSync(folder(shelf))].map(({ name }) => name);
  return files.map((name) => name.replace(/\.ts$/, "").replaceAll("_", "-")).sort();
}

/** The module of a workload. */
export function findWorkload(name: string): WorkloadModule {
  const shelf = SHELVES.find((shelf) => workloadNames(shelf).includes(name));
  if (shelf === undefined) {
    throw new RangeError(`Cannot torture "${name}": no workload has that name`);
  }
  return { name, url: new URL(`${name.replaceAll("-", "_")}.ts`, folder(shelf)).href };
}
