/**
 * Whether the native library can run here: the system, the processor, the version of Deno, and the
 * permission.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { ACTION } from "./dlopen.ts";
import { PREBUILT } from "./prebuilt.ts";

/** The processor and the system, as in `Deno.build`. */
export interface Platform {
  /** The operating system, such as `linux`. */
  os: string;
  /** The processor, such as `x86_64`. */
  arch: string;
}

/** The oldest Deno that has everything the package uses. */
export const OLDEST_DENO = "2.5.0";

/**
 * Returns the embedded binaries for a platform; throws an error that names it if it is unsupported.
 */
export function binariesFor(platform: Platform): (typeof PREBUILT)["x86_64"] {
  const { os, arch } = platform;
  if (os !== "linux") {
    throw new VringError(
      `Cannot load the native library: this system is ${os}, and shared memory, futexes and ` +
        "record locks are used as Linux has them; run it on Linux",
    );
  }
  if (!Object.hasOwn(PREBUILT, arch)) {
    throw new VringError(
      `Cannot load the native library: this processor is ${arch}, and x86_64 and aarch64 are ` +
        "supported; run it on one of them",
    );
  }
  return PREBUILT[arch as keyof typeof PREBUILT];
}

/**
 * Throws unless this version of Deno is new enough; undefined means a runtime without Deno.
 */
export function checkDeno(version: string | undefined): void {
  if (version === undefined) {
    throw new VringError(
      `Cannot ${ACTION}: this program runs without Deno; run it with Deno ${OLDEST_DENO} or newer ` +
        "on Linux, with --allow-ffi",
    );
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_DENO.split(".").map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new VringError(
    `Cannot ${ACTION}: this is Deno ${version}, and ${OLDEST_DENO} is the oldest that works; ` +
      "run deno upgrade",
  );
}

/**
 * Requests the FFI permission without a path, once. The prompt of `dlopen` would ask for one path,
 * as written and not as the C library finds it. Permission for one path gives no access to memory
 * by address.
 */
export function requestPermission(): void {
  if (Deno.permissions.requestSync({ name: "ffi" }).state === "granted") return;
  throw new VringError(
    `Cannot ${ACTION}: the permission to call native code is missing; run with --allow-ffi, ` +
      "without a path",
  );
}
