/**
 * Numbers as people read them.
 *
 * @module
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size, such as 1.5 MiB. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

/** A number of things, such as 12,300 or 1.2 M. */
export function count(value: number): string {
  if (value >= 1e7) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e5) return `${(value / 1e3).toFixed(0)} k`;
  const digits = value >= 20 || Number.isInteger(value) ? 0 : 1;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** A number of things per second; a question mark if nobody counts them. */
export function rate(perSecond: number | null): string {
  return perSecond === null ? "?" : `${count(perSecond)}/s`;
}

/** A value of a message, such as 3.14159. */
export function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(4) : String(Number(value.toPrecision(6)));
}

/** The time of day, such as 09:30:12. */
export function clock(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

/** The short names of the kinds of regions. */
export const KIND: Readonly<Record<string, string>> = {
  spsc: "ring",
  mpsc: "mpsc",
  circular: "circ",
  rwlock: "lock",
  shm: "mem",
};
