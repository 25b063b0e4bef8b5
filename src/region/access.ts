/**
 * The reasons why the kernel refuses to open or create a file of shared memory, and their remedies.
 *
 * @module
 */

import { type CallContext, check, Errno, LayoutMismatchError, OsError } from "../errors.ts";
import * as files from "../os/files.ts";
import { directoryOf } from "./names.ts";

const KINDS: Readonly<Record<number, string>> = {
  0o010000: "a FIFO",
  0o020000: "a device",
  0o040000: "a directory",
  0o060000: "a device",
  0o140000: "a socket",
};

/** Names the type of a file that cannot hold shared memory, such as `a socket`. */
export function otherKind(mode: number): string | undefined {
  return KINDS[mode & 0o170000];
}

/** Makes the error for a path that cannot be opened or created; `errno` is positive. */
export function openError(errno: number, path: string, context: CallContext): Error {
  const status = files.statPath(path);
  if (typeof status === "number") return makeError(errno, context, directoryOf(path)); // it does not exist
  const kind = otherKind(status.mode);
  if (kind !== undefined) return kindError(kind, path, context.action);
  if (errno === Errno.EROFS) {
    const state = `${directoryOf(path)} is read-only`;
    const remedy = "mount it with the right to write, or observe what is there";
    return new OsError(errno, { ...context, state, remedy });
  }
  if (errno !== Errno.EACCES) return new OsError(errno, context);
  const mode = `0o${(status.mode & 0o777).toString(8).padStart(3, "0")}`;
  const state = `${path} belongs to user ${status.uid} and its mode is ${mode}, and you are user ` +
    `${files.userId()}`;
  const remedy = "have its owner unlink it and make it with the option mode, such as mode: 0o666 " +
    "(to observe it, mode: 0o644 or the option group)";
  return new OsError(errno, { ...context, state, remedy });
}

/** Makes the error for a path that does not lead to a regular file. */
export function kindError(kind: string, path: string, action: string): LayoutMismatchError {
  return new LayoutMismatchError(
    `Cannot ${action}: ${path} is ${kind}, not a regular file; remove it or use another name`,
  );
}

/** Makes the error for a file that cannot be created in a directory; `errno` is positive. */
export function makeError(errno: number, context: CallContext, directory: string): OsError {
  const state = STATES[errno]?.(directory);
  if (state === undefined) return new OsError(errno, context);
  const remedy = `mount a tmpfs on ${directory} that you may write to; containers have an option ` +
    "for its size";
  return new OsError(errno, { ...context, state, remedy });
}

/** Sets the group of a new file, by number or name. */
export function giveToGroup(fd: number, group: string | number, action: string): void {
  const id = typeof group === "number" ? group : groupId(group);
  if (id === undefined) {
    throw new RangeError(
      `Cannot ${action}: /etc/group has no group "${group}"; pass the number of a group`,
    );
  }
  const result = files.setGroup(fd, id);
  const states: Record<number, string> = {
    [-Errno.EPERM]: `you may not give a file to group ${group}`,
    [-Errno.EINVAL]: `group ${group} does not exist in this user namespace`,
  };
  const state = states[result];
  const remedy = "pass a group that you belong to";
  check(result, { syscall: "fchown", action, ...(state !== undefined && { state, remedy }) });
}

/** Finds the number of a group: a line of /etc/group is `name:password:number:members`. */
function groupId(name: string): number | undefined {
  const bytes = files.readAll("/etc/group");
  if (typeof bytes === "number") return undefined;
  const lines = new TextDecoder().decode(bytes).split("\n").map((line) => line.split(":"));
  const found = lines.find(([first]) => first === name);
  return found?.[2] ? Number(found[2]) : undefined;
}

const STATES: Readonly<Record<number, (directory: string) => string>> = {
  [Errno.ENOENT]: (directory) => `there is no ${directory}`,
  [Errno.ENOTDIR]: (directory) => `${directory} is not a directory`,
  [Errno.EACCES]: (directory) => `you may not make files in ${directory}`,
  [Errno.EROFS]: (directory) => `${directory} is read-only`,
  [Errno.EISDIR]: (directory) => `${directory} is on a file system without unnamed files`,
  [Errno.EOPNOTSUPP]: (directory) => `${directory} is on a file system without unnamed files`,
};
