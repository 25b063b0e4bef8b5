/**
 * `deno task learn check`: judges every answer that the reader has begun.
 *
 * @module
 */

import type { Failure } from "../check.ts";
import { COLUMNS, paint } from "../paint.ts";
import { fit } from "../picture.ts";
import { type Chapter, CHAPTERS } from "./chapters.ts";
import { diffOf, withoutModuleComment } from "./diff.ts";
import { judgeFile, type Judgement } from "./judge.ts";
import { textPicture } from "./text_pictures.ts";
import { chaptersBegun, Workshop } from "./workshop.ts";

/** Judges the answers to these chapters, or to all that are begun; returns the exit code. */
export async function judgeAll(
  numbers: readonly string[],
  workshop = new Workshop(),
): Promise<number> {
  const wanted = CHAPTERS.filter(({ number }) => numbers.includes(`${number}`));
  const chapters = numbers.length === 0 ? chaptersBegun(workshop) : wanted;
  let solved = 0;
  for (const chapter of CHAPTERS) {
    if (!chapters.includes(chapter)) {
      if (numbers.length === 0) console.log(paint("dim", `· ${nameOf(chapter)}: not begun`));
      continue;
    }
    const file = workshop.begin(chapter);
    const answer = Deno.readTextFileSync(file);
    const judgement = await judgeFile(file, chapter);
    workshop.noteJudgement(chapter, answer, judgement);
    if (judgement.verdict === "solved") solved++;
    console.log(lineOf(chapter, judgement));
    if (judgement.verdict === "solved" && chapters.length === 1) {
      console.log(`\n${fit(comparison(workshop, chapter), 2)}`);
    }
  }
  console.log(`\n${solved} of ${numbers.length === 0 ? CHAPTERS.length : chapters.length} solved`);
  return solved === chapters.length ? 0 : 1;
}

/** Where a solved answer differs from the one that is shipped, which need not be better. */
function comparison(workshop: Workshop, chapter: Chapter): string {
  const mine = Deno.readTextFileSync(workshop.fileOf(chapter));
  const lines = diffOf(
    withoutModuleComment(mine),
    withoutModuleComment(workshop.solutionOf(chapter)),
  ).flatMap(({ side, text }) =>
    side === "both"
      ? []
      : [side === "mine" ? paint("red", `- ${text}`) : paint("green", `+ ${text}`)]
  );
  const where = `tutorials/answers/${chapter.folder}.ts`;
  return lines.length === 0
    ? `It is the answer in ${where}.`
    : [`- yours, + the answer in ${where}:`, "", ...lines].join("\n");
}

function nameOf({ number, exercise }: Chapter): string {
  return `${number}. ${exercise.replace(/\.$/, "")}`;
}

function lineOf(chapter: Chapter, judgement: Judgement): string {
  if (judgement.verdict === "solved") return `${paint("green", "✓")} ${nameOf(chapter)}`;
  return `${paint("red", "✗")} ${nameOf(chapter)}\n${fit(explain(judgement), 4)}`;
}

/** Says in words why an answer is not accepted. */
export function explain({ verdict, checks, failure, text = "" }: Judgement): string {
  const next = checks.find(({ passed }) => !passed)?.what;
  switch (verdict) {
    case "solved":
      return "Solved.";
    case "wrong":
      return `${progressOf(checks)}${next}\n\n${failure!.message}${pictureOf(failure!)}`;
    case "mistyped":
      return `The types are wrong:\n\n${text}`;
    case "endless":
      return `It had not ended in time: ${text}`;
    case "crashed":
      return `The kernel has ended it with ${text}`;
    case "broken":
      return `It could not be judged:\n\n${text}`;
  }
}

/** How far the answer came. */
function progressOf(checks: Judgement["checks"]): string {
  const passed = checks.filter(({ passed }) => passed).length;
  return `${passed} of ${checks.length} checks pass. The next one:\n\n`;
}

function pictureOf({ picture }: Failure): string {
  return picture === undefined ? "" : `\n\n${textPicture(picture, COLUMNS - 4).join("\n")}`;
}
