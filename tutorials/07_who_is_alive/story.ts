/**
 * Chapter 7 for the stage: who is alive?
 *
 * @module
 */

import { now, sleepSync } from "../../src/os/clock.ts";
import { readAll, statPath } from "../../src/os/files.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { type Desk, openDesk } from "./desk.ts";
import { recordLocks } from "./record_locks.ts";
import { beater, crasher, heir, looper, owner, stranger, worker } from "./workers.ts";

/** The story of chapter 7. */
export const story: Story = {
  cast: { worker, stranger, beater, heir, owner, crasher, looper },
  steps: () => {
    const here = new Here();
    return [...pids(here), ...heartbeats(here), ...recordLocks(here)];
  },
};

/** The desk of this telling. */
export class Here {
  #desk: Desk | undefined;

  get desk(): Desk {
    return this.#desk!;
  }

  /** Opens the desk. */
  open(scene: Scene): Desk {
    return this.#desk = openDesk(scene.name);
  }
}

/** Whether there is a process with this number: Linux has a directory for each. */
function isRunning(pid: number): boolean {
  return typeof statPath(`/proc/${pid}`) !== "number";
}

function largestPid(): number {
  const bytes = readAll("/proc/sys/kernel/pid_max");
  return typeof bytes === "number" ? NaN : parseInt(new TextDecoder().decode(bytes));
}

function pids(here: Here): Step[] {
  return [
    {
      title: "A worker writes its number down",
      text: `A worker process does a job that only one process may do at a time. If it dies, another
        must take over. So others must find out whether it is alive.

        The system gives each process a number, its [[pid]]. The worker and we share a page, the
        desk. The worker stores its pid there.`,
      run: async (scene) => {
        const desk = here.open(scene);
        scene.start("worker");
        await scene.until(() => desk.pid !== 0);
        scene.look(() => desk.pid);
        scene.code(isRunning);
        scene.look(() => isRunning(desk.pid));
      },
      after: `While a process exists, Linux shows a directory for it in \`/proc\`. So \`isRunning\`
        asks for that directory. Many programs do this, with a pid in a file.`,
    },
    {
      title: "It seems to work",
      text: `Kill the worker by its card, or answer, and it is killed for you.`,
      ask: {
        kind: "choice",
        text: "What are `desk.pid` and `isRunning(desk.pid)` then?",
        options: [
          {
            text: "The old number, and false",
            right: true,
            because:
              "The number stays on the desk, as the byte of chapter 0 did. The directory of " +
              "the dead process is gone.",
          },
          {
            text: "0, and false",
            because: "Nobody has stored a 0. A killed process clears nothing.",
          },
          {
            text: "The old number, and true",
            because: "The number stays, but the directory in /proc goes with the process.",
          },
        ],
      },
      run: async (scene) => {
        const { desk } = here;
        scene.signal("worker", "SIGKILL");
        await scene.until(() => !isRunning(desk.pid));
        scene.look(() => desk.pid);
        scene.look(() => isRunning(desk.pid));
      },
    },
    {
      title: "Numbers come back",
      text: () =>
        `The kernel counts pids up to a limit, here ${largestPid()}, and then begins again with the
        free ones. So one day a new process gets the number of a dead one. In containers it happens
        sooner, because each container counts from 1.

        We do not wait for that day. We start a stranger, and put its number on the desk, as if the
        worker had had the same one.`,
      ask: {
        kind: "choice",
        text: "The worker is dead. What does `isRunning(desk.pid)` say?",
        options: [
          {
            text: "true",
            right: true,
            because: "A process with this number exists. It is not the worker, but the number " +
              "does not say so.",
          },
          {
            text: "false: the worker is dead",
            because: "The function asks only about a number, and a living process has it.",
          },
          {
            text: "It depends on what the stranger does",
            because: "The stranger only has to exist. Whatever it does, its directory is there.",
          },
        ],
      },
      run: async (scene) => {
        const { desk } = here;
        scene.start("stranger");
        await scene.until(() => desk.other !== 0);
        const { other } = desk;
        scene.look(() => {
          desk.pid = other;
        });
        scene.look(() => isRunning(desk.pid));
        scene.signal("stranger", "SIGKILL");
      },
      after:
        `So nobody takes over, and the work waits for a stranger to end. A pid can call the dead
        alive.`,
    },
  ];
}

function heartbeats(here: Here): Step[] {
  let desk: Desk;
  /** Whether the worker adds to `beat` within so many milliseconds. */
  function hasBeaten(ms: number): boolean {
    const before = desk.beat;
    const end = now() + ms * 1e6;
    while (desk.beat === before && now() < end) {
      sleepSync(1);
    }
    return desk.beat !== before;
  }
  return [
    {
      title: "A heartbeat",
      text:
        `The dead do nothing. So let the living do something: a new worker adds 1 to \`desk.beat\`,
        about 200 times a second. We look, wait for a second at most, and look again.`,
      run: async (scene) => {
        desk = here.desk;
        scene.start("beater");
        await scene.until(() => desk.beat > 0);
        scene.code(hasBeaten);
        scene.look(() => hasBeaten(1000));
      },
      after:
        `This needs no pid, and works from another container too. How long must we wait before we
        believe that a worker is dead?`,
    },
    {
      title: "Silence",
      text: `The worker is stopped now. The signal SIGSTOP does that: Ctrl-Z and debuggers send it,
        and so does STOP on its card. We wait for 200 ms, forty times as long as from one beat to the
        next.`,
      ask: {
        kind: "choice",
        text: "What does `hasBeaten(200)` say?",
        options: [
          {
            text: "false, and the worker is alive",
            right: true,
            because:
              "It is stopped, not dead, and may continue at any moment. The same happens to " +
              "a process that gets no processor time, or whose laptop was closed.",
          },
          {
            text: "false, because the worker is dead",
            because:
              "A worker without a beat may live. This one is only stopped, and may continue " +
              "at any moment.",
          },
          {
            text: "true: the worker is alive",
            because:
              "The worker is alive. But a stopped process runs no code, so nothing adds to " +
              "the beat.",
          },
        ],
      },
      run: (scene) => {
        scene.signal("beater", "SIGSTOP");
        sleepSync(20); // until the signal has arrived
        scene.look(() => hasBeaten(200));
      },
    },
    {
      title: "Two at once",
      text: `We believe the silence, and start an heir. Each of the two adds 1 to a count of its own
        whenever it does a piece of work. Then the first one continues: CONT.`,
      ask: {
        kind: "choice",
        text: "Which of the two works then?",
        options: [
          {
            text: "Both",
            right: true,
            because:
              "Nobody has told the first worker that it was declared dead. It continues in " +
              "the middle of its loop.",
          },
          {
            text: "The heir: the first one sees that it was replaced",
            because:
              "The first worker was stopped between two instructions and continues with the " +
              "next. It looks at nothing first.",
          },
          {
            text: "The first one: the heir steps back",
            because:
              "The heir believes that the first one is dead, and has no reason to look again.",
          },
        ],
      },
      run: async (scene) => {
        const rows: [string, number, number][] = [];
        const note = (what: string) => rows.push([what, desk.work, desk.heirsWork]);
        note("the worker is stopped");
        scene.start("heir");
        await scene.until(() => desk.heirsWork > 3);
        note("the heir works");
        scene.signal("beater", "SIGCONT");
        const before = { ...desk };
        await scene.until(() =>
          desk.work > before.work + 3 && desk.heirsWork > before.heirsWork + 3
        );
        note("the worker continues");
        scene.signal("beater", "SIGKILL");
        scene.signal("heir", "SIGKILL");
        scene.show(tablePicture("work", "Pieces of work that each has done", [
          ["", "the worker", "its heir"],
          ...rows,
        ]));
      },
      after: `Only one may do this job, and two did. A heartbeat can call the living dead. A longer
        wait makes that rarer, and each real death more expensive. No wait is long enough.`,
    },
  ];
}
