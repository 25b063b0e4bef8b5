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

/** Returns the name without a leading slash; throws a TypeError that says what is wrong with it. */
export function checkName(name: string, what = "a name"): string {
  const bare = typeof name === "string" && name.startsWith("/") ? name.slice(1) : name;
  const problem = nameProblem(bare);
  if (problem === undefined) return bare;
  throw new TypeError(`Cannot use ${inWords(name)} as ${what}: ${problem}`);
}

/**
 * Returns the path of a region's file; throws a TypeError that says what is wrong with the name.
 */
export function regionPath(kind: string, name: string): string {
  return `${DIRECTORY}/${PREFIX}${kind}.${checkName(name)}`;
}

/** Returns the path for a topic such as `/camera/front`, whose slashes are part of the name. */
export function topicPath(kind: string, topic: string, what = "a topic"): string {
  const problem = topicProblem(topic, what);
  if (problem !== undefined) {
    throw new TypeError(`Cannot use ${inWords(topic)} as ${what}: ${problem}`);
  }
  return `${DIRECTORY}/${PREFIX}${kind}.${topic.replaceAll("/", SLASH)}`;
}

/** Splits a file name into the region's type and name; returns undefined for other files. */
export function parseFileName(fileName: string): { kind: string; name: string } | undefined {
  const match = /^vring\.([a-z0-9_]+)\.([A-Za-z0-9._~-]+)$/.exec(fileName);
  if (match === null) return undefined;
  return { kind: match[1]!, name: match[2]!.replaceAll(SLASH, "/") };
}

function topicProblem(topic: string, what: string): string | undefined {
  if (typeof topic !== "string") return nameProblem(topic);
  if (topic.replaceAll("/", "") === "") return `${what} has a character that is not a slash`;
  return nameProblem(topic.replaceAll("/", "-"));
}

function nameProblem(name: string): string | undefined {
  if (typeof name !== "string") return "it is not a string; use 1 to 200 characters";
  if (name === "") return "it is empty; use 1 to 200 characters";
  if (name.length > LONGEST_NAME) return `it has ${name.length} characters; use at most 200`;
  if (name === "." || name === "..") return 'the names "." and ".." mean directories';
  const bad = /[^A-Za-z0-9._-]/u.exec(name);
  if (bad === null) return undefined;
  return `it contains ${JSON.stringify(bad[0])}; use letters, digits and . _ -`;
}
