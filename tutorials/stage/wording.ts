/**
 * Words that differ between the browser and the terminal: `{{Point at it|Type its number}}`.
 *
 * @module
 */

/** Returns a text as one of the two tells it. */
export function wordingFor(place: "browser" | "terminal", text: string): string {
  return text.replaceAll(/\{\{([^|}]*)\|([^}]*)\}\}/g, place === "browser" ? "$1" : "$2");
}
