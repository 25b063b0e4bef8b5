/**
 * The names of regions, and of the files that hold them: `/dev/shm/vring.<kind>.<name>`, or in another
 * directory that a definition states.
 *
 * @module
 */

import { inWords } from "../arguments.ts";

/** The tmpfs that every Linux system has for shared memory. */
export const DIRECTORY = "/dev/shm";

const LONGEST_NAME = 200;
const PREFIX = "vring.";

/** Replaces a slash within a topic. Names may not contain it, so the mapping is one to one. */
const SLASH = "~";

/** The prefix of every name that this isolate uses (testing/namespace.ts); empty without one. */
let prefix = "";

/** The directory of every name whose definition states none. */
let usual = DIRECTORY;

/** Sets the prefix of every name that is used from now on; "" removes it. */
export function usePrefix(next: string): void {
  prefix = next;
}

/** Sets the directory of every name whose definition states none. */
export function useDirectory(next: string = DIRECTORY): void {
  usual = withoutEnd(next);
}

/** Returns the directory of names whose definition states none. */
export function usualDirectory(): string {
  return usual;
}

/** Returns a valid name without a leading slash; throws a TypeError that says why it is invalid. */
export function checkName(name: string, what = "a name"): string {
  return checked(name, what, nameProblem);
}

/** Returns a name whose slashes are part of it, such as `camera/front`, without a leading slash. */
export function checkTopic(topic: string, what = "a topic"): string {
  return checked(topic, what, topicProblem);
}

/**
 * Returns the path of a region's file; throws a TypeError that says what is wrong with the name.
 */
export function regionPath(
  kind: string,
  name: string,
  what?: string,
  directory?: string,
): string {
  return pathInside(`${PREFIX}${kind}.${checkName(name, what)}`, directory);
}

/** Returns the name of a semaphore for the C library. */
export function semaphoreName(name: string): string {
  return prefix + checkName(name, "the name of a lock");
}

/** Returns the path for a topic such as `camera/front`, whose slashes are part of the name. */
export function topicPath(
  kind: string,
  topic: string,
  what = "a topic",
  directory?: string,
): string {
  const bare = checkTopic(topic, what).replaceAll("/", SLASH);
  return pathInside(`${PREFIX}${kind}.${bare}`, directory);
}

/** Returns the directory of a file. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Returns the name of a file in its directory. */
export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * Splits a file name into the region's type and name; returns undefined for other files. Within a
 * namespace these are all files but its own.
 */
export function parseFileName(fileName: string): { kind: string; name: string } | undefined {
  const match = /^vring\.([a-z0-9_]+)\.([A-Za-z0-9._~-]+)$/.exec(fileName);
  const [, kind, stored] = match ?? [];
  if (kind === undefined || !stored!.startsWith(prefix) || stored === prefix) return undefined;
  return { kind, name: stored!.slice(prefix.length).replaceAll(SLASH, "/") };
}

/** Returns the name of a region's file outside of the namespace, as a definition keeps it. */
export function fileOutside(path: string): string {
  const fileName = fileNameOf(path);
  const start = startOf(fileName);
  return fileName.startsWith(prefix, start)
    ? fileName.slice(0, start) + fileName.slice(start + prefix.length)
    : fileName;
}

/** Returns the path that a file name from `fileOutside` has in the namespace. */
export function pathInside(fileName: string, directory: string = usual): string {
  const start = startOf(fileName);
  return `${withoutEnd(directory)}/${fileName.slice(0, start)}${prefix}${fileName.slice(start)}`;
}

/** Returns the offset of the name in the name of a region's file. */
function startOf(fileName: string): number {
  return fileName.indexOf(".", PREFIX.length) + 1;
}

/** Returns a directory without slashes at its end. */
function withoutEnd(directory: string): string {
  return directory.replace(/\/+$/, "");
}

function checked(
  name: string,
  what: string,
  problemOf: (bare: string) => string | undefined,
): string {
  const bare = typeof name === "string" && name.startsWith("/") ? name.slice(1) : name;
  const problem = problemOf(bare);
  if (problem === undefined) return bare;
  throw new TypeError(`Cannot use ${inWords(name)} as ${what}: ${problem}`);
}

function topicProblem(topic: string): string | undefined {
  if (typeof topic !== "string" || topic === "") return nameProblem(topic);
  if (topic.startsWith("/") || topic.includes("//")) {
    return "it has two slashes in a row; write one between two parts";
  }
  if (topic.endsWith("/")) return "it ends with a slash; leave that out";
  if (topic.split("/").some(isDirectory)) return 'the parts "." and ".." mean directories';
  return nameProblem(topic.replaceAll("/", "-"));
}

function isDirectory(part: string): boolean {
  return part === "." || part === "..";
}

function nameProblem(name: string): string | undefined {
  if (typeof name !== "string") return "it is not a string; use 1 to 200 characters";
  if (name === "") return "it is empty; use 1 to 200 characters";
  if (name.length > LONGEST_NAME) return `it has ${name.length} characters; use at most 200`;
  if (isDirectory(name)) return 'the names "." and ".." mean directories';
  const bad = /[^A-Za-z0-9._-]/u.exec(name);
  if (bad === null) return undefined;
  if (bad[0] === "/") return 'it contains "/", and only topics and slots have parts; use . _ or -';
  return `it contains ${JSON.stringify(bad[0])}; use letters, digits and . _ -`;
}
