/**
 * The recorded course in real browsers: every step of every chapter, served at any path.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serveFolder } from "../../tutorials/stage/play/serve.ts";
import type { RecordedStep } from "../../tutorials/stage/play/record.ts";
import type { Outline } from "../../tutorials/stage/outline.ts";
import { inEachBrowser, type Page, watchedPage } from "./browser.ts";
import { assertContrast, assertFits, SIZES } from "./looks.ts";
import { builtPages } from "./pages.ts";

const folder = await builtPages();
const chapters: Outline[] = JSON.parse(
  await Deno.readTextFile(`${folder}/recorded/course.json`),
);

async function shown(page: Page, chapter: number, step: number, state: string): Promise<void> {
  const place = `${chapter}/${step}/${state}`;
  await page.waitForFunction(`document.body.dataset.shown === "${place}"`, { timeout: 10_000 })
    .catch(async () => {
      throw new Error(`${place} is not shown: ${await page.evaluate("document.body.innerText")}`);
    });
}

/** Answers the question on the page, if there is one, by its first choice or byte, or by a 1. */
async function answer(page: Page): Promise<boolean> {
  if (await page.$(".question") === null) return false;
  if (await page.$("[data-choice]") !== null) await page.keyboard.press("1");
  else if (await page.$(".number-form input") !== null) {
    await page.type(".number-form input", "1");
    await page.keyboard.press("Enter");
  } else {
    // else the bar at the bottom of the window may cover it
    await page.$eval("button.byte", (byte) => byte.scrollIntoView({ block: "center" }));
    await page.click("button.byte");
  }
  return true;
}

/** Fails if the list of choices does not say in words that the reader has chosen the first one. */
async function assertMarked(page: Page): Promise<void> {
  const marked = await page.$$eval(
    ".verdict li",
    (options) => options.map((option) => /^[✓✗].* your answer /s.test(option.textContent ?? "")),
  );
  assertEquals(marked, marked.map((_, i) => i === 0));
}

inEachBrowser("the recorded course", async (t, browser, { name }) => {
  // stage.ts shows the even ones at this size; Firefox takes one, which shows that it can.
  const odd = chapters.filter(({ number }) => number % 2 === 1);
  const walked = name === "chrome" ? odd : odd.slice(0, 1);
  await using server = serveFolder(folder, "/any/path/");
  const { page, assertQuiet } = await watchedPage(browser);
  await page.setViewport(SIZES[1]);

  await t.step("every step is walked through by the arrow key", async () => {
    for (const { number, steps } of walked) {
      await page.goto(`${server.url}#/${number}/1`);
      await page.reload();
      for (let step = 1; step <= steps.length; step++) {
        await page.waitForFunction(
          `document.body.dataset.shown?.startsWith("${number}/${step}/")`,
          { timeout: 10_000 },
        );
        if (await answer(page)) {
          await shown(page, number, step, "done");
          const verdict = await page.evaluate(`document.querySelector(".verdict").innerText`);
          assert(`${verdict}`.length > 30, `${verdict}`);
          await assertMarked(page);
        }
        await assertFits(page);
        await page.keyboard.press("ArrowRight");
      }
      await page.waitForFunction(`document.body.innerText.includes("Clone the repository")`);
    }
  });

  await t.step("the chapters know how far the reader came", async () => {
    await page.setViewport(SIZES[0]);
    await page.goto(`${server.url}#/`);
    await page.waitForSelector(".course");
    const last = walked.at(-1)!;
    const text = await page.evaluate(`document.querySelector(".course").innerText`);
    assertStringIncludes(`${text}`, `Resume chapter ${last.number}, step ${last.steps.length}`);
    await assertFits(page);
    await assertContrast(page);
    assertEquals(
      await page.evaluate(`document.querySelector("header img").naturalWidth > 0`),
      true,
    );
  });

  await t.step("the playground is a click away", async () => {
    await page.click(".playground");
    await page.waitForSelector("body[data-ready]");
    await page.click(".home");
    await page.waitForSelector(".course");
  });

  assertQuiet();
});

Deno.test("recordings name no folder of the machine that made them", async () => {
  for (const { number } of chapters) {
    const text = await Deno.readTextFile(`${folder}/recorded/${number}.json`);
    assert(!text.includes(Deno.cwd()) && !/"path":"\/[^"]*\//.test(text));
  }
});

Deno.test("an earlier picture in a recording names its step", async () => {
  for (const { number } of chapters) {
    const text = await Deno.readTextFile(`${folder}/recorded/${number}.json`);
    for (const { frame: { before, beforeStep, step } } of JSON.parse(text) as RecordedStep[]) {
      assertEquals(before.length > 0, beforeStep !== undefined && beforeStep < step);
    }
  }
});
