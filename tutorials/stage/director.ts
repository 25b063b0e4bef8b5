/**
 * Directs a telling: starts the player of a chapter in a child process, asks it for one step after
 * the other, and starts a fresh one after a crash, a kill or a step back.
 *
 * @module
 */

import { Cast, isStopped, kill, removeFiles, removeFilesOfLast, runFor } from "./cast.ts";
import { type Chapter, chapterOf } from "./chapters.ts";
import { type Command, nameOf, type Report } from "./player.ts";
import type { Frame, Shown, Step } from "./story.ts";

/** How long a step may take, while the reader has stopped none of its processes. */
const LIMIT_MS = 10_000;
/** How often that time is counted. */
const TICK_MS = 500;

const ROOT = new URL("../../", import.meta.url);

/** One of several terminals: its word in the story, and the name that all of them share. */
export interface Terminal {
  readonly word: string;
  readonly name: string;
}

/** A step that waits for a prediction, or that has run. */
type Draft = { -readonly [K in keyof Frame]: Frame[K] };

/** The telling of one chapter. One step runs at a time; more calls wait for their turn. */
export class Telling {
  readonly folder: string;
  readonly #chapter: number;
  readonly #steps: number;
  /** The terminal, if it is one of several; its process is started once. */
  readonly #terminal: Terminal | undefined;
  #child: Player | undefined;
  readonly #cast: Cast;
  /** Called when a process was started. */
  #started: () => void = () => {};
  /** Called when a step that runs has shown something. */
  progress: (frame: Frame) => void = () => {};
  /** How many steps the child has behind it. */
  #behind = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Whether the reader has left the step that runs. */
  #isLeft = false;

  private constructor(chapter: Chapter, steps: readonly Step[], terminal?: Terminal) {
    this.#chapter = chapter.number;
    this.folder = chapter.folder;
    this.#cast = new Cast(chapter.folder);
    this.#steps = steps.length;
    this.#terminal = terminal;
  }

  /** Begins the telling of a chapter that has a story, or of one of its terminals. */
  static async of(number: number, terminal?: Terminal): Promise<Telling> {
    const chapter = chapterOf(number);
    if (chapter === undefined) throw new RangeError(`There is no chapter ${number}`);
    const { story: { steps, terminals = {} } } = await chapter.load();
    if (terminal === undefined) return new Telling(chapter, steps());
    const { word } = terminal;
    if (!Object.hasOwn(terminals, word)) {
      const words = Object.keys(terminals).join(", ") || "none";
      throw new RangeError(`Chapter ${number} has no terminal "${word}"; it has: ${words}`);
    }
    return new Telling(chapter, terminals[word]!(), terminal);
  }

  /** The process that tells the chapter now. */
  get child(): Deno.ChildProcess | undefined {
    return this.#child?.process;
  }

  /** The processes of the cast that were started, by their names. */
  get cast(): ReadonlyMap<string, Deno.ChildProcess> {
    return this.#cast.actors;
  }

  /**
   * Shows a step: up to its question, or up to its end if it has none. Calls `started` once the
   * process that will run it is there.
   */
  show(step: number, started: () => void = () => {}): Promise<Frame> {
    return this.#inTurn(async () => {
      this.#started = started;
      const frame = await this.#prepare(step);
      started();
      return frame.ask === undefined ? await this.#perform(frame, undefined) : frame;
    });
  }

  /** Runs a step after its question was answered. */
  answer(step: number, answer: number, started: () => void = () => {}): Promise<Frame> {
    return this.#inTurn(async () => {
      this.#started = started;
      const frame = await this.#prepare(step);
      started();
      return await this.#perform(frame, answer);
    });
  }

  /** Ends the step that runs, which the reader does not wait for. */
  leave(): void {
    this.#isLeft = true;
    if (this.#child !== undefined) kill(this.#child.process, "SIGKILL");
  }

  /** Ends the child; a later step starts another one. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.end();
    await this.#cast.close();
    if (this.#terminal !== undefined) removeFilesOfLast(this.#terminal.name);
    else if (child !== undefined) removeFiles(nameOf(child.process.pid));
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const begin = () => {
      this.#isLeft = false;
      return act();
    };
    const result = this.#turn.then(begin, begin);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #prepare(step: number): Promise<Draft> {
    if (!Number.isInteger(step) || step < 1 || step > this.#steps) {
      throw new RangeError(`Chapter ${this.#chapter} has the steps 1 to ${this.#steps}`);
    }
    if (this.#terminal !== undefined && this.#child !== undefined) await this.#checkSame(step);
    else if (this.#child?.hasEnded !== false || this.#behind !== step - 1) {
      await this.#startFor(step);
    }
    const frame: Draft = {
      chapter: this.#chapter,
      step,
      steps: this.#steps,
      title: "",
      text: "",
      before: [],
      done: false,
      shown: [],
    };
    const prepare = (report: Report) => {
      if (report.type !== "prepared") return refuse(report);
      const { type: _, ...prepared } = report;
      Object.assign(frame, prepared);
    };
    await this.#child!.ask({ do: "prepare", step }, prepare);
    if (this.#isLeft) throw new RangeError("The reader has left this step");
    if (this.#child!.hasEnded) { // the reader killed it just now
      if (this.#terminal !== undefined) await this.#checkSame(step);
      await this.#startFor(step);
      await this.#child!.ask({ do: "prepare", step }, prepare);
    }
    return frame;
  }

  /** Refuses a step that needs a fresh process: the one of a terminal has met the others. */
  async #checkSame(step: number): Promise<void> {
    if (this.#child!.hasEnded) {
      const ending = await this.#child!.ending();
      throw new Error(`This process was ${ending}. See the other terminal; q leaves this one.`);
    }
    if (this.#behind !== step - 1) {
      throw new Error("A step that others take part in runs once. Start all terminals again.");
    }
  }

  /** Starts a fresh process and takes it to where this step begins. */
  async #startFor(step: number): Promise<void> {
    await this.close();
    this.#child = new Player(this.folder, this.#cast, this.#terminal);
    await this.#child.ask({ do: "skip", upTo: step - 1 }, (report) => this.#direct(report));
    this.#behind = step - 1;
  }

  /** Starts a process of the cast, or sends it a signal. */
  #direct(report: Report): void {
    if (this.#cast.hear(report)) this.#started();
    else refuse(report);
  }

  async #perform(frame: Draft, answer: number | undefined): Promise<Frame> {
    const shown: Shown[] = [];
    const child = this.#child!;
    this.#behind = frame.step;
    const command: Command = {
      do: "perform",
      step: frame.step,
      ...answer !== undefined && { answer },
    };
    await child.ask(command, (report) => {
      if (report.type === "shown") {
        shown.push(report.shown);
        this.progress({ ...frame, shown });
      } else if (report.type === "result") {
        const code = shown.at(-1);
        if (code?.kind === "code") shown[shown.length - 1] = { ...code, result: report.result };
      } else if (report.type === "after") frame.after = report.text;
      else if (report.type === "verdict") frame.verdict = report.verdict;
      else this.#direct(report);
    });
    if (child.hasEnded) frame.ended = await child.ending();
    return { ...frame, done: true, shown };
  }
}

function refuse(report: Report): void {
  const why = report.type === "failed" ? report.message : `an unexpected ${report.type}`;
  throw new Error(`Cannot tell this step: ${why}`);
}

/** A child process with player.ts in it. */
class Player {
  readonly process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #cast: Cast;
  readonly #hasLimit: boolean;
  #unread = "";
  #late = false;
  hasEnded = false;

  constructor(folder: string, cast: Cast, terminal?: Terminal) {
    this.#cast = cast;
    this.#hasLimit = terminal === undefined;
    const role = terminal === undefined ? [] : ["terminal", terminal.word, terminal.name];
    this.process = new Deno.Command("deno", {
      args: [...runFor(folder), ...role],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#lines = this.process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#input = this.process.stdin.getWriter();
    this.process.status.then(() => this.hasEnded = true);
  }

  /** Sends a command, and hands on each report until it is done or the child has ended. */
  async ask(command: Command, hear: (report: Report) => void): Promise<void> {
    let leftMs = LIMIT_MS * (command.do === "skip" ? Math.max(1, command.upTo) : 1);
    const count = () => {
      if (isStopped(this.process.pid) || this.#cast.isHeld) return;
      leftMs -= TICK_MS;
      if (leftMs <= 0) this.#stop();
    };
    const limit = this.#hasLimit ? setInterval(count, TICK_MS) : undefined;
    try {
      await this.#input.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
      for (let line; (line = await this.#nextLine()) !== undefined;) {
        const report: Report = JSON.parse(line);
        if (report.type === "done") return;
        hear(report);
      }
      this.hasEnded = true;
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      this.hasEnded = true;
    } finally {
      clearInterval(limit);
    }
  }

  /** Describes how the process has ended. */
  async ending(): Promise<string> {
    const { code, signal } = await this.process.status;
    if (this.#late) return `stopped: it had not ended after ${LIMIT_MS / 1000} s`;
    return signal === null ? `ended with exit code ${code}` : `ended by ${signal}`;
  }

  /** Ends the process and waits for its end. */
  async end(): Promise<void> {
    kill(this.process, "SIGKILL");
    await this.#lines.cancel().catch(() => {});
    await this.#input.abort().catch(() => {});
    await this.process.status;
    this.hasEnded = true;
  }

  #stop(): void {
    this.#late = true;
    kill(this.process, "SIGKILL");
  }

  async #nextLine(): Promise<string | undefined> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) return undefined;
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }
}
