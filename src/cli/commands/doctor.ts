/**
 * `vring doctor`: whether this machine has what vring needs.
 *
 * @module
 */

import { CHECKS, type Finding } from "../checks.ts";
import { type Command, Exit } from "../command.ts";
import { wrapped } from "../output.ts";

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
      for (const line of wrapped(`${marks[state].padEnd(3)} ${check}: ${text}`, out.width, 4)) {
        out.line(line);
      }
    }
    return findings.some(({ state }) => state === "bad") ? Exit.problem : Exit.ok;
  },
};
