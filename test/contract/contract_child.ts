/**
 * The program of a {@linkcode Party} at any product. Its argument, if any, names a ring.
 *
 * @module
 */

import { isPayload, lengthOf, payload } from "../circular/scene.ts";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { givenArgument, serve } from "../shared/serve_child.ts";
import { actBefore, wasRefused, withRefusal } from "../trap/trap.ts";
import { type Handle, type Receiver, type Sender, smallSizes } from "./product.ts";
import { PRODUCTS, RINGS } from "./products.ts";
import { truncateAsleep, truncateEverywhere } from "./truncation.ts";
import { dieIn, enter, rehearse } from "./victim.ts";

/** Returns what an act throws. */
function errorOf(act: () => void): (Error & { code?: string }) | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Runs an act while /dev/shm is full. */
function fill(act: () => void): void {
  const path = "/dev/shm/filler";
  const file = Deno.openSync(path, { write: true, create: true });
  try {
    while (errorOf(() => file.writeSync(new Uint8Array(4096))) === undefined);
    act();
  } finally {
    file.close();
    Deno.removeSync(path);
  }
}

/** The values that the functions can use. */
const TOOLS = {
  ring: RINGS.find(({ name }) => name === givenArgument())!,
  productOf: (name: string) => PRODUCTS.find((product) => product.name === name)!,
  smallSizes,
  errorOf,
  fill,
  payload,
  isPayload,
  lengthOf,
  actBefore,
  withRefusal,
  wasRefused,
  enter,
  rehearse,
  dieIn,
  truncateAsleep,
  truncateEverywhere,
  /** The shared memory of this process: open files and mappings. */
  held: (): number[] => [countFiles("/dev/shm/"), rangesOf("/dev/shm/").length],
  filesOf: (name: string): string[] =>
    [...Deno.readDirSync("/dev/shm")].map((file) => file.name).filter((file) =>
      file.includes(name)
    ),
  /** The handles that stay open between two functions. */
  handles: [] as Handle[],
  senders: [] as Sender[],
  receivers: [] as Receiver[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
