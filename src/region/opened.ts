/**
 * A region's file, opened by its name, and the bytes that its members lock.
 *
 * @module
 */

import { check, Errno, LayoutMismatchError, OsError } from "../errors.ts";
import * as files from "../os/files.ts";
import { kindError, openError, otherKind } from "./access.ts";
import { LARGEST_DESCRIPTION, parseDescription, type RegionDescription } from "./description.ts";
import { parseHeader, REGION_HEADER, type RegionHeader } from "./header.ts";

/** The byte that every member holds for reading. */
export const MEMBER = 0;
/** The byte that a process locks while it removes the name. */
export const NAME = 1;
/** The byte of role 0; role k is k bytes further. */
export const FIRST_ROLE = 2;
/** The first of the bytes to count members by: each member holds a random one. */
export const FIRST_COUNT: number = 2 ** 32;
/** The number of bytes from {@linkcode FIRST_COUNT} on. */
export const COUNTS: number = 2 ** 40;

/** A file opened by its name, with its status at that time. */
export interface OpenFile extends Disposable {
  readonly fd: number;
  readonly status: files.FileStatus;
}

/** Identifies a file among all that exist, whatever its name. */
export function identityOf({ device, inode }: files.FileStatus): string {
  return `${device}:${inode}`;
}

/** Whether a path still leads to the file of this identity: it was not unlinked or replaced. */
export function isNameOf(path: string, identity: string): boolean {
  const named = files.statPath(path);
  return typeof named === "object" && identityOf(named) === identity;
}

/** Opens the file of this name if it is regular and trusted; undefined if none exists. */
export function openFile(
  path: string,
  what: string,
  options: { readOnly?: boolean | undefined; anyOwner?: boolean | undefined },
): OpenFile | undefined {
  const fd = files.open(path, options.readOnly ? 0 : files.Open.write);
  if (fd === -Errno.ENOENT) return undefined;
  const action = `open ${what}`;
  if (fd < 0) throw openError(-fd, path, { syscall: "openat", action });
  using stack = new DisposableStack();
  stack.defer(() => files.close(fd));
  const status = files.stat(fd);
  if (typeof status === "number") {
    throw new OsError(-status, { syscall: "fstat", action });
  }
  const kind = otherKind(status.mode);
  if (kind !== undefined) throw kindError(kind, path, action);
  const me = files.userId();
  if (status.uid !== me && status.uid !== 0 && !options.anyOwner) {
    const state = `it belongs to user ${status.uid}, and you are user ${me}`;
    const remedy = "pass anyOwner: true if you trust that user";
    throw new OsError(Errno.EACCES, { syscall: "fstat", action, state, remedy });
  }
  const opened = stack.move();
  return { fd, status, [Symbol.dispose]: () => opened.dispose() };
}

/** Reads the header without mapping it: a short file then ends the read and not the process. */
export function readHeader(fd: number, what: string): RegionHeader {
  const bytes = new Uint8Array(REGION_HEADER.size);
  const length = check(files.read(fd, bytes), { syscall: "read", action: `open ${what}` });
  const header = parseHeader(bytes.subarray(0, length));
  if (typeof header === "object") return header;
  throw new LayoutMismatchError(`Cannot open ${what}: ${header}; remove it or use another name`);
}

/** Reads the description of a region; undefined if it has none, or an invalid one. */
export function readDescription(fd: number, header: RegionHeader): RegionDescription | undefined {
  const { control_bytes, description_bytes } = header;
  if (description_bytes === 0 || description_bytes > LARGEST_DESCRIPTION) return undefined;
  const bytes = new Uint8Array(description_bytes);
  const length = files.read(fd, bytes, REGION_HEADER.size + control_bytes);
  const description = length === description_bytes ? parseDescription(bytes) : "";
  return typeof description === "string" ? undefined : description;
}
