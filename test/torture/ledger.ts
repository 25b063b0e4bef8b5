/**
 * The memory in which every process notes what it does, so that the account survives the process.
 * It is a file without a name that the harness holds open: whatever happens, nothing of it stays.
 *
 * ```
 *   | over | complaints | begun | examined | texts ... | cells, a line each ... | seat | seat | ...
 *   seat:  | words, a line each | step | log, a ring of statements ................. |
 * ```
 *
 * Words are those of the shipped leaf, also in a process whose other words have steps: writing an
 * account does not count as a step.
 *
 * @module
 */

import { check } from "../../src/errors.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { Word64 } from "../../src/memory/word.ts?real";
import { now, sleepSync } from "../../src/os/clock.ts?real";
import * as files from "../../src/os/files.ts?real";

/** A 64-bit number that all processes add to. */
export type Cell = Word64;

/** Makes a cell at least so large. */
export function raise(cell: Cell, value: number): void {
  for (let seen; (seen = cell.load()) < value;) {
    if (cell.compareExchange(seen, value) === seen) return;
  }
}

/** The cells by name. */
export type Cells<C extends string> = Readonly<Record<C, readonly Cell[]>>;

/** How much there is of what. */
export interface LedgerPlan {
  /** How many cells have each name. */
  readonly cells: Readonly<Record<string, number>>;
  /** How many seats there are. */
  readonly seats: number;
}

/** A line of a seat's log: from `time` on `resource` is stated to be `value`, or no longer. */
export interface StatementRecord {
  /** Nanoseconds of the monotonic clock. */
  readonly time: number;
  /** The value; negative where the statement ends. */
  readonly value: number;
  /** The resource. */
  readonly resource: string;
}

const LINE = 64;
const COMPLAINTS_KEPT = 64;
const COMPLAINT_BYTES = 512;
const TEXTS_OFFSET = 4 * LINE;
const CELLS_OFFSET = TEXTS_OFFSET + COMPLAINTS_KEPT * COMPLAINT_BYTES;

/** The harness examines the state of everything at so many complaints of a run. */
export const MOST_EXAMINED = 3;
/** A process that has complained holds still for at most so long, until it is examined. */
const EXAMINED_WITHIN_NS = 2e9;

const SEAT_WORDS = ["written", "read", "pid", "stoppedAt", "diedAt", "continuedAt"] as const;
const STEP_BYTES = 192;
const RECORD_BYTES = 64;
const LOG_RECORDS = 4096;
const LOG_OFFSET = SEAT_WORDS.length * LINE + STEP_BYTES;
const SEAT_BYTES = LOG_OFFSET + LOG_RECORDS * RECORD_BYTES;

function word(memory: Mapping, path: string, offset: number): Word64 {
  return new Word64(memory, { path, offset });
}

function writeText(bytes: Uint8Array, text: string): void {
  const { written } = new TextEncoder().encodeInto(text, bytes);
  bytes.fill(0, written);
}

function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** The messages between the harness and the process in a seat; one process at a time. */
export class SeatBook {
  /** How many records were ever written, and read. */
  readonly written: Word64;
  readonly read: Word64;
  /** The process in the seat. */
  readonly pid: Word64;
  /** When a trap stopped it, until the harness takes note; 0 if none did. */
  readonly stoppedAt: Word64;
  /** When a trap killed it; 0 if none did. */
  readonly diedAt: Word64;
  /** When it was last continued. */
  readonly continuedAt: Word64;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;

  constructor(memory: Mapping, base: number) {
    const at = (name: typeof SEAT_WORDS[number]) =>
      word(memory, name, base + SEAT_WORDS.indexOf(name) * LINE);
    this.written = at("written");
    this.read = at("read");
    this.pid = at("pid");
    this.stoppedAt = at("stoppedAt");
    this.diedAt = at("diedAt");
    this.continuedAt = at("continuedAt");
    this.#bytes = memory.bytes.subarray(base, base + SEAT_BYTES);
    this.#view = new DataView(memory.bytes.buffer, base, SEAT_BYTES);
  }

  /** The step at which a trap caught the process. */
  get step(): string {
    return readText(this.#stepBytes);
  }

  set step(name: string) {
    writeText(this.#stepBytes, name);
  }

  get #stepBytes(): Uint8Array {
    return this.#bytes.subarray(LOG_OFFSET - STEP_BYTES, LOG_OFFSET);
  }

  /** Makes the book ready for another process. */
  turnPage(): void {
    for (const each of [this.pid, this.stoppedAt, this.diedAt, this.continuedAt]) each.store(0);
  }

  /** Adds a record; waits for the harness if the log is full. */
  write({ time, value, resource }: StatementRecord): void {
    const written = this.written.load();
    while (written - this.read.load() >= LOG_RECORDS) sleepSync(1);
    const at = LOG_OFFSET + (written % LOG_RECORDS) * RECORD_BYTES;
    this.#view.setFloat64(at, time);
    this.#view.setFloat64(at + 8, value);
    writeText(this.#bytes.subarray(at + 16, at + RECORD_BYTES), resource);
    this.written.store(written + 1);
  }

  /** Takes the records that were written since the last time. */
  *take(): Generator<StatementRecord> {
    const written = this.written.load();
    for (let i = this.read.load(); i < written; i++) {
      const at = LOG_OFFSET + (i % LOG_RECORDS) * RECORD_BYTES;
      yield {
        time: this.#view.getFloat64(at),
        value: this.#view.getFloat64(at + 8),
        resource: readText(this.#bytes.subarray(at + 16, at + RECORD_BYTES)),
      };
    }
    this.read.store(written);
  }
}

/** The memory that the account is taken from. */
export class Ledger<C extends string = string> implements Disposable {
  /** The counters of the workload. */
  readonly cells: Cells<C>;
  /** One for each process that there can be at a time. */
  readonly seats: readonly SeatBook[];
  readonly #memory: Mapping;
  readonly #over: Word64;
  readonly #complaints: Word64;
  readonly #begun: Word64;
  readonly #examined: Word64;
  readonly #fd: number;

  private constructor(fd: number, plan: LedgerPlan) {
    const what = "the ledger";
    this.#fd = fd;
    this.#memory = Mapping.ofFile(fd, { length: Ledger.#bytesOf(plan), what });
    this.#over = word(this.#memory, "over", 0);
    this.#complaints = word(this.#memory, "complaints", LINE);
    this.#begun = word(this.#memory, "begun", 2 * LINE);
    this.#examined = word(this.#memory, "examined", 3 * LINE);
    let offset = CELLS_OFFSET;
    const cells = Object.entries(plan.cells).map(([name, count]) => {
      const place = () => word(this.#memory, name, (offset += LINE) - LINE);
      return [name, Array.from({ length: count }, place)];
    });
    this.cells = Object.fromEntries(cells);
    this.seats = Array.from(
      { length: plan.seats },
      (_, i) => new SeatBook(this.#memory, offset + i * SEAT_BYTES),
    );
  }

  static #bytesOf(plan: LedgerPlan): number {
    const cells = Object.values(plan.cells).reduce((sum, count) => sum + count, 0);
    return CELLS_OFFSET + cells * LINE + plan.seats * SEAT_BYTES;
  }

  /** Makes the ledger. */
  static create<C extends string>(plan: LedgerPlan): Ledger<C> {
    const context = { syscall: "memfd_create", action: "make the ledger" };
    const fd = check(files.memfd("torture-ledger"), context);
    check(files.truncate(fd, Ledger.#bytesOf(plan)), context);
    return new Ledger(fd, plan);
  }

  /** Opens the ledger of the harness. */
  static attach<C extends string>(path: string, plan: LedgerPlan): Ledger<C> {
    const fd = files.open(path, files.Open.write | files.Open.follow);
    check(fd, { syscall: "open", action: "open the ledger" });
    const status = files.stat(fd);
    if (typeof status === "number" || status.size !== Ledger.#bytesOf(plan)) {
      throw new Error("Cannot use the ledger: the workload has changed since the run began");
    }
    return new Ledger(fd, plan);
  }

  /** Where the processes that this one starts find the ledger. */
  get path(): string {
    return `/proc/${Deno.pid}/fd/${this.#fd}`;
  }

  /** Whether everybody is to come to an end. */
  get over(): boolean {
    return this.#over.load() !== 0;
  }

  /** Ends the run. */
  end(): void {
    this.#over.store(1);
  }

  /** Says what must not be; returns the number of complaints before. */
  complain(text: string): number {
    const index = this.#begun.add(1);
    if (index < COMPLAINTS_KEPT) writeText(this.#complaintBytes(index), text);
    this.#complaints.add(1); // with its text: who is killed between has not complained
    return index;
  }

  /** Says what must not be, and holds still until the harness has examined this process. */
  complainAndWait(text: string): void {
    const index = this.complain(text);
    const end = now() + EXAMINED_WITHIN_NS;
    while (index < MOST_EXAMINED && this.#examined.load() <= index && !this.over && now() < end) {
      sleepSync(1);
    }
  }

  /** Returns whether there are complaints that ask for an examination, which is then due. */
  get wantsExamination(): boolean {
    const examined = this.#examined.load();
    return examined < MOST_EXAMINED && examined < this.complaintCount;
  }

  /** Lets those go on that have complained. */
  noteExamined(): void {
    this.#examined.store(this.complaintCount);
  }

  /** How often somebody complained. */
  get complaintCount(): number {
    return this.#complaints.load();
  }

  /** The first complaints. */
  complaints(): string[] {
    const length = Math.min(this.complaintCount, COMPLAINTS_KEPT);
    return Array.from({ length }, (_, i) => readText(this.#complaintBytes(i)));
  }

  #complaintBytes(index: number): Uint8Array {
    const at = TEXTS_OFFSET + index * COMPLAINT_BYTES;
    return this.#memory.bytes.subarray(at, at + COMPLAINT_BYTES);
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#memory.close();
    files.close(this.#fd);
  }
}

/** The time that all processes agree on. */
export { now };
