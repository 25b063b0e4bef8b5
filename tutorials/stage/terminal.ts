/**
 * `deno task learn --term`: the course in the terminal.
 *
 * @module
 */

import { type Chapter, chapterOf, CHAPTERS } from "./chapters.ts";
import { Telling, type Terminal } from "./director.ts";
import { paint } from "../paint.ts";
import { type Act, type Card, Processes } from "./processes.ts";
import { drawScreen, pagesOf, roomIn, termsIn, type View, WIDEST } from "./screen.ts";
import type { Frame, TracksPicture } from "./story.ts";
import { deathText, wrapText } from "./text_pictures.ts";
import { Workshop } from "./workshop.ts";

const SMALLEST = { columns: 80, rows: 24 };
/** A step that takes longer has a sign that it runs. */
const SIGN_MS = 150;
/** How often cards are looked at. */
const CARDS_MS = 200;

/** What the reader may do to the process of a card, by key. */
const ACTS: Readonly<Record<string, Act>> = { s: "stop", c: "cont", k: "kill" };

/** Tells the course from a place such as `1/4`; without one, from where the reader was. */
export async function playInTerminal(
  place: string | undefined,
  workshop = new Workshop(),
): Promise<number> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    console.error("Cannot play: the input or the output is not a terminal");
    return 2;
  }
  const first = placeOf(place, workshop);
  let chapter = chapterOf(first.number);
  if (chapter === undefined) {
    const numbers = CHAPTERS.map(({ number }) => number).join(", ");
    console.error(`Cannot tell chapter ${first.number}: there are ${numbers}`);
    return 2;
  }
  const ending = new AbortController();
  for (const signal of ["SIGHUP", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => ending.abort());
  }
  let { step, word } = first;
  for (let next: Chapter | undefined = chapter; next !== undefined;) {
    chapter = next;
    next = await playChapter(chapter, { step, word, workshop, ending: ending.signal });
    [step, word] = [1, undefined];
  }
  if (ending.signal.aborted) return 1; // nobody is left to read on
  console.log(`The exercise is in ${exerciseIn(workshop, chapter)}.`);
  console.log(`\`deno task learn check ${chapter.number}\` judges it.`);
  return 0;
}

/** The reader's file for the exercise of a chapter. */
function exerciseIn(workshop: Workshop, chapter: Chapter): string {
  const { pathname } = workshop.begin(chapter);
  return pathname.slice(pathname.indexOf("tutorials/"));
}

/** Tells one chapter; returns the one that the reader wants next. */
async function playChapter(
  chapter: Chapter,
  { step, word, workshop, ending }: {
    step: number;
    word: string | undefined;
    workshop: Workshop;
    ending: AbortSignal;
  },
): Promise<Chapter | undefined> {
  const { number } = chapter;
  const terminal = word === undefined ? {} : { terminal: { word, name: workshop.nameFor(number) } };
  const telling = await Telling.of(number, terminal.terminal);
  const play = new Play(telling, { workshop, chapter, step, ...terminal });
  const redraw = () => play.draw();
  Deno.addSignalListener("SIGWINCH", redraw);
  write("\x1b[?1049h\x1b[?25l");
  Deno.stdin.setRaw(true, { cbreak: true });
  try {
    return await play.run(ending);
  } finally {
    Deno.removeSignalListener("SIGWINCH", redraw);
    await telling.close();
    restoreTerminal();
  }
}

function restoreTerminal(): void {
  try {
    Deno.stdin.setRaw(false);
    write("\x1b[?25h\x1b[?1049l");
  } catch {
    // after a hang-up, the terminal is gone
  }
}

/** A chapter, and one of its steps or one of its terminals. */
interface Place {
  readonly number: number;
  readonly step: number;
  readonly word?: string;
}

function placeOf(place: string | undefined, workshop: Workshop): Place {
  if (place === undefined) {
    const last = workshop.last ?? CHAPTERS[0]!;
    return { number: last.number, step: Math.max(1, workshop.readingOf(last).step) };
  }
  const [chapter, part = "1"] = place.split("/");
  const number = Number(chapter);
  return /^\d+$/.test(part) ? { number, step: Number(part) } : { number, step: 1, word: part };
}

/** One chapter in the terminal. */
class Play {
  readonly #telling: Telling;
  readonly #workshop: Workshop;
  readonly #chapter: Chapter;
  readonly #terminal: Terminal | undefined;
  readonly #recorded = new Map<number, Frame>();
  readonly #processes = new Processes();
  #step: number;
  #frame: Frame | undefined;
  #isRecorded = false;
  #page = 0;
  #pages = 1;
  /** The screen as it was drawn last. */
  #drawn = "";
  /** What the reader types: an answer, or after `g` and `d` a number. */
  #typed = "";
  /** What the number means that is typed. */
  #wants: "step" | "death" | undefined;
  /** The operation after which a party dies on the screen. */
  #death: number | undefined;
  #explains = false;
  /** The process that gets the next signal, or the choice of one. */
  #target: "choice" | number | undefined;
  /** Whether the reader is behind the last step: at the exercise and the next chapter. */
  #isAtEnd = false;
  #isRunning = false;
  #hasLeft = false;
  #failure: string | undefined;

  constructor(
    telling: Telling,
    { workshop, chapter, step, terminal }: {
      workshop: Workshop;
      chapter: Chapter;
      step: number;
      terminal?: Terminal;
    },
  ) {
    this.#telling = telling;
    this.#workshop = workshop;
    this.#chapter = chapter;
    this.#terminal = terminal;
    this.#step = step;
    telling.progress = (frame) => {
      this.#frame = frame;
      this.draw();
    };
  }

  /** Plays until the reader quits, or wants the next chapter, which is returned. */
  async run(ending: AbortSignal): Promise<Chapter | undefined> {
    const ended = new Promise<undefined>((resolve) =>
      ending.addEventListener("abort", () => resolve(undefined))
    );
    let turn = this.#show(this.#step);
    const cards = setInterval(() => this.#cards().length > 0 && this.draw(), CARDS_MS);
    try {
      for (let key; (key = await Promise.race([readKey(), ended])) !== undefined;) {
        if (key === "q" || key === "\x03") return undefined;
        if (this.#signals(key)) continue;
        // A step may wait for another terminal. Only leaving is possible meanwhile: another key was
        // meant for the screen that the reader saw, and would skip the result.
        if (this.#isRunning) continue;
        if (this.#isAtEnd && isForward(key) && this.#next !== undefined) return this.#next;
        turn = this.#obey(key);
      }
      await Promise.race([ended, turn]);
      return undefined;
    } finally {
      this.#hasLeft = true;
      clearInterval(cards);
    }
  }

  /** The chapter behind this one; undefined after the last. */
  get #next(): Chapter | undefined {
    return CHAPTERS[CHAPTERS.indexOf(this.#chapter) + 1];
  }

  /**
   * Draws the screen as it should be now, in the size that the terminal has now. Draws nothing any
   * more once the terminal is gone: an error would end this process before it has cleaned up.
   */
  draw(): void {
    if (this.#hasLeft) return;
    try {
      this.#draw();
    } catch (error) {
      if (Deno.stdout.isTerminal()) throw error;
      this.#hasLeft = true;
    }
  }

  #draw(): void {
    const size = Deno.consoleSize();
    if (size.columns < SMALLEST.columns || size.rows < SMALLEST.rows) {
      this.#drawn = "";
      write(`\x1b[2J\x1b[HThis needs ${SMALLEST.columns} columns and ${SMALLEST.rows} rows.`);
      return;
    }
    const view = this.#view(size.columns - 2, roomIn(size.rows));
    this.#pages = view.pages.length;
    this.#page = Math.min(this.#page, this.#pages - 1);
    const screen = drawScreen(view, size, this.#page);
    if (screen !== this.#drawn) write(screen);
    this.#drawn = screen;
  }

  #view(width: number, room: number): View {
    const { number, title } = this.#chapter;
    const frame = this.#frame;
    const { predictions } = this.#workshop.readingOf(this.#chapter);
    const all = Object.values(predictions);
    const score = all.length === 0 ? "" : `✓ ${all.filter(Boolean).length} of ${all.length}   `;
    const steps = frame === undefined ? "" : ` of ${frame.steps}`;
    return {
      left: `${number}. ${title}${this.#terminal ? `: ${this.#terminal.word}` : ""}`,
      right: `${score}step ${this.#step}${steps}`,
      pages: this.#body(width, room),
      keys: this.#keys(),
    };
  }

  #body(width: number, room: number): string[][] {
    const whole = (lines: string[]) =>
      Array.from(
        { length: Math.ceil(lines.length / room) },
        (_, i) => lines.slice(i * room, (i + 1) * room),
      );
    if (this.#failure !== undefined) return whole(wrapText(this.#failure, width));
    const frame = this.#frame;
    if (frame === undefined) return [["..."]];
    if (this.#isAtEnd) return whole(this.#end(width));
    if (this.#explains) {
      const terms = termsIn([frame.text, frame.after].join(" "));
      return whole(
        terms.length === 0
          ? ["No terms here."]
          : terms.flatMap((term) => [...wrapText(term, width), ""]),
      );
    }
    if (this.#death !== undefined && this.#tracks !== undefined) {
      return whole(deathText(this.#tracks, this.#death, Math.min(width, WIDEST)));
    }
    const note = this.#isRecorded ? "recorded" : "";
    return pagesOf(frame, width, { room, note, cards: this.#cards() });
  }

  /** The cards of the cast, and of the process that tells; none without a cast. */
  #cards(): Card[] {
    const { child, cast } = this.#telling;
    if (child === undefined || cast.size === 0 || this.#isRecorded) return [];
    this.#processes.add("", child);
    for (const [actor, process] of cast) this.#processes.add("", process, actor);
    return this.#processes.cards("");
  }

  /** What there is to do after the last step. */
  #end(width: number): string[] {
    const { number, exercise } = this.#chapter;
    const next = this.#next;
    const goOn = next === undefined
      ? "This was the last chapter."
      : `Then → tells chapter ${next.number}: ${next.title}.`;
    return [
      paint("bold", "The exercise"),
      "",
      ...wrapText(exercise, width),
      "",
      `  ${exerciseIn(this.#workshop, this.#chapter)}`,
      "",
      ...wrapText("Solve it in your own editor. In another terminal, this judges it:", width),
      "",
      `  deno task learn check ${number}`,
      "",
      ...wrapText(goOn, width),
    ];
  }

  /** Those that can get a signal. */
  #living(): Card[] {
    return this.#cards().filter(({ state }) => state !== "dead");
  }

  #keys(): string {
    const living = this.#isAtEnd ? [] : this.#living();
    if (this.#target === "choice") {
      const all = living.map((card, i) => `${i + 1} ${nameOf(card)}`).join("   ");
      return `which process? ${all}   Esc: none`;
    }
    if (this.#target !== undefined) {
      const name = living.filter(({ pid }) => pid === this.#target).map(nameOf).join();
      return `${name}:   s STOP   c CONT   k KILL   Esc: nothing`;
    }
    const signal = living.length > 0 ? "s: signal   " : "";
    if (this.#isRunning) return `running ...   ${signal}q: quit`;
    if (this.#isAtEnd) {
      const next = this.#next === undefined ? "" : `→ chapter ${this.#next.number}   `;
      return `${next}← back   g: go to   q: quit`;
    }
    if (this.#wants !== undefined) {
      const what = this.#wants === "step" ? "go to step" : "one dies after operation";
      return `${what}: ${this.#typed}_   Enter: go   Esc: stay`;
    }
    if (this.#death !== undefined) return "any key: back to the step";
    const ask = this.#frame?.done === false ? this.#frame.ask : undefined;
    if (ask?.kind === "choice") {
      return `1 to ${
        ask.options!.length
      }: answer   ← back   ${signal}g: go to   t: terms   q: quit`;
    }
    if (ask !== undefined) {
      const what = ask.kind === "byte" ? "its number, from 0" : ask.unit ?? "a number";
      return `your answer (${what}): ${this.#typed}_   Enter: run   ${signal}← back   q: quit`;
    }
    const again = this.#isRecorded && this.#terminal === undefined ? "r: run again   " : "";
    const die = this.#tracks === undefined ? "" : "d: one dies   ";
    const isLast = this.#step === this.#frame?.steps;
    const on = !isLast ? "→ next   " : this.#terminal === undefined ? "→ exercise   " : "";
    return `${on}← back   ${again}${die}${signal}g: go to   t: terms   q: quit`;
  }

  /** Chooses a process and sends it a signal, also while a step runs; whether the key is for that. */
  #signals(key: string): boolean {
    const target = this.#target;
    if (target === undefined && (key !== "s" || this.#wants !== undefined)) return false;
    const living = this.#isAtEnd ? [] : this.#living();
    this.#target = undefined;
    if (target === undefined) {
      if (living.length === 0) return false;
      this.#target = living.length === 1 ? living[0]!.pid : "choice";
    } else if (target === "choice") {
      this.#target = living[Number(key) - 1]?.pid;
    } else if (key in ACTS) this.#processes.act(target, ACTS[key]!);
    this.draw();
    return true;
  }

  async #obey(key: string): Promise<void> {
    if (this.#explains) this.#explains = false;
    else if (this.#death !== undefined) this.#death = undefined;
    else if (this.#wants !== undefined) await this.#typeNumber(key);
    else if (isForward(key)) await this.#forward();
    else if (key === "\x1b[D" || key === "p") {
      if (this.#isAtEnd) this.#isAtEnd = false;
      else await this.#show(this.#step - 1);
    } else if (key === "\x1b[B" || key === "j") this.#turnPage(1);
    else if (key === "\x1b[A" || key === "k") this.#turnPage(-1);
    else if (key === "g") this.#wants = "step";
    else if (key === "d" && this.#tracks !== undefined) this.#wants = "death";
    else if (key === "t") this.#explains = true;
    else if (key === "r" && this.#isRecorded && this.#terminal === undefined) {
      await this.#runAgain();
    } else if (this.#frame?.done === false) await this.#typeAnswer(key);
    else if (key === "\r" || key === "\n") await this.#forward();
    this.draw();
  }

  #turnPage(by: 1 | -1): void {
    this.#page = Math.max(0, Math.min(this.#page + by, this.#pages - 1));
  }

  /** Shows the next page; after the last, the next step, if this one was answered. */
  async #forward(): Promise<void> {
    if (this.#page < this.#pages - 1) this.#turnPage(1);
    else if (this.#frame?.done !== true) return;
    else if (this.#step < this.#frame.steps) await this.#show(this.#step + 1);
    else this.#isAtEnd = this.#terminal === undefined;
  }

  /** A picture on the screen whose parties can die. */
  get #tracks(): TracksPicture | undefined {
    return this.#frame?.shown.flatMap((each) =>
      each.kind === "picture" && each.picture.kind === "tracks" &&
        each.picture.rows.some(({ death }) => death !== undefined)
        ? [each.picture]
        : []
    ).at(-1);
  }

  async #typeNumber(key: string): Promise<void> {
    if (/^\d$/.test(key)) this.#typed += key;
    else if (key === "\x7f") this.#typed = this.#typed.slice(0, -1);
    else {
      const wanted = Number(this.#typed);
      const wants = this.#wants;
      this.#typed = "";
      this.#wants = undefined;
      if (key !== "\r" && key !== "\n") return;
      if (wants === "step") await this.#show(wanted);
      else this.#death = wanted;
    }
  }

  async #typeAnswer(key: string): Promise<void> {
    const ask = this.#frame!.ask!;
    if (ask.kind === "choice") {
      const choice = Number(key) - 1;
      if (choice in ask.options!) await this.#answer(choice);
    } else if (/^[\dxa-f]$/i.test(key)) this.#typed += key;
    else if (key === "\x7f") this.#typed = this.#typed.slice(0, -1);
    else if ((key === "\r" || key === "\n") && this.#typed !== "") {
      const value = Number(this.#typed);
      this.#typed = "";
      if (Number.isFinite(value)) await this.#answer(value);
    }
  }

  /** Shows a step: as recorded if the reader goes back to it, and otherwise by running it. */
  async #show(step: number): Promise<void> {
    if (step < 1 || step > (this.#frame?.steps ?? step)) return;
    const isBack = step < this.#step;
    this.#isAtEnd = false;
    this.#step = step;
    this.#page = 0;
    const recorded = this.#recorded.get(step);
    this.#isRecorded = recorded !== undefined && (isBack || this.#terminal !== undefined);
    if (this.#isRecorded) this.#frame = recorded;
    else await this.#run(() => this.#telling.show(step));
    this.draw();
  }

  async #runAgain(): Promise<void> {
    this.#isRecorded = false;
    this.#page = 0;
    await this.#run(() => this.#telling.show(this.#step));
  }

  async #answer(value: number): Promise<void> {
    this.#page = 0;
    await this.#run(() => this.#telling.answer(this.#step, value));
  }

  async #run(run: () => Promise<Frame>): Promise<void> {
    this.#isRunning = true;
    const sign = setTimeout(() => this.draw(), SIGN_MS);
    try {
      this.#failure = undefined;
      this.#frame = await run();
      if (this.#frame.done) this.#recorded.set(this.#step, this.#frame);
      if (this.#terminal === undefined) {
        this.#workshop.noteStep(this.#chapter, this.#step, this.#frame.verdict?.right);
      }
    } catch (error) {
      this.#failure = `${error}`;
    } finally {
      clearTimeout(sign);
      this.#isRunning = false;
    }
  }
}

/** What the reader calls a process. */
function nameOf({ actor = "process" }: Card): string {
  return actor;
}

function isForward(key: string): boolean {
  return key === "\x1b[C" || key === " " || key === "n";
}

const encoder = new TextEncoder();

function write(text: string): void {
  let rest = encoder.encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

let unread = "";

/** Reads one key; an arrow is three characters. Undefined at the end of the input. */
async function readKey(): Promise<string | undefined> {
  const buffer = new Uint8Array(64);
  if (unread === "") {
    const length = await Deno.stdin.read(buffer).catch(() => null); // the terminal may be gone
    if (length === null) return undefined;
    unread = new TextDecoder().decode(buffer.subarray(0, length));
  }
  const length = unread.startsWith("\x1b[") ? 3 : 1;
  const key = unread.slice(0, length);
  unread = unread.slice(length);
  return key;
}
