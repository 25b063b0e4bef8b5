/**
 * The account of a reader: what it read, what it was told it lost, and whatever is wrong with that.
 * The messages are those of `payload` with the lengths of `lengthOf`.
 *
 * @module
 */

import { PeerLostError } from "../../src/errors.ts";
import type { CircularBufferReader } from "../../src/circular/reader.ts";
import { bytesBetween, isPayload, lengthOf } from "./scene.ts";

/** What a reader has seen. */
export interface Account {
  /** The number of the message that it began with. */
  readonly first: number;
  /** The number of the message that would come next. */
  next: number;
  read: number;
  lost: number;
  bytesRead: number;
  bytesLost: number;
  /** How often something was lost. */
  losses: number;
  /** What must not be; empty if all is well. */
  readonly problems: string[];
}

/** How to read. */
export interface FollowOptions {
  /** The longest message. */
  readonly longest: number;
  /** How much useless work to do for each message: readers of different speeds. */
  readonly work?: number;
  /** Read in place, copy into an array of one's own, wait in a promise, or get a copy. */
  readonly way?: "copy" | "into" | "poll" | "async";
  /** Go on until this message comes next, or else until the writer has closed. */
  readonly until?: number;
}

/** Reads on until a writer closes, or a message has come; after a death, until the next one does. */
export async function follow(
  reader: CircularBufferReader,
  options: FollowOptions,
): Promise<Account> {
  const account = newAccount(reader);
  for (;;) {
    try {
      await go(reader, options, account);
      return account;
    } catch (error) {
      if (!(error instanceof PeerLostError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

function newAccount(reader: CircularBufferReader): Account {
  return {
    first: reader.sequence,
    next: reader.sequence,
    read: 0,
    lost: 0,
    bytesRead: 0,
    bytesLost: 0,
    losses: 0,
    problems: [],
  };
}

async function go(
  reader: CircularBufferReader,
  options: FollowOptions,
  account: Account,
): Promise<void> {
  const { longest, work = 0, way = "copy", until = Infinity } = options;
  const target = new Uint8Array(longest);
  const accept = (message: Uint8Array) => {
    const sequence = account.next++;
    if (message.length !== lengthOf(sequence, longest) || !isPayload(message, sequence)) {
      account.problems.push(`message ${sequence} is not what was written`);
    }
    account.read++;
    account.bytesRead += message.length;
    for (let i = 0; i < work; i++) target[i % 64] = i;
  };
  const lose = (messages: number, bytes: number) => {
    const from = account.next;
    account.next += messages;
    account.lost += messages;
    account.bytesLost += bytes;
    account.losses++;
    const expected = bytesBetween(from, account.next, longest);
    if (bytes !== expected) account.problems.push(`${bytes} bytes lost, not ${expected}`);
  };
  /** One at a time, as what is shown may be torn and is judged afterwards. */
  const poll = () => {
    const before = { messages: reader.lostMessages, bytes: reader.lostBytes };
    let whole = false;
    const { handled, state } = reader.poll((message, sequence) => {
      whole = sequence === account.next && message.length === lengthOf(sequence, longest) &&
        isPayload(message, sequence);
    }, 1);
    if (handled === 1) {
      if (!whole) account.problems.push(`message ${account.next} is not what was written`);
      account.bytesRead += lengthOf(account.next++, longest);
      account.read++;
    } else if (state === "lost") {
      lose(reader.lostMessages - before.messages, reader.lostBytes - before.bytes);
    }
    return state;
  };
  while (account.next < until && account.problems.length < 10) {
    if (way === "poll") {
      const state = poll();
      if (state === "closed") break;
      if (state === "empty") {
        const outcome = reader.readSync(); // sleeps
        if (outcome.state === "closed") break;
        if (outcome.state === "ok") accept(outcome.message);
        else lose(outcome.messages, outcome.bytes);
      }
      continue;
    }
    if (way === "into") {
      const outcome = reader.readSync(target);
      if (outcome.state === "closed") break;
      if (outcome.state === "ok") accept(target.subarray(0, outcome.length));
      else if (outcome.state === "lost") lose(outcome.messages, outcome.bytes);
      else account.problems.push(`${outcome.length} bytes do not fit`);
      continue;
    }
    const outcome = way === "async" ? await reader.read() : reader.readSync();
    if (outcome.state === "closed") break;
    if (outcome.state === "ok") accept(outcome.message);
    else lose(outcome.messages, outcome.bytes);
  }
  if (account.next !== reader.sequence) {
    account.problems.push(`message ${reader.sequence} comes next, not ${account.next}`);
  }
  if (account.lost !== reader.lostMessages || account.bytesLost !== reader.lostBytes) {
    account.problems.push(`${reader.lostMessages} messages lost, not ${account.lost}`);
  }
}
