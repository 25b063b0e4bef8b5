/// <reference lib="dom" />
/**
 * Replaces page/place.ts in the static pages: the place is behind `#`, as in `#/1/4`.
 *
 * @module
 */

/** Whether the steps are recordings, and nothing runs. */
export const isRecorded = true;

let last = "/";

/** Returns the place that the address names; `#main` and the like name none. */
export function placeNow(): string {
  const place = location.hash.slice(1);
  if (place === "" || place.startsWith("/")) last = place || "/";
  return last;
}

/** Makes a place the present one. */
export function goTo(place: string): void {
  history.pushState(null, "", `#${place}`);
}

/** Puts a place where an address names none. */
export function correctTo(place: string): void {
  history.replaceState(null, "", `#${place}`);
  last = place;
}

/** Returns the address of a place, or of a file of the page. */
export function linkTo(place: string): string {
  if (place.startsWith("/stage/page/")) return place.replace("/stage/page/", "stage/");
  return place.startsWith("/play") ? place.slice(1) : `#${place}`;
}
