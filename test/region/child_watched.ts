/**
 * A program that opens a ring, reports what this process has mapped, and stays.
 *
 * @module
 */

import { SpscConsumer } from "../../mod.ts";
import { ranges } from "../../src/os/files.ts";

const consumer = SpscConsumer.open(Deno.args[0]!, { capacity: 2 ** 20 });
console.log(JSON.stringify({ pid: Deno.pid, mapped: ranges().mapped }));
setInterval(() => consumer.available, 60_000); // keeps the program and the handle
