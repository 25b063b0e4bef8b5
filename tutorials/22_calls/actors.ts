/**
 * Chapter 22: the clerks, which are servers in processes of their own, and what they note.
 *
 * @module
 */

import { type CallClient, calls, type Codec, sharedMemory, text } from "../../mod.ts";
import { readAll } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";

type Text = Codec<string>;

/** A client of these calls. */
export type Asker = CallClient<Text, Text>;

/** Calls to one clerk. Each may run once at most. */
export function lettersOf(name: string) {
  return calls(name, { request: text(), response: text(), capacity: pageSize() });
}

/** Calls that several clerks share. Each may run twice, if a clerk dies. */
export function sharedLettersOf(name: string) {
  const [request, response] = [text(), text()];
  return calls(`${name}-shared`, {
    request,
    response,
    capacity: pageSize(),
    servers: 2,
    retry: true,
  });
}

/** Notes in shared memory: how often a handler has run, and which clerk took the last call. */
export class Notes {
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(name: string) {
    const { bytes } = sharedMemory(`${name}-notes`, { size: 16 }).open();
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, 4);
  }

  /** How often a handler has run. */
  get runs(): number {
    return Atomics.load(this.#words, 0);
  }

  /** The clerk that took the last call. */
  get clerk(): number {
    return Atomics.load(this.#words, 1);
  }

  /** How many calls a clerk has stopped, because their callers had given up. */
  get left(): number {
    return Atomics.load(this.#words, 2);
  }

  /** Notes that a clerk has begun with a call. */
  begin(clerk: number): void {
    Atomics.store(this.#words, 1, clerk);
    Atomics.add(this.#words, 0, 1);
  }

  /** Notes that nobody waits for the call. */
  leave(): void {
    Atomics.add(this.#words, 2, 1);
  }
}

/** What a clerk does with a request; shown to the reader. */
export function count(word: string): string {
  if (word === "") throw new RangeError("an empty word");
  return `${word.length} letters`;
}

function never(): Promise<string> {
  return new Promise(() => setInterval(() => {}, 60_000));
}

/** A server that counts letters, takes long for "slow", and never finishes "endless". */
export async function clerk(name: string): Promise<void> {
  const notes = new Notes(name);
  await lettersOf(name).server().serve(async (word, { signal }) => {
    notes.begin(0);
    if (word === "endless") return never();
    if (word === "slow" && await isAborted(signal)) notes.leave();
    return count(word);
  });
}

/** Whether the caller gives up within five seconds. */
function isAborted(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 5000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** One of two servers. Neither finishes "endless" at its first run. */
export function oneOfTwo(number: number): (name: string) => Promise<void> {
  return async (name) => {
    const notes = new Notes(name);
    await sharedLettersOf(name).server().serve(async (word, caller) => {
      notes.begin(number);
      if (word === "endless" && !caller.retried) return never();
      await new Promise((resolve) => setTimeout(resolve, 5));
      return `${count(word)}, says ${["", "Ann", "Ben"][number]}`;
    });
  };
}

/** The numbers in front of a text in a ring, see src/calls/message.ts; kinds of calls are left out. */
export function numbersBefore({ bytes, at }: { bytes: Uint8Array; at: number }): {
  readonly length: number;
  readonly call: number;
  readonly client: number;
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [length, call, client] = [24, 16, 8].map((back) => view.getFloat64(at - back, true));
  return { length: length!, call: Math.floor(call! / 4), client: client! };
}

/** The bytes of a file in /dev/shm, around a text in it; undefined if it is not there. */
export function around(name: string, word: string): { bytes: Uint8Array; at: number } | undefined {
  const bytes = readAll(`/dev/shm/vring.calls.${name}`);
  if (typeof bytes === "number") return undefined;
  const letters = new TextEncoder().encode(word);
  const at = bytes.findIndex((_, i) => letters.every((letter, k) => bytes[i + k] === letter));
  return at === -1 ? undefined : { bytes, at };
}
