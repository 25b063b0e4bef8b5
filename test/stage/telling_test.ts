/**
 * Tells chapters as the stage does: each step in a child process, with right and wrong predictions,
 * and with crashes.
 */

import { stripVTControlCharacters } from "node:util";
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { CHAPTERS } from "../../tutorials/stage/chapters.ts";
import { Telling } from "../../tutorials/stage/director.ts";
import { outline } from "../../tutorials/stage/outline.ts";
import { judge } from "../../tutorials/stage/player.ts";
import { deathText } from "../../tutorials/stage/text_pictures.ts";
import { fits, pagesOf } from "../../tutorials/stage/screen.ts";
import { shuffled } from "../../tutorials/stage/shuffle.ts";
import type { Frame, Question, Scene, Step } from "../../tutorials/stage/story.ts";
import { TERMS } from "../../tutorials/stage/terms.ts";
import { sharedFiles } from "../program.ts";
import { missing } from "./shown.ts";

/** Returns the answer that is the first option of the story, wherever it is shown. */
function firstOption({ ask: told }: Step, { ask: shown }: Frame): number {
  if (told?.kind !== "choice") return 0;
  assertEquals(shown!.options!.toSorted(), told.options.map(({ text }) => text).sort());
  return shown!.options!.indexOf(told.options[0]!.text);
}

/** Runs every step of a chapter, and gives each question the first answer of the story. */
async function tellAll(chapter: number, steps: readonly Step[]): Promise<Frame[]> {
  const telling = await Telling.of(chapter);
  const frames: Frame[] = [];
  try {
    for (const [i, told] of steps.entries()) {
      const step = i + 1;
      const frame = await telling.show(step);
      if (!frame.done) assertFits(frame);
      const { ask, before } = frame;
      if (ask?.kind === "byte") assert(before.some(({ id }) => id === ask.picture), frame.title);
      frames.push(frame.done ? frame : await telling.answer(step, firstOption(told, frame)));
    }
  } finally {
    await telling.close();
  }
  return frames;
}

function assertFits(frame: Frame): void {
  const pages = pagesOf(frame, 78);
  assert(fits(pages.flat(), 78), `too wide: ${pages.flat().join("\n")}`);
  assert(pages.every(({ length }) => length <= 20), `too tall: ${frame.title}`);
  assert(pages.length <= 3, `${frame.title} takes ${pages.length} screens of a terminal`);
}

/** The chapters that let a party die at each operation. */
const MORTAL = [13, 14, 15, 17, 18, 21];

/** Every death that a picture offers, at every operation, fits into the terminal; counts them. */
function assertDeathsFit({ shown }: Frame): number {
  let deaths = 0;
  for (const each of shown) {
    if (each.kind !== "picture" || each.picture.kind !== "tracks") continue;
    for (const [i, { death }] of each.picture.rows.entries()) {
      if (death === undefined) continue;
      deaths++;
      const lines = deathText(each.picture, i + 1, 78);
      assert(fits(lines, 78) && lines.length <= 40, lines.join("\n"));
    }
  }
  return deaths;
}

/** A question as it is told: what the reader may answer, and what is said about each answer. */
function explanations(question: Question): string[] {
  if (question.kind === "choice") return question.options.map(({ because }) => because);
  if (question.kind === "byte") return [question.right, question.otherwise(0)];
  return [question.right, ...question.often.map(({ because }) => because), question.otherwise];
}

/** All texts of a step that need no memory. */
function textsOf({ text, after }: Step): string[] {
  return [text, after].filter((each) => typeof each === "string");
}

for (const { number, load } of CHAPTERS) {
  Deno.test(`chapter ${number} is told on the stage, step by step`, async () => {
    const { story } = await load();
    const steps = story.steps();
    const frames = await tellAll(number, steps);
    let deaths = 0;
    for (const [i, frame] of frames.entries()) {
      const { ask, crash, after } = steps[i]!;
      assertEquals([frame.done, frame.ask !== undefined], [true, ask !== undefined], frame.title);
      assertEquals(frame.verdict !== undefined, ask !== undefined, frame.title);
      assertEquals(frame.after !== undefined, after !== undefined, frame.title);
      assertEquals(frame.ended, crash && `ended by ${crash}`, frame.title);
      deaths += assertDeathsFit(frame);
      assertFits(frame);
      if (ask?.kind !== "choice") continue;
      for (const i of ask.options.keys()) assertFits({ ...frame, verdict: judge(ask, i) });
    }
    assertEquals(deaths > 0, MORTAL.includes(number), `${deaths} deaths are offered`);
    assertEquals(missing(number, frames), undefined);
  });

  Deno.test(`chapter ${number} explains every answer, and every term`, async () => {
    const { story } = await load();
    for (const step of story.steps()) {
      for (const [, term] of textsOf(step).join(" ").matchAll(/\[\[([^\]|]*)/g)) {
        if (term!.startsWith("play ")) continue;
        assert(term! in TERMS, `${step.title}: ${term} has no explanation`);
      }
      if (step.ask === undefined) continue;
      const said = explanations(step.ask);
      assertEquals(new Set(said).size, said.length, `${step.title}: two explanations are the same`);
      if (step.ask.kind !== "choice") continue;
      const right = step.ask.options.filter((option) => option.right === true);
      assertEquals(right.length, 1, step.title);
    }
  });
}

Deno.test("an answer is the option that is shown at its place", async () => {
  const options = ["a", "b", "c", "d"].map((text) => ({
    text,
    because: `${text}!`,
    right: text === "c",
  }));
  let heard: number | undefined;
  const run: Step["run"] = ({ answer }) => void (heard = answer);
  const step = { title: "", text: "", ask: { kind: "choice", text: "?", options }, run } as const;
  const [told] = shuffled("a chapter", [step]);
  const ask = told!.ask as typeof step.ask;
  assertNotEquals(ask.options, options);
  for (const [place, option] of ask.options.entries()) {
    assertEquals(judge(ask, place).said, option.text);
    await told!.run!({ answer: place } as Scene);
    assertEquals(options[heard!], option);
  }
});

Deno.test("the place of an option tells nothing, and is the same at each telling", async () => {
  const places = [0, 0, 0];
  const placesOf = (folder: string, steps: readonly Step[]) =>
    shuffled(folder, steps).flatMap(({ ask }) =>
      ask?.kind === "choice" ? [ask.options.findIndex(({ right }) => right === true)] : []
    );
  for (const { folder, load } of CHAPTERS) {
    const { story } = await load();
    const right = placesOf(folder, story.steps());
    assertEquals(right, placesOf(folder, story.steps()));
    for (const place of right) places[place]!++;
  }
  const all = places.reduce((sum, count) => sum + count);
  assert(places.every((count) => count > 0.25 * all && count < 0.42 * all), `${places}`);
});

Deno.test("no chapter takes more than 1,200 words and 20 minutes, and its README says how long", async () => {
  for (const { folder, words, minutes } of await outline()) {
    assert(words <= 1200 && minutes <= 20, `${folder}: ${words} words`);
    const readme = Deno.readTextFileSync(
      new URL(`../../tutorials/${folder}/README.md`, import.meta.url),
    );
    const said = Number(/^About (\d+) minutes \(an estimate\)/m.exec(readme)?.[1]);
    assertEquals(said, minutes, `${folder}: the minutes in its README`);
  }
});

Deno.test("a step back and forward runs in a fresh process, with other addresses", async () => {
  const telling = await Telling.of(1);
  const addressOf = ({ shown }: Frame) => shown[0]?.kind === "code" ? shown[0].result : undefined;
  try {
    const first = await telling.show(4);
    const { pid } = telling.child!;
    const again = await telling.show(4);
    assertNotEquals(telling.child!.pid, pid);
    assertNotEquals(addressOf(first), addressOf(again));
    await telling.show(5);
    const same = telling.child!.pid;
    await telling.answer(5, 0);
    assertEquals((await telling.show(6)).done, true);
    assertNotEquals(telling.child!.pid, pid);
    assertEquals(telling.child!.pid, same);
  } finally {
    await telling.close();
  }
});

Deno.test("after the process was killed, a step runs in another one", async () => {
  const telling = await Telling.of(1);
  try {
    await telling.show(5);
    const { pid } = telling.child!;
    telling.child!.kill("SIGKILL");
    const frame = await telling.answer(5, 0);
    assertEquals([frame.done, frame.ended], [true, undefined]);
    assertNotEquals(telling.child!.pid, pid);
    telling.child!.kill("SIGKILL");
    await telling.child!.status;
    assertEquals((await telling.show(6)).ended, undefined);
  } finally {
    await telling.close();
  }
});

Deno.test("a number is right within its factor, and a common mistake has its own explanation", () => {
  const question: Question = {
    kind: "number",
    text: "How many?",
    answer: () => 100,
    within: 2,
    right: "yes",
    often: [{ number: 7, because: "seven" }],
    otherwise: "no",
  };
  const said = (answer: number) => judge(question, answer).because;
  assertEquals([50, 100, 200, 7, 201].map(said), ["yes", "yes", "yes", "yes", "no"]);
  const verdict = { right: false, said: "7", wrong: "seven", answer: "100", because: "yes" };
  assertEquals(judge(question, 7), verdict);
});

Deno.test("a cast runs in processes of its own, and leaves nothing", async () => {
  const telling = await Telling.of(8);
  const seen = new Set<string>();
  const started = () => {
    for (const name of telling.cast.keys()) seen.add(name);
  };
  await telling.show(6, started); // skips steps that start one process and kill it
  const frame = await telling.answer(6, 2, started);
  assertEquals([frame.verdict?.right, [...seen].sort()], [true, ["owner", "second"]]);
  const { pid } = telling.child!;
  assertEquals(sharedFiles(`learn-${pid}`).length, 2);
  const owner = telling.cast.get("owner")!;
  owner.kill("SIGKILL"); // as its card does
  const after = await telling.answer(7, 0);
  assert(after.shown.some((shown) => shown.kind === "code" && /true/.test(shown.result ?? "")));
  await telling.close();
  const other = await Telling.of(15);
  await other.show(1);
  const writer = other.child!.pid;
  assertEquals(sharedFiles(`learn-${writer}`).length, 1);
  await other.close();
  assertEquals(sharedFiles(`learn-${writer}`), []);
  assertEquals((await owner.status).signal, "SIGKILL");
  assertEquals(sharedFiles(`learn-${pid}`), []);
});

Deno.test("the terminal has words of its own, the command of the playground, and cards", () => {
  const frame = {
    chapter: 1,
    step: 1,
    steps: 1,
    title: "A step",
    text: "{{Point at it|Type it}}. [[play doorbell-2-1|Play]] this.",
    before: [],
    done: true,
    shown: [],
  };
  const process = { pid: 42, actor: "owner", state: "asleep", memory: 0, busyMs: 0 } as const;
  const cards = [{ ...process, locks: ["owns sem", "uses shm"] }];
  const [page] = pagesOf(frame, 78, { cards });
  assert(fits(page!, 78));
  const text = stripVTControlCharacters(page!.join("\n"));
  assertStringIncludes(text, "Type it. Play this.");
  assertStringIncludes(text, "play/open.ts '#doorbell-2-1'");
  assertStringIncludes(text, "owner 42, asleep; owns sem; uses shm");
});
