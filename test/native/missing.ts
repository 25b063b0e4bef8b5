/**
 * What a machine may lack, and a test goes without.
 *
 * @module
 */

/** Whether a program is not installed; tells so. */
export function isMissing(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null" }).outputSync();
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.warn(`not tested: ${program} is not installed`);
    return true;
  }
}
