/**
 * A program whose Workers use the library; it tells what of the library is in memory.
 *
 * @module
 */

import { until } from "../os/until.ts";

const MAPS = "/proc/self/maps";

/** Starts a Worker that has used the library. */
async function start(): Promise<Worker> {
  const worker = new Worker(new URL("./worker_load.ts", import.meta.url), { type: "module" });
  const { data } = await new Promise<MessageEvent>((resolve) => worker.onmessage = resolve);
  if (data !== "used") throw new Error(data);
  return worker;
}

/** How many copies of a library's code are in memory. */
async function copies(name: string): Promise<number> {
  const { readAll } = await import("../../src/os/files.ts");
  const maps = new TextDecoder().decode(readAll(MAPS) as Uint8Array);
  const pattern = new RegExp(`^\\S+ ..x. .* /memfd:${name} \\(deleted\\)$`, "gm");
  return maps.match(pattern)?.length ?? 0;
}

const STORIES: Record<string, () => Promise<unknown[]>> = {
  async share() {
    await import("../../src/mirror_ring/mirror_ring.ts");
    const workers = [await start(), await start()];
    const seen = [await copies("vring"), await copies("vring-sentinel")];
    for (const worker of workers) worker.terminate();
    return seen;
  },

  async comeAndGo() {
    for (let i = 0; i < 10; i++) {
      const worker = await start();
      if (i % 2 === 0) worker.terminate();
      else worker.postMessage("end");
    }
    const { countFiles } = await import("../os/process_state.ts");
    await copies("vring"); // loads the library here too: from now on this thread's files are counted
    await until("the Workers are gone", () => countFiles("/memfd:") <= 2);
    return [await copies("vring"), await copies("vring-sentinel"), countFiles("/memfd:")];
  },

  async last() {
    const maps = () => Deno.readTextFileSync(MAPS).match(/ ..x. .* \/memfd:vring \(/g)?.length ?? 0;
    const before = maps();
    const worker = await start();
    const during = maps();
    worker.terminate();
    await until(
      "its sentinel is gone",
      () => !Deno.readTextFileSync(MAPS).includes("/memfd:vring-sentinel"),
    );
    const { MirrorRing } = await import("../../src/mirror_ring/mirror_ring.ts");
    using ring = new MirrorRing(1);
    const used = ring.write(Uint8Array.of(2, 7, 1)) === 3 ? "used" : "failed";
    return [before, during, maps(), used];
  },
};

console.log(JSON.stringify(await STORIES[Deno.args[0]!]!()));
