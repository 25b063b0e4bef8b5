/**
 * The narrator of the tutorials: it tells one step after each Enter, or all at once with `--auto`.
 *
 * @module
 */

import { check } from "../src/errors.ts";
import { COLUMNS, onTerminal, paint } from "./paint.ts";
import { fit, wrap } from "./picture.ts";
import { describe, isBlock, sourceOf, statementsOf } from "./stage/source.ts";

/** One way through a tutorial. */
export interface Story {
  /** How many times it calls {@linkcode step}. */
  readonly steps: number;
  /** Tells it. `name` is the name of everything that several processes share. */
  readonly tell: (name: string) => void | Promise<void>;
}

/** A tutorial: its way through, and the ways to break what it shows. */
export interface Tutorial {
  /** Its folder in tutorials/. */
  readonly folder: string;
  /** Its title. */
  readonly title: string;
  /** The way through. */
  readonly main: Story;
  /** Told with `--break`: something goes wrong, and the program continues. */
  readonly break: Story;
  /** Told with `--crash`: something goes wrong, and the kernel ends the program. */
  readonly crash?: Story;
  /** Told with these words, each in its own terminal. */
  readonly parties?: Readonly<Record<string, Story>>;
  /** The name of everything that several processes share; `--name` overrides it. */
  readonly name?: string;
}

const automatic = Deno.args.includes("--auto") || !Deno.stdin.isTerminal();

const toTidy = new DisposableStack();
globalThis.addEventListener("unload", () => toTidy.dispose());

/** Closes this when the program ends, or when the reader stops it, and unlinks its definition. */
export function tidyUp<T extends Disposable & { unlink?(): unknown }>(
  value: T,
  definition: { unlink?(): unknown } = value,
): T {
  toTidy.defer(() => definition.unlink?.());
  return toTidy.use(value);
}

let stepsTold = 0;
let stepsInStory = 0;

/** Tells the story that the command line asks for. */
export async function tell(tutorial: Tutorial): Promise<void> {
  const [way, story, name] = chosen(tutorial);
  stepsInStory = story.steps;
  console.log(`\n${paint("bold", tutorial.title)}${way === "" ? "" : `, ${way}`}`);
  if (automatic && !Deno.args.includes("--auto")) {
    console.log("The input is not a terminal: running through, as with --auto.");
  }
  try {
    await story.tell(name);
  } catch (error) {
    toTidy.dispose(); // an uncaught error ends the program without "unload"
    throw error;
  }
  if (stepsTold !== stepsInStory) {
    throw new Error(`Cannot end: the story has ${stepsTold} steps and promises ${stepsInStory}`);
  }
  if (way === "") suggest(tutorial);
}

function suggest({ folder, parties = {}, crash }: Tutorial): void {
  const words = [...Object.keys(parties), "--break", ...crash === undefined ? [] : ["--crash"]];
  const programs = [...words.map((word) => `step.ts ${word}`), "exercise.ts"];
  picture(programs.map((name) => `deno run --allow-ffi tutorials/${folder}/${name}`).join("\n"));
  console.log();
}

function chosen(tutorial: Tutorial): [way: string, story: Story, name: string] {
  const { parties = {}, crash } = tutorial;
  const wanted = Deno.args.filter((argument) => argument !== "--auto");
  const name = nameIn(wanted, tutorial);
  const [way = "", ...more] = wanted;
  if (more.length === 0) {
    if (way === "") return ["", tutorial.main, name];
    if (way === "--break") return ["break mode", tutorial.break, name];
    if (way === "--crash" && crash !== undefined) return ["crash mode", crash, name];
    if (Object.hasOwn(parties, way)) return [`the ${way} process`, parties[way]!, name];
  }
  const crashes = crash === undefined ? [] : ["--crash"];
  const ways = ["--break", ...crashes, ...Object.keys(parties)].join(" or ");
  const named = tutorial.name === undefined ? "" : " and --name NAME";
  console.error(
    wrap(`Cannot run with ${wanted.join(" ")}: pass ${ways}, or none; --auto${named} too`),
  );
  Deno.exit(2);
}

/** Takes `--name NAME` out of the arguments, if it is there and the tutorial knows it. */
function nameIn(wanted: string[], { name = "" }: Tutorial): string {
  const at = wanted.indexOf("--name");
  if (name === "" || at === -1 || at + 1 === wanted.length) return name;
  return wanted.splice(at, 2)[1]!;
}

/** Begins the next step when the reader presses Enter. */
export function step(title: string): void {
  if (stepsTold > 0) pause("Enter: next step   q Enter: stop");
  stepsTold++;
  const place = `Step ${stepsTold} of ${stepsInStory}`;
  console.log(`\n${paint("dim", `── ${place} ──`)} ${paint("bold", title)}`);
}

/** Asks a question and gives the reader time to think. */
export function predict(question: string): void {
  console.log(`\n${paint("yellow", wrap(`Before you look: ${question}`))}`);
  pause("Enter: see   q Enter: stop");
}

/** Prints prose, wrapped; an empty line begins a new paragraph. */
export function say(text: string): void {
  for (const paragraph of text.trim().split(/\n\s*\n/)) {
    console.log(`\n${wrap(paragraph).replace(/`[^`]*`/g, (code) => paint("cyan", code))}`);
  }
}

/** Prints lines as they are, indented. */
export function picture(lines: string): void {
  console.log(`\n${fit(lines)}`);
}

/**
 * Prints a line of code with a name for its result, runs exactly that code, and prints the result.
 */
export function run<T>(name: string, code: () => T): T {
  const result = show(`${name} = `, code);
  if (typeof result === "number") check(result, { syscall: name, action: "continue" });
  return result;
}

/** Prints a line of code, runs it, awaits its promise, and prints the result. */
export async function runAsync<T>(name: string, code: () => Promise<T>): Promise<T> {
  picture(paint("cyan", `${name} = await ${sourceOf(code)}`));
  const result = await code();
  answer(describe(result));
  return result;
}

/** Prints a line of code, runs it, and prints the result; a negative number with its error. */
export function look<T>(code: () => T): T {
  return show("", code);
}

/** Prints a line of code, runs exactly that code, and prints the error that it throws. */
export function fail(code: () => unknown): void {
  picture(paint("cyan", sourceOf(code)));
  try {
    answer(describe(code()));
  } catch (error) {
    answer(`${error}`);
  }
}

function show<T>(start: string, code: () => T): T {
  const source = sourceOf(code);
  picture(paint("cyan", start + (isBlock(source) ? statementsOf(source) : source)));
  const result = code();
  if (!isBlock(source)) answer(describe(result));
  return result;
}

function answer(text: string): void {
  const lines = wrap(`→ ${text}`, COLUMNS - 6).replaceAll("\n", "\n      ");
  console.log(`    ${paint("green", lines)}`);
}

/**
 * Waits before the next line of a list; false once the reader wants all remaining lines at once.
 */
export function oneByOne(): boolean {
  return pause("Enter: next line   a Enter: all lines   q Enter: stop") !== "a";
}

/** Waits for an Enter; returns the text before it. */
function pause(invitation: string): string {
  if (automatic) return "a";
  const answer = ask(`\n${paint("dim", `[${invitation}]`)} `);
  if (answer === undefined || answer.trim() === "q") Deno.exit(0);
  if (onTerminal) writeText("\x1b[1A\x1b[2K\x1b[1A"); // wipe the invitation away
  return answer.trim();
}

let unread = "";

/** Prints a question and reads one line; undefined at the end of the input. */
export function ask(question: string): string | undefined {
  writeText(question);
  const buffer = new Uint8Array(1024);
  while (!unread.includes("\n")) {
    const length = Deno.stdin.readSync(buffer);
    if (length === null) {
      console.log();
      return undefined;
    }
    unread += new TextDecoder().decode(buffer.subarray(0, length));
  }
  const end = unread.indexOf("\n");
  const line = unread.slice(0, end);
  unread = unread.slice(end + 1);
  return line;
}

function writeText(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
