/**
 * The files of the page, as answers to requests.
 *
 * @module
 */

import { FILES } from "./prebuilt.ts";

/** The page may load nothing from elsewhere, and no other page may show it. */
const SAFETY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Answers a request for a file; undefined if there is none. */
export function pageFile(path: string, asked: Headers): Response | undefined {
  if (!Object.hasOwn(FILES, path)) return undefined;
  const { type, gzip } = FILES[path]!;
  const bytes = Uint8Array.fromBase64(gzip);
  const headers = { ...SAFETY, "content-type": type };
  if (/\bgzip\b/.test(asked.get("accept-encoding") ?? "")) {
    return new Response(bytes, { headers: { ...headers, "content-encoding": "gzip" } });
  }
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain, { headers });
}
