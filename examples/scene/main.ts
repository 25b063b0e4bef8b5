/**
 * A lively scene to look at with `vring view`: a drone, and four programs that work with it. Every
 * twelve seconds the mapper is killed (`kill -9`), and comes back after three.
 *
 *     deno run --allow-ffi --allow-run examples/scene/main.ts
 *     deno task vring view
 *
 * @module
 */

import { setTimeout as delay } from "node:timers/promises";
import { camera, drone, lidar, log, pose, route } from "./scene.ts";

const ended = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => ended.abort());
}

const running = new Set<Deno.ChildProcess>();

/** Starts a program of this folder. */
function start(name: string): Deno.ChildProcess {
  const program = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-ffi", new URL(`${name}.ts`, import.meta.url).pathname],
    stdin: "null",
    stdout: "null",
  }).spawn();
  running.add(program);
  program.status.then(() => running.delete(program));
  return program;
}

/** Waits; returns false when the scene ends. */
async function wait(ms: number): Promise<boolean> {
  return await delay(ms, true, { signal: ended.signal }).catch(() => false);
}

for (const name of ["planner", "drone", "pilot", "archive"]) start(name);
let mapper = start("mapper");
console.log("The scene plays; look at it with: deno task vring view");
console.log("Ctrl-C ends it");
while (await wait(12_000)) {
  mapper.kill("SIGKILL");
  if (!await wait(3_000)) break;
  mapper = start("mapper");
}
const all = [...running];
for (const program of all) program.kill("SIGTERM");
await Promise.all(all.map(({ status }) => status));
for (const definition of [pose, camera, lidar, log, drone, route]) definition.unlink();
Deno.exit();
