/**
 * FIFOs that wake an event loop. The runtime itself waits for the bytes in them, so a waker needs no
 * thread of its pool. Functions return a value or -errno, without policy. A leaf: the explorer swaps
 * this file for one that a scheduler drives.
 *
 * @module
 */

import { Errno } from "../errors.ts";
import { cString } from "../native/c_string.ts";
import { native } from "../native/load.ts";
import { nextTurn, now, perIsolate } from "./clock.ts";
import { close, isRegular, list, Open, open, stat, statPath, unlink, userId } from "./files.ts";

/** The FIFO of this isolate. */
export interface Inbox {
  /** Names the FIFO; an even number, and never 0. */
  readonly id: number;
  /**
   * Resolves when a byte arrives, at the deadline or after `stir()`; sometimes without a reason.
   * Keeps the program alive until then. At most one wait is pending.
   */
  wait(deadline: number): Promise<void>;
  /** Ends the pending wait. */
  stir(): void;
}

const DIRECTORY = "/dev/shm";
const PREFIX = "vring-wake.";
const HALL_PREFIX = "vring-hall.";
const MOST_ATTEMPTS = 3;

/** Loading node:net blocks the event loop for 20 to 40 ms and takes 10 MB: too much for few sleeps. */
const SLEEPS_BEFORE = 32;

let sleeps = 0;
let ready: Inbox | undefined;

/**
 * Returns the inbox of this isolate once it has one that works. The first calls only count, and a
 * later one begins to make it. The test runner would report it as a leak, and gets none.
 */
export function inbox(): Inbox | undefined {
  if (ready === undefined && ++sleeps === SLEEPS_BEFORE && !(Deno.test?.length > 0)) void make();
  return ready;
}

async function make(): Promise<void> {
  try {
    await nextTurn(); // not within the sleep that is the last to be counted
    const Socket = socketClass();
    if (Socket === undefined) return;
    const id = ownId();
    if (id === undefined) return;
    const fd = native().vring_open(cString(pathOf(id)), Open.write, 0);
    if (fd < 0) return;
    const own = new SocketInbox(id);
    const onread = { buffer: new Uint8Array(4096), callback: () => own.hear() };
    const options = { fd, readable: true, writable: false, onread };
    const socket = new Socket(options); // owns the descriptor from here
    socket.on("error", () => own.fail());
    socket.resume();
    socket.unref();
    own.attach(socket);
  } catch {
    // The thread of the pool sleeps for this isolate, as before.
  }
}

/**
 * Returns the id of the FIFO of this isolate, which the first call makes; undefined if that fails.
 * The FIFO has a reader, and so its id is in use, until the isolate ends.
 */
export const ownId: () => number | undefined = perIsolate(makeFifo);

/** Makes a FIFO, and posts the byte that shows whether the runtime hears it. */
function makeFifo(): number | undefined {
  removeAbandonedFifos();
  for (let attempts = 0; attempts <= MOST_ATTEMPTS; attempts++) {
    const id = 2 * (crypto.getRandomValues(new Uint32Array(1))[0]! % 0x7ffffffe + 1);
    const fd = native().sentinel_fifo(cString(pathOf(id)));
    if (fd < 0) return undefined;
    if (post(id) >= 0) return id;
    close(fd); // another isolate took it for abandoned before it was open
  }
  return undefined;
}

/** The parts of a socket of node:net that the inbox needs. */
interface Socket {
  on(event: "error", listener: () => void): void;
  resume(): void;
  ref(): void;
  unref(): void;
}

/** Returns the class of node:net. An import would end a bundle for a runtime without that module. */
function socketClass(): (new (options: object) => Socket) | undefined {
  interface Builtin {
    getBuiltinModule?(name: string): { Socket: new (options: object) => Socket } | undefined;
  }
  const { process } = globalThis as { process?: Builtin };
  return process?.getBuiltinModule?.("node:net")?.Socket;
}

class SocketInbox implements Inbox {
  readonly id: number;
  #socket: Socket | undefined;
  #resolve: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerEnd = Infinity; // armed once a slice, as arming takes 10 us

  constructor(id: number) {
    this.id = id;
  }

  attach(socket: Socket): void {
    this.#socket = socket;
  }

  wait(deadline: number): Promise<void> {
    this.#socket?.ref();
    if (deadline < this.#timerEnd) this.#arm(deadline);
    return new Promise((resolve) => this.#resolve = resolve);
  }

  stir(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (resolve === undefined) return;
    this.#socket?.unref();
    resolve();
  }

  hear(): boolean {
    ready ??= this;
    this.stir();
    return true;
  }

  /** From now on only deadlines end waits. */
  fail(): void {
    ready = undefined;
    this.#socket = undefined;
    if (this.#timer !== undefined) Deno.refTimer(this.#timer);
  }

  #arm(deadline: number): void {
    clearTimeout(this.#timer);
    this.#timerEnd = deadline;
    const fire = () => {
      this.#timerEnd = Infinity;
      this.stir();
    };
    this.#timer = setTimeout(fire, Math.max(0, Math.ceil((deadline - now()) / 1e6)));
    if (this.#socket !== undefined) Deno.unrefTimer(this.#timer);
  }
}

/** The FIFOs that this isolate writes to, by id; the one that was opened first is closed first. */
const sinks = new Map<number, number>();
const MOST_SINKS = 16;

/** Wakes the event loop with this inbox; -ENXIO or -ENOENT if it is gone. A full FIFO is a success. */
export function post(id: number): number {
  const fd = sinks.get(id) ?? openSink(id);
  if (fd < 0) return fd;
  const result = native().vring_post(fd);
  if (result >= 0 || result === -Errno.EAGAIN) return 0;
  sinks.delete(id);
  close(fd);
  return -Errno.ENXIO; // EPIPE: no reader
}

/** Opens a FIFO without ever waiting; refuses any other file, and a FIFO of another user. */
function openSink(id: number): number {
  const fd = open(pathOf(id), Open.sink);
  if (fd < 0) return fd;
  const status = stat(fd);
  if (typeof status === "number" || !isOwnFifo(status)) {
    close(fd);
    return -Errno.EACCES;
  }
  for (const [oldest, its] of sinks) {
    if (sinks.size < MOST_SINKS) break;
    sinks.delete(oldest);
    close(its);
  }
  sinks.set(id, fd);
  return fd;
}

function isOwnFifo({ mode, uid }: { mode: number; uid: number }): boolean {
  return (mode & 0o170000) === 0o010000 && uid === userId();
}

/** Removes the FIFOs that killed isolates of this user have left, and the halls beside them. */
export function removeAbandonedFifos(): void {
  const names = list(DIRECTORY);
  if (typeof names === "number") return;
  for (const name of names) {
    if (name.startsWith(HALL_PREFIX)) removeHallAlone(name);
    if (!name.startsWith(PREFIX)) continue;
    const path = `${DIRECTORY}/${name}`;
    const status = statPath(path);
    if (typeof status === "number" || !isOwnFifo(status)) continue;
    const fd = open(path, Open.sink);
    if (fd >= 0) close(fd);
    if (fd !== -Errno.ENXIO) continue;
    unlink(`${DIRECTORY}/${HALL_PREFIX}${name.slice(PREFIX.length)}`);
    unlink(path);
  }
}

/** Removes a hall whose FIFO is gone: the FIFO is there from before the hall until after it. */
function removeHallAlone(name: string): void {
  const path = `${DIRECTORY}/${name}`;
  const fifo = statPath(`${DIRECTORY}/${PREFIX}${name.slice(HALL_PREFIX.length)}`);
  const status = statPath(path);
  const isMine = typeof status === "object" && isRegular(status.mode) && status.uid === userId();
  if (fifo === -Errno.ENOENT && isMine) unlink(path);
}

function pathOf(id: number, prefix = PREFIX): string {
  return `${DIRECTORY}/${prefix}${id.toString(16).padStart(8, "0")}`;
}

/** Returns the path of the hall (wait/hall.ts) of the isolate that has the FIFO `id`. */
export function hallPathOf(id: number): string {
  return pathOf(id, HALL_PREFIX);
}
