/**
 * The only `dlopen`. The embedded library is written to a memfd and loaded from there, so that the
 * only permission needed is `--allow-ffi` and nothing is ever on disk.
 *
 * One copy of the library serves every isolate of the process: the second one finds it by its
 * SONAME. Its memfd stays open for ever, because the C library remembers loaded files by path, and
 * `/proc/self/fd/5` would otherwise name two different libraries in turn. The sentinel is loaded
 * once per isolate (see native/sentinel.c).
 *
 * Loading happens at import if the permission is already granted, so that tests with resource
 * sanitizers do not see it as theirs; otherwise at first use, where a failure can be caught.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { PREBUILT, SONAME } from "./prebuilt.ts";
import { LIBC_SYMBOLS, LIBRARY_SYMBOLS, SENTINEL_SYMBOLS } from "./symbols.ts";

type Symbols<T extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<T>["symbols"];

/** The native functions, ready to call. */
export type Native = Symbols<typeof LIBRARY_SYMBOLS> & Symbols<typeof SENTINEL_SYMBOLS>;

/** The processor and system that code runs on, as `Deno.build` tells them. */
export interface Platform {
  /** The operating system, such as `linux`. */
  os: string;
  /** The processor, such as `x86_64`. */
  arch: string;
}

const MFD_CLOEXEC = 1;

let loaded: Native | undefined;
let used = false;

/** The native functions; loads them first if that has not happened yet. */
export function native(): Native {
  used = true;
  return loaded ??= load();
}

/** Files to load instead of the embedded libraries. */
export interface LibraryFiles {
  /** The path of a library built from `native/vring.c`. */
  library: string;
  /** The path of a sentinel built from `native/sentinel.c`; the embedded one if absent. */
  sentinel?: string;
}

/**
 * Loads native libraries that you built yourself instead of the embedded ones. Call it before
 * anything else of this package is used.
 *
 * @example Use your own build
 * ```ts ignore
 * import { useLibrary } from "@vring/vring";
 *
 * useLibrary({ library: "/opt/vring/libvring.so" });
 * ```
 *
 * @param files Where your builds are.
 */
export function useLibrary(files: LibraryFiles): void {
  if (used) {
    throw new VringError(
      "Cannot use another native library: the embedded one is already in use; call it earlier",
    );
  }
  loaded = load(files);
  used = true;
}

/** The embedded binaries for a platform; an error that names it if there are none. */
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

function load(files?: LibraryFiles): Native {
  const binaries = binariesFor(Deno.build);
  const library = files !== undefined
    ? dlopen(files.library, LIBRARY_SYMBOLS)
    : alreadyLoaded() ?? fromMemory("vring", binaries.library, LIBRARY_SYMBOLS).symbols;
  const sentinel = files?.sentinel === undefined
    ? fromMemory("vring-sentinel", binaries.sentinel, SENTINEL_SYMBOLS)
    : fromMemory("vring-sentinel", readFile(library, files.sentinel), SENTINEL_SYMBOLS);
  sentinel.symbols.sentinel_adopt(sentinel.fd);
  return { ...library, ...sentinel.symbols };
}

/** The library if another isolate of this process has loaded it. */
function alreadyLoaded(): Symbols<typeof LIBRARY_SYMBOLS> | undefined {
  try {
    return Deno.dlopen(SONAME, LIBRARY_SYMBOLS).symbols;
  } catch (error) {
    if (isDenied(error)) throw explain(error);
    return undefined; // not loaded yet: there is no file of this name
  }
}

function fromMemory<T extends Deno.ForeignLibraryInterface>(
  name: string,
  image: string | Uint8Array<ArrayBuffer>,
  symbols: T,
): { symbols: Symbols<T>; fd: number } {
  const bytes = typeof image === "string" ? Uint8Array.fromBase64(image) : image;
  const libc = openLibc();
  const fd = libc.memfd_create(new TextEncoder().encode(`${name}\0`), MFD_CLOEXEC);
  try {
    if (fd < 0 || Number(libc.write(fd, bytes, BigInt(bytes.length))) !== bytes.length) {
      throw new VringError(
        "Cannot load the native library: the kernel gives no memfd to hold it; " +
          "raise the limit of open files, or build the library and pass it to useLibrary()",
      );
    }
    return { symbols: dlopen(`/proc/self/fd/${fd}`, symbols), fd };
  } catch (error) {
    libc.close(fd); // what was not loaded is not remembered either
    throw error;
  }
}

function openLibc(): Symbols<typeof LIBC_SYMBOLS> {
  const names = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];
  let failure: unknown;
  for (const name of names) {
    try {
      return Deno.dlopen(name, LIBC_SYMBOLS).symbols;
    } catch (error) {
      failure ??= error;
    }
  }
  throw explain(failure);
}

function dlopen<T extends Deno.ForeignLibraryInterface>(path: string, symbols: T): Symbols<T> {
  try {
    return Deno.dlopen(path, symbols).symbols;
  } catch (error) {
    throw explain(error);
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
}

function explain(error: unknown): VringError {
  const why = isDenied(error)
    ? "the permission to call native code is missing; run with --allow-ffi (without a path)"
    : `dlopen was refused (${error instanceof Error ? error.message : error}); if this system ` +
      "forbids executable memory files, build the library and pass it to useLibrary()";
  return new VringError(`Cannot load the native library: ${why}`, { cause: error });
}

/** A file's bytes, read with the library that is already there: no read permission is needed. */
function readFile(library: Symbols<typeof LIBRARY_SYMBOLS>, path: string) {
  const OPEN_FOLLOW = 8;
  const fd = library.vring_open(new TextEncoder().encode(`${path}\0`), OPEN_FOLLOW, 0);
  const bytes = new Uint8Array(1 << 20);
  const length = fd < 0 ? fd : library.vring_read(fd, bytes, bytes.length, 0);
  if (fd >= 0) library.vring_close(fd);
  if (length > 0) return bytes.slice(0, length);
  throw new VringError(`Cannot load the native library: "${path}" cannot be read (${length})`);
}

function loadEarly(): void {
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted" || Deno.build.os !== "linux") return;
  try {
    loaded = load();
  } catch {
    // The first use fails in the same way, where the caller can catch it.
  }
}

loadEarly();
