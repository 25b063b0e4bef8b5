/**
 * The program of a {@linkcode Party} in namespaces of its own.
 *
 * @module
 */

import * as vring from "../../mod.ts";
import { becomeUser } from "../shared/become_user.ts";
import { serve } from "../shared/serve_child.ts";

const TOOLS = {
  ...vring,
  becomeUser,
  errorOf,
  mount,
  /** The handles that stay open between two functions. */
  kept: new Map<string, unknown>(),
};

export type Tools = typeof TOOLS;

/** Returns the error that the call throws. */
function errorOf(call: () => unknown): string {
  try {
    return `no error, but ${call()}`;
  } catch (error) {
    return `${error}`;
  }
}

/** Runs `mount` in the namespaces of this process. */
function mount(...args: string[]): void {
  const { success, stderr } = new Deno.Command("mount", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

await serve(TOOLS);
