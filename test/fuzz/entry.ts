/**
 * What is bundled, with the leaves of the fuzzer, and instrumented.
 *
 * @module
 */

import { describedType, regions, topics, VringError } from "../../mod.ts";
import { about } from "../../src/cli/commands/info.ts";
import { WaitingMessages } from "../../src/inspect/waiting.ts";
import { observerOf } from "../../src/inspect/survey.ts";
import { beyond, setFile } from "./leaves/files.ts";
import { TARGETS } from "./targets.ts";

/**
 * Lists and opens a region with these bytes. Returns what must not be: an error that is not one of
 * the library, or a mapping beyond the end of the file; undefined if all is well.
 */
export function execute(kind: string, path: string, bytes: Uint8Array): string | undefined {
  const calls = [() => void topics(), inspect, ...TARGETS[kind]!.open];
  for (const call of calls) {
    setFile(path, bytes);
    try {
      call();
    } catch (error) {
      const isTold = error instanceof VringError || isRefusal(error);
      if (!isTold) return `${call}: ${error instanceof Error ? error.stack : error}`;
    }
    if (beyond !== undefined) return `${call}: ${beyond}`;
  }
  return undefined;
}

/** Looks at the region as the tools do. */
function inspect(): void {
  for (const region of regions()) {
    about(region, { locks: new Map(), hasWords: true });
    const { type } = region.details ?? {};
    if (type !== undefined) describedType(type);
    using observer = observerOf(region);
    if (observer === undefined || !WaitingMessages.canRead(region)) continue;
    new WaitingMessages(observer).look();
  }
}

/** Whether the text of a message cannot be decoded, which says so in words of the library. */
function isRefusal(error: unknown): boolean {
  return (error instanceof TypeError || error instanceof SyntaxError) &&
    /^Cannot [^:]+: /.test(error.message);
}
