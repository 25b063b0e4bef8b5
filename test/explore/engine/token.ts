/**
 * Tokens: a run written down as the codes of its steps, to be replayed.
 *
 * | code        | what happens                                                          |
 * | ----------- | --------------------------------------------------------------------- |
 * | `A`, `A:1`  | actor A does its next operation; it goes the second of several ways   |
 * | `vA0`       | A's pending store 0 becomes visible                                   |
 * | `wA`        | A, woken or out of time, continues                                    |
 * | `pA64`      | thread 64, of A's pool, begins its sleep                              |
 * | `sA64`      | A learns how that sleep ended                                         |
 * | `kA`, `rA0` | A dies; the kernel drops the locks of its open file 0                 |
 * | `z0`, `y0`  | thread 0 is woken for no reason; its deadline comes early             |
 * | `e0`        | the pause of thread 0 ends while others could continue                |
 * | `t`         | time passes, because no actor can continue                            |
 *
 * A token of a run with weak memory begins with `weak:`.
 *
 * @module
 */

const WEAK = "weak:";

/** Writes codes as a token: joined by dots, repetitions counted, such as `A*3.B.kA`. */
export function encode(codes: readonly string[], isWeak = false): string {
  const parts: string[] = [];
  for (let i = 0; i < codes.length;) {
    const code = codes[i]!;
    let end = i;
    while (codes[end] === code) end++;
    parts.push(end - i === 1 ? code : `${code}*${end - i}`);
    i = end;
  }
  return (isWeak ? WEAK : "") + parts.join(".");
}

/** Reads the codes of a token, and whether memory is weak. */
export function decode(token: string): { codes: string[]; isWeak: boolean } {
  const isWeak = token.startsWith(WEAK);
  const parts = (isWeak ? token.slice(WEAK.length) : token).split(".").filter(Boolean);
  const codes = parts.flatMap((part) => {
    const [code, count = "1"] = part.split("*");
    return Array<string>(Number(count)).fill(code!);
  });
  return { codes, isWeak };
}
