/**
 * `deno task bench startup`: how long a program takes from its start to its first message, beside an
 * empty program and one that writes to a Unix socket. All run in turns.
 *
 * @module
 */

import { spsc } from "../mod.ts";
import { now } from "../src/os/clock.ts";
import { type Bar, printTable, time } from "./harness/report.ts";
import { quantile } from "./harness/rounds.ts";

const ROUNDS = 15;
const WARM_UP = 2; // until Deno has cached the code
const NAME = `startup-${Deno.pid}`;
const MOD = new URL("../mod.ts", import.meta.url);

/** A program, and the wait for what it does. */
interface Contender {
  readonly name: string;
  readonly code: string;
  /** Whether it runs from one file, made by `deno bundle`. */
  readonly isBundled?: boolean;
  /** Waits for the message; undefined if the program's end is what counts. */
  readonly message?: () => Promise<unknown>;
}

function contendersIn(folder: string, stack: DisposableStack): Contender[] {
  const path = `${folder}/socket`;
  const listener = stack.adopt(Deno.listen({ transport: "unix", path }), (open) => open.close());
  const consumer = stack.use(spsc(NAME).consumer({ onPeerGone: "wait" }));
  const toRing = {
    code: `import { spsc } from ${JSON.stringify(MOD)};
      spsc(${JSON.stringify(NAME)}).producer().trySend(new Uint8Array(64));`,
    message: () => consumer.receive({ timeout: 20e3 }),
  };
  return [
    { name: "an empty program", code: "" },
    {
      name: "a message to a Unix socket",
      code: `const to = await Deno.connect({ transport: "unix", path: ${JSON.stringify(path)} });
        await to.write(new Uint8Array(64));`,
      message: async () => {
        using from = await listener.accept();
        await from.read(new Uint8Array(64));
      },
    },
    { name: "vring imported", code: `import ${JSON.stringify(MOD)};` },
    { name: "a message to a ring", ...toRing },
    { name: "a message to a ring, bundled", ...toRing, isBundled: true },
  ];
}

/** Makes one file of a program and all that it imports, and returns its path. */
function bundled(module: string): string {
  const path = module.replace(/ts$/, "js");
  const args = ["bundle", "--platform", "deno", "--output", path, module];
  const { success, stderr } = new Deno.Command(Deno.execPath(), { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return path;
}

/** Nanoseconds from the start of the program to its message, or to its end. */
async function measure(module: string, message: Contender["message"]): Promise<number> {
  const args = ["run", "--no-check", "--allow-all", module];
  const begin = now();
  const child = new Deno.Command(Deno.execPath(), { args }).spawn();
  if (message === undefined) await child.status;
  else await message();
  const ns = now() - begin;
  await child.status;
  return ns;
}

/** Measures all in turns, and prints the quartiles. */
export async function measureStartup(): Promise<Bar[]> {
  using stack = new DisposableStack();
  const folder = stack.adopt(
    Deno.makeTempDirSync({ prefix: "vring-startup-" }),
    (folder) => Deno.removeSync(folder, { recursive: true }),
  );
  const contenders = contendersIn(folder, stack).map((contender, index) => {
    const module = `${folder}/${index}.ts`;
    Deno.writeTextFileSync(module, contender.code);
    return {
      ...contender,
      module: contender.isBundled ? bundled(module) : module,
      times: [] as number[],
    };
  });
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const { module, message, times } of contenders) {
      const ns = await measure(module, message);
      if (round >= WARM_UP) times.push(ns);
    }
  }
  const sorted = contenders.map(({ name, times }) => ({
    name,
    all: Float64Array.from(times).sort(),
  }));
  const empty = quantile(sorted[0]!.all, 0.5);
  printTable("lrrrr", [
    ["from the start of a program", "quarter", "median", "three quarters", "beyond empty"],
    ...sorted.map(({ name, all }) => [
      name,
      ...[0.25, 0.5, 0.75].map((part) => time(quantile(all, part))),
      time(Math.max(0, quantile(all, 0.5) - empty)),
    ]),
  ]);
  return [];
}
