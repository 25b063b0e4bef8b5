/**
 * A short run of the explorer over every scenario, in a process of its own, where the import map
 * puts its leaves in place of the real ones.
 */

import { assert } from "@std/assert";

const HERE = new URL("./explore/", import.meta.url);

/** What the explorer tells of a scenario; see main.ts. */
interface Told {
  readonly name: string;
  readonly expected: boolean;
  readonly result: string;
  readonly schedules: number;
  readonly states: number;
  readonly deaths: number;
  readonly exhausted: boolean;
  readonly finding?: {
    readonly message: string;
    readonly token: string;
    readonly trace: readonly string[];
  };
}

/** The lines that the explorer prints, one for each scenario, as they come. */
async function* told(options: readonly string[]): AsyncGenerator<Told> {
  const path = (name: string) => new URL(name, HERE).pathname;
  const args = ["run", "--check", "--import-map", path("import_map.json"), path("main.ts")];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, "--json", ...options],
    stdout: "piped",
  });
  await using explorer = command.spawn();
  let rest = "";
  for await (const text of explorer.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
  const { code } = await explorer.status;
  assert(code < 2, "the explorer itself failed");
}

function describe({ name, result, finding }: Told): string {
  if (finding === undefined) return `${name}: ${result}`;
  const { message, token, trace } = finding;
  return [`${name}: ${result}: ${message}`, ...trace, `--replay ${token}`].join("\n");
}

Deno.test("every scenario goes as it should, and all that is broken is found", async (t) => {
  let scenarios = 0;
  for await (const scenario of told(["--short"])) {
    const { name, expected, result, schedules, states, deaths } = scenario;
    const counts = `${schedules} runs, ${states} states, ${deaths} deaths`;
    await t.step(`${name}: ${result}, ${counts}`, () => assert(expected, describe(scenario)));
    scenarios++;
  }
  assert(scenarios > 30, `only ${scenarios} scenarios were explored`);
});
