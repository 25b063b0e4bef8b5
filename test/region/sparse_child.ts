/**
 * The program of a {@linkcode Party} without memory: its own /dev/shm is full, or calls are refused.
 *
 * @module
 */

import { domain } from "../../src/babus/definition.ts";
import { Errno } from "../../src/errors.ts";
import * as files from "../../src/os/files.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { topic } from "../../src/vdds/definition.ts";
import { countFiles } from "../os/process_state.ts";
import { isPayload, payload } from "../circular/scene.ts";
import { givenArgument, serve } from "../shared/serve_child.ts";
import { withRefusal } from "../trap/trap.ts";

/** How memory is made to be short: /dev/shm is filled, or the call refused. */
export type Shortage = "full" | "refused";

const DIRECTORY = "/dev/shm";

/** While the body runs no page is to be had. */
function withoutMemory<T>(body: () => T): T {
  if (givenArgument() === "refused") return withRefusal("allocate", -Errno.ENOSPC, body);
  const filler = `${DIRECTORY}/filler`;
  const space = files.space(DIRECTORY);
  if (typeof space === "number") throw new Error(`Cannot find out how much is free: ${space}`);
  Deno.writeFileSync(filler, new Uint8Array(space.free));
  try {
    return body();
  } finally {
    Deno.removeSync(filler);
  }
}

/** The error of the act as a text, or "nothing". */
function errorOf(act: () => unknown): string {
  try {
    act();
    return "nothing";
  } catch (error) {
    return `${error}`;
  }
}

/** The memory of the file, and the number of open files of this process. */
function taken(path: string): number[] {
  return [Deno.statSync(path).blocks! * 512, countFiles()];
}

/** The values that the functions can use. */
const TOOLS = {
  domain,
  errorOf,
  isPayload,
  payload,
  spsc,
  taken,
  topic,
  withoutMemory,
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
