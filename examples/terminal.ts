/**
 * The parts of examples that belong to a terminal: the command line, Ctrl-C, numbers, and the clock.
 *
 * @module
 */

/** Milliseconds since 1970, with fractions; the same clock in all processes. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

/** A signal that is aborted after so many seconds, or by Ctrl-C. */
export function endAfter(seconds: number): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => stop.abort());
  }
  return AbortSignal.any([stop.signal, AbortSignal.timeout(seconds * 1000)]);
}

/** A number as people write it, such as 20,000. */
export function count(number: number): string {
  return Math.round(number).toLocaleString("en");
}

/** Prose, wrapped for a terminal of 80 columns. */
export function wrap(text: string): string {
  let [wrapped, width] = ["", 0];
  for (const word of text.split(" ")) {
    const fits = width + 1 + word.length <= 80;
    wrapped += width === 0 ? word : fits ? ` ${word}` : `\n${word}`;
    width = width > 0 && fits ? width + 1 + word.length : word.length;
  }
  return wrapped;
}

/** Reads the command line over defaults: `--seconds 5` for a number, `--slow` for false. */
export function options<T extends Record<string, string | number | boolean>>(defaults: T): T {
  const chosen: Record<string, string | number | boolean> = { ...defaults };
  const words = [...Deno.args];
  for (let word; (word = words.shift()) !== undefined;) {
    const key = word.slice(2);
    const value = word.startsWith("--") ? chosen[key] : undefined;
    if (typeof value === "boolean") chosen[key] = true;
    else if (typeof value === "string" && words.length > 0) chosen[key] = words.shift()!;
    else if (typeof value === "number" && Number(words[0]) > 0) chosen[key] = Number(words.shift());
    else refuse(word, defaults);
  }
  return chosen as T;
}

function refuse(word: string, defaults: Record<string, string | number | boolean>): never {
  const known = Object.entries(defaults)
    .map(([key, value]) => typeof value === "boolean" ? `--${key}` : `--${key} ${value}`);
  console.error(wrap(
    `Cannot understand ${word}: the options and defaults are ${known.join(", ")}`,
  ));
  Deno.exit(2);
}
