/**
 * Compares two texts line by line.
 *
 * @module
 */

/** A line that both texts have, or only one of them. */
export interface DiffLine {
  readonly side: "both" | "mine" | "theirs";
  readonly text: string;
}

/** Returns the lines of both texts in order, with as many in common as possible. */
export function diffOf(mine: string, theirs: string): DiffLine[] {
  const [a, b] = [mine, theirs].map((text) => text.trimEnd().split("\n")) as [string[], string[]];
  const common = lengthsOf(a, b);
  const lines: DiffLine[] = [];
  for (let i = 0, k = 0; i < a.length || k < b.length;) {
    if (i < a.length && k < b.length && a[i] === b[k]) {
      lines.push({ side: "both", text: a[i]! });
      i++;
      k++;
    } else if (k === b.length || i < a.length && common[i + 1]![k]! >= common[i]![k + 1]!) {
      lines.push({ side: "mine", text: a[i++]! });
    } else {
      lines.push({ side: "theirs", text: b[k++]! });
    }
  }
  return lines;
}

/** How many lines the rests of two lists have in common, by where the rests begin. */
function lengthsOf(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from(
    { length: a.length + 1 },
    () => new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i--) {
    for (let k = b.length - 1; k >= 0; k--) {
      lengths[i]![k] = a[i] === b[k]
        ? lengths[i + 1]![k + 1]! + 1
        : Math.max(lengths[i + 1]![k]!, lengths[i]![k + 1]!);
    }
  }
  return lengths;
}

/** A file without the comment at its beginning, which differs between exercise and answer. */
export function withoutModuleComment(text: string): string {
  return text.replace(/^\/\*\*.*?\*\/\s*/s, "");
}

/** The text of the comment at the beginning of a file. */
export function moduleComment(text: string): string {
  const comment = /^\/\*\*(.*?)\*\//s.exec(text)?.[1] ?? "";
  return comment.replaceAll(/^ \* ?/gm, "").replace(/@module\s*$/, "").trim();
}
