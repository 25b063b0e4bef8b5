/**
 * A program that tells the time.
 *
 * @module
 */

import { now } from "../../src/os/clock.ts";

console.log(now());
