/**
 * The files of the page. TypeScript is served without its types, which leaves every line and column
 * in place; so the page needs no build and no bundler.
 *
 * @module
 */

import { stripTypeScriptTypes } from "node:module";

const STAGE = new URL("./", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  ts: "text/javascript; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
  png: "image/png",
  wasm: "application/wasm",
};

/** What a browser may ask for below /stage/. */
const SERVED = /^(?:page\/[a-z_]+\.(?:ts|css|svg)|terms\.ts|verdict\.ts|wording\.ts|story\.ts)$/;
/** The files that it may ask for below /play/. */
const PLAY_FILE = /^[a-z0-9_\-/]+\.(?:html|css|js|json|svg|wasm)$/i;

/** The page around every step. */
export function pageHtml(): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL("page/index.html", STAGE));
}

/** Returns a file below /stage/; undefined if there is none. */
export function stageFile(path: string): Response | undefined {
  return SERVED.test(path) ? respond(new URL(path, STAGE)) : undefined;
}

/** Returns a file of the playground as it was built into a folder; undefined if there is none. */
export function playFile(path: string, folder: URL): Response | undefined {
  const name = path === "" || path.endsWith("/") ? `${path}index.html` : path;
  return PLAY_FILE.test(name) && !name.includes("..") ? respond(new URL(name, folder)) : undefined;
}

function respond(file: URL): Response | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const extension = file.pathname.slice(file.pathname.lastIndexOf(".") + 1);
  const type = TYPES[extension]!;
  const body = extension === "ts" ? stripTypeScriptTypes(new TextDecoder().decode(bytes)) : bytes;
  return new Response(body, { headers: { "content-type": type } });
}
