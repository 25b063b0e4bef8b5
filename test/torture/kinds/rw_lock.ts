/**
 * A reader/writer lock and those who want it, on threads and on event loops. Writers count in a way
 * that only works alone, in three words one after the other; readers find the three the same, and
 * the same until they leave. Whoever waits or is inside is killed, stopped and replaced; what a
 * writer left half done is told to all until another has mended it, and then to nobody. Beside them
 * a few whom nobody harms see to it that who leaves wakes who can come in (rw_watching.ts).
 *
 * @module
 */

import { ClosedError } from "../../../src/errors.ts";
import { Region } from "../../../src/region/region.ts";
import { regionPath } from "../../../src/region/names.ts";
import { Word64 } from "../../../src/memory/word.ts";
import { nextTurn, now, sleep, sleepSync } from "../../../src/os/clock.ts";
import { RwLock } from "../../../src/shared/rw_lock.ts";
import { RW_LOCK, RW_LOCK_CONTROL } from "../../../src/shared/rw_queue.ts";
import type { Permit } from "../../../src/shared/semaphore_lock.ts";
import type { Harm } from "../fate.ts";
import { defineKind, type Kind, type Scene, type Stage } from "../kind.ts";
import { type Cell, raise } from "../ledger.ts";
import { inTime, soon, tenure } from "../patience.ts";
import { Guarded } from "../rw_guarded.ts";
import { come, keep, openWatched, WATCH_CELLS, WATCHED } from "../rw_watching.ts";

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
  told: 1, // times that somebody was told of a writer that died inside
  mended: 1, // times that a writer that was told has made everything whole
  writing: BLOCKERS + LOOPS, // how many permits to write a process may have
  died: 1, // processes that died while that was not 0
  corrupt: 1, // times that what is guarded was not as it must be
  leaked: 1, // seats that nobody can have though nobody has them
  longest: 1, // the longest wait, in nanoseconds
  ...WATCH_CELLS,
};

type CellName = keyof typeof CELLS;
type Party = Stage<CellName>;

/** How who wants to write comes in without waiting. */
export type TryWrite = (lock: RwLock) => Permit | undefined;

const RESOURCE = "the lock";
const READING = 1;

/** So long nobody has to wait, who neither gives up nor is stopped. */
const STARVED_MS = 15_000;

function nameOf(scene: Scene<CellName>): string {
  return scene.name("lock");
}

// ---- those who want the lock ----

/** A process with the lock open. */
class Member implements Disposable {
  readonly lock: RwLock;
  readonly #stage: Party;
  readonly #guarded: Guarded;
  readonly #tryWrite: TryWrite;
  readonly #writing: Cell;
  #reading = 0;
  #isWriting = false;
  #closed = false;

  constructor(stage: Party, { tryWrite, index }: { tryWrite: TryWrite; index: number }) {
    this.lock = RwLock.open(nameOf(stage));
    this.#stage = stage;
    this.#guarded = new Guarded(stage);
    this.#tryWrite = tryWrite;
    this.#writing = stage.cells.writing[index]!;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes down that the one who was in this seat before may have died with a permit to write. */
  succeed(): void {
    if (this.#writing.exchange(0) > 0) this.#stage.cells.died[0]!.add(1);
  }

  /** Waits for a permit in some way, and uses it. */
  async visit(inSync: boolean): Promise<void> {
    const { random, cells } = this.#stage;
    const toWrite = random.chance(0.4);
    if (toWrite) this.#writing.add(1);
    try {
      const permit = await this.#enter(toWrite, inSync);
      if (permit === undefined) cells.gaveUp[0]!.add(1);
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
    const { random, cells } = this.#stage;
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
    if (permit === undefined && !gaveUp) this.#stage.complain(`waited for ${STARVED_MS} ms`);
    if (permit !== undefined) raise(cells.longest[0]!, now() - start);
    return permit;
  }

  async #write(permit: Permit, inSync: boolean): Promise<void> {
    const { seat, life, random, cells } = this.#stage;
    const token = READING + 1 + seat + 100 * (inSync ? 1 : 2) + 1000 * (life + 1);
    this.#stage.claim(RESOURCE, token);
    this.#isWriting = true;
    const guarded = this.#guarded;
    this.#check(permit);
    if (permit.recovered) {
      guarded.store(guarded.count);
      cells.mended[0]!.add(1);
    }
    let expected = guarded.state;
    for (let turns = random.small(5); turns > 0; turns--) {
      if (guarded.state !== expected) this.#find(`${expected} became ${guarded.state} in a write`);
      cells.begun[0]!.add(1);
      const next = (guarded.count + 1) >>> 0;
      guarded.store(next, () => {
        if (random.chance(0.02)) sleepSync(random.skewed(0.1, 10));
      });
      cells.done[0]!.add(1);
      expected = guarded.state;
      if (random.chance(0.02)) await this.#stay(inSync);
    }
    cells.writes[0]!.add(1);
    this.#isWriting = false;
    this.#stage.release(RESOURCE, token);
    permit.release();
  }

  async #read(permit: Permit, inSync: boolean): Promise<void> {
    const { random, cells } = this.#stage;
    this.#stage.claim(RESOURCE, READING);
    this.#reading++;
    this.#check(permit);
    const { state } = this.#guarded;
    using other = random.chance(0.2) ? this.lock.tryRead() : undefined;
    if (random.chance(0.3)) await this.#stay(inSync);
    if (this.#closed) return;
    if (this.#guarded.state !== state) this.#find(`${state} became ${this.#guarded.state}`);
    cells.reads[0]!.add(other === undefined ? 1 : 2);
    this.#reading--;
    this.#stage.release(RESOURCE, READING);
    permit.release();
  }

  /** What is guarded is whole, or whoever comes in is told. */
  #check({ recovered }: Permit): void {
    if (recovered) this.#stage.cells.told[0]!.add(1);
    else if (!this.#guarded.isWhole) this.#find(`finds ${this.#guarded.state} and was not told`);
  }

  #find(text: string): void {
    this.#stage.cells.corrupt[0]!.add(1);
    this.#stage.complain(text);
  }

  async #stay(inSync: boolean): Promise<void> {
    const ms = this.#stage.random.skewed(0.1, 20);
    if (inSync) sleepSync(ms);
    else await sleep(ms);
  }

  /** Closes the lock while others of this process wait or read; whoever writes is waited for. */
  async close(): Promise<void> {
    while (this.#isWriting) await sleep(1);
    if (this.#closed) return;
    this.#closed = true;
    for (; this.#reading > 0; this.#reading--) this.#stage.release(RESOURCE, READING);
    this.lock.close();
    this.#stage.cells.closed[0]!.add(1);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.lock.close();
    this.#guarded[Symbol.dispose]();
  }
}

/** Wants the lock again and again, and blocks the thread. */
async function block(stage: Party, tryWrite: TryWrite): Promise<void> {
  const { random } = stage;
  for (let first = true; !stage.over; first = false) {
    using member = new Member(stage, { tryWrite, index: stage.seat });
    if (first) member.succeed();
    for (const isOver = tenure(stage, 2000); !isOver();) {
      await member.visit(true);
      if (random.chance(0.5)) sleepSync(random.skewed(0.1, 20));
    }
  }
}

/** The same several times at once, on an event loop. */
async function loop(stage: Party, tryWrite: TryWrite): Promise<void> {
  const { random } = stage;
  for (let first = true; !stage.over; first = false) {
    using member = new Member(stage, { tryWrite, index: BLOCKERS + stage.seat });
    if (first) member.succeed();
    const isOver = tenure(stage, 2000);
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

// ---- the kind ----

/** A newcomer, while nobody lives: it can write at once, and is told what it has to be told. */
function settle(scene: Scene<CellName>, guarded: Guarded): void {
  const { cells } = scene;
  using lock = RwLock.open(nameOf(scene));
  using permit = soon(() => lock.tryWrite());
  if (permit === undefined) return find(scene, "leaked", "nobody can write, and nobody does");
  if (permit.recovered) cells.mended[0]!.add(1);
  else if (!guarded.isWhole) {
    find(scene, "corrupt", `finds ${guarded.state} alone, and was not told`);
  }
  guarded.store(guarded.count);
  const [mended, died] = [cells.mended[0]!.load(), cells.died[0]!.load()];
  const dead = died + cells.writing.filter((cell) => cell.load() > 0).length;
  if (mended <= dead) return;
  scene.complain(`${mended} were told of a death and mended what was left, of at most ${dead}`);
}

/** Whether all seats are there for newcomers. */
function checkSeats(scene: Scene<CellName>): void {
  using lock = RwLock.open(nameOf(scene));
  using permits = new DisposableStack();
  for (let seat = 1; seat < SEATS; seat++) {
    const permit = soon(() => lock.tryRead());
    if (permit === undefined) return find(scene, "leaked", `only ${seat - 1} can read`);
    if (permit.recovered) scene.complain("a reader is told of what was mended");
    permits.use(permit);
  }
  if (lock.tryWrite() !== undefined) scene.complain("can write where others read");
}

function find(scene: Scene<CellName>, what: "corrupt" | "leaked", text: string): void {
  scene.cells[what][0]!.add(1);
  scene.complain(text);
}

/** Makes the lock, as if many had had it already, and holds it open. */
function beginLock(scene: Scene<CellName>): Region {
  const region = Region.open(RW_LOCK, regionPath(RW_LOCK.name, nameOf(scene)), { dataBytes: 0 });
  const { mapping, controlOffset } = region;
  new Word64(mapping, RW_LOCK_CONTROL.fields.tickets, controlOffset).store(FIRST_TICKET);
  return region;
}

const HARM: Harm = {
  steps: ["turn store", "tickets", "torn", "second store", "third store", "bell", "sleep", "lock"],
  lifeMs: [5, 1500],
  stopMs: [2, 900],
};

/** The kind, with a way to come in. */
export function rwLockKind(tryWrite: TryWrite): Kind<CellName> {
  return defineKind<CellName>({
    about:
      "one writes or many read, whoever dies; what was left half done is told, and mended once",
    cells: CELLS,
    wanted: { resources: [RESOURCE], withinMs: 10_000 },
    parts: {
      "on a thread": { seats: BLOCKERS, harm: HARM, run: (stage) => block(stage, tryWrite) },
      "keeper": { seats: 1, run: keep },
      "watched": { seats: WATCHED, run: come },
      "on a loop": { seats: LOOPS, harm: HARM, run: (stage) => loop(stage, tryWrite) },
    },
    begin(scene) {
      using stack = new DisposableStack();
      stack.use(beginLock(scene));
      stack.use(openWatched(scene));
      const guarded = stack.use(new Guarded(scene));
      const held = stack.move();
      const cell = (name: CellName) => scene.cells[name][0]!.load();
      return {
        counts() {
          const done = cell("done");
          const received = guarded.count; // one can die between counting and taking note of it
          return {
            sent: done,
            received,
            lost: Math.max(0, done - received),
            duplicated: Math.max(0, received - cell("begun")),
            corrupt: cell("corrupt"),
            leaked: cell("leaked"),
            facts: {
              "permits to write": cell("writes"),
              "permits to read": cell("reads"),
              "gave up": cell("gaveUp"),
              "closed in a wait": cell("closed"),
              "told of a death inside": cell("told"),
              "mended": cell("mended"),
              "rounds that were watched": cell("round"),
              "longest wait (ms)": cell("longest") / 1e6,
            },
          };
        },
        alone() {
          if (!held.disposed) settle(scene, guarded);
        },
        [Symbol.dispose]() {
          using _held = held;
          settle(scene, guarded);
          checkSeats(scene);
        },
      };
    },
  });
}

export default rwLockKind((lock) => lock.tryWrite());
