/**
 * The names of regions, and of the files that hold them: `/dev/shm/vring.<kind>.<name>`.
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

/** Sets the prefix of every name that is used from now on; "" removes it. */
export function usePrefix(next: string): void {
  prefix = next;
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
export function regionPath(kind: string, name: string, what?: string): string {
  return `${DIRECTORY}/${PREFIX}${kind}.${prefix}${checkName(name, what)}`;
}

/** Returns the name of a semaphore for the C library. */
export function semaphoreName(name: string): string {
  return prefix + checkName(name, "the name of a lock");
}

/** Returns the path for a topic such as `camera/front`, whose slashes are part of the name. */
export function topicPath(kind: string, topic: string, what = "a topic"): string {
  const bare = checkTopic(topic, what).replaceAll("/", SLASH);
  return `${DIRECTORY}/${PREFIX}${kind}.${prefix}${bare}`;
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

/** Returns the path of a region outside of the namespace, as a definition keeps it. */
export function pathOutside(path: string): string {
  const start = startOf(path);
  return path.startsWith(prefix, start)
    ? path.slice(0, start) + path.slice(start + prefix.length)
    : path;
}

/** Returns the path that a path from `pathOutside` has in the namespace. */
export function pathInside(path: string): string {
  const start = startOf(path);
  return prefix === "" ? path : path.slice(0, start) + prefix + path.slice(start);
}

/** Returns the offset of the name in the path of a region. */
function startOf(path: string): number {
  return path.indexOf(".", DIRECTORY.length + 1 + PREFIX.length) + 1;
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
