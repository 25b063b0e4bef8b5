/**
 * `vring doctor`: whether this machine has what vring needs.
 *
 * @module
 */

import { CHECKS, type Finding } from "../checks.ts";
import { type Command, Exit } from "../command.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Checks the system: what works, what does not, and what to do.",
  usage: "",
  options: {},
  examples: ["vring doctor", "vring doctor --json"],
  run({ out }) {
    const findings: Finding[] = [];
    for (const check of CHECKS) {
      const finding = check();
      findings.push(finding);
      if (finding.state === "bad") break; // the later ones need what is missing
    }
    for (const finding of findings) out.object(finding);
    const marks = { good: "ok", poor: "!", bad: "NO" };
    for (const { check, state, text } of findings) {
      for (const line of wrapped(`${marks[state].padEnd(3)} ${check}: ${text}`, out.width)) {
        out.line(line);
      }
    }
    return findings.some(({ state }) => state === "bad") ? Exit.problem : Exit.ok;
  },
};

/** Breaks a line between words; the further lines are indented. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (let rest = text;; rest = `    ${rest}`) {
    const end = rest.length <= width ? rest.length : rest.lastIndexOf(" ", width);
    if (end <= 4) return [...lines, rest]; // one long word
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
    if (rest === "") return lines;
  }
}
