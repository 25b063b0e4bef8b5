/**
 * Finds kinds: each is a file in kinds/ or broken/, and its name is that of the file.
 *
 * @module
 */

import type { KindModule } from "./run.ts";

/** Where kinds are: those that must come out clean, and those that must not. */
export type Shelf = "kinds" | "broken";

const SHELVES: readonly Shelf[] = ["kinds", "broken"];

function folder(shelf: Shelf): URL {
  return new URL(`${shelf}/`, import.meta.url);
}

/** The names of the kinds in a folder. */
export function kindNames(shelf: Shelf): string[] {
  const files = [...Deno.readDirSync(folder(shelf))].map(({ name }) => name);
  return files.map((name) => name.replace(/\.ts$/, "").replaceAll("_", "-")).sort();
}

/** The module of a kind. */
export function findKind(name: string): KindModule {
  const shelf = SHELVES.find((shelf) => kindNames(shelf).includes(name));
  if (shelf === undefined) throw new RangeError(`Cannot torture "${name}": there is no such kind`);
  return { name, url: new URL(`${name.replaceAll("-", "_")}.ts`, folder(shelf)).href };
}
