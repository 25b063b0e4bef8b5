/// <reference lib="dom" />
/**
 * The page: which view an address opens, and the keys.
 *
 * @module
 */

import { course } from "./api.ts";
import { ChapterView } from "./chapter.ts";
import { drawCourse } from "./course.ts";
import { announce, byId, el } from "./dom.ts";
import { ExerciseView } from "./exercise.ts";
import { correctTo, goTo, isRecorded, placeNow } from "./place.ts";
import { hideTip } from "./prose.ts";

let view: ChapterView | ExerciseView | undefined;
/** The chapter whose steps are shown. */
let shown: number | undefined;

function go(path: string): void {
  goTo(path);
  open(path).catch(fail);
}

async function open(path: string): Promise<void> {
  hideTip();
  const [, number, place] = path.split("/");
  const isStep = place !== "exercise" && number !== "" && number !== undefined;
  if (isStep && view instanceof ChapterView && shown === Number(number)) {
    return await view.open(Number(place ?? 1));
  }
  view?.close();
  view = undefined;
  shown = undefined;
  const all = await course();
  const chapter = all.chapters.find((each) => `${each.number}` === number);
  byId("steps").replaceChildren();
  drawTop();
  if (chapter === undefined) {
    document.title = "vring: learn shared memory";
    const lost = number ? `There is no chapter ${number}. These are the chapters:` : "";
    if (lost !== "") correctTo("/");
    byId("main").replaceChildren(
      ...lost === "" ? [] : [el("p.lost", {}, lost)],
      drawCourse(all),
    );
    if (lost !== "") announce(lost);
    scrollTo(0, 0);
  } else if (!isStep && isRecorded) {
    byId("main").replaceChildren(inClone(chapter.title, chapter.exercise));
    scrollTo(0, 0);
  } else if (!isStep) {
    view = new ExerciseView(chapter, all.chapters[all.chapters.indexOf(chapter) + 1]);
    scrollTo(0, 0);
  } else {
    shown = chapter.number;
    view = new ChapterView(chapter, go);
    await view.open(Number(place ?? 1));
  }
}

/** Says where an exercise is, if nothing runs here. */
function inClone(title: string, exercise: string): HTMLElement {
  return el(
    "div.prose",
    {},
    el("h1", {}, title),
    el("p", {}, `Exercise: ${exercise}`),
    el("p", {}, "It is a file in your own editor. Clone the repository, and run:"),
    el("p", {}, el("code", {}, "deno task learn")),
    el("p", {}, el("a.button", { href: "/" }, "← Chapters")),
  );
}

function drawTop(): void {
  byId("top").replaceChildren(
    el("a.home", { href: "/" }, el("img", { src: "/stage/page/icon.svg", alt: "" }), "vring"),
    el("span.place", {}),
    el("span.score", {}),
    el("a.playground", { href: "/play/" }, "Playground"),
    el("button.theme", { type: "button", title: "light or dark", click: turnTheme }, "◐"),
  );
}

function turnTheme(): void {
  const root = document.documentElement;
  const isDark = root.dataset.theme === undefined
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : root.dataset.theme === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

function fail(error: unknown): void {
  byId("main").replaceChildren(
    el(
      "p.failed",
      { role: "alert" },
      `${(error as Error).message}. Is \`deno task learn\` still running?`,
    ),
  );
}

document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest?.("a[href^='/']");
  if (link === null || link === undefined || event.metaKey || event.ctrlKey || event.shiftKey) {
    return;
  }
  const path = link.getAttribute("href")!;
  if (path.startsWith("/play")) return;
  event.preventDefault();
  go(path);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return hideTip();
  const isTyping = (event.target as Element).closest("input, textarea, .scroll") !== null;
  if (isTyping || event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  if (view instanceof ChapterView && view.key(event.key)) event.preventDefault();
});

addEventListener("popstate", () => open(placeNow()).catch(fail));
open(placeNow()).catch(fail);
