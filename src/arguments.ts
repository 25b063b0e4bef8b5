/**
 * The checks of every argument, made before anything is done with it: types do not bind a caller in
 * JavaScript.
 *
 * @module
 */

const LONGEST_QUOTE = 300; // shows a name whole that is too long for a region

/** Describes any value in words that fit into a message. */
export function inWords(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(
        value.length <= LONGEST_QUOTE ? value : `${value.slice(0, LONGEST_QUOTE)}...`,
      );
    case "bigint":
      return `${value}n`;
    case "symbol":
    case "function":
      return `a ${typeof value}`;
    case "object":
      return value === null ? "null" : `${kindOf(value)}`;
  }
  return String(value);
}

function kindOf(value: object): string {
  let kind = "Object";
  try {
    kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  } catch {
    // A proxy may throw, or be revoked.
  }
  return /^[AEIO]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

/** Throws unless a value is a function. */
export function checkHandler(handler: unknown, doing: string, what: string): void {
  if (typeof handler === "function") return;
  throw new TypeError(
    `Cannot ${doing} ${what}: the handler is ${inWords(handler)}; pass a function`,
  );
}

/** Whether `await` would wait for it: a promise of any kind or origin. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = typeof value === "object" && value !== null || typeof value === "function";
  return mayBe && typeof (value as { then?: unknown }).then === "function";
}

/**
 * Throws if a handler returned a promise: the memory that it was shown is valid only until it
 * returns.
 */
export function checkReturned(result: unknown, doing: string, what: string): void {
  if (isThenable(result)) throw returnedPromise(doing, what);
}

/** Makes the error for a handler that returned a promise. */
export function returnedPromise(doing: string, what: string): TypeError {
  return new TypeError(
    `Cannot ${doing} ${what}: the handler returned a promise, and must finish before it returns; ` +
      "pass a function that is not async",
  );
}

/** Throws unless a value is a number that is not below `least`. */
export function checkLimit(
  limit: unknown,
  least: number,
  doing: string,
  what: string,
  noun = "limit",
): void {
  if (typeof limit === "number" && limit >= least) return;
  const message = `Cannot ${doing} ${what}: the ${noun} is ${inWords(limit)}; pass a number, ` +
    `${least} or more`;
  throw typeof limit === "number" ? new RangeError(message) : new TypeError(message);
}

/** The values that an option can have. */
export interface Rule {
  /** The values in words, such as `0 or more milliseconds`. */
  readonly wanted: string;
  /** Whether a value is one of them. */
  is(value: unknown): boolean;
  /** Whether a number is of the right type, so that a wrong one is out of range. */
  readonly isNumeric?: true;
  /** Whether the option has no default. */
  readonly isRequired?: true;
}

/** The rule of an option that is true or false. */
export const FLAG: Rule = { wanted: "true or false", is: (value) => typeof value === "boolean" };

function oneOf(...values: string[]): Rule {
  const wanted = values.map((value) => JSON.stringify(value)).join(" or ");
  return { wanted, is: (value) => values.includes(value as string) };
}

function atLeast0(unit: string): Rule {
  const is = (value: unknown) => typeof value === "number" && value >= 0;
  return { wanted: `0 or more ${unit}`, is, isNumeric: true };
}

/** Whether a value has the members of a codec. */
export function isCodec(value: unknown): boolean {
  const given = Object(value) as Record<string, unknown>;
  const type = Object(given.type) as Record<string, unknown>;
  return typeof type.name === "string" && typeof type.hash === "bigint" &&
    (typeof given.sizeBytes === "number" || typeof given.sizeBytes === "function") &&
    typeof given.encode === "function" && typeof given.decode === "function";
}

const TIMEOUT = atLeast0("milliseconds");
const SPIN = atLeast0("microseconds");
/** The rule of an option that is an AbortSignal. */
export const SIGNAL: Rule = {
  wanted: "the signal of an AbortController",
  is: (value) => value instanceof AbortSignal,
};

const ANY: Rule = { wanted: "", is: () => true };
const NUMBER: Rule = { wanted: "a number", is: (value) => typeof value === "number" };

/** The options that later code checks. */
const OTHERS = "type request response origin";

/** The numbers whose ranges later code checks. */
const NUMBERS =
  "capacity clients concurrency depth history id length limit producers quota range servers size subscribers version";

function rulesFor(names: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}

/** Every option of this package: a name has the same meaning everywhere. */
const RULES: Readonly<Record<string, Rule>> = {
  ...rulesFor(OTHERS, ANY),
  ...rulesFor(NUMBERS, NUMBER),
  timeout: TIMEOUT,
  spin: SPIN,
  signal: SIGNAL,
  mode: {
    wanted: "permission bits such as 0o640, at most 0o777",
    is: (value) => Number.isInteger(value) && value as number >= 0 && value as number <= 0o777,
    isNumeric: true,
  },
  group: {
    wanted: "the name or the number of a group",
    is: (value) =>
      typeof value === "string"
        ? value !== ""
        : Number.isInteger(value) && value as number >= 0 && value as number < 2 ** 32 - 1,
    isNumeric: true,
  },
  persist: FLAG,
  anyOwner: FLAG,
  directory: {
    wanted: 'the absolute path of a directory, such as "/mnt/shm"',
    is: (value) => typeof value === "string" && /^\/[^\0]{0,3000}$/.test(value),
  },
  open: oneOf("any", "create", "join"),
  onPeerGone: oneOf("wait", "end"),
  onLoss: oneOf("throw", "skip"),
  own: FLAG,
  until: SIGNAL,
  retry: FLAG,
  reserve: FLAG,
  interop: FLAG,
  hugePages: FLAG,
  wake: FLAG,
  policy: oneOf("block", "dropNewest", "dropOldest"),
  start: oneOf("oldest", "newest", "now"),
  afterLoss: oneOf("oldest", "newest"),
  publishers: oneOf("one", "many"),
  source: { wanted: "a name without a slash", is: (value) => typeof value === "string" },
};

/** The names of all options. */
const KNOWN: readonly string[] = Object.keys(RULES);

/** The options of every definition, and those of one more. */
export function definitionOptions(...own: string[]): readonly string[] {
  return [...own, "mode", "group", "persist", "anyOwner", "directory"];
}

/**
 * Copies the options of a call and throws if one is invalid. Each is read once, so that a getter
 * cannot return another value later.
 *
 * @param action The attempt, such as `open ring "demo"`.
 * @param taken The names of the options that the call takes; all of this package by default.
 */
export function checkedOptions<O extends object>(
  options: O | undefined,
  action: string,
  taken: readonly string[] = KNOWN,
): O {
  if (options === undefined) return {} as O;
  checkObject(options, action);
  checkNames(options, action, taken);
  const copy: Record<string, unknown> = {};
  for (const name in RULES) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    checkOption(name, value, action);
    copy[name] = value;
  }
  return copy as O;
}

/** Throws unless a value can be an options object. */
export function checkObject(options: unknown, action: string): void {
  if (typeof options !== "object" || options === null || isBuffer(options)) {
    throw noOptions(options, action);
  }
}

function noOptions(options: unknown, action: string): TypeError {
  return new TypeError(
    `Cannot ${action}: the options are ${inWords(options)}; pass an object or leave them out`,
  );
}

const ofTypedArrays = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** Whether a value is a view of bytes or numbers, such as a Uint8Array. */
export function isView(value: unknown): boolean {
  return ArrayBuffer.isView(value) ||
    Object.prototype.isPrototypeOf.call(ofTypedArrays, value as object);
}

/**
 * Whether a value is an array or a buffer. Those are no options, but probably a target in the wrong
 * place.
 */
function isBuffer(value: object): boolean {
  return isView(value) || Array.isArray(value) || value instanceof ArrayBuffer ||
    isSharedBuffer(value);
}

/**
 * Whether a value is a SharedArrayBuffer. Most web pages have no such class, and the explorer runs
 * this file in pages too.
 */
function isSharedBuffer(value: object): boolean {
  return typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer;
}

/**
 * Copies the options of a call that has rules of its own, as `checkedOptions()` does; throws if one
 * is invalid or missing.
 */
export function optionsBy<O extends object>(
  options: O | undefined,
  action: string,
  rules: { readonly [K in keyof O]-?: Rule },
): O {
  const given = options === undefined ? {} : options;
  checkObject(given, action);
  const names = Object.keys(rules);
  checkNames(given, action, names);
  const copy: Record<string, unknown> = {};
  for (const name of names) {
    const rule = rules[name as keyof O];
    const value = (given as Record<string, unknown>)[name];
    if (value === undefined && !rule.isRequired) continue;
    checkValue(rule, `the option ${name}`, value, action);
    copy[name] = value;
  }
  return copy as O;
}

function checkOption(name: string, value: unknown, action: string): void {
  checkValue(RULES[name]!, `the option ${name}`, value, action);
}

/** Throws unless a rule allows a value; `noun` is what it is called, such as `the reader`. */
export function checkValue(rule: Rule, noun: string, value: unknown, action: string): void {
  const { is, wanted, isNumeric } = rule;
  if (is(value)) return;
  const message = `Cannot ${action}: ${noun} is ${inWords(value)}; pass ${wanted}`;
  throw isNumeric && typeof value === "number" ? new RangeError(message) : new TypeError(message);
}

/** The options that were checked last, but their values: a loop passes the same ones in each call. */
let named: Waits | undefined;

function checkWaitNames(options: Waits): void {
  checkObject(options, "wait");
  checkNames(options, "wait");
  if (options.until !== undefined) {
    throw new TypeError(
      "Cannot wait: only loops take the option until; pass the signal as the option signal",
    );
  }
  named = options;
}

/** Throws if an object has an option whose name is not taken, or none of this package at all. */
function checkNames(options: object, action: string, taken: readonly string[] = KNOWN): void {
  // Not Object.keys(), which would allocate in calls that allocate nothing else.
  for (const name in options) {
    if (taken === KNOWN ? Object.hasOwn(RULES, name) : taken.includes(name)) continue;
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    throw unknownOption(name, action, taken);
  }
}

function unknownOption(name: string, action: string, taken: readonly string[]): TypeError {
  if (Object.hasOwn(RULES, name)) {
    return new TypeError(
      `Cannot ${action}: it takes no option ${name}; it takes ${taken.join(", ")}`,
    );
  }
  const distances = taken.map((known) => [editsBetween(name, known), known] as const);
  const [distance, nearest] = distances.reduce((best, one) => one[0] < best[0] ? one : best);
  const remedy = distance <= 2 ? `did you mean ${nearest}?` : "leave it out";
  return new TypeError(
    `Cannot ${action}: no option is called ${inWords(name)}; ${remedy}`,
  );
}

/** The number of letters to insert, remove or replace to make one word of another. */
function editsBetween(a: string, b: string): number {
  const [from, to] = [a.slice(0, 40).toLowerCase(), b.toLowerCase()];
  let row = Array.from(to, (_, i) => i + 1);
  for (const [i, letter] of [...from].entries()) {
    let [corner, left] = [i, i + 1];
    row = row.map((above, j) => {
      left = Math.min(left + 1, above + 1, corner + Number(letter !== to[j]));
      corner = above;
      return left;
    });
  }
  return row.at(-1)!;
}

/** The options of every wait. */
interface Waits {
  readonly timeout?: number | undefined;
  readonly spin?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly until?: AbortSignal | undefined;
}

/** Throws unless the options are valid for a wait that blocks the thread. */
export function checkSyncWaits(options: Waits): void {
  checkWaits(options);
  if (options.signal === undefined) return;
  throw new TypeError(
    "Cannot wait: a call that blocks the thread takes no signal, as nothing can abort one " +
      "meanwhile; pass a timeout, or use the form that returns a promise",
  );
}

/** Throws unless the options are valid for a wait. */
export function checkWaits(options: Waits | undefined): void {
  if (options === undefined) return;
  if (options !== named) checkWaitNames(options);
  const { timeout, spin, signal } = options;
  if (timeout !== undefined) checkOption("timeout", timeout, "wait");
  if (spin !== undefined) checkOption("spin", spin, "wait");
  if (signal !== undefined) checkOption("signal", signal, "wait");
}
