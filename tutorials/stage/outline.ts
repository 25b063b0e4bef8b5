/**
 * The list of the course: its parts, and for each chapter how long it takes and what the reader can
 * do afterwards.
 *
 * @module
 */

import { type Chapter, CHAPTERS, keyOf } from "./chapters.ts";
import type { Question, Step, Text } from "./story.ts";
import { wordingFor } from "./wording.ts";

/** The parts of the course, by the key of the first chapter of each. */
const PARTS: Readonly<Record<string, string>> = {
  one_byte: "A first look",
  pages: "Pages",
  who_is_alive: "Processes",
  four_rings: "Rings",
  many_producers: "Many processes",
  bridge: "Beyond",
};

/** Words that are read in a minute. */
const WORDS_A_MINUTE = 200;
/** An exercise takes longer than to read about it. */
const MINUTES_AN_EXERCISE = 2;

/** A chapter in the list. */
export interface Outline extends Omit<Chapter, "load"> {
  /** What names it in stored progress. */
  readonly key: string;
  /** The part of the course that it is in. */
  readonly part: string;
  /** The titles of its steps. */
  readonly steps: readonly string[];
  /** How many words there are to read on the stage. */
  readonly words: number;
  /** How long it takes: an estimate by its words. */
  readonly minutes: number;
  /** What the reader can do afterwards, from the README of the chapter. */
  readonly can?: string;
}

/** All chapters as the list shows them. */
export function outline(): Promise<Outline[]> {
  return Promise.all(CHAPTERS.map(outlineOf));
}

async function outlineOf({ load, ...chapter }: Chapter): Promise<Outline> {
  const upTo = CHAPTERS.filter(({ number }) => number <= chapter.number).map(keyOf);
  const part = PARTS[upTo.findLast((key) => key in PARTS)!]!;
  const can = canAfter(chapter.folder);
  const steps = (await load()).story.steps();
  const words = wordingFor("browser", steps.flatMap(textsOf).join(" ")).split(/\s+/).length;
  const minutes = Math.round(words / WORDS_A_MINUTE + MINUTES_AN_EXERCISE);
  const titles = steps.map(({ title }) => title);
  return {
    ...chapter,
    key: keyOf(chapter),
    part,
    ...can && { can },
    steps: titles,
    words,
    minutes,
  };
}

/** What one reader reads of a step: of the explanations only one. */
function textsOf({ title, text, after, ask }: Step): string[] {
  return [title, written(text), ...after ? [written(after)] : [], ...ask ? asked(ask) : []];
}

/** Of a text that depends on what ran, the words in its source. */
function written(text: Text): string {
  if (typeof text === "string") return text;
  return [...`${text}`.matchAll(/`[^`]*`|"[^"]*"/g)].join(" ").replaceAll(/\$\{[^}]*\}/g, "1");
}

function asked(ask: Question): string[] {
  if (ask.kind !== "choice") return [ask.text, ask.right];
  const { because } = ask.options.find(({ right }) => right === true)!;
  return [ask.text, ...ask.options.map(({ text }) => text), because];
}

/** The sentences of the README about what the reader can do now. */
function canAfter(folder: string): string | undefined {
  const text = Deno.readTextFileSync(new URL(`../${folder}/README.md`, import.meta.url));
  const [, said] = /\bYou\s+can\s+now\b(?:\*\*)?\s+([^]*?)\n\n/.exec(text) ?? [];
  return said?.replaceAll(/\s+/g, " ").trim();
}
