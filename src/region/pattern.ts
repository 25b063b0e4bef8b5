/**
 * Patterns of names, as commands and bridges take them.
 *
 * @module
 */

/** Returns a test of names for a pattern: `*` matches a part, `**` everything, `?` a letter. */
export function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/^\//, "").replace(
    /\*\*|[*?]|[.+^${}()|[\]\\]/g,
    (found) => ({ "**": ".*", "*": "[^/]*", "?": "[^/]" })[found] ?? `\\${found}`,
  );
  const whole = new RegExp(`^${source}$`);
  return (name) => whole.test(name);
}
