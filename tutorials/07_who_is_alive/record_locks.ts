/**
 * Chapter 7: record locks, which the kernel drops at the end of their holder.
 *
 * @module
 */

import { close, readAll, statPath } from "../../src/os/files.ts";
import { Lock, openLockFile, setLock } from "../../src/os/locks.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";
import type { Here } from "./story.ts";
import { looper } from "./workers.ts";

/** Shows the locks on a file, from the kernel's list of all locks. */
function showLocks(scene: Scene, path: string): void {
  const bytes = readAll("/proc/locks");
  const status = statPath(path);
  if (typeof bytes === "number" || typeof status === "number") return;
  const lines = new TextDecoder().decode(bytes).split("\n").map((line) => line.split(/ +/));
  const rows = lines.filter((words) => words[5]?.endsWith(`:${status.inode}`))
    .map(([, kind, , type, , , first, last]) => [kind!, type!, `${first} to ${last}`]);
  const all = rows.length === 0 ? [["no lock", "", ""]] : rows;
  scene.show(
    tablePicture("locks", "The desk's lines in /proc/locks", [["kind", "for", "bytes"], ...all]),
  );
}

/** The steps about record locks. */
export function recordLocks(here: Here): Step[] {
  let [fd, other] = [-1, -1];
  const lock = (file: number) => setLock(file, Lock.write, 0);
  const unlock = (file: number) => setLock(file, Lock.none, 0);
  /** Waits until the kernel has dropped the lock of a dead process. */
  const untilFree = (scene: Scene) => scene.until(() => lock(fd) === 0 && unlock(fd) === 0);
  return [
    {
      title: "Ask the kernel",
      text: `Only the kernel knows for sure when a process ends, because it tidies up: it closes all
        files of the process. So let an open file hold something for us.

        A [[record lock]] is that. It is on one byte of a file and does not change the byte. With
        \`Lock.write\`, only one open file can hold it. \`openLockFile\` opens a file for locks, and the
        \`true\` means that it may lock for writing.`,
      ask: {
        kind: "choice",
        text: "We open the desk's file twice, in this one process, and lock byte 0 through both. " +
          "What happens?",
        options: [
          {
            text: "The second lock fails",
            right: true,
            because: 'An open file holds the lock, and not the process. EAGAIN means "try again".',
          },
          {
            text: "Both succeed: it is one process",
            because:
              "Only the older record locks belong to a process. These belong to an open file.",
          },
          {
            text: "The second call waits for ever",
            because: "Another call would wait. `setLock` fails at once.",
          },
        ],
      },
      run: (scene) => {
        const { path } = here.desk;
        fd = scene.run("fd", () => openLockFile(path, true));
        other = scene.run("other", () => openLockFile(path, true));
        scene.look(() => setLock(fd, Lock.write, 0));
        scene.look(() => setLock(other, Lock.write, 0));
        showLocks(scene, path);
        unlock(fd);
      },
      after:
        `Linux calls it an open file description lock, OFDLCK in its list. The older kind belongs to
        a process, which loses it when any part of its program closes the same file. We unlock the
        byte again.`,
    },
    {
      title: "A worker with a lock",
      text:
        `A third worker locks byte 0 before it begins. Its card says so: it owns the desk. Then it
        is stopped.`,
      ask: {
        kind: "choice",
        text: "What does our attempt to lock the byte return?",
        options: [
          {
            text: "EAGAIN, however long it is stopped",
            right: true,
            because:
              "A stopped process is alive, and its files are open. So the kernel keeps its lock.",
          },
          {
            text: "0: the stopped worker has lost it",
            because: "The files of a stopped worker are still open, and so it keeps the lock.",
          },
          {
            text: "EAGAIN at first, and 0 after a while",
            because: "A lock has no time limit. It ends with its open file, and with nothing else.",
          },
        ],
      },
      run: async (scene) => {
        const { desk } = here;
        desk.work = 0;
        scene.start("owner");
        await scene.until(() => desk.work === 1);
        scene.signal("owner", "SIGSTOP");
        scene.look(() => setLock(fd, Lock.write, 0));
        showLocks(scene, desk.path);
      },
    },
    {
      title: "Kill it",
      text: `Now it is killed, by you or by your answer.`,
      ask: {
        kind: "choice",
        text: "What does the same attempt return then?",
        options: [
          {
            text: "0: the lock is ours",
            right: true,
            because: "The kernel has closed the files of the dead process, and with them the lock.",
          },
          {
            text: "EAGAIN: nobody has unlocked the byte",
            because: "The dead worker did not have to unlock it: the kernel has closed its files.",
          },
        ],
      },
      run: async (scene) => {
        scene.signal("owner", "SIGKILL");
        await untilFree(scene);
        scene.look(() => setLock(fd, Lock.write, 0));
        showLocks(scene, here.desk.path);
        unlock(fd);
      },
      after: `It takes the kernel a few milliseconds, or more if the process had a lot of memory. So
        after a death, try again until it is free. And now that we have the lock, nobody else can
        become the heir at the same moment.`,
    },
    {
      title: "A death of any kind",
      text:
        `A fourth worker locks the byte. As soon as we store 0 in \`desk.work\`, it crashes: it touches
        a page that it must not touch, as in chapter 1.`,
      ask: {
        kind: "choice",
        text: "Which end of a process leaves a record lock behind?",
        options: [
          {
            text: "None",
            right: true,
            because: "However a process ends, the kernel closes its files.",
          },
          {
            text: "A crash",
            because: "The kernel itself ends a process that crashes, and closes its files.",
          },
          {
            text: "An end without an unlock",
            because: "A process need not unlock. When it ends, the kernel closes its files.",
          },
        ],
      },
      run: async (scene) => {
        const { desk } = here;
        desk.work = 0;
        scene.start("crasher");
        await scene.until(() => desk.work === 1);
        scene.look(() => setLock(fd, Lock.write, 0));
        scene.look(() => {
          desk.work = 0;
        });
        await untilFree(scene);
        scene.look(() => setLock(fd, Lock.write, 0));
        showLocks(scene, desk.path);
        unlock(fd);
      },
    },
    {
      title: "What a lock cannot do",
      text:
        `A lock says that its holder exists. It does not say that the holder gets anything done. A
        program that does not ask for the lock can write anyway. The lock reaches no other machine.
        When it becomes free, it wakes nobody: you have to ask from time to time.

        And it ends with its open file, which a mapping or an inheriting child keeps open. So the
        library opens each lock file for locks alone, and never maps it.

        A last worker, the looper, locks the byte and hangs in an endless loop. We ask for the lock,
        kill the looper, and ask again.`,
      ask: {
        kind: "choice",
        text: "The looper holds the lock and hangs. Who takes over?",
        options: [
          {
            text: "Nobody, until somebody kills it",
            right: true,
            because: "A worker that hangs is alive. To kill it is a decision about its work, and " +
              "the lock leaves that to you. Then the heir can be sure.",
          },
          {
            text: "The next process that asks for the lock",
            because: "The kernel keeps the lock for the living, even if they hang.",
          },
          {
            text: "The kernel notices the loop and ends it",
            because: "To the kernel, a process in a loop is a busy one like any other.",
          },
        ],
      },
      run: async (scene) => {
        close(other);
        const { desk } = here;
        desk.work = 0;
        scene.code(looper);
        scene.start("looper");
        await scene.until(() => desk.work === 1);
        scene.look(() => setLock(fd, Lock.write, 0));
        scene.signal("looper", "SIGKILL");
        await untilFree(scene);
        scene.look(() => setLock(fd, Lock.write, 0));
        showLocks(scene, desk.path);
        unlock(fd);
      },
      after: `From now on, a byte of a file stands for a role, such as "writer" or "reader 3", and
        the process that plays the role holds the byte. Chapter 8 builds on that. First, the exercise: a roll call.`,
    },
  ];
}
