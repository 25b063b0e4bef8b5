/**
 * Serves the course on this machine until Ctrl-C, and opens an address of its playground in a
 * browser: `deno run --allow-all tutorials/stage/play/open.ts '#broken-unlooked/A.B*2.A*2'`.
 *
 * @module
 */

import { Stage } from "../server.ts";

/** Starts the reader's browser; without one, the printed address has to do. */
async function openBrowser(address: string): Promise<void> {
  const command = Deno.env.get("BROWSER") ?? "xdg-open";
  try {
    const { success } = await new Deno.Command(command, {
      args: [address],
      stdout: "null",
      stderr: "null",
    }).output();
    if (success) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.log(`Open it yourself: ${command} cannot.`);
}

async function main(hash: string): Promise<void> {
  const ended = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => ended.resolve());
  }
  await using stage = new Stage();
  const address = stage.addressOf(`/play/${hash}`);
  console.log(`${address}\nCtrl-C ends the playground.`);
  await openBrowser(address);
  await ended.promise;
}

if (import.meta.main) {
  await main(Deno.args[0] ?? "");
  Deno.exit(); // signal listeners would keep it alive
}
