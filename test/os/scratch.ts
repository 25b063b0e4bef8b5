/**
 * Files that a test makes and that are gone after it.
 *
 * @module
 */

import * as files from "../../src/os/files.ts";

/** A file of zeros in shared memory, with a name of its own. */
export class ScratchFile implements Disposable {
  /** Where it is. */
  readonly path: string;

  /** Makes a file of this many bytes. */
  constructor(sizeBytes: number) {
    this.path = Deno.makeTempFileSync({ dir: "/dev/shm", prefix: "scratch-" });
    Deno.truncateSync(this.path, sizeBytes);
  }

  /** Removes the file. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

/** An fd of this process that is closed after use. */
export class ScratchFd implements Disposable {
  /** The number. */
  readonly fd: number;

  private constructor(fd: number) {
    if (fd < 0) throw new Error(`No fd: ${fd}`);
    this.fd = fd;
  }

  /** A file that is only memory, of this many zeros. */
  static memory(sizeBytes: number): ScratchFd {
    const scratch = new ScratchFd(files.memfd("scratch"));
    const result = files.truncate(scratch.fd, sizeBytes);
    if (result < 0) throw new Error(`Cannot size the file: ${result}`);
    return scratch;
  }

  /** A file opened by its path. */
  static open(path: string, flags: number, mode?: number): ScratchFd {
    return new ScratchFd(files.open(path, flags, mode));
  }

  /** Closes the fd. */
  [Symbol.dispose](): void {
    files.close(this.fd);
  }
}
