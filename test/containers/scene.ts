/**
 * The common parts of the tests with namespaces.
 *
 * @module
 */

import { processTests } from "../shared/processes.ts";
import type { Tools } from "./child.ts";

const CHILD = new URL("./child.ts", import.meta.url);
const { test, startProcess } = processTests<Tools>(CHILD, "containers");

export { startProcess };

/** The arguments of `unshare` for a process that has the number 1, in a /proc of its own. */
export const PID_NAMESPACE = ["--pid", "--fork", "--kill-child", "--mount-proc"];

/** The arguments of `unshare` for a process that is root, but only within its namespace. */
export const USER_NAMESPACE = ["--user", "--map-root-user"];

/** Registers a test that needs these namespaces; where they are refused, it says so and is skipped. */
export function namespaceTest(
  name: string,
  namespaces: readonly string[],
  fn: () => Promise<void>,
): void {
  test(name, fn, whyNot(namespaces));
}

function whyNot(namespaces: readonly string[]): string | undefined {
  if (Deno.uid() !== 0) return "they need root";
  try {
    const { success, stderr } = new Deno.Command("unshare", { args: [...namespaces, "--", "true"] })
      .outputSync();
    if (success) return undefined;
    return `unshare ${namespaces.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`;
  } catch (error) {
    return `unshare cannot be run: ${error}`;
  }
}

let serial = 0;

/** A name that no other test uses; its files in /dev/shm are gone after the test. */
export class Name implements Disposable {
  readonly name: string = `containers-${Deno.pid}-${++serial}`;

  [Symbol.dispose](): void {
    for (const { name } of Deno.readDirSync("/dev/shm")) {
      if (name.includes(this.name)) Deno.removeSync(`/dev/shm/${name}`);
    }
  }
}
