/**
 * Opens a run in the playground, in a process that serves it until Ctrl-C.
 *
 * @module
 */

const OPEN = new URL("../../tutorials/stage/play/open.ts", import.meta.url);

/** Opens an address, such as `#broken-unlooked/A.B*2.A*2`, and returns when the process ends. */
export async function openInPlayground(hash: string): Promise<void> {
  const args = ["run", "--quiet", "--allow-all", OPEN.pathname, hash];
  const child = new Deno.Command("deno", { args }).spawn();
  const stop = () => child.kill("SIGTERM");
  Deno.addSignalListener("SIGTERM", stop);
  Deno.addSignalListener("SIGINT", stop);
  await child.status;
  Deno.removeSignalListener("SIGTERM", stop);
  Deno.removeSignalListener("SIGINT", stop);
}
