/**
 * The page of the live view in real browsers, and the costs of a hundred topics.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Browser } from "puppeteer-core";
import { domain } from "../../src/babus/definition.ts";
import { bytes, text } from "../../src/codec.ts";
import { type View, view } from "../../src/live/view.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { array, struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { openAll, scribbler } from "../inspect/regions.ts";
import { Program } from "../program.ts";
import { Random } from "../random.ts";
import { compareCounts } from "../live/counting.ts";
import { inEachBrowser, type Page } from "./browser.ts";

const Pose = struct("pose", { x: "f64", y: "f64", ranges: array("f32", 64), name: text(12) });
const Image = struct("image", {
  width: "u32",
  height: "u32",
  encoding: text(8),
  data: bytes(3072),
});

/** Regions that live, and their values. */
function scene(): Disposable {
  const stack = new DisposableStack();
  const use = <D extends Disposable>(handle: D) => stack.use(handle);
  const poses = use(
    topic("robot/pose", { type: Pose, depth: 8, policy: "dropOldest" }).publisher(),
  );
  use(topic("robot/pose", { type: Pose, depth: 8, policy: "dropOldest" }).subscriber()); // too slow
  const images = use(topic("cam", { type: Image, depth: 4, policy: "dropOldest" }).publisher());
  const ring = use(spsc("orders", { type: "f64" }).producer());
  use(spsc("orders", { type: "f64" }).consumer());
  const slots = use(domain("robot", { speed: { type: "f64" } }).open()).slots;
  let i = 0;
  const timer = setInterval(() => {
    const x = Math.sin(i++ / 20);
    const ranges = Array.from({ length: 64 }, (_, k) => 5 + Math.sin((k + i) / 6));
    poses.trySend({ x, y: -x, ranges, name: "<b>rover</b>" });
    ring.trySend(i);
    slots.speed.writeSync(x);
    const data = Uint8Array.from({ length: 3072 }, (_, k) => k % 3 === 0 ? 255 : k * 7 + i);
    images.trySend({ width: 32, height: 32, encoding: "rgb8", data });
  }, 10);
  stack.defer(() => clearInterval(timer));
  return stack;
}

/** A page, and everything that it complains about. */
async function openPage(
  browser: Browser,
  served: View,
  [width, height]: readonly [number, number],
  scheme = "dark",
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(served.url).host) complaints.push(request.url());
  });
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  await page.setViewport({ width, height });
  await page.goto(served.url);
  await page.evaluate(`localStorage.setItem("theme", "${scheme}")`);
  await page.reload();
  return { page, complaints };
}

/** Waits until a function of the page returns something. */
async function waitFor<T>(page: Page, what: string, test: string): Promise<T> {
  try {
    return await (await page.waitForFunction(test, { timeout: 20_000 })).jsonValue() as T;
  } catch (error) {
    const text = await page.evaluate("document.body.innerText");
    throw new Error(`${what} was not shown (${error}):\n${text}`);
  }
}

const shows = (page: Page, selector: string, words: RegExp) =>
  waitFor(
    page,
    `${selector} with ${words}`,
    `[...document.querySelectorAll(${JSON.stringify(selector)})]` +
      `.some((one) => ${words}.test(one.textContent))`,
  );

/** Whether something lies outside of the display. */
const overflow = "document.documentElement.scrollWidth > innerWidth";

inEachBrowser(
  "a page that knows nothing yet does not say that nothing is open",
  async (_t, browser) => {
    using _place = namespace();
    await using served = view({ port: 0, everyMs: 100 });
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(`globalThis.WebSocket = class {
    constructor() { globalThis.socket = this; setTimeout(() => this.onopen()); }
    send() {}
  }`);
    await page.goto(served.url);
    await shows(page, ".empty", /^Waiting for the first look/);
    await page.evaluate(`for (const message of [
    { op: "scene", regions: [] },
    { op: "tick", time: 1, rows: [], hidden: 1200, processes: [], events: 0, dropped: 0 },
  ]) socket.onmessage({ data: JSON.stringify(message) })`);
    await shows(page, ".empty", /^Nothing is open/);
    await shows(page, "#totals div", /0 of 1,200/);
    await shows(page, "#flow-note", /^1,200 more: choose some with vring view PATTERN$/);
    for (const text of ["z", "zz"]) {
      await page.evaluate(`document.querySelector("#filter").value = "${text}";
      document.querySelector("#filter").dispatchEvent(new Event("input"))`);
      await shows(page, ".empty", new RegExp(`"${text}" in its name`));
    }
  },
);

inEachBrowser(
  "on a wall: who is there, values as curve, table and image, and keys",
  async (_t, browser) => {
    using place = namespace();
    using _scene = scene();
    await using served = view({ port: 0, everyMs: 100 });
    const { page, complaints } = await openPage(browser, served, [1280, 800]);
    await shows(page, ".region", /robot\/pose.*\/s/);
    await shows(page, ".region", /lost/);
    await shows(page, ".process", /\w+\.ts/); // the first file that this process tests
    await shows(page, ".edge-label", /\d\/s/);
    assertEquals(await page.evaluate("location.search"), "");
    assertEquals(await page.evaluate(overflow), false);

    // an image and curves are open from the first moment
    await shows(page, ".card h3", /cam/);
    await waitFor(
      page,
      "the image",
      `(() => {
      const canvas = document.querySelector("canvas.picture");
      if (!canvas || canvas.width !== 32) return false;
      const { data } = canvas.getContext("2d").getImageData(0, 0, 32, 32);
      return data[0] === 255 && data[4 * 500] === 255 && data[1] !== data[4 * 9 + 1];
    })()`,
    );
    await shows(page, ".chip[aria-pressed=true]", /^x-?\d/);
    await waitFor(
      page,
      "a curve",
      `(() => {
      const canvas = document.querySelector(".card .uplot canvas");
      if (!canvas) return false;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, i) => i % 4 === 3 && value > 200).length > 300;
    })()`,
    );
    await page.evaluate(
      `[...document.querySelectorAll(".card")].find((card) => /pose/.test(card.textContent))` +
        `.querySelector("[data-view=table]").click()`,
    );
    await shows(page, "table.tree", /x-?\d.*64 values.*<b>rover<\/b>/s);
    assertEquals(await page.evaluate(`document.querySelector("table.tree b")`), null); // text, no HTML

    // with the keyboard alone
    await page.keyboard.press("/");
    await page.keyboard.type("speed");
    await page.keyboard.press("Enter");
    await waitFor(page, "the filter", `document.querySelectorAll(".region").length === 1`);
    await page.keyboard.press("ArrowDown");
    assertMatch(
      await page.evaluate("document.activeElement.textContent") as string,
      /robot\/speed/,
    );
    await page.keyboard.press("Enter");
    await shows(page, ".card h3", /robot\/speed/);
    await page.keyboard.press("p");
    assertMatch(await page.evaluate("location.hash") as string, /slot:robot\/speed/);
    await page.keyboard.press("?");
    assertEquals(await page.evaluate(`document.querySelector("#keys").open`), true);
    await page.keyboard.press("Escape");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press(" ");
    await shows(page, "#link", /Paused/);
    await page.keyboard.press(" ");
    await shows(page, "#link", /Live/);
    await page.keyboard.press("t");
    await page.keyboard.press("t");
    assertEquals(await page.evaluate("document.documentElement.dataset.theme"), "light");

    // deaths and repairs
    await using party = new Program("test/cli/party.ts", place.prefix);
    await party.until(/open: 5/);
    await page.evaluate(`document.querySelector("#filter").value = "";
    document.querySelector("#filter").dispatchEvent(new Event("input"))`);
    await shows(page, ".region", /many/);
    await shows(page, ".process", /party\.ts/);
    party.kill("SIGKILL");
    await shows(page, ".log .died", /✕ died.*many producer 0 \(party\.ts, process \d+\)$/);
    await shows(page, ".process.dead", /✕ producer.*died/);
    await shows(page, "#totals .bad", /✕ \d/);

    // a bookmark opens the card again
    await page.reload();
    await shows(page, ".card h3", /robot\/speed/);
    assertEquals(complaints, []);
  },
);

inEachBrowser(
  "on a phone, light and dark: four sections, and nothing is cut off",
  async (_t, browser) => {
    using _place = namespace();
    using _scene = scene();
    await using served = view({ port: 0, everyMs: 100 });
    for (const scheme of ["light", "dark"]) {
      const { page, complaints } = await openPage(browser, served, [390, 844], scheme);
      await waitFor(page, scheme, `document.documentElement.dataset.theme === "${scheme}"`);
      await shows(page, ".row", /robot\/pose.*\w+\.ts.*sends/s);
      assertEquals(await page.evaluate(overflow), false);
      await page.click(".row .region");
      await shows(page, "#tabs [aria-current=true]", /Values/);
      await shows(page, ".card h3", /cam/);
      for (const tab of ["load", "events", "values", "flow"]) {
        await page.click(`[data-show="${tab}"]`);
        await waitFor(page, tab, `document.querySelector("#${tab}").clientWidth > 300`);
        assertEquals(await page.evaluate(overflow), false, tab);
      }
      assertEquals(complaints, []);
      await page.close();
    }
  },
);

inEachBrowser(
  "the page stays alive with hostile regions, without a word in its console",
  async (_t, browser) => {
    using _place = namespace();
    using _open = openAll();
    using _scene = scene();
    const chance = new Random("browser");
    await using served = view({ port: 0, everyMs: 50 });
    const { page, complaints } = await openPage(browser, served, [1280, 800]);
    await shows(page, ".region", /ring/);
    await page.evaluate(`for (const one of document.querySelectorAll(".region")) one.click()`);
    const hostile = regions().filter(({ name }) =>
      !["cam", "orders"].includes(name) && !name.includes("/")
    );
    for (let round = 0; round < 20; round++) {
      using stack = new DisposableStack();
      for (const { path } of hostile) {
        stack.use(scribbler(path, chance)).again(round % 2 === 0 ? 0 : REGION_HEADER.size);
      }
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await shows(page, ".region", /robot\/pose.*\/s/);
    await shows(page, "#link", /● Live/);
    assertEquals(complaints, []);
  },
);

inEachBrowser(
  "a page whose server ends says so, and continues with the next one",
  async (_t, browser) => {
    using _place = namespace();
    using _scene = scene();
    const first = view({ port: 0, token: "again", everyMs: 100 });
    const { port } = first;
    const { page } = await openPage(browser, first, [1280, 800]);
    await shows(page, "#link", /Live/);
    await first.close();
    await shows(page, "#link", /No connection/);
    await using _second = view({ port, token: "again", everyMs: 100 });
    await shows(page, "#link", /Live/);
    await shows(page, ".region", /robot\/pose.*\/s/);
  },
);

Deno.test("three pages and a tool watch 100 topics, and the publishers do what they do alone", async () => {
  await compareCounts(100);
});

Deno.test("the embedded page is that of page/", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-run", "page/build.ts", "--check"],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assert(success, new TextDecoder().decode(stdout));
});
