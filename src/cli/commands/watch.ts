/**
 * `vring watch`: what appears, joins, leaves and dies.
 *
 * @module
 */

import { type Change, changesBetween, lookAt, type Looks } from "../../inspect/changes.ts";
import { activityIn } from "../../inspect/survey.ts";
import { sleep } from "../../os/clock.ts";
import {
  againOptions,
  type Call,
  type Command,
  countIn,
  Exit,
  millisecondsIn,
} from "../command.ts";
import { found } from "../found.ts";
import { harmless } from "../output.ts";

export const watch: Command = {
  name: "watch",
  summary: "Prints a line when a region appears or goes, and when a party joins, leaves or dies.",
  usage: "[PATTERN...]",
  options: againOptions("change", 0.1),
  examples: ["vring watch", "vring watch '/cam/**' --json", "vring watch cam/left --once"],
  async run(call) {
    const [everyMs, count] = [millisecondsIn(call, "every", 0.1), countIn(call)];
    let known = look(call);
    for (const { kind, name } of known.values()) tell(call, { event: "is there", kind, name });
    for (let told = 0; told < count && await sleep(everyMs, call.end);) {
      const now = look(call);
      for (const change of changesBetween(known, now).slice(0, count - told)) {
        tell(call, change);
        told++;
      }
      known = now;
    }
    return Exit.ok;
  },
};

function look(call: Call): Looks {
  return new Map(found(call).map((region) => lookAt(region, activityIn(region))));
}

function tell({ out }: Call, { event, kind, name, party }: Omit<Change, "what">): void {
  const time = new Date().toISOString();
  out.object({ time, event, kind, name, party });
  const clock = new Date().toTimeString().slice(0, 8);
  out.line(`${out.dim(clock)}  ${kind} ${harmless(name)}${party ? `: ${party}` : ""} ${event}`);
}
