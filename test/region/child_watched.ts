/**
 * A program that opens a ring, reports what this process has mapped, and stays.
 *
 * @module
 */

import { spsc } from "../../mod.ts";
import { ranges } from "../../src/os/files.ts";

const consumer = spsc(Deno.args[0]!).consumer();
console.log(JSON.stringify({ pid: Deno.pid, mapped: ranges().mapped }));
setInterval(() => consumer.available, 60_000); // keeps the program and the handle
