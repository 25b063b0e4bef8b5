/**
 * Becoming another user, in a process that began as root.
 *
 * @module
 */

/**
 * Gives up root for good, as a member of these groups besides its own. The process stays one that
 * may look into its own /proc entry.
 */
export function becomeUser(id: number, groups: readonly number[] = []): void {
  const libc = Deno.dlopen("libc.so.6", {
    setgroups: { parameters: ["usize", "buffer"], result: "i32" },
    setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
    setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
    prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  }).symbols;
  const PR_SET_DUMPABLE = 4;
  const failed = libc.setgroups(BigInt(groups.length), new Uint32Array(groups)) ||
    libc.setresgid(id, id, id) ||
    libc.setresuid(id, id, id) || libc.prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n);
  if (failed !== 0) throw new Error(`Cannot become user ${id}`);
}
