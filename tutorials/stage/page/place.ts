/// <reference lib="dom" />
/**
 * Where the reader is, such as `/1/4`: the path of the address. The static pages, which a server may
 * have at any path, replace this file and put it behind `#`.
 *
 * @module
 */

/** Whether the steps are recordings, and nothing runs. */
export const isRecorded: boolean = false;

/** Returns the place that the address names. */
export function placeNow(): string {
  return location.pathname;
}

/** Makes a place the present one. */
export function goTo(place: string): void {
  history.pushState(null, "", place);
}

/** Puts a place where an address names none. */
export function correctTo(place: string): void {
  history.replaceState(null, "", place);
}

/** Returns the address of a place, or of a file of the page. */
export function linkTo(place: string): string {
  return place;
}
