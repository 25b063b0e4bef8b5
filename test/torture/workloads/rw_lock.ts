/**
 * A reader/writer lock and actors that want it, on threads and on event loops. Writers count in a
 * way that only works alone, in three words one after the other; readers find the three the same,
 * and unchanged until they release. Waiters and holders are killed, stopped and replaced; every
 * permit reports a half-done write until another writer has mended it, and none does after that.
 * Beside them a few actors that are never harmed check that a release wakes waiters
 * (rw_watching.ts).
 *
 * @module
 */

import { ClosedError } from "../../../src/errors.ts";
import { regionPath } from "../../../src/region/names.ts";
import type { Region } from "../../../src/region/region.ts";
import { Word64 } from "../../../src/memory/word.ts";
import { nextTurn, now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { type RwLock, rwLock } from "../../../src/shared/rw_lock.ts";
import { RW_LOCK, RW_LOCK_CONTROL } from "../../../src/shared/rw_queue.ts";
import type { Permit } from "../../../src/shared/permit.ts";
import type { Harm } from "../fate.ts";
import { type Actor, defineWorkload, type Scene, type Workload } from "../workload.ts";
import { type Cell, raise } from "../ledger.ts";
import { inTime, soon, tenure } from "../pieces/patience.ts";
import { Guarded } from "../pieces/rw_guarded.ts";
import { come, keep, openWatched, WATCH_CELLS, WATCHED } from "../pieces/rw_watching.ts";
import { openRegion } from "../../region/opening.ts";

/** Where tickets begin: the half of a turn that is watched wraps soon. */
const FIRST_TICKET = 2 ** 30 - 300;

/** As many as can wait or be inside at a time. */
const SEATS = RW_LOCK_CONTROL.fields.rows.type.length;

const BLOCKERS = 4;
const LOOPS = 3;

/** How many wait at a time on the event loop of each. */
const TASKS = 3;

const CELLS = {
  begun: 1, // countings that were about to be done
  done: 1, // countings that were done
  writes: 1,
  reads: 1,
  gaveUp: 1, // waits that ended without
  closed: 1, // locks that were closed while somebody waited or read
  told: 1, // permits that reported a writer that died inside
  mended: 1, // times that such a writer has made everything whole
  writing: BLOCKERS + LOOPS, // how many permits to write a process may have
  died: 1, // processes that died while that was not 0
  corrupt: 1, // times that the guarded words were wrong
  leaked: 1, // seats that nobody can take though nobody has them
  longest: 1, // the longest wait, in nanoseconds
  ...WATCH_CELLS,
};

type CellName = keyof typeof CELLS;
type Party = Actor<CellName>;

/** Acquires the lock to write without waiting. */
export type TryWrite = (lock: RwLock) => Permit | undefined;

const RESOURCE = "the lock";
const READING = 1;

/** Longer than any wait without a timeout or a stop. */
const STARVED_MS = 15_000;

function nameOf(scene: Scene<CellName>): string {
  return scene.name("lock");
}

// ---- those who want the lock ----

/** A process with the lock open. */
class Member implements Disposable {
  readonly lock: RwLock;
  readonly #actor: Party;
  readonly #guarded: Guarded;
  readonly #tryWrite: TryWrite;
  readonly #writing: Cell;
  #reading = 0;
  #isWriting = false;
  #closed = false;

  constructor(actor: Party, { tryWrite, index }: { tryWrite: TryWrite; index: number }) {
    this.lock = rwLock(nameOf(actor)).open();
    this.#actor = actor;
    this.#guarded = new Guarded(actor);
    this.#tryWrite = tryWrite;
    this.#writing = actor.cells.writing[index]!;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Notes that the seat's last owner may have died with a permit to write. */
  succeed(): void {
    if (this.#writing.exchange(0) > 0) this.#actor.count("died");
  }

  /** Waits for a permit in some way, and uses it. */
  async visit(inSync: boolean): Promise<void> {
    const { random } = this.#actor;
    const toWrite = random.chance(0.4);
    if (toWrite) this.#writing.add(1);
    try {
      const permit = await this.#enter(toWrite, inSync);
      if (permit === undefined) this.#actor.count("gaveUp");
      else if (toWrite) await this.#write(permit, inSync);
      else await this.#read(permit, inSync);
    } catch (error) {
      if (!(this.#closed && error instanceof ClosedError)) throw error;
    } finally {
      if (toWrite) this.#writing.sub(1);
    }
  }

  async #enter(toWrite: boolean, inSync: boolean): Promise<Permit | undefined> {
    const { lock } = this;
    const { random, cells } = this.#actor;
    if (random.chance(0.3)) return toWrite ? this.#tryWrite(lock) : lock.tryRead();
    const isPatient = random.chance(0.7);
    const timeout = isPatient ? STARVED_MS : random.skewed(1, 30);
    const signal = random.chance(0.2) ? AbortSignal.timeout(random.skewed(1, 30)) : undefined;
    const options = { timeout, ...signal && { signal } };
    const start = now();
    const permit = await inTime(() => {
      if (inSync) return toWrite ? lock.writeSync({ timeout }) : lock.readSync({ timeout });
      return toWrite ? lock.write(options) : lock.read(options);
    });
    const gaveUp = permit === undefined && !(isPatient && (inSync || signal === undefined));
    if (permit === undefined && !gaveUp) this.#actor.complain(`waited for ${STARVED_MS} ms`);
    if (permit !== undefined) raise(cells.longest[0]!, now() - start);
    return permit;
  }

  async #write(permit: Permit, inSync: boolean): Promise<void> {
    const { seat, life, random } = this.#actor;
    const token = READING + 1 + seat + 100 * (inSync ? 1 : 2) + 1000 * (life + 1);
    this.#actor.declare(RESOURCE, token);
    this.#isWriting = true;
    const guarded = this.#guarded;
    this.#check(permit);
    if (permit.recovered) {
      guarded.store(guarded.count);
      this.#actor.count("mended");
    }
    let expected = guarded.state;
    for (let turns = random.small(5); turns > 0; turns--) {
      if (guarded.state !== expected) {
        this.#actor.find("corrupt", `${expected} became ${guarded.state} in a write`);
      }
      this.#actor.count("begun");
      const next = (guarded.count + 1) >>> 0;
      guarded.store(next, () => {
        if (random.chance(0.02)) sleepSync(random.skewed(0.1, 10));
      });
      this.#actor.count("done");
      expected = guarded.state;
      if (random.chance(0.02)) await this.#stay(inSync);
    }
    this.#actor.count("writes");
    this.#isWriting = false;
    this.#actor.withdraw(RESOURCE, token);
    permit.release();
  }

  async #read(permit: Permit, inSync: boolean): Promise<void> {
    const { random } = this.#actor;
    this.#actor.declare(RESOURCE, READING);
    this.#reading++;
    this.#check(permit);
    const { state } = this.#guarded;
    using other = random.chance(0.2) ? this.lock.tryRead() : undefined;
    if (random.chance(0.3)) await this.#stay(inSync);
    if (this.#closed) return;
    if (this.#guarded.state !== state) {
      this.#actor.find("corrupt", `${state} became ${this.#guarded.state}`);
    }
    this.#actor.count("reads", other === undefined ? 1 : 2);
    this.#reading--;
    this.#actor.withdraw(RESOURCE, READING);
    permit.release();
  }

  /** Checks that the guarded words are whole, or that the permit reports otherwise. */
  #check({ recovered }: Permit): void {
    if (recovered) this.#actor.count("told");
    else if (!this.#guarded.isWhole) {
      this.#actor.find("corrupt", `finds ${this.#guarded.state} without notice`);
    }
  }

  async #stay(inSync: boolean): Promise<void> {
    const ms = this.#actor.random.skewed(0.1, 20);
    if (inSync) sleepSync(ms);
    else await sleep(ms);
  }

  /** Closes the lock while others of this process wait or read; waits for a writer. */
  async close(): Promise<void> {
    while (this.#isWriting) await sleep(1);
    if (this.#closed) return;
    this.#closed = true;
    for (; this.#reading > 0; this.#reading--) this.#actor.withdraw(RESOURCE, READING);
    this.lock.close();
    this.#actor.count("closed");
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.lock.close();
    this.#guarded[Symbol.dispose]();
  }
}

/** Wants the lock again and again, and blocks the thread. */
async function block(actor: Party, tryWrite: TryWrite): Promise<void> {
  const { random } = actor;
  for (let first = true; !actor.over; first = false) {
    using member = new Member(actor, { tryWrite, index: actor.seat });
    if (first) member.succeed();
    for (const isOver = tenure(actor, 2000); !isOver();) {
      await member.visit(true);
      if (random.chance(0.5)) sleepSync(random.skewed(0.1, 20));
    }
  }
}

/** The same several times at once, on an event loop. */
async function loop(actor: Party, tryWrite: TryWrite): Promise<void> {
  const { random } = actor;
  for (let first = true; !actor.over; first = false) {
    using member = new Member(actor, { tryWrite, index: BLOCKERS + actor.seat });
    if (first) member.succeed();
    const isOver = tenure(actor, 2000);
    const tasks = Array.from({ length: TASKS }, async () => {
      while (!isOver() && !member.closed) {
        await member.visit(false);
        if (random.chance(0.5)) await sleep(random.skewed(0.1, 20));
        else await nextTurn();
      }
    });
    if (random.chance(0.5)) {
      await sleep(random.skewed(1, 1000));
      await member.close();
    }
    await Promise.all(tasks);
  }
}

// ---- the workload ----

/** Acquires the lock as a newcomer while nobody lives: at once, with notice of a half-done write. */
function settle(scene: Scene<CellName>, guarded: Guarded): void {
  using lock = rwLock(nameOf(scene)).open();
  using permit = soon(() => lock.tryWrite());
  if (permit === undefined) return scene.find("leaked", "nobody can write, and nobody does");
  if (permit.recovered) scene.count("mended");
  else if (!guarded.isWhole) {
    scene.find("corrupt", `finds ${guarded.state} alone, without notice`);
  }
  guarded.store(guarded.count);
  const mended = scene.total("mended");
  const dead = scene.total("died") + scene.cells.writing.filter((cell) => cell.load() > 0).length;
  if (mended <= dead) return;
  scene.complain(`${mended} mended what a dead writer had left, of at most ${dead}`);
}

/** Whether all seats are there for newcomers. */
function checkSeats(scene: Scene<CellName>): void {
  using lock = rwLock(nameOf(scene)).open();
  using permits = new DisposableStack();
  for (let seat = 1; seat < SEATS; seat++) {
    const permit = soon(() => lock.tryRead());
    if (permit === undefined) return scene.find("leaked", `only ${seat - 1} can read`);
    if (permit.recovered) scene.complain("a reader gets notice of a mended write");
    permits.use(permit);
  }
  if (lock.tryWrite() !== undefined) scene.complain("can write where others read");
}

/** Makes the lock, as if many had had it already, and holds it open. */
function beginLock(scene: Scene<CellName>): Region {
  const region = openRegion(RW_LOCK, regionPath(RW_LOCK.name, nameOf(scene)), { dataBytes: 0 });
  const { mapping, controlOffset } = region;
  new Word64(mapping, RW_LOCK_CONTROL.fields.tickets, controlOffset).store(FIRST_TICKET);
  return region;
}

const HARM: Harm = {
  steps: ["turn store", "tickets", "torn", "second store", "third store", "bell", "sleep", "lock"],
  lifeMs: [5, 1500],
  stopMs: [2, 900],
};

/** The workload, with a way to come in. */
export function rwLockWorkload(tryWrite: TryWrite): Workload<CellName> {
  return defineWorkload<CellName>({
    about:
      "one writes or many read, through all deaths; a half-done write is reported, and mended once",
    cells: CELLS,
    facts: {
      "permits to write": "writes",
      "permits to read": "reads",
      "gave up": "gaveUp",
      "closed in a wait": "closed",
      "saw a death inside": "told",
      "mended": "mended",
      "rounds that were watched": "round",
      "longest wait (ms)": "longest",
    },
    wanted: { resources: [RESOURCE], withinMs: 10_000 },
    parts: {
      "on a thread": { seats: BLOCKERS, harm: HARM, run: (actor) => block(actor, tryWrite) },
      "keeper": { seats: 1, run: keep },
      "watched": { seats: WATCHED, run: come },
      "on a loop": { seats: LOOPS, harm: HARM, run: (actor) => loop(actor, tryWrite) },
    },
    begin(scene) {
      using stack = new DisposableStack();
      stack.use(beginLock(scene));
      stack.use(openWatched(scene));
      const guarded = stack.use(new Guarded(scene));
      const held = stack.move();
      return {
        counts() {
          const done = scene.total("done");
          const received = guarded.count; // one can die between counting and taking note of it
          return {
            sent: done,
            received,
            lost: Math.max(0, done - received),
            duplicated: Math.max(0, received - scene.total("begun")),
          };
        },
        alone() {
          settle(scene, guarded);
          checkSeats(scene);
        },
        [Symbol.dispose]: () => held.dispose(),
      };
    },
  });
}

export default rwLockWorkload((lock) => lock.tryWrite());
