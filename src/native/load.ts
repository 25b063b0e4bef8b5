/**
 * The only `dlopen`. It writes the embedded library to a memfd and loads it from there. So it needs
 * only the permission `--allow-ffi`, and no file on disk.
 *
 * One copy of the library serves every isolate of the process: the second one finds it by its
 * SONAME. Its memfd stays open for ever, because the C library remembers loaded files by path, and
 * `/proc/self/fd/5` would otherwise name two different libraries in turn. The sentinel is loaded
 * once per isolate, always from a file of its own (see native/sentinel.c).
 *
 * Importing the module loads no library and does not read `Deno`; the first use does. So it can be
 * bundled for a runtime without Deno, and every failure reaches a caller that can catch it.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { OsError, VringError } from "../errors.ts";
import { PREBUILT, SONAME } from "./prebuilt.ts";
import {
  FUTEX_SYMBOLS,
  LIBC_SYMBOLS,
  LIBRARY_SYMBOLS,
  NONBLOCKING,
  SENTINEL_SYMBOLS,
  WIDE_SYMBOLS,
  WORD_SYMBOLS,
} from "./symbols.ts";

/** The C functions of a library, by name. */
type Functions = Readonly<Record<string, Deno.ForeignFunction>>;

type Symbols<T extends Functions> = Deno.DynamicLibrary<T>["symbols"];

type Library = Symbols<typeof LIBRARY_SYMBOLS>;
type Sentinel = Symbols<typeof SENTINEL_SYMBOLS>;

type Libc = Symbols<typeof LIBC_SYMBOLS>;

/** The calls that sleep on a thread of Deno's pool. */
interface Nonblocking {
  readonly futex_waitv_async: CallOf<(typeof NONBLOCKING)["vring_futex_waitv"]>;
  readonly futex_scan_async: CallOf<(typeof NONBLOCKING)["vring_futex_scan"]>;
}

type CallOf<T extends Deno.ForeignFunction> = Deno.UnsafeFnPointer<T>["call"];

/** The native functions, ready to call. */
export type Native = Library & Sentinel & Nonblocking;

/** The processor and the system, as in `Deno.build`. */
export interface Platform {
  /** The operating system, such as `linux`. */
  os: string;
  /** The processor, such as `x86_64`. */
  arch: string;
}

/** The oldest Deno that has everything the package uses. */
export const OLDEST_DENO = "2.5.0";

const ACTION = "load the native library";
const MFD_CLOEXEC = 1;
const RTLD_NOW = 2;

let loaded: Native | undefined;

/** Returns the native functions; loads them at the first call. */
export function native(): Native {
  return loaded ??= load();
}

// A call is compiled into its caller only if the caller has never seen another function there. So
// each group is opened before the first call, and not replaced later.

let words: Symbols<typeof WORD_SYMBOLS> | undefined;
let wide: Symbols<typeof WIDE_SYMBOLS> | undefined;
let futexes: Symbols<typeof FUTEX_SYMBOLS> | undefined;

/** Returns the functions that every hot operation calls, for direct calls. */
export function directWords(): Symbols<typeof WORD_SYMBOLS> {
  return words ??= direct(WORD_SYMBOLS);
}

/** Returns the functions of words of 64 bits, for direct calls. */
export function directWide(): Symbols<typeof WIDE_SYMBOLS> {
  return wide ??= direct(WIDE_SYMBOLS);
}

/** Returns the functions of sleeping and waking, for direct calls. */
export function directFutexes(): Symbols<typeof FUTEX_SYMBOLS> {
  return futexes ??= direct(FUTEX_SYMBOLS);
}

let loadedPath: string; // once native() was called

function direct<T extends Functions>(functions: T): Symbols<T> {
  native();
  return { ...dlopen(loadedPath, functions) };
}

/** Files to load instead of the embedded libraries. */
export interface LibraryFiles {
  /** The path of a library built from `native/vring.c`. */
  library: string;
  /** The path of a sentinel built from `native/sentinel.c`; the embedded one by default. */
  sentinel?: string | undefined;
}

/**
 * Loads native libraries that you built yourself instead of the embedded ones. Call it before any
 * other use of this package, in every Worker too. It also works where the system forbids memory
 * files (`memfd_create`), which the embedded libraries need. The sentinel is then loaded from a
 * temporary file.
 *
 * @example Use your own build
 * ```ts ignore
 * import { useLibrary } from "@vring/vring";
 *
 * useLibrary({ library: "/opt/vring/libvring.so" });
 * ```
 *
 * @param files The paths of your builds.
 */
export function useLibrary(files: LibraryFiles): void {
  const paths = checkedFiles(files);
  if (loaded !== undefined) {
    throw new VringError(
      "Cannot use another native library: the embedded one is already in use; call it earlier",
    );
  }
  loaded = load(paths);
}

/** Returns the paths, each read once; throws unless they are paths. */
function checkedFiles(files: LibraryFiles): LibraryFiles {
  const { library, sentinel } = Object(files) as LibraryFiles;
  for (const [name, path] of Object.entries({ library, sentinel })) {
    if (typeof path === "string" || name === "sentinel" && path === undefined) continue;
    throw new TypeError(
      `Cannot use another native library: the path of the ${name} is ${
        inWords(path)
      }; pass a string`,
    );
  }
  return sentinel === undefined ? { library } : { library, sentinel };
}

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

function load(files?: LibraryFiles): Native {
  checkDeno(globalThis.Deno?.version.deno);
  const binaries = binariesFor(Deno.build);
  requestPermission();
  const libc = openLibc();
  const path = files?.library ?? SONAME;
  const loaded = files !== undefined || isLoaded();
  const library = loaded
    ? byAddress(path, LIBRARY_SYMBOLS)
    : fromMemory(libc, "vring", decode(binaries.library), LIBRARY_SYMBOLS).symbols;
  const sentinel = loadSentinel(
    libc,
    files,
    files?.sentinel === undefined ? decode(binaries.sentinel) : readFile(library, files.sentinel),
  );
  sentinel.sentinel_connect(library.vring_isolate_ended());
  const { vring_futex_waitv, vring_futex_scan } = byAddress(path, NONBLOCKING);
  loadedPath = path;
  return {
    ...library,
    ...sentinel,
    futex_waitv_async: vring_futex_waitv,
    futex_scan_async: vring_futex_scan,
  };
}

/** Opens a library whose functions are called by address: Deno compiles nothing for them. */
function byAddress<T extends Functions>(path: string, functions: T): Symbols<T> {
  return callsOf(dlopen(path, addressesOf(functions)), functions);
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

/**
 * Requests the FFI permission without a path, once. The prompt of `dlopen` would ask for one path,
 * as written and not as the C library finds it. Permission for one path gives no access to memory
 * by address.
 */
function requestPermission(): void {
  if (Deno.permissions.requestSync({ name: "ffi" }).state === "granted") return;
  throw new VringError(
    `Cannot ${ACTION}: the permission to call native code is missing; run with --allow-ffi, ` +
      "without a path",
  );
}

/** Whether another isolate of this process has loaded the library. */
function isLoaded(): boolean {
  try {
    open(SONAME, {});
    return true;
  } catch {
    return false; // not loaded yet, and no file has this name
  }
}

/** Loads the sentinel from a file that no other isolate has loaded: each has a list of its own. */
function loadSentinel(
  libc: Libc,
  files: LibraryFiles | undefined,
  image: Uint8Array<ArrayBuffer>,
): Sentinel {
  try {
    const { symbols, fd } = fromMemory(libc, "vring-sentinel", image, SENTINEL_SYMBOLS);
    symbols.sentinel_adopt(fd);
    return symbols;
  } catch (error) {
    if (files === undefined || !(error instanceof OsError)) throw error;
    const path = files.sentinel ?? files.library;
    const directory = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
    return fromFile(libc, [directory, "/tmp", "/dev/shm"], image);
  }
}

/** Loads an image from a memfd, which stays open. */
function fromMemory<T extends Functions>(
  libc: Libc,
  name: string,
  image: Uint8Array<ArrayBuffer>,
  symbols: T,
): { symbols: Symbols<T>; fd: number } {
  const fd = libc.memfd_create(cString(name), MFD_CLOEXEC);
  if (fd < 0) throw failed(libc, "memfd_create", "the kernel gives no memory file to hold it");
  try {
    write(libc, fd, image);
    const path = `/proc/self/fd/${fd}`;
    if (libc.access(cString(path), 0) < 0) throw failed(libc, "access", `${path} is not there`);
    return { symbols: byAddress(path, symbols), fd };
  } catch (error) {
    libc.close(fd); // the C library remembers only loaded files
    throw error;
  }
}

/** Loads a sentinel from a new file, in the first directory where that works. */
function fromFile(
  libc: Libc,
  directories: readonly string[],
  image: Uint8Array<ArrayBuffer>,
): Sentinel {
  let problem: unknown;
  for (const directory of directories) {
    const path = cString(`${directory}/vring-sentinel-XXXXXX`);
    const fd = libc.mkstemp(path); // puts the chosen name into `path`
    if (fd < 0) {
      problem ??= failed(libc, "mkstemp", `no file can be made in ${directory}`);
      continue;
    }
    try {
      write(libc, fd, image);
      return byAddress(new TextDecoder().decode(path.subarray(0, -1)), SENTINEL_SYMBOLS);
    } catch (error) {
      problem ??= error;
    } finally {
      libc.unlink(path);
      libc.close(fd);
    }
  }
  throw problem;
}

function decode(image: string): Uint8Array<ArrayBuffer> {
  // Deno 2.5 has no type for it.
  const { fromBase64 } = Uint8Array as unknown as {
    fromBase64(text: string): Uint8Array<ArrayBuffer>;
  };
  return fromBase64.call(Uint8Array, image);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

function write(libc: Libc, fd: number, bytes: Uint8Array<ArrayBuffer>): void {
  const written = Number(libc.write(fd, bytes, BigInt(bytes.length)));
  if (written === bytes.length) return;
  throw failed(libc, "write", "the file that is to hold it cannot be filled");
}

/** Makes an error with the errno of the C library's call that has just failed. */
function failed(libc: Libc, syscall: string, state: string): OsError {
  const errno = new Deno.UnsafePointerView(libc.__errno_location()!).getInt32();
  const remedy = "raise the limit of open files if it is reached; where the system allows no " +
    `memory files or has no /proc, build the library (${SONAME}) and pass it to useLibrary()`;
  return new OsError(errno, { syscall, action: ACTION, state, remedy });
}

function libcNames(): string[] {
  return ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];
}

function openLibc(): Libc {
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

function dlopen<T extends Deno.ForeignLibraryInterface>(
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

/** Reads a file through the library, which needs no read permission. */
function readFile(library: Library, path: string): Uint8Array<ArrayBuffer> {
  const OPEN_FOLLOW = 8;
  const fd = library.vring_open(cString(path), OPEN_FOLLOW, 0);
  const bytes = new Uint8Array(1 << 20);
  const length = fd < 0 ? fd : library.vring_read(fd, bytes, bytes.length, 0);
  if (fd >= 0) library.vring_close(fd);
  if (length >= 0) return bytes.slice(0, length);
  const state = `"${path}" cannot be read`;
  throw new OsError(-length, { syscall: "read", action: ACTION, state });
}
