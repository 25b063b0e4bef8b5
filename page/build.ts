/**
 * Bundles the page of the live view, and embeds it into `src/live/prebuilt.ts`. With `--check` it
 * only compares the contents, and fails if they differ.
 *
 *     deno task page
 *
 * The files are embedded, and not read: the package is loaded over the network as well as from a
 * disk, and the view needs no permission besides that for its port.
 *
 * Curves are drawn by uPlot (MIT, 51 kB, 22 kB compressed), which is bundled: it has axes of time, a
 * cursor, and thins out lines with more points than pixels. Written here it would be a worse copy.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);
const TARGET = new URL("src/live/prebuilt.ts", ROOT);

const NOTICE =
  "/*! uPlot, https://github.com/leeoniya/uPlot, (c) 2022 Leon Sorokin, MIT License: " +
  "permission is granted, free of charge, to any person obtaining a copy of this software to deal " +
  "in it without restriction, provided that this notice is included; it comes without warranty. */\n";

/** The files of the page by path, with their types. */
interface Files {
  readonly [path: string]: { readonly type: string; readonly text: string };
}

async function files(): Promise<Files> {
  const read = (name: string) => Deno.readTextFileSync(new URL(`page/${name}`, ROOT));
  return {
    "/": { type: "text/html; charset=utf-8", text: read("index.html") },
    "/style.css": { type: "text/css; charset=utf-8", text: read("style.css") },
    "/app.js": { type: "text/javascript; charset=utf-8", text: NOTICE + await bundle() },
    "/icon.svg": { type: "image/svg+xml", text: read("icon.svg") },
  };
}

async function bundle(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", "page/main.ts"],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function generated(all: Files): Promise<string> {
  const entries = await Promise.all(
    Object.entries(all).map(async ([path, { type, text }]) => {
      const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
      const base64 = (await new Response(stream).bytes()).toBase64();
      return `  "${path}": {\n    type: "${type}",\n    gzip:\n      "${base64}",\n  },\n`;
    }),
  );
  return `/**
 * GENERATED from page/ by \`deno task page\`: the files of the live view, as base64 of gzip.
 *
 * @module
 */

// deno-fmt-ignore-file

/** The files by path. */
export const FILES: Readonly<Record<string, { readonly type: string; readonly gzip: string }>> = {
${entries.join("")}};
`;
}

/** Whether the embedded files have these contents; compressors may differ. */
async function isCurrent(all: Files): Promise<boolean> {
  const { FILES } = await import(TARGET.href);
  const texts = await Promise.all(
    Object.entries(FILES as Record<string, { type: string; gzip: string }>).map(
      async ([path, { type, gzip }]) => {
        const stream = new Blob([Uint8Array.fromBase64(gzip)]).stream();
        const text = await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).text();
        return [path, { type, text }];
      },
    ),
  );
  return JSON.stringify(Object.fromEntries(texts)) === JSON.stringify(all);
}

if (import.meta.main) {
  const all = await files();
  if (Deno.args.includes("--check")) {
    const same = await isCurrent(all);
    console.log(same ? "The page is current." : "The page differs: run deno task page.");
    Deno.exit(same ? 0 : 1);
  }
  const text = await generated(all);
  Deno.writeTextFileSync(TARGET, text);
  console.log(`src/live/prebuilt.ts: ${text.length} bytes`);
}
