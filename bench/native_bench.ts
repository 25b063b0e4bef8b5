/**
 * The cost of a call of the native library, cheapest first: through the engine's fast path, to the
 * clock, into the kernel, and to a thread of the pool and back.
 *
 * @module
 */

import { Mapping } from "../src/memory/mapping.ts";
import { native } from "../src/native/load.ts";
import { pageSize } from "../src/os/page.ts";
import { interrupts } from "../src/os/futex.ts";

const memory = Mapping.anonymous(pageSize(), "a measurement");
const { vring_load64, vring_now, vring_uid, vring_stat, vring_futex_wake, futex_scan_async } =
  native();
const status = new Float64Array(7);
const group = "native call";

Deno.bench("no call: a function that does nothing", { group }, () => {});
Deno.bench("load of a word", { group, baseline: true }, () => {
  vring_load64(memory.address);
});
Deno.bench("load of a word, looked up with native()", { group }, () => {
  native().vring_load64(memory.address);
});
Deno.bench("the clock (vDSO)", { group }, () => {
  vring_now();
});
Deno.bench("a system call: geteuid", { group }, () => {
  vring_uid();
});
Deno.bench("a system call with a buffer: fstat of a bad fd", { group }, () => {
  vring_stat(-1, status);
});
Deno.bench("a system call: futex wake with nobody asleep", { group }, () => {
  vring_futex_wake(memory.address, 1, 1);
});

// One entry of a futex vector whose word is not as expected, so that the thread returns at once.
const entry = new DataView(memory.bytes.buffer, 64);
entry.setBigUint64(0, 1n, true);
entry.setBigUint64(8, BigInt(memory.address), true);
Deno.bench("a thread of the pool: a scan that ends at once", { group }, async () => {
  await futex_scan_async(memory.address + 64, 1, Infinity, 1e6, 0, interrupts());
});
