/**
 * The subjects of a bridge: names of vring as names of NATS, one to one.
 *
 * A subject of NATS is a list of tokens between dots. A token must not be empty, contain a space or
 * a control character, or be a wildcard, and servers keep names that begin with `$` for themselves.
 * Each part of a vring name becomes one token. Letters, digits, `_` and `-` stand for themselves.
 * Every other byte of its UTF-8 becomes `%` and two capital hexadecimal digits, and the empty part
 * is a `%` alone.
 *
 * ```
 *   topic imu of host a in realm lab          vring.v1.lab.a.imu
 *   topic cam/left of host rig.1              vring.v1.lab.rig%2E1.cam.left
 *   slot robot/speed of host a                vring.v1-slot.lab.a.robot.speed
 * ```
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { VringError } from "../errors.ts";

/** The kinds of traffic, each under a root of its own: names of different kinds never meet. */
export const ROOTS = {
  topic: "vring.v1",
  kept: "vring.v1-kept",
  slot: "vring.v1-slot",
  mpsc: "vring.v1-mpsc",
  calls: "vring.v1-calls",
  call: "vring.v1-call",
  bridge: "vring.v1-bridge",
} as const;

/** A kind of traffic. */
export type Kind = keyof typeof ROOTS;

/** The parts of a subject. */
export interface Place {
  readonly realm: string;
  readonly host: string;
  /** The name of the topic or slot, with slashes between its parts. */
  readonly name: string;
}

/**
 * The longest subject. Servers read protocol lines of up to 4,096 bytes, which also hold the name of
 * the command, the subject for an answer and two lengths.
 */
export const SUBJECT_MAX = 3840;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes one part of a name as a token. */
export function tokenOf(part: string): string {
  if (part === "") return "%";
  if (/^[A-Za-z0-9_-]+$/.test(part)) return part;
  if (!part.isWellFormed()) {
    throw new TypeError(`Cannot use ${inWords(part)} in a subject: half of a character is missing`);
  }
  return Array.from(encoder.encode(part), (byte) => {
    const sign = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(sign) ? sign : `%${hexOf(byte)}`;
  }).join("");
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

/** Returns the part that a token encodes; undefined if `tokenOf` makes no such token. */
export function partOf(token: string): string | undefined {
  if (token === "%") return "";
  if (/^[A-Za-z0-9_-]+$/.test(token)) return token;
  if (!/^([A-Za-z0-9_-]|%[0-9A-F]{2})+$/.test(token)) return undefined;
  const bytes = token.match(/%..|./g)!.map((sign) =>
    sign.length === 1 ? sign.charCodeAt(0) : parseInt(sign.slice(1), 16)
  );
  try {
    const part = decoder.decode(Uint8Array.from(bytes));
    return tokenOf(part) === token ? part : undefined;
  } catch {
    return undefined; // no UTF-8
  }
}

/** Returns the subject of a name; throws a VringError if it is too long for a server. */
export function subjectOf(kind: Kind, { realm, host, name }: Place): string {
  const parts = [realm, host, ...name.split("/")];
  return checked([ROOTS[kind], ...parts.map(tokenOf)].join("."), name);
}

/** Returns the parts of a subject; undefined if a bridge does not use it for this kind. */
export function placeOf(kind: Kind, subject: string): Place | undefined {
  const root = `${ROOTS[kind]}.`;
  if (!subject.startsWith(root)) return undefined;
  const [realm, host, ...parts] = subject.slice(root.length).split(".").map(partOf);
  if (realm === undefined || host === undefined || parts.length === 0) return undefined;
  if (parts.includes(undefined)) return undefined;
  return { realm, host, name: parts.join("/") };
}

/**
 * Returns the widest subject that covers a pattern of names on all hosts of a realm: `*` matches one
 * part, and everything from `**` on is covered by `>`. It may cover more than the pattern.
 */
export function subjectsOf(kind: Kind, realm: string, pattern: string): string {
  const tokens: string[] = [];
  for (const part of pattern.replace(/^\//, "").split("/")) {
    if (part.includes("**")) {
      tokens.push(">");
      break;
    }
    tokens.push(/[*?]/.test(part) ? "*" : tokenOf(part));
  }
  return checked([ROOTS[kind], tokenOf(realm), "*", ...tokens].join("."), pattern);
}

/** Whether a subject is one of those that a subject with wildcards covers. */
export function covers(wide: string, subject: string): boolean {
  const tokens = subject.split(".");
  const all = wide.split(".");
  for (const [i, token] of all.entries()) {
    if (token === ">") return tokens.length > i;
    if (tokens[i] === undefined || token !== "*" && token !== tokens[i]) return false;
  }
  return tokens.length === all.length;
}

function checked(subject: string, name: string): string {
  if (subject.length <= SUBJECT_MAX) return subject;
  throw new VringError(
    `Cannot bridge ${inWords(name)}: its subject has ${subject.length} bytes, and servers accept ` +
      `${SUBJECT_MAX}; use shorter names`,
  );
}
