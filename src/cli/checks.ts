/**
 * The checks of `vring doctor`: what the kernel, this system and this process allow.
 *
 * @module
 */

import { native } from "../native/load.ts";
import { OLDEST_DENO } from "../native/platform.ts";
import { hasManyCpus } from "../os/clock.ts";
import * as files from "../os/files.ts";
import { hasWaitv, orderOthers } from "../os/futex.ts";
import { closeLockFile, Lock, openLockFile, setLock, testLock } from "../os/locks.ts";
import { pageSize } from "../os/page.ts";
import { errnoName, VringError } from "../errors.ts";
import { usualDirectory } from "../region/names.ts";
import { regions } from "../region/list.ts";
import { bytesInWords, harmless } from "./output.ts";

/** The result of one check. */
export interface Finding {
  readonly check: string;
  /** `bad`: nothing works; `poor`: something is slow, short or missing. */
  readonly state: "good" | "poor" | "bad";
  readonly text: string;
}

/** All checks, in order. A bad finding makes the later ones impossible. */
export const CHECKS: readonly (() => Finding)[] = [
  library,
  kernel,
  processors,
  user,
  directory,
  memory,
  contents,
  remains,
  memfd,
  locks,
  waitv,
  barrier,
  descriptors,
  permissions,
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
  const allowed = /^Cpus_allowed_list:\s+(\S+)/m.exec(textOf("/proc/self/status") ?? "")?.[1];
  const which = allowed === undefined ? "" : ` (this process may use ${allowed})`;
  return hasManyCpus()
    ? { check, state: "good", text: `two or more${which}: waits spin for 50 us before they sleep` }
    : { check, state: "poor", text: `one${which}: waits sleep at once; a message costs a switch` };
}

function directory(): Finding {
  const check = usualDirectory();
  const fd = files.open(usualDirectory(), files.Open.write | files.Open.unnamed, 0o600);
  if (fd < 0) {
    const remedy = "mount a tmpfs there that this user can write; observers work without";
    return {
      check,
      state: "bad",
      text: `no file can be made in it (${errnoName(-fd)}); ${remedy}`,
    };
  }
  files.close(fd);
  return { check, state: "good", text: "files can be made" };
}

function memory(): Finding {
  const check = "shared memory";
  const space = files.space(usualDirectory());
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

function user(): Finding {
  const status = textOf("/proc/self/status") ?? "";
  const umask = /^Umask:\s+(\d+)/m.exec(status)?.[1] ?? "unknown";
  const isMapped = textOf("/proc/self/uid_map")?.trim().split(/\s+/)[2] !== ALL_USERS;
  const text = `user ${files.userId()}${isMapped ? " of a user namespace" : ""}, umask ${umask}; ` +
    `programs share regions if they share this mount: ${mountOf(usualDirectory())}`;
  return { check: "user and mount", state: "good", text };
}

/** The number of users in the first user namespace. */
const ALL_USERS = "4294967295";

/** Describes the file system that is mounted at a path. */
function mountOf(path: string): string {
  const lines = (textOf("/proc/self/mountinfo") ?? "").split("\n");
  const words = lines.map((line) => line.split(" ")).findLast((words) => words[4] === path);
  if (words === undefined) return `${path} has none of its own`;
  const type = words[words.indexOf("-") + 1];
  return `${type} ${words[2]} (${words[5]})`;
}

/** What fills the directory: other programs put files there, too. */
function contents(): Finding {
  const check = `contents of ${usualDirectory()}`;
  const names = files.list(usualDirectory());
  if (typeof names === "number") {
    return { check, state: "poor", text: "they cannot be listed; check its permissions" };
  }
  const all = names.filter((name) => !/^\.\.?$/.test(name)).flatMap((name) => {
    const status = files.statPath(`${usualDirectory()}/${name}`);
    return typeof status === "number" ? [] : [{ name, bytes: status.allocated }];
  });
  const sum = (some: typeof all) => bytesInWords(some.reduce((sum, { bytes }) => sum + bytes, 0));
  const own = all.filter(({ name }) => name.startsWith("vring."));
  const others = all.filter(({ name }) => !name.startsWith("vring."));
  const largest = all.toSorted((a, b) => b.bytes - a.bytes).slice(0, 3).map(({ name, bytes }) =>
    `${harmless(name)} ${bytesInWords(bytes)}`
  );
  const list = largest.length === 0 ? "" : `; the largest: ${largest.join(", ")}`;
  const text = `${own.length} files of vring with ${sum(own)}, ${others.length} others with ${
    sum(others)
  }${list}`;
  return { check, state: "good", text };
}

function memfd(): Finding {
  const check = "memfd";
  const fd = files.memfd("vring-doctor");
  if (fd < 0) {
    const text = "memory without a name cannot be made, so MirrorRing fails; allow memfd_create";
    return { check, state: "poor", text };
  }
  files.close(fd);
  return { check, state: "good", text: "memory without a name can be made" };
}

/** Locks a file through one descriptor, and looks at it through another. */
function locks(): Finding {
  const check = "locks";
  const fd = files.open(usualDirectory(), files.Open.write | files.Open.unnamed, 0o600);
  if (fd < 0) return { check, state: "bad", text: "no file to lock can be made" };
  const path = files.pathOfFd(fd);
  const [own, other] = [openLockFile(path, true), openLockFile(path, true)];
  try {
    const isHeld = own >= 0 && other >= 0 && setLock(own, Lock.write, 0) === 0;
    if (isHeld && testLock(other, Lock.write, 0) === Lock.write) {
      return { check, state: "good", text: "the kernel tells who is alive (F_OFD_SETLK)" };
    }
    const text = "record locks of open files fail here; use a tmpfs and allow fcntl(F_OFD_SETLK)";
    return { check, state: "bad", text };
  } finally {
    for (const lock of [own, other]) if (lock >= 0) closeLockFile(lock);
    files.close(fd);
  }
}

function barrier(): Finding {
  const check = "membarrier";
  return orderOthers() >= 0 ? { check, state: "good", text: "senders ring without a fence" } : {
    check,
    state: "poor",
    text: "missing or not allowed: each send pays for a fence, about 50 ns; allow membarrier",
  };
}

/** What the permissions of this process allow: commands need more than --allow-ffi for files. */
function permissions(): Finding {
  const check = "permissions";
  const missing = NEEDED.filter(([name]) =>
    Deno.permissions.querySync({ name }).state !== "granted"
  );
  const text = missing.length === 0
    ? "all commands can run"
    : missing.map(([name, commands]) => `--allow-${name} is for ${commands}`).join(", ");
  return { check, state: "good", text: missing.length === 0 ? text : `not given: ${text}` };
}

const NEEDED = [
  ["write", "record"],
  ["read", "replay"],
  ["net", "prometheus, view and bridge"],
  ["run", "bench"],
] as const;

function textOf(path: string): string | undefined {
  const bytes = files.readAll(path);
  return typeof bytes === "number" ? undefined : new TextDecoder().decode(bytes);
}
