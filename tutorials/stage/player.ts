/**
 * Plays a chapter in a process of its own, with no permission but `--allow-ffi`, because a step may
 * crash it: `deno run --allow-ffi tutorials/stage/player.ts 01_pages`.
 *
 * It reads a {@linkcode Command} from each line of its input, and writes {@linkcode Report}s. With
 * `as`, an actor, and the name of a telling, it plays that part of the cast instead; with `terminal`,
 * a word, and a name, it tells what that terminal of several shows.
 *
 * @module
 */

import { check } from "../../src/errors.ts";
import { hex } from "../picture.ts";
import { changesOf } from "./changes.ts";
import { chapterOf } from "./chapters.ts";
import { shuffled } from "./shuffle.ts";
import { declarationOf, describe, isBlock, sourceOf, statementsOf } from "./source.ts";
import type { Asked, Picture, Question, Scene, Shown, Step, Text, Verdict } from "./story.ts";

/** What the director asks for. Steps are counted from 1. */
export type Command =
  | { readonly do: "skip"; readonly upTo: number }
  | { readonly do: "prepare"; readonly step: number }
  | { readonly do: "perform"; readonly step: number; readonly answer?: number };

/** What the player answers; `done` ends the answer to a command. */
export type Report =
  | {
    readonly type: "prepared";
    readonly title: string;
    readonly text: string;
    readonly before: readonly Picture[];
    readonly beforeStep?: number;
    readonly ask?: Asked;
  }
  | { readonly type: "shown"; readonly shown: Shown }
  | { readonly type: "result"; readonly result: string }
  | { readonly type: "start"; readonly actor: string; readonly name: string }
  | { readonly type: "signal"; readonly actor: string; readonly signal: Deno.Signal }
  | { readonly type: "after"; readonly text: string }
  | { readonly type: "verdict"; readonly verdict: Verdict }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "done" };

/** The name of everything that a telling shares, by the id of the process that tells. */
export function nameOf(pid: number): string {
  return `learn-${pid}`;
}

/** What to do if another process does not do its part. */
const IN_VAIN =
  "another process did not do its part. If you have stopped or killed it, go a step " +
  "back, and forward again: then all of them begin afresh.";

/** How long a step waits for another process. */
const PATIENCE_MS = 8000;

/** What a telling does with what happens. */
type Reporter = (report: Report) => void;

function textOf(text: Text): string {
  return typeof text === "string" ? text : text();
}

/** One telling of a chapter: its steps, and the pictures that are on the stage. */
export class Player {
  readonly #steps: readonly Step[];
  readonly #pictures = new Map<string, Picture>();
  /** The step that has shown a picture last, by its id. */
  readonly #shownIn = new Map<string, number>();
  /** Those of the last step that had any. */
  #onStage: Picture[] = [];
  readonly #name: string;
  readonly #patienceMs: number;

  constructor(steps: readonly Step[], name: string, patienceMs = PATIENCE_MS) {
    this.#steps = steps;
    this.#name = name;
    this.#patienceMs = patienceMs;
  }

  /** Runs the steps up to this one and shows nothing; leaves out those that would crash. */
  async skip(upTo: number, report: Reporter): Promise<void> {
    const direct: Reporter = (each) => {
      if (each.type === "start" || each.type === "signal") report(each);
    };
    for (const [i, step] of this.#steps.slice(0, upTo).entries()) {
      if (step.crash === undefined) await step.run?.(this.#sceneFor(i + 1, direct, undefined));
    }
  }

  /** Reports the step before it runs. */
  prepare(number: number, report: Reporter): void {
    const { title, text, ask } = this.#step(number);
    const asked = ask === undefined ? {} : { ask: withoutAnswer(ask) };
    const before = ask?.picture === undefined ? this.#onStage : this.#memoryOf(ask.picture);
    const beforeStep = this.#shownIn.get(before.at(-1)?.id ?? "");
    const prepared = { title, text: textOf(text), before, ...beforeStep && { beforeStep } };
    report({ type: "prepared", ...prepared, ...asked });
  }

  /** The picture with this id, and the others of its memory. */
  #memoryOf(id: string): Picture[] {
    const asked = this.#pictures.get(id);
    if (asked === undefined) throw new Error(`No picture is called ${id}`);
    if (asked.kind !== "bytes") return [asked];
    return [...this.#pictures.values()]
      .filter((each) => each.kind === "bytes" && each.memory === asked.memory);
  }

  /** Runs the step and judges the answer, if there is one. */
  async perform(number: number, answer: number | undefined, report: Reporter): Promise<void> {
    const { ask, run, after, crash } = this.#step(number);
    const finish = () => {
      if (after !== undefined) report({ type: "after", text: textOf(after) });
      if (ask !== undefined && answer !== undefined) {
        report({ type: "verdict", verdict: judge(ask, answer) });
      }
    };
    // Nobody is left to tell it after a crash; the director shows it once the process has ended.
    if (crash !== undefined) finish();
    await run?.(this.#sceneFor(number, report, answer));
    if (crash === undefined) finish();
  }

  #step(number: number): Step {
    const step = this.#steps[number - 1];
    if (step === undefined) throw new RangeError(`There are ${this.#steps.length} steps`);
    return step;
  }

  #sceneFor(step: number, report: Reporter, answer: number | undefined): Scene {
    const show = <T>(start: string, code: () => T): T => {
      const source = sourceOf(code);
      const shown = start + (isBlock(source) ? statementsOf(source) : source);
      report({ type: "shown", shown: { kind: "code", source: shown } });
      const result = code();
      if (!isBlock(source)) report({ type: "result", result: describe(result) });
      return result;
    };
    let hasShown = false;
    return {
      name: this.#name,
      answer,
      look: (code) => show("", code),
      run: (name, code) => {
        const result = show(`${name} = `, code);
        if (typeof result === "number") check(result, { syscall: name, action: "continue" });
        return result;
      },
      code: (code) => {
        report({ type: "shown", shown: { kind: "code", source: declarationOf(code) } });
      },
      start: (actor) => report({ type: "start", actor, name: this.#name }),
      signal: (actor, signal) => report({ type: "signal", actor, signal }),
      until: async (isSo) => {
        const end = performance.now() + this.#patienceMs;
        while (!isSo()) {
          if (performance.now() > end) throw new Error(`${IN_VAIN} (${isSo})`);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
      show: (picture) => {
        const changed = changesOf(picture, this.#pictures.get(picture.id));
        this.#pictures.set(picture.id, picture);
        this.#shownIn.set(picture.id, step);
        if (!hasShown) this.#onStage = [];
        hasShown = true;
        this.#onStage = [...this.#onStage.filter(({ id }) => id !== picture.id), picture];
        report({ type: "shown", shown: { kind: "picture", picture: changed } });
      },
    };
  }
}

function withoutAnswer(question: Question): Asked {
  const { kind, text, picture } = question;
  const asked = { kind, text, ...picture !== undefined && { picture } };
  if (kind === "choice") {
    return { ...asked, options: question.options.map((option) => option.text) };
  }
  return kind === "byte" || question.unit === undefined ? asked : { ...asked, unit: question.unit };
}

/** Says whether a prediction was right, and why. An answer to a choice is its index. */
export function judge(question: Question, answer: number): Verdict {
  if (question.kind === "choice") {
    const { options } = question;
    const [chosen, best] = [options[answer], options.find(({ right }) => right === true)!];
    if (chosen === undefined) throw new RangeError(`There are ${options.length} answers`);
    return {
      right: chosen === best,
      said: chosen.text,
      ...chosen !== best && { wrong: chosen.because },
      answer: best.text,
      because: best.because,
    };
  }
  const truth = question.answer();
  if (question.kind === "byte") {
    const right = answer === truth;
    return {
      right,
      said: `byte ${answer}`,
      ...!right && { wrong: question.otherwise(answer) },
      answer: `byte ${truth}`,
      because: question.right,
    };
  }
  const { within = 1, often, otherwise, unit = "", hexadecimal = false } = question;
  const right = answer >= truth / within && answer <= truth * within;
  const textOf = (number: number) => `${hexadecimal ? hex(number) : number} ${unit}`.trim();
  const wrong = right ? undefined : often.find(({ number }) => number === answer)?.because;
  return {
    right,
    said: textOf(answer),
    ...wrong !== undefined && { wrong },
    answer: textOf(truth),
    because: right || wrong !== undefined ? question.right : otherwise,
  };
}

const encoder = new TextEncoder();

/** Writes a line before the next instruction, which may be the last. */
function write(report: Report): void {
  let rest = encoder.encode(`${JSON.stringify(report)}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

async function obey(player: Player, command: Command): Promise<void> {
  try {
    if (command.do === "skip") await player.skip(command.upTo, write);
    else if (command.do === "prepare") player.prepare(command.step, write);
    else await player.perform(command.step, command.answer, write);
  } catch (error) {
    write({ type: "failed", message: `${error}` });
  }
  write({ type: "done" });
}

if (import.meta.main) {
  const chapter = chapterOf(Deno.args[0] ?? "");
  if (chapter === undefined) throw new Error(`There is no story of ${Deno.args[0]}`);
  const { story } = await chapter.load();
  const [, role, word, name] = Deno.args;
  if (role === "as") {
    await story.cast![word!]!(name!);
    Deno.exit();
  }
  const player = role === "terminal"
    // the reader is in the other one
    ? new Player(shuffled(chapter.folder, story.terminals![word!]!()), name!, Infinity)
    : new Player(shuffled(chapter.folder, story.steps()), nameOf(Deno.pid));
  let unread = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = `${unread}${text}`.split("\n");
    unread = lines.pop()!;
    for (const line of lines) await obey(player, JSON.parse(line));
  }
}
