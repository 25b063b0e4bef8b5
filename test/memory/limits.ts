/**
 * Limits that a program sets for itself.
 *
 * @module
 */

const libc = Deno.dlopen("libc.so.6", {
  prlimit64: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
}).symbols;

/** Numbers of limits: bytes of a core dump, open files, bytes of addresses. */
const Limit = { core: 4, files: 7, addresses: 9 } as const;

/** Sets a limit that can be raised again. */
export function limit(what: keyof typeof Limit, value: number): void {
  const limits = new BigUint64Array(2); // the present one, and up to where it can be raised
  if (libc.prlimit64(0, Limit[what], null, limits) !== 0) throw new Error(`Cannot read ${what}`);
  limits[0] = value < Number(limits[1]) ? BigInt(value) : limits[1]!;
  if (libc.prlimit64(0, Limit[what], limits, null) !== 0) throw new Error(`Cannot limit ${what}`);
}
