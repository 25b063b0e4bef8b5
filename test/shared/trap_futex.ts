/** Stands in for src/os/futex.ts: the same, with a step before it sleeps or wakes. @module */

import * as real from "../../src/os/futex.ts?real";
import { trapped } from "./trap.ts";

export * from "../../src/os/futex.ts?real";

export const wait: typeof real.wait = trapped("sleep", real.wait);
export const addAndWake: typeof real.addAndWake = trapped("wake", real.addAndWake);
