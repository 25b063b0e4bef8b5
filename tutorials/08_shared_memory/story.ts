/**
 * Chapter 8 for the stage: shared memory between processes.
 *
 * @module
 */

import { lock, type SemaphoreLock, sharedMemory, struct, type View } from "../../mod.ts";
import { readAll } from "../../src/os/files.ts";
import { bytesPicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import { ownTheLock, theDeadOwner } from "./dead_owner.ts";
import { forEver, Here, showFiles, showPurses } from "./here.ts";
import { Purses as Declared } from "./purses.ts";
import { firstProcess, secondProcess } from "./two_processes.ts";

const { size } = Declared;

/** The story of chapter 8. */
export const story: Story = {
  cast: { second, owner: ownTheLock },
  terminals: { first: firstProcess, second: secondProcess },
  steps: () => {
    const here = new Here();
    return [...join(here), ...takeTurns(here), ...theDeadOwner(here), ...leave(here)];
  },
};

/** The second process: joins, stores two numbers, and stays. */
function second(name: string): Promise<void> {
  const memory = sharedMemory(name, { size }).open();
  const purses = memory.view(Declared);
  purses.ann = 100;
  purses.ben = 100;
  return forEver();
}

function join(here: Here): Step[] {
  return [
    {
      title: "Memory with a name",
      text:
        `For a second process to find a page, the page needs a name. \`sharedMemory\` takes the steps
        of chapter 3: it builds a file in \`/dev/shm\`, reserves it, and gives it a name once it is
        complete.

        A struct declares the contents: Ann's coins and Ben's, each an \`f64\`, which is JavaScript's
        own kind of number. \`view\` shows the memory as such a struct.`,
      run: (scene) => {
        const { name } = scene;
        let Purses: typeof Declared;
        let purses: View<typeof Declared>;
        scene.look(() => {
          Purses = struct("purses", { ann: "f64", ben: "f64" });
        });
        const memory = scene.run(
          "memory",
          () => sharedMemory(name, { size: Purses.size }).open(),
        );
        scene.look(() => {
          purses = memory.view(Purses);
        });
        here.open(memory, purses!);
        scene.look(() => memory.references);
        showFiles(scene);
      },
      after:
        `The purses take ${size} bytes. \`memory\` is a [[handle]], by which this process uses them. In front of them the library keeps a page that describes the
        memory. \`references\` counts the users, and so far there is one.`,
    },
    {
      title: "A second process joins",
      text:
        `Now a second process starts. It runs the very same line, and need not know whether it is
        the first. Its card says \`uses shm\`: that is a record lock, as in chapter 7, one for each user.

        Then it stores 100 coins for Ann, and 100 for Ben.`,
      ask: {
        kind: "choice",
        text: "What does this process have to do to see the coins?",
        options: [
          {
            text: "Nothing: it just reads",
            right: true,
            because: "Both processes have the same page. A store there is read here.",
          },
          {
            text: "Receive a message",
            because: "Nothing is sent. Both processes have the same page.",
          },
          {
            text: "Open the memory again",
            because: "This process has the same page, and not a copy from the time at which it " +
              "opened the memory.",
          },
        ],
      },
      run: async (scene) => {
        const { memory, purses } = here;
        scene.start("second");
        await scene.until(() => purses.ben === 100);
        scene.look(() => purses.ann + purses.ben);
        scene.look(() => memory.references);
        showPurses(scene, here);
      },
    },
    {
      title: "Kill it",
      text: `Kill the second process by its card, or answer, and it is killed for you.`,
      ask: {
        kind: "choice",
        text: "It cannot tidy up when it is killed. How many references does the memory have then?",
        options: [
          {
            text: "1",
            right: true,
            because: "Each handle holds a record lock, which the kernel drops with its process. " +
              "\`references\` asks the kernel how many there are.",
          },
          {
            text: "2: nobody has subtracted the dead one",
            because:
              "A stored number would stay at 2. The library asks the kernel for the locks of the " +
              "living.",
          },
          {
            text: "0",
            because: "This process has the memory too, and holds a lock on it.",
          },
        ],
      },
      run: async (scene) => {
        const { memory } = here;
        scene.signal("second", "SIGKILL");
        await scene.until(() => memory.references === 1);
        scene.look(() => memory.references);
        showPurses(scene, here);
      },
      after: `What it has stored is still there.`,
    },
  ];
}

function takeTurns(here: Here): Step[] {
  const semaphore = (scene: Scene) => {
    const bytes = readAll(`/dev/shm/sem.${here.name}`);
    if (typeof bytes === "number") return;
    scene.show(bytesPicture(bytes, {
      id: "semaphore",
      title: "The file of the lock",
      address: 0,
      length: 16,
    }));
  };
  return [
    {
      title: "A lost update",
      text:
        `Two processes give Ann 10 coins each: \`ann += 10\`. That looks like one step and is three:
        read, add, write. Suppose that both read before either writes.`,
      ask: {
        kind: "number",
        text: "Ann has 100 coins. How many does she have afterwards?",
        unit: "coins",
        answer: () => here.purses.ann,
        right: "Both have read 100, and both write 110. Ten coins are lost without an error.",
        often: [
          {
            number: 120,
            because: "If the two took turns, it would be 120. But both have read 100, and both " +
              "write 110.",
          },
          { number: 100, because: "Both write 110. One of the two updates survives." },
        ],
        otherwise: "Both have read 100, so both write 110.",
      },
      run: (scene) => {
        const { purses } = here;
        scene.look(() => {
          const seenByOne = purses.ann;
          const seenByOther = purses.ann;
          purses.ann = seenByOne + 10;
          purses.ann = seenByOther + 10;
        });
        showPurses(scene, here);
      },
      after:
        `It only takes two processes at the same moment. That is rare in tests, and common under load.`,
    },
    {
      title: "Take turns",
      text:
        `So a process that wants to change the purses acquires a lock first, and the others wait. POSIX
        has such a lock for processes, the named semaphore: a number in a file. 1 means free, and 0 means
        taken. A process that acquires it gets a permit, to release later.`,
      ask: {
        kind: "choice",
        text: "One handle has the lock. What does `tryLock` of another handle return?",
        options: [
          {
            text: "undefined, at once",
            right: true,
            because: "Methods that begin with \`try\` never wait.",
          },
          {
            text: "A permit, once the first is released",
            because:
              "`lockSync` and `lock` wait until the first is released. `tryLock` never waits.",
          },
          {
            text: "A permit too, for reading",
            because: "There is one permit, and it is taken.",
          },
        ],
      },
      run: (scene) => {
        const { name } = here;
        let [mine, other]: SemaphoreLock[] = [];
        scene.look(() => {
          mine = lock(name).open();
          other = lock(name).open();
        });
        semaphore(scene);
        const permit = scene.run("permit", () => mine!.tryLock()!);
        semaphore(scene);
        scene.look(() => other!.tryLock());
        permit.release();
        mine!.close();
        other!.close();
      },
      after:
        `The first byte is the number; the others belong to the C library. The lock guards nothing by
        itself. It works because every process acquires it.`,
    },
  ];
}

function leave(here: Here): Step[] {
  return [{
    title: "The last one out",
    text: `This process is the last one that uses the memory. It closes its handle.`,
    ask: {
      kind: "choice",
      text: "Which of the two files stays?",
      options: [
        {
          text: "That of the lock",
          right: true,
          because: "The last user has removed the memory. POSIX does not count the users of a " +
            "semaphore, so a program has to unlink it.",
        },
        {
          text: "That of the memory",
          because: "The users of the memory hold record locks. So the last one knows that it is " +
            "the last, and removes the file.",
        },
        {
          text: "Both",
          because: "The memory's last user removes it. Nobody counts the semaphore's.",
        },
      ],
    },
    run: (scene) => {
      const { memory, name } = here;
      showFiles(scene);
      scene.look(() => {
        memory.close();
      });
      showFiles(scene);
      lock(name).unlink();
    },
    after:
      `And if the last user is killed? Then the file stays, without any lock on it. The next process
      that opens it sees that, and begins with new memory.`,
  }, {
    title: "Who repairs what",
    text:
      `The kernel releases the locks of the dead. The library passes them on, and says so. The data
      that they guard is yours to repair.

      In the exercise you move coins so that a death at any moment can be repaired. There is also a
      lesson for two terminals: \`deno task learn --term 8/first\`. Chapter 9 looks into the lock itself,
      and kills its owner before each operation.`,
  }];
}
