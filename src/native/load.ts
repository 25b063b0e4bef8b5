/**
 * Loads the embedded library: writes it to a memfd, and loads it from there. So that needs only the
 * permission `--allow-ffi`, and no file on disk.
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
import { cString } from "./c_string.ts";
import {
  ACTION,
  byAddress,
  failed,
  type Functions,
  isLoaded,
  type Libc,
  openLibc,
  openLibrary,
  type Symbols,
} from "./dlopen.ts";
import { binariesFor, checkDeno, requestPermission } from "./platform.ts";
import { SONAME } from "./prebuilt.ts";
import {
  FUTEX_SYMBOLS,
  LIBRARY_SYMBOLS,
  NONBLOCKING,
  SENTINEL_SYMBOLS,
  WIDE_SYMBOLS,
  WORD_SYMBOLS,
} from "./symbols.ts";

type Library = Symbols<typeof LIBRARY_SYMBOLS>;
type Sentinel = Symbols<typeof SENTINEL_SYMBOLS>;

/** The calls that sleep on a thread of Deno's pool. */
interface Nonblocking {
  readonly futex_waitv_async: CallOf<(typeof NONBLOCKING)["vring_futex_waitv"]>;
  readonly futex_scan_async: CallOf<(typeof NONBLOCKING)["vring_futex_scan"]>;
}

type CallOf<T extends Deno.ForeignFunction> = Deno.UnsafeFnPointer<T>["call"];

/** The native functions, ready to call. */
export type Native = Library & Sentinel & Nonblocking;

const MFD_CLOEXEC = 1;

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
  return { ...openLibrary(loadedPath, functions) };
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

function load(files?: LibraryFiles): Native {
  checkDeno(globalThis.Deno?.version.deno);
  const binaries = binariesFor(Deno.build);
  requestPermission();
  const libc = openLibc();
  const path = files?.library ?? SONAME;
  const loaded = files !== undefined || isLoaded(SONAME);
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

function write(libc: Libc, fd: number, bytes: Uint8Array<ArrayBuffer>): void {
  const written = Number(libc.write(fd, bytes, BigInt(bytes.length)));
  if (written === bytes.length) return;
  throw failed(libc, "write", "the file that is to hold it cannot be filled");
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
