/**
 * What can be measured about the looks of a page: that nothing overflows, that text has contrast,
 * and that every control can be reached by the keyboard.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";

/** The sizes at which pages must look right. */
export const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }] as const;

/** Fails if the page is wider than the window, or something in a table covers the next cell. */
export async function assertFits(page: Page): Promise<void> {
  const overflow = await page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element) => {
      for (let at = element; at; at = at.parentElement) {
        if (["auto", "scroll", "hidden"].includes(getComputedStyle(at).overflowX)) return true;
      }
      return false;
    };
    const right = (element) => element.getBoundingClientRect().right;
    const covers = (element) => {
      const cell = element.closest("td");
      return cell !== null && right(element) > right(cell) + 1;
    };
    return [...document.body.querySelectorAll("*")]
      .filter((element) => right(element) > width + 1 && !scrolls(element) || covers(element))
      .map((element) => element.outerHTML.slice(0, 100));
  })()`);
  assertEquals(overflow, []);
}

/** Fails if the reader of a page, or of a part of it, must scroll down to see the rest. */
export async function assertWhole(page: Page): Promise<void> {
  const cut = await page.evaluate(`(() => {
    const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowY);
    return [document.documentElement, ...document.querySelectorAll("main *")]
      .filter((element) => element === document.documentElement || scrolls(element))
      .filter((element) => element.scrollHeight > element.clientHeight + 1)
      .map((element) => element.tagName + "." + element.className + ": " + element.scrollHeight +
        " px high, and " + element.clientHeight + " are shown");
  })()`);
  assertEquals(cut, []);
}

/** The parts that every step has; a step without code and pictures has no column for them. */
const PARTS = {
  title: ".text h1",
  prose: ".text h1 + p",
  "code column": ".stage > *",
  back: "#steps button",
  dots: ".dots",
  next: "#steps .next",
} as const;

/** Where the parts of a step are. */
export type Places = Partial<Record<keyof typeof PARTS, string>>;

/** Returns where the parts of a step are now. */
export async function placesOf(page: Page): Promise<Places> {
  return await page.evaluate(`Object.fromEntries(Object.entries(${JSON.stringify(PARTS)})
    .flatMap(([part, selector]) => {
      const at = document.querySelector(selector)?.getBoundingClientRect();
      return at ? [[part, Math.round(at.left) + ", " + Math.round(at.top)]] : [];
    }))`) as Places;
}

/** Fails if a text has a contrast below 4.5 to what is behind it. */
export async function assertContrast(page: Page): Promise<void> {
  const weak = await page.evaluate(`(() => {
    const parse = (color) => {
      const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
      return { r, g, b, a };
    };
    const luminance = ({ r, g, b }) => {
      const [x, y, z] = [r, g, b].map((value) => {
        const part = value / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor);
        if (color.a === 1) return color;
      }
      return { r: 255, g: 255, b: 255 };
    };
    const found = [];
    for (const element of document.body.querySelectorAll("*")) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      if (!hasText || !element.checkVisibility() || element.tagName === "SCRIPT") continue;
      const [a, b] = [parse(getComputedStyle(element).color), behind(element)].map(luminance);
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.push(contrast.toFixed(2) + " " + element.outerHTML.slice(0, 100));
    }
    return found;
  })()`);
  assertEquals(weak, []);
}

/**
 * Fails if a control that can be used is not reached by the Tab key, in at most 200 steps, or if a
 * bar of the page covers it then.
 */
export async function assertKeyboard(page: Page): Promise<void> {
  const controls = await page.evaluate(`(() => {
    window.reached = new Set();
    window.covered = [];
    document.activeElement?.blur();
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea")];
    return all.filter((control) => control.checkVisibility() && !control.disabled).length;
  })()`) as number;
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    const done = await page.evaluate(`(() => {
      const at = document.activeElement;
      if (at?.matches("a[href], button, input, select, textarea")) window.reached.add(at);
      const [{ left, top, width, height }] = at.getClientRects(); // of a link, its first line
      const seen = document.elementFromPoint(left + width / 2, top + height / 2);
      if (at !== document.body && !at.contains(seen)) window.covered.push(at.outerHTML.slice(0, 100));
      return window.reached.size;
    })()`);
    if (done === controls) return assertEquals(await page.evaluate("window.covered"), []);
  }
  const missing = await page.evaluate(`[...document.querySelectorAll(
    "a[href], button, input, select, textarea",
  )].filter((control) => control.checkVisibility() && !control.disabled && !window.reached.has(control))
    .map((control) => control.outerHTML.slice(0, 100))`);
  assertEquals(missing, []);
}
