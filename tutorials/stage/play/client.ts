/**
 * The page's side of the Worker: requests with answers, and an end for those that take too long.
 *
 * @module
 */

/// <reference lib="dom" />

import type { Report } from "../../../test/explore/engine/mod.ts";
import type { Film } from "./film.ts";
import type { Answer, Found, Listed, Reached, Request, Subject } from "./protocol.ts";

/** Code written in the page runs for so long at most. */
export const LIMIT_MS = 2000;

/** Thrown when a Worker was killed because its time was up. */
export class KilledError extends Error {
  override readonly name = "KilledError";
  /** The last operation that a party reached. */
  readonly reached: Reached | undefined;

  constructor(reached: Reached | undefined) {
    super("The code did not end within 2 seconds, and its Worker was killed");
    this.reached = reached;
  }
}

/** Thrown when a reader stops a search. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

interface Call {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly progress: ((report: Report) => void) | undefined;
  reached: Reached | undefined;
}

/** A Worker with the explorer. It starts again after it was killed. */
export class Explorer {
  #worker: Worker | undefined;
  #ready: Promise<unknown> | undefined;
  readonly #calls = new Map<number, Call>();
  #nextId = 1;

  /** Returns all scenarios. */
  async list(): Promise<readonly Listed[]> {
    return (await this.#ask({ ask: "list" }) as { list: readonly Listed[] }).list;
  }

  /** Runs the steps of a token. */
  async film(subject: Subject, token: string): Promise<Film> {
    await this.#prepare(subject);
    const answer = await this.#ask({ ask: "film", subject, token }, { limitMs: limitOf(subject) });
    return (answer as { film: Film }).film;
  }

  /** Searches for a run that goes wrong. */
  async search(
    subject: Subject,
    isWeak: boolean,
    progress: (report: Report) => void,
  ): Promise<Found> {
    await this.#prepare(subject);
    const options = { limitMs: limitOf(subject), progress };
    const answer = await this.#ask({ ask: "search", subject, isWeak }, options);
    return (answer as { found: Found }).found;
  }

  /** Kills the Worker. Calls that wait reject with the error. */
  kill(error: Error = new StoppedError("stopped")): void {
    this.#worker?.terminate();
    this.#worker = this.#ready = undefined;
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  /** Loads all that own code needs before its time begins. */
  async #prepare(subject: Subject): Promise<void> {
    if ("source" in subject) await (this.#ready ??= this.#ask({ ask: "prepare" }));
  }

  async #ask(
    request: Request,
    options: { limitMs?: number | undefined; progress?: (report: Report) => void } = {},
  ): Promise<Answer> {
    const worker = this.#worker ??= this.#start();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const call: Call = { resolve, reject, progress: options.progress, reached: undefined };
    this.#calls.set(id, call);
    worker.postMessage({ id, ...request });
    const timer = options.limitMs === undefined
      ? undefined
      : setTimeout(() => this.kill(new KilledError(call.reached)), options.limitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #start(): Worker {
    const worker = new Worker("worker.js");
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.kill(new Error(`The Worker failed: ${event.message || "worker.js cannot be loaded"}`));
    };
    return worker;
  }

  #receive(answer: Answer): void {
    const call = this.#calls.get(answer.id);
    if (call === undefined) return;
    if ("progress" in answer) call.progress?.(answer.progress);
    else if ("reached" in answer) call.reached = answer.reached;
    else {
      this.#calls.delete(answer.id);
      if ("error" in answer) call.reject(new Error(answer.error));
      else call.resolve(answer);
    }
  }
}

function limitOf(subject: Subject): number | undefined {
  return "source" in subject ? LIMIT_MS : undefined;
}
