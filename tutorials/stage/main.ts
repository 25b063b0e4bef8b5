/**
 * `deno task learn`: the course in a browser, or with `--term` in the terminal; `learn check` judges
 * all answers.
 *
 * @module
 */

import { judgeAll } from "./check_all.ts";
import { Stage } from "./server.ts";
import { playInTerminal } from "./terminal.ts";

const HELP = `deno task learn [--port N]       the course in a browser
deno task learn --term [N[/M]]   the course in this terminal, from chapter N, step M
deno task learn check [N...]     judges your answers to all exercises, or to these
deno task learn build [FOLDER]   static pages for any server: the recorded course, and
                                 the playground; into learn/ unless you pass another

Your answers are in tutorials/mine/, and your progress is too.
`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "--help" || command === "-h") {
    console.log(HELP);
    return 0;
  }
  if (command === "check") return await judgeAll(rest);
  if (command === "build") return await build(rest[0] ?? "learn");
  if (command === "--term") return await playInTerminal(rest[0]);
  if (command === undefined || command === "--port") return await serve(Number(rest[0] ?? 0));
  console.error(`Cannot learn with ${args.join(" ")}.\n\n${HELP}`);
  return 2;
}

/** Builds in another process, because the bundler needs more permissions than the stage. */
async function build(folder: string): Promise<number> {
  const builder = new URL("play/build.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--allow-all", builder, folder];
  return (await new Deno.Command("deno", { args }).spawn().status).code;
}

async function serve(port: number): Promise<number> {
  await using stage = new Stage({ port });
  console.log(`The course is at\n\n  ${stage.address}\n`);
  console.log("Open it in a browser on this machine. Ctrl-C ends it.");
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => resolve());
  }
  await promise;
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
