/**
 * Real browsers for the tests of pages: Debian's Chromium and Firefox, driven by puppeteer.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

export type { Page } from "puppeteer-core";

/** A browser that pages are tested in. */
export interface Kind {
  readonly name: "chrome" | "firefox";
  readonly command: string;
}

const KINDS: readonly Kind[] = [
  { name: "chrome", command: "chromium" },
  { name: "firefox", command: "firefox-esr" },
];

/** Finds a program in the PATH. */
function pathOf(command: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder}/${command}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** Defines a test for each browser; one that is not installed is skipped, and the reason printed. */
export function inEachBrowser(
  name: string,
  run: (t: Deno.TestContext, browser: Browser, kind: Kind) => Promise<void>,
): void {
  for (const kind of KINDS) {
    const path = pathOf(kind.command);
    if (path === undefined) {
      console.log(`skipped: ${name} in ${kind.command}, which is not installed`);
    }
    Deno.test({
      name: `${name} (${kind.command})`,
      ignore: path === undefined,
      // puppeteer keeps timers and pipes of its own until the browser is gone
      sanitizeOps: false,
      sanitizeResources: false,
      fn: async (t) => {
        const home = await Deno.makeTempDir();
        const browser = await puppeteer.launch({
          browser: kind.name,
          executablePath: path!,
          args: kind.name === "chrome" ? ["--no-sandbox", "--disable-gpu"] : [],
          env: { ...Deno.env.toObject(), HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home },
        });
        try {
          await run(t, browser, kind);
        } finally {
          await browser.close();
          await Deno.remove(home, { recursive: true }).catch(() => {}); // the last writes of a cache
        }
      },
    });
  }
}

/** Opens a page whose errors and messages fail the test in {@linkcode Watched.assertQuiet}. */
export async function watchedPage(browser: Browser): Promise<Watched> {
  const page = await browser.newPage();
  const messages: string[] = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(`${error}`));
  return { page, assertQuiet: () => assertEquals(messages, []) };
}

/** A page, and the check that its console is empty. */
export interface Watched {
  readonly page: Page;
  assertQuiet(): void;
}
