/**
 * `deno task learn`: the course in a browser, or with `--term` in the terminal; `learn check` judges
 * all answers.
 *
 * @module
 */

import { judgeAll } from "./check_all.ts";
import { Stage } from "./server.ts";
import { playInTerminal } from "./terminal.ts";
import { Workshop } from "./workshop.ts";

const HELP = `deno task learn [--port N]       the course in a browser
deno task learn --term [N[/M]]   the course in this terminal, from chapter N, step M
deno task learn --term 8/first   one of the terminals of a chapter that has several
deno task learn check [N...]     judges your answers to all exercises, or to these
deno task learn build [FOLDER]   static pages for any server: the recorded course, and
                                 the playground; into learn/ unless you pass another

In the terminal, the last line shows the keys. The arrow keys step, and turn pages. g goes to a step,
r runs a recorded one again, and t explains the terms. d lets a party of an interleaving die, and s
stops, continues or kills the process of a card. q leaves.

Your answers are in tutorials/mine/, and your progress is too. With --mine NAME, they are in a folder
of this name in it, for a second reader.
`;

async function main(given: readonly string[]): Promise<number> {
  const [args, workshop] = workshopIn(given);
  const [command, ...rest] = args;
  if (command === "--help" || command === "-h") {
    console.log(HELP);
    return 0;
  }
  if (command === "check") return await judgeAll(rest, workshop());
  if (command === "build") return await build(rest[0] ?? "learn");
  if (command === "--term") return await playInTerminal(rest[0], workshop());
  if (command === undefined || command === "--port") {
    const port = Number(rest[0] ?? 0);
    if (Number.isInteger(port) && port >= 0 && port < 65536) return await serve(port, workshop());
  }
  console.error(`Cannot learn with ${args.join(" ")}.\n\n${HELP}`);
  return 2;
}

/** Builds in another process, because the bundler needs more permissions than the stage. */
async function build(folder: string): Promise<number> {
  const builder = new URL("play/build.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--allow-all", builder, folder];
  return (await new Deno.Command("deno", { args }).spawn().status).code;
}

/** Takes `--mine NAME` out of the arguments, and opens that workshop when it is needed. */
function workshopIn(args: readonly string[]): [rest: readonly string[], open: () => Workshop] {
  const at = args.indexOf("--mine");
  const name = args[at + 1] ?? "";
  if (at === -1 || !/^[\w-]+$/.test(name)) return [args, () => new Workshop()];
  const folder = new URL(`../mine/${name}/`, import.meta.url);
  return [args.toSpliced(at, 2), () => new Workshop(folder)];
}

async function serve(port: number, workshop: Workshop): Promise<number> {
  await using stage = new Stage({ port, workshop });
  console.log(`The course is at\n\n  ${stage.address}\n`);
  console.log("Open it in a browser on this machine. Ctrl-C ends it.");
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => resolve());
  }
  await promise;
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
