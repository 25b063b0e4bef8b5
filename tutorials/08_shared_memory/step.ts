/**
 * Shared memory between processes. Run it with
 * `deno run --allow-ffi tutorials/08_shared_memory/step.ts`; the prose is in README.md beside it.
 *
 * @module
 */

import {
  lock,
  type LockDefinition,
  type Permit,
  type SemaphoreLock,
  type SharedMemory,
  sharedMemory,
  type SharedMemoryDefinition,
  type View,
} from "../../mod.ts";
import { statPath } from "../../src/os/files.ts";
import { closeSemaphore, openSemaphore, tryWait } from "../../src/os/semaphore.ts";
import { filesOf, mapsLine } from "../kernel_view.ts";
import { fail, look, picture, predict, run, say, step, tell, tidyUp } from "../narrator.ts";
import { Purses, semaphoreBytes } from "./purses.ts";
import { firstProcess, secondProcess } from "./two_processes.ts";

const size = Purses.size;

/** Two handles on one memory: what two processes would have. */
interface Both {
  readonly first: SharedMemory;
  readonly second: SharedMemory;
  readonly here: View<typeof Purses>;
  readonly there: View<typeof Purses>;
}

/** Two handles on one semaphore. */
interface Locks {
  readonly mine: SemaphoreLock;
  readonly other: SemaphoreLock;
}

function main(name: string): void {
  lock(name).unlink(); // left over if this program was stopped in the middle
  const first = openByName(name);
  const both = openAgain(first);
  loseAnUpdate(both);
  const locks = takeTurns(both);
  inheritFromTheDead(both, locks);
  leave(both, locks);
  say(`All of this was one program with two handles, so that you could watch both. Now take two
    programs: open a second terminal, and run the first line here and the second there. Then kill
    one of them.`);
}

function openByName(name: string): SharedMemory {
  step("Memory with a name");
  say(`Tutorial 4 put one page at two addresses of one process. For a second process to find it, the
    page needs a name. \`sharedMemory\` defines such memory. Its \`open\` takes the steps of
    tutorial 3: it builds a file in \`/dev/shm\`, reserves it, and gives it a name once it is
    complete. A struct declares the contents: here two purses, Ann's and Ben's.`);
  const first = tidyUp(run("first", () => sharedMemory(name, { size }).open()));
  picture(filesOf(name));
  say(
    `The purses take ${size} bytes. In front of them the library keeps a page that describes this
    memory: its type, its size, its version. A process that opens it need not guess.`,
  );
  look(() => first.offset);
  look(() => first.references);
  return first;
}

function openAgain(first: SharedMemory): Both {
  step("The second one joins");
  say(`A second process runs the very same line. It need not know whether it is the first: \`open\`
    creates the memory or joins it.`);
  const { name } = first;
  const second = tidyUp(run("second", () => sharedMemory(name, { size }).open()));
  look(() => first.references);
  picture(`${mapsLine(addressOf(first.bytes))}\n${mapsLine(addressOf(second.bytes))}`);
  say(`Two addresses and one inode, as in tutorial 4. (The first was mapped before the file had its
    name, so its label differs.) A value stored here is read there:`);
  const here = first.view(Purses);
  const there = second.view(Purses);
  look(() => {
    here.ann = 100;
    here.ben = 100;
  });
  look(() => there.ann + there.ben);
  predict("What if a program expects the memory to be larger?");
  fail(() => sharedMemory(name, { size: 64 }).open());
  return { first, second, here, there };
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): number {
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

function loseAnUpdate({ here, there }: Both): void {
  step("A lost update");
  say(
    `Each process wants to give Ann 10 coins: \`ann += 10\`. That looks like one step and is three:
    read, add, write. What if both read before either writes?`,
  );
  predict("Ann has 100 coins, and gets 10 and 10 more. How many does she have then?");
  look(() => {
    const seenHere = here.ann;
    const seenThere = there.ann;
    here.ann = seenHere + 10;
    there.ann = seenThere + 10;
  });
  look(() => here.ann);
  say(`Ten coins are lost, without an error and without a crash. It only takes two processes at the
    same moment. That is rare in tests, and common under load.`);
}

function takeTurns({ first: { name }, here, there }: Both): Locks {
  step("Take turns");
  say(
    `So a process that wants to change the purses acquires a lock first, and the others wait. POSIX
    has such a lock for processes, the named semaphore: a number in a file. 1 means free, and 0
    means taken. Both sides open it by the same name:`,
  );
  const mine = tidyUp(run("mine", () => lock(name).open()), lock(name));
  const other = tidyUp(run("other", () => lock(name).open()), lock(name));
  picture(semaphoreBytes(name));
  const permit = run("permit", () => mine.tryLock()!);
  picture(semaphoreBytes(name));
  say("The first byte is the number. It was 1; acquiring the permit set it to 0.");
  predict("What does the other side get now?");
  look(() => other.tryLock());
  say(`Nothing, and at once: methods that begin with \`try\` never wait. \`lockSync\` blocks the
    thread, and \`lock\` returns a promise. Both wait until the permit is released. With \`using\`,
    a permit is released at the end of the block, even if the block throws.`);
  look(() => {
    here.ann += 10;
    permit.release();
  });
  look(() => {
    using _permit = other.lockSync();
    there.ann += 10;
  });
  look(() => here.ann);
  say(`110 and 10 and 10: nothing is lost. But the lock guards nothing by itself. It works because
    every process acquires it.`);
  return { mine, other };
}

function inheritFromTheDead({ here, there }: Both, { other }: Locks): void {
  const { name } = other;
  step("Killed while holding the lock");
  say(
    `A process moves 30 coins from Ann to Ben. It acquires the lock, takes the coins from Ann, and
    then it is killed: \`kill -9\`, which no program can catch. We cannot kill one half of this
    program. So we take its steps by hand, and then stop.`,
  );
  look(() => {
    here.ann = 100;
    here.ben = 100;
  });
  look(() => {
    const semaphore = openSemaphore(name, 0o600);
    tryWait(semaphore); // takes the permit
    here.ann -= 30;
    closeSemaphore(semaphore); // all that the kernel does for a dead process
  });
  picture(semaphoreBytes(name));
  predict("The number is 0, and its owner is dead. Will any process ever get the lock again?");
  const permit = run("permit", () => other.lockSync());
  say(
    `In C, no process would: a semaphore does not know its owner, so each would wait for a \`post\`
    that never comes. \`--break\` shows that. So a \`lock\` takes two locks: first a record lock on
    the semaphore's file, and then the semaphore. The kernel releases a record lock when its process
    dies, for any reason. A process that gets the record lock and finds the semaphore at 0 knows
    that the owner is dead. It inherits the permit, and \`recovered\` is true.`,
  );
  look(() => there.ann + there.ben);
  say(
    `There were 200 coins. The lock is repaired. The data that it guards is not, because only you
    know how: \`recovered\` tells you that it is your turn. Here we know the sum, so we know how
    many coins Ben is missing.`,
  );
  look(() => {
    there.ben = 200 - there.ann;
    permit.release();
  });
  say("If you cannot know the right state, write down beforehand what you are about to do.");
}

function leave({ first, second, there }: Both, { mine, other }: Locks): void {
  const { name } = first;
  step("The last one out");
  picture(filesOf(name));
  predict("The first one closes its handles. What do the two sides see then?");
  look(() => {
    mine.close();
    first.close();
  });
  look(() => first.bytes.length);
  look(() => second.references);
  look(() => there.ann);
  say(
    `\`references\` is not a stored number, because a killed process could not subtract itself.
    Every handle holds a record lock, and \`references\` asks the kernel how many there are. So it
    counts only the living.`,
  );
  look(() => {
    second.close();
  });
  picture(filesOf(name));
  say(`The last user has removed the memory. The semaphore stays, because POSIX does not count its
    users. So a program has to unlink it once no process needs it.`);
  look(() => lock(name).unlink());
  picture(filesOf(name));
  other.close();
  say(
    `And if the last user of the memory is killed? Then the file stays, without any lock on it. The
    next process that opens it sees that, and begins with new memory, all zeros. With \`persist\` in
    its definition, the memory stays: see \`--crash\`.`,
  );
}

/** A semaphore by the rules of C, whose owner is not dead but stopped. */
function breakIt(name: string): void {
  lock(name).unlink();
  const memory = tidyUp(sharedMemory(name, { size }).open());
  const here = memory.view(Purses);
  here.ann = 100;

  step("The owner falls silent");
  say(
    `Ann has 100 coins. A process is about to take 30 of them. It acquires the lock, reads her
    purse, and then falls silent. \`interop\` means that we play by the rules of C: no process
    checks whether the owner is alive.`,
  );
  const slow = tidyUp(lock(name, { interop: true }).open(), lock(name));
  const permit = slow.lockSync();
  const seen = run("seen", () => here.ann);
  const waiter = tidyUp(lock(name, { interop: true }).open(), lock(name));
  fail(() => waiter.lockSync({ timeout: 100 }));
  say("Without the timeout, this would wait for ever.");

  step("A helpful person tidies up");
  say(`A helpful person is sure that the owner is dead, and deletes the semaphore. The next process
    to open the name creates a new one, and everything works again.`);
  const inode = () => inodeOf(name);
  run("before", inode);
  look(() => lock(name).unlink());
  const fresh = tidyUp(run("fresh", () => lock(name, { interop: true }).open()), lock(name));
  run("after", inode);
  look(() => {
    using _permit = fresh.lockSync();
    here.ann += 50;
  });
  look(() => here.ann);

  step("It was only slow");
  predict("Ann has 150 coins. The silent process wakes up and takes its 30. How many are left?");
  look(() => {
    here.ann = seen - 30;
    permit.release();
  });
  look(() => here.ann);
  say(
    `It had not died. It had been stopped: by Ctrl-Z, by a debugger, by a laptop that slept. It held
    the old semaphore, which had only lost its name, and did nothing wrong. There were two locks,
    and two processes each held one at the same time. 50 coins are lost.`,
  );
  say(
    `Dead or only slow? From outside both look the same, however long you wait. The kernel knows, so
    the library asks it: a stopped process keeps its record lock, and a dead one loses it. Unlink a
    semaphore when no process uses it, and never to get past its owner.`,
  );
}

function inodeOf(name: string): number {
  const status = statPath(`/dev/shm/sem.${name}`);
  return typeof status === "number" ? status : status.inode;
}

/** Dies while holding the lock; run again, it repairs the purses. */
function crash(name: string): void {
  using stack = new DisposableStack();
  const state = sharedMemory(name, { size, persist: true });
  const memory = stack.use(state.open());
  const door = lock(name);
  const permit = stack.use(door.open()).lockSync();
  if (permit.recovered) repair(state, memory, { door, permit });
  else die(state, memory);
}

function die(state: SharedMemoryDefinition, memory: SharedMemory): void {
  step("Die while holding the lock");
  const purses = memory.view(Purses);
  say("This program holds the lock, and moves 30 coins from Ann to Ben.");
  look(() => {
    purses.ann = 100;
    purses.ben = 100;
  });
  look(() => {
    purses.ann -= 30;
  });
  const bytes = run("bytes", () => state.observer().bytes);
  say(
    `Then it hits a bug: it writes to memory that it may only read, as in tutorial 4. The kernel
    will end this program with SIGSEGV while it holds the lock. Afterwards, look at the files that
    it leaves, and then run the same command again.`,
  );
  picture(`ls -l /dev/shm/*${memory.name}`);
  predict("Which of these will survive: the coins, the lock, the references?");
  look(() => {
    bytes[0] = 1;
  });
}

function repair(
  state: SharedMemoryDefinition,
  memory: SharedMemory,
  { door, permit }: { door: LockDefinition; permit: Permit },
): void {
  step("Find what the dead process left");
  const purses = memory.view(Purses);
  say(
    `This run differs. The memory is still there, because its definition says \`persist\`, and the
    semaphore is at 0. But the owner's record lock is gone, and so is its reference.`,
  );
  picture(filesOf(memory.name));
  look(() => permit.recovered);
  look(() => memory.references);
  look(() => purses.ann + purses.ben);
  say("A process died in the middle of a move, and the sum shows how much is missing.");
  look(() => {
    purses.ben = 200 - purses.ann;
    permit.release();
  });
  look(() => state.unlink() && door.unlink());
  picture(filesOf(memory.name));
  say("All is well and nothing is left. Run it once more, and it will die again.");
}

tell({
  folder: "08_shared_memory",
  title: "Tutorial 8: shared memory between processes",
  name: "tutorial-8",
  main: { steps: 6, tell: main },
  break: { steps: 3, tell: (name) => breakIt(`${name}-break`) },
  crash: { steps: 1, tell: (name) => crash(`${name}-crash`) },
  parties: {
    first: { steps: 4, tell: (name) => firstProcess(`${name}-two`) },
    second: { steps: 4, tell: (name) => secondProcess(`${name}-two`) },
  },
});
