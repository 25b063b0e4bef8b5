/**
 * The playground in real browsers, built and served as static files.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serveFolder } from "../../tutorials/stage/play/serve.ts";
import { TEMPLATES } from "../../tutorials/stage/play/templates.ts";
import { inEachBrowser, type Page, watchedPage } from "./browser.ts";
import { assertContrast, assertFits, assertKeyboard, SIZES } from "./looks.ts";
import { builtPages } from "./pages.ts";

/** A page of the playground under test. */
class Play {
  readonly page: Page;
  readonly #url: string;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  /** Opens an address of the playground anew. */
  async open(hash: string): Promise<void> {
    await this.page.goto("about:blank");
    await this.page.goto(`${this.#url}play/${hash}`);
    await this.page.waitForSelector("body[data-ready]");
  }

  /** Waits until an element contains a text. */
  async waitFor(selector: string, text: string): Promise<void> {
    const script = `document.querySelector(${JSON.stringify(selector)})?.innerText
      .includes(${JSON.stringify(text)})`;
    await this.page.waitForFunction(script, { timeout: 10_000 }).catch(async () => {
      throw new Error(`"${text}" does not come; there is "${await this.text(selector)}"`);
    });
  }

  async text(selector: string): Promise<string> {
    return await this.page.evaluate(
      `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`,
    ) as string;
  }

  /** Takes a step by the button of a party, and waits until it is taken. */
  async step(party: string, button = ".step"): Promise<void> {
    const at = Number(/\d+/.exec(await this.text("#position"))![0]);
    await this.page.click(`[data-party="${party}"] ${button}`);
    await this.waitFor("#position", `Step ${at + 1} `);
  }

  /** Takes a step by the keyboard. */
  async press(key: string): Promise<void> {
    const at = Number(/\d+/.exec(await this.text("#position"))![0]);
    await this.page.keyboard.press(key as "a");
    await this.waitFor("#position", `Step ${at + 1} `);
  }

  async hash(): Promise<string> {
    return await this.page.evaluate("location.hash") as string;
  }

  /** Replaces the code in the editor. */
  async write(source: string): Promise<void> {
    await this.page.evaluate(`(() => {
      const area = document.getElementById("source");
      area.value = ${JSON.stringify(source)};
      area.dispatchEvent(new Event("input"));
    })()`);
  }
}

const folder = await builtPages();

inEachBrowser("the playground", async (t, browser, { name }) => {
  await using server = serveFolder(folder, "/any/path/");
  const { page, assertQuiet } = await watchedPage(browser);
  const play = new Play(page, server.url);
  await page.setViewport(SIZES[0]);

  await t.step("a wake-up is lost by hand, and explained", async () => {
    await play.open("#broken-unlooked");
    assertStringIncludes(await play.text("#question"), "Can you lose a wake-up?");
    for (const party of ["A", "B", "B", "A"]) await play.step(party);
    assertStringIncludes(await play.text('[data-word="bell"]'), "was 0");
    assertStringIncludes(await play.text('[data-party="A"] .line.here'), "wait(this.bell.address");
    await play.step("A");
    const told = await play.text("#outcome");
    assertStringIncludes(told, "A wake-up is lost");
    assertStringIncludes(told, "waker looked at bell in step 3, before sleeper slept, and saw 0");
    await page.waitForFunction(`location.hash === "#broken-unlooked/A.B*2.A*2"`);
  });

  await t.step("the keyboard steps, steps back and takes another order", async () => {
    await play.open("#broken-unlooked");
    for (const key of ["a", "b", "b", "a", "a"]) await play.press(key);
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
    await play.waitFor("#position", "Step 2 of 5");
    await play.press("a");
    await play.waitFor("#position", "Step 3 of 3");
    await play.press("b");
    for (const key of ["b", "a", "a"]) await play.press(key);
    await play.waitFor("#outcome", "Everything ended well");
    await page.waitForFunction(`location.hash === "#broken-unlooked/A.B.A.B*2.A*2"`);
  });

  await t.step("one kill strands a sleeper, and the dead one's locks are dropped", async () => {
    await play.open("#broken-clear-then-wake/A*4.B*3");
    await page.keyboard.down("Shift");
    await page.keyboard.press("B");
    await page.keyboard.up("Shift");
    await play.waitFor('[data-party="B"] .state', "dead");
    await play.press("c");
    await play.press("c");
    await play.waitFor("#outcome", "A party waits for ever");
    assertStringIncludes(await play.text("#outcome"), 'waker was killed in step 8, after "add 1');
  });

  await t.step("a sleep ends early, and an event loop is played too", async () => {
    await play.open("#broken-tells-first/A*6.pA64");
    await play.waitFor('[data-party="A"] .state', "asleep");
    await page.click('[data-party="A"] .acts button:nth-of-type(3)');
    await play.waitFor('[data-party="A"] .state', "woken");
    await play.press("a");
    assertStringIncludes(await play.hash(), ".z64.s");
  });

  await t.step("the search wins, and shows how", async () => {
    await play.open("#broken-zero-one-bell");
    await page.click("#search");
    await play.waitFor("#result", "The explorer won: it lost a wake-up");
    await page.click("#show-found");
    await play.waitFor("#position", "Step 0 of 11");
    await page.keyboard.press("End");
    await play.waitFor("#outcome", "A wake-up is lost");
  });

  await t.step("the search exhausts what is right, and can be stopped", async () => {
    await play.open("#twin-zero-one-bell");
    await page.click("#search");
    await play.waitFor("#result", "Nobody can win");
    await play.open("#vdds-lap");
    await page.click("#search");
    await play.waitFor("#result", "states and");
    await page.click("#search");
    await play.waitFor("#result", "You stopped the search");
    await page.click("#search");
    await play.waitFor("#result", "states and");
    await page.select("#scenario", "broken-unlooked"); // which ends the search, too
    await play.waitFor("#question", "Can you lose a wake-up?");
    assertEquals(await play.text("#result"), "");
    assertEquals(await play.text("#search"), "Search");
  });

  await t.step("an address restores the run and the moment in it", async () => {
    await play.open("#broken-unlooked/A.B*2.A*2@3");
    await play.waitFor("#position", "Step 3 of 5");
    assertStringIncludes(await play.text("#outcome"), "2 steps of this run lie ahead");
    await page.keyboard.press("ArrowRight");
    await play.waitFor("#position", "Step 4 of 5");
    await play.open("#broken-unlooked/A.B*9");
    assertStringIncludes(await play.text("#outcome"), "This run cannot go on");
    await play.open("#no-such");
    assertStringIncludes(await play.text("#outcome"), 'Cannot find the scenario "no-such"');
  });

  await t.step("weak memory shows what is wrong only on Arm", async () => {
    await play.open("#broken-no-side-orders/weak:");
    await page.click("#search");
    await play.waitFor("#result", "The explorer won: it lost a wake-up");
    const [, steps] = /in (\d+) steps/.exec(await play.text("#result"))!;
    await page.click("#show-found");
    await play.waitFor("#position", `Step 0 of ${steps}`);
    await page.keyboard.press("End");
    await play.waitFor("#outcome", "A wake-up is lost");
    assertStringIncludes(await play.hash(), "/weak:");
  });

  await t.step("code of one's own: a data race is found, played and linked", async () => {
    await play.open("#yours");
    await page.select("#template", "lock");
    await page.click("#search");
    await play.waitFor("#result", "The explorer won: it broke the promise");
    await page.click("#show-found");
    await play.waitFor("#outcome", "steps of this run lie ahead"); // the found run is loaded
    await page.keyboard.press("End");
    await play.waitFor("#outcome", "Both counted from 0");
    assertStringIncludes(await play.text("#outcome"), "and stored it in step");
    await page.waitForFunction(`location.hash.length > 100 && !location.hash.includes("@")`);
    const address = await play.hash();
    await play.write("export const parties = { nobody() {} };");
    await play.open(address);
    await play.waitFor("#outcome", "Both counted from 0");
    const source = await page.evaluate(`document.getElementById("source").value`);
    assertStringIncludes(`${source}`, "class Lock");
  });

  await t.step("each structure fails, and passes once its mistake is mended", async () => {
    const mended: Readonly<Record<string, (source: string) => string>> = {
      flag: (source) =>
        source.replace(
          /( +this\.full\.store\(1\);).*\n( +copyIn.*\n)/,
          (_, store, copy) => `${copy}${store}\n`,
        ),
      lock: (source) =>
        source.replace(
          / {4}while[\s\S]*?store\(1\).*\n/,
          "    while (this.held.exchange(1) === 1) " +
            "wait(this.held, 1);\n",
        ),
      ring: (source) => source.replace("> 2) pause()", ">= 2) pause()"),
    };
    await play.open("#yours");
    for (const { id, source } of TEMPLATES) {
      await play.write(source);
      await page.click("#search");
      await play.waitFor("#result", "The explorer won");
      const right = mended[id]!(source);
      assert(right !== source);
      await play.write(right);
      await page.click("#search");
      await play.waitFor("#result", "Nobody can win");
    }
  });

  await t.step("an endless loop is killed, in a game and in a search", async () => {
    await play.open("#yours");
    const source = `import { type Memory, Word32 } from "vring";
export const parties = {
  one: (memory: Memory) => {
    new Word32(memory, { path: "word", offset: 0 }).store(1);
    for (;;);
  },
  two: (memory: Memory) => new Word32(memory, { path: "word", offset: 0 }).load(),
};`;
    await play.write(source);
    await page.click("#play-own");
    await play.waitFor("#outcome", "Your turn");
    await page.keyboard.press("Escape");
    await page.click('[data-party="A"] .step');
    await play.waitFor("#outcome", "Stopped: an endless loop?");
    assertStringIncludes(await play.text("#outcome"), "that of one in line 4");
    await page.click("#search");
    await play.waitFor("#result", "Killed after 2 seconds");
    await play.write(TEMPLATES[0]!.source); // a new Worker takes over
    await page.click("#play-own");
    await play.waitFor("#outcome", "Nothing has happened yet");
  });

  await t.step(
    "the search reports code that is not deterministic, and code that does not run",
    async () => {
      await play.open("#yours");
      const party = (body: string) =>
        `import { type Memory, Word32 } from "vring";
let state = 0;
const act = (memory: Memory) => {
  const word = new Word32(memory, { path: "word", offset: 0 });
  ${body}
};
export const parties = { one: act, two: act };`;
      const told: readonly (readonly [source: string, text: string])[] = [
        [party("word.store(Math.floor(1e6 * Math.random())); word.load();"), "not deterministic"],
        [party("word.store(++state); word.load();"), "not deterministic"],
        [party("word.load(); return Math.random();"), "not deterministic"],
        [party("while (word.load() === 0);"), "waiting for ever"],
        [party("throw new Error(`no ${word.load()}`);"), "it made a party fail"],
        ["export const parties = 1;", 'Export "parties"'],
        ["const a: = 1;", "Unexpected token"],
        ['import { x } from "y";\nx();', 'Cannot import "y"'],
      ];
      for (const [source, text] of told) {
        await play.write(source);
        await page.click("#search");
        await play.waitFor("#result", text);
      }
    },
  );

  await t.step("everything fits, has contrast, and is reached by the keyboard", async () => {
    for (const size of SIZES) {
      await page.setViewport(size);
      for (const theme of ["light", "dark"]) {
        for (
          const hash of ["#broken-zero-one-bell/A*3.B.C*3.B*3.A", "#spsc-flow/A*12.B*4", "#yours"]
        ) {
          await page.evaluate(`localStorage.setItem("theme", "${theme}")`);
          await play.open(hash);
          await assertFits(page);
          await assertContrast(page);
        }
      }
      await play.open("#yours");
      if (name === "chrome") await assertKeyboard(page); // one browser: a key takes milliseconds
      await page.goto(server.url);
      await assertFits(page);
      await assertContrast(page);
    }
    await page.evaluate(`localStorage.removeItem("theme")`);
  });

  await t.step("nothing jumps between steps", async () => {
    const places = `[...document.querySelectorAll("main .panel, .acts button:nth-of-type(-n+3)")]
      .map((element) => Math.round(element.getBoundingClientRect().top + scrollY)).join()`;
    for (const size of SIZES) {
      await page.setViewport(size);
      for (const hash of ["#broken-zero-one-bell/A*3.B.C*3.B*3.A@0", "#spsc-flow/A*12.B*4@0"]) {
        await play.open(hash);
        const steps = Number((await play.text("#position")).split(" ").at(-1));
        const before = await page.evaluate(places);
        for (let step = 1; step < steps; step++) {
          await page.keyboard.press("ArrowRight");
          await play.waitFor("#position", `Step ${step} `);
          assertEquals(await page.evaluate(places), before, `at step ${step} of ${hash}`);
        }
      }
    }
  });

  assertQuiet();

  await t.step("opened as a file, it says in one line what to do", async () => {
    for (const file of ["index.html", "play/index.html"]) {
      await page.goto(`file://${folder}/${file}`);
      assertStringIncludes(await play.text("#notice"), "python3 -m http.server");
    }
  });
});

/** Returns a line of a stream that fits. */
async function lineOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  pattern: RegExp,
): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    const line = text.split("\n").slice(0, -1).find((line) => pattern.test(line));
    if (line !== undefined) return line;
  }
  throw new Error(`No line fits ${pattern}:\n${text}`);
}

Deno.test("explore --open serves the finding until it is stopped", async () => {
  const home = await Deno.makeTempDir();
  const browser = `${home}/browser`; // notes the address that it is asked to open
  await Deno.writeTextFile(browser, `#!/bin/sh\necho "$1" > ${home}/opened\n`, { mode: 0o700 });
  const explore = new URL("../explore/", import.meta.url).pathname;
  const child = new Deno.Command("deno", {
    args: [
      ...["run", "--no-check", "--allow-run=deno", "--import-map", `${explore}import_map.json`],
      ...[`${explore}main.ts`, "broken-unlooked", "--open"],
    ],
    env: { BROWSER: browser, TMPDIR: home },
    stdout: "piped",
  }).spawn();
  const address = await lineOf(child.stdout, /^http:/);
  const run = /^http:\/\/127\.0\.0\.1:\d+\/play\/\?token=\w+#broken-unlooked\/A\.B\*2\.A\*2$/;
  assert(run.test(address), address);
  child.kill("SIGTERM");
  await child.status;
  assertEquals((await Deno.readTextFile(`${home}/opened`)).trim(), address);
  const left = [...Deno.readDirSync(home)].map(({ name }) => name).sort();
  assertEquals(left, ["browser", "opened"]);
  await Deno.remove(home, { recursive: true });
});
