/**
 * `vring doctor`: whether this machine has what vring needs.
 *
 * @module
 */

import { hasManyCpus } from "../../os/clock.ts";
import * as files from "../../os/files.ts";
import { hasWaitv } from "../../os/futex.ts";
import { native, OLDEST_DENO } from "../../native/load.ts";
import { pageSize } from "../../os/page.ts";
import { VringError } from "../../errors.ts";
import { DIRECTORY } from "../../region/names.ts";
import { regions } from "../../region/list.ts";
import { type Command, Exit } from "../command.ts";
import { bytesInWords } from "../output.ts";

/** The result of one check. */
interface Finding {
  readonly check: string;
  /** `bad`: nothing works; `poor`: something is slow or short. */
  readonly state: "good" | "poor" | "bad";
  readonly text: string;
}

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
      out.line(`${marks[state].padEnd(3)} ${check}: ${text}`);
    }
    return findings.some(({ state }) => state === "bad") ? Exit.problem : Exit.ok;
  },
};

const CHECKS: readonly (() => Finding)[] = [
  library,
  kernel,
  processors,
  directory,
  memory,
  waitv,
  descriptors,
  remains,
];

function library(): Finding {
  const check = "native library";
  try {
    native();
    const text = `loaded (Deno ${Deno.version.deno}, ${Deno.build.arch}, ${OLDEST_DENO} or newer)`;
    return { check, state: "good", text };
  } catch (error) {
    if (!(error instanceof VringError)) throw error;
    return { check, state: "bad", text: error.message };
  }
}

function kernel(): Finding {
  const release = textOf("/proc/sys/kernel/osrelease")?.trim() ?? "unknown";
  const text = `Linux ${release}, pages of ${bytesInWords(pageSize())}`;
  return { check: "kernel", state: "good", text };
}

function processors(): Finding {
  const check = "processors";
  return hasManyCpus()
    ? { check, state: "good", text: "two or more: waits spin for 50 us before they sleep" }
    : { check, state: "poor", text: "one: waits sleep at once; a message costs a switch" };
}

function directory(): Finding {
  const check = DIRECTORY;
  const fd = files.open(DIRECTORY, files.Open.write | files.Open.unnamed, 0o600);
  if (fd < 0) {
    const text = "no file can be made in it; mount a tmpfs there, or allow this user to write";
    return { check, state: "bad", text };
  }
  files.close(fd);
  return { check, state: "good", text: "files can be made" };
}

function memory(): Finding {
  const check = "shared memory";
  const space = files.space(DIRECTORY);
  if (typeof space === "number") return { check, state: "poor", text: "its size cannot be read" };
  const { free, total } = space;
  const text = `${bytesInWords(free)} of ${bytesInWords(total)} free`;
  if (free >= 64 * 2 ** 20) return { check, state: "good", text };
  const remedy = "remount it larger (docker run --shm-size, or mount -o remount,size=)";
  return { check, state: "poor", text: `only ${text}; ${remedy}` };
}

function waitv(): Finding {
  const check = "futex_waitv";
  return hasWaitv()
    ? { check, state: "good", text: "one system call waits for up to 128 words" }
    : {
      check,
      state: "poor",
      text: "missing or not allowed: waits for several things look every millisecond; use Linux " +
        "5.16 or newer, or a seccomp profile that allows it",
    };
}

function descriptors(): Finding {
  const check = "open files";
  const match = /^Max open files\s+(\d+)/m.exec(textOf("/proc/self/limits") ?? "");
  if (match === null) return { check, state: "poor", text: "the limit cannot be read" };
  const limit = Number(match[1]);
  const text = `${limit} for each process; a handle needs up to 4`;
  return limit >= 256
    ? { check, state: "good", text }
    : { check, state: "poor", text: `${text}; raise it with ulimit -n` };
}

function remains(): Finding {
  const check = "left behind";
  const all = regions();
  const gone = all.filter(({ inUse, details }) => inUse === false && !details?.persist);
  if (gone.length === 0) {
    return { check, state: "good", text: `nothing; ${all.length} regions are in use or persist` };
  }
  const bytes = gone.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const text = `${gone.length} regions of killed programs with ${
    bytesInWords(bytes)
  }; run vring clean`;
  return { check, state: "poor", text };
}

function textOf(path: string): string | undefined {
  const bytes = files.readAll(path);
  return typeof bytes === "number" ? undefined : new TextDecoder().decode(bytes);
}
