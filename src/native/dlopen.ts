/**
 * The only `dlopen`: it opens native libraries, and the C library that loads ours.
 *
 * @module
 */

import { OsError, VringError } from "../errors.ts";
import { cString } from "./c_string.ts";
import { SONAME } from "./prebuilt.ts";
import { LIBC_SYMBOLS } from "./symbols.ts";

/** The C functions of a library, by name. */
export type Functions = Readonly<Record<string, Deno.ForeignFunction>>;

/** Those functions, ready to call. */
export type Symbols<T extends Functions> = Deno.DynamicLibrary<T>["symbols"];

/** The few functions of the C library. */
export type Libc = Symbols<typeof LIBC_SYMBOLS>;

/** The purpose of all this, in messages. */
export const ACTION = "load the native library";
const RTLD_NOW = 2;

/** Opens a library whose functions are called by address: Deno compiles nothing for them. */
export function byAddress<T extends Functions>(path: string, functions: T): Symbols<T> {
  return callsOf(openLibrary(path, addressesOf(functions)), functions);
}

/** Asks for the addresses of functions. */
function addressesOf(functions: Functions): Record<string, Deno.ForeignStatic<"pointer">> {
  return Object.fromEntries(
    Object.keys(functions).map((name) => [name, { name, type: "pointer" }]),
  );
}

function callsOf<T extends Functions>(
  addresses: Readonly<Record<string, Deno.PointerValue>>,
  functions: T,
): Symbols<T> {
  const calls = Object.entries(functions).map(([name, definition]) => {
    const pointer = new Deno.UnsafeFnPointer(addresses[name] as never, definition);
    return [name, pointer.call.bind(pointer)];
  });
  return Object.fromEntries(calls);
}

function libcNames(): string[] {
  return ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];
}

/** Opens the C library. */
export function openLibc(): Libc {
  const functions = openFirst(libcNames(), LIBC_SYMBOLS);
  if (functions !== undefined) return functions;
  throw new VringError(
    `Cannot ${ACTION}: there is no C library (${libcNames().join(", ")}) for ${SONAME}`,
  );
}

/**
 * Opens the first of these libraries that exists. It is never unloaded, so the handle need not stay
 * open.
 */
function openFirst<T extends Functions>(
  names: readonly string[],
  functions: T,
): Symbols<T> | undefined {
  for (const name of names) {
    try {
      const library = Deno.dlopen(name, addressesOf(functions));
      library.close();
      return callsOf(library.symbols, functions);
    } catch {
      // try the next one
    }
  }
  return undefined;
}

/** Opens a library; throws an error that names it. */
export function openLibrary<T extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: T,
): Deno.DynamicLibrary<T>["symbols"] {
  try {
    return open(path, symbols);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    const which = path.startsWith("/proc/self/fd/") ? SONAME : path;
    throw new VringError(
      `Cannot ${ACTION}: dlopen was refused for ${which} (${why}); if this system forbids executable memory ` +
        "files, build the library and pass it to useLibrary()",
      { cause: error },
    );
  }
}

/** Whether another isolate of this process has loaded a library with this SONAME. */
export function isLoaded(soname: string): boolean {
  try {
    open(soname, {});
    return true;
  } catch {
    return false; // not loaded yet, and no file has this name
  }
}

/** The dlopen of the C library, or of libdl beside an older one. */
const LOADER_SYMBOLS = {
  // void *dlopen(const char *path, int flags)
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
} as const satisfies Functions;

/**
 * Loads a library. The test runner reports an open library as a leak of the test that used it
 * first. So there the C library counts one more user for ever, and Deno's handle is closed; the
 * functions last as long as the code is in memory. Elsewhere the handle stays open, because Deno
 * must unload the sentinel when the isolate ends. In the test runner, the sentinel of a test file
 * ends with the process.
 */
function open<T extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: T,
): Deno.DynamicLibrary<T>["symbols"] {
  const library = Deno.dlopen(path, symbols);
  if (isTestRunner()) {
    const loader = openFirst([...libcNames(), "libdl.so.2"], LOADER_SYMBOLS);
    const kept = loader?.dlopen(cString(path), RTLD_NOW) ?? null;
    if (kept !== null) library.close();
  }
  return library.symbols;
}

/** Elsewhere, and in Workers, `Deno.test` takes no arguments or does not exist. */
function isTestRunner(): boolean {
  return Deno.test?.length > 0;
}

/** Makes an error with the errno of the C library's call that has just failed. */
export function failed(libc: Libc, syscall: string, state: string): OsError {
  const errno = new Deno.UnsafePointerView(libc.__errno_location()!).getInt32();
  const remedy = "raise the limit of open files if it is reached; where the system allows no " +
    `memory files or has no /proc, build the library (${SONAME}) and pass it to useLibrary()`;
  return new OsError(errno, { syscall, action: ACTION, state, remedy });
}
