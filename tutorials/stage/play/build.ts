/**
 * Builds the static pages: files that any server can serve at any path, without special headers.
 *
 * The playground's Worker has the explorer and the shipped algorithms in one script, by
 * `deno bundle` and the explorer's import map. esbuild then turns `using` into older JavaScript,
 * because Safari does not have it, and joins the source maps.
 *
 * @module
 */

import * as esbuild from "esbuild";
import { fileOfSource } from "./places.ts";
import { record } from "./record.ts";
import { type LineTable, type SourceMap, tableOf } from "./lines.ts";

const HERE = new URL("./", import.meta.url);
const ROOT = new URL("../../../", import.meta.url);
/** Puts the simulated machine below the algorithms. */
const EXPLORER_MAP = new URL("test/explore/import_map.json", ROOT);
/** Puts recordings in place of the server. */
const RECORDED_MAP = new URL("recorded_map.json", HERE);

/** Browsers since the beginning of 2024. */
const TARGET = "es2023";

/** The sources that a party's line can be in. */
const SHOWN = /^(src|test\/explore\/(scenarios|broken)|test\/explore\/scenario\.ts)/;

/** Builds everything into a folder, which it creates, and tells of each file. */
async function build(output: Output): Promise<void> {
  await Promise.all([buildPlayground(output), buildCourse(output)]);
}

/** The playground alone. Its page comes last. */
async function buildPlayground(output: Output): Promise<void> {
  const [, , strip] = await Promise.all([
    buildWorker(output),
    bundled("page.ts").then((script) => output.write("play/page.js", script.code)),
    bundled("strip.ts").then((script) => output.write("play/strip.js", script.code)),
  ]);
  await output.write("play/play.css", await Deno.readTextFile(new URL("play.css", HERE)));
  const style = new URL("../page/style.css", HERE); // shared with the other pages
  await output.write("play/style.css", await Deno.readTextFile(style));
  const page = await Deno.readTextFile(new URL("index.html", HERE));
  const weight = `${Math.round(strip / 1024)} KB`;
  await output.write("play/index.html", page.replaceAll("{{strip weight}}", weight));
}

class Output {
  readonly #folder: URL;

  constructor(folder: string) {
    this.#folder = new URL(`${folder}/`, `file://${Deno.cwd()}/`);
  }

  /** Writes a file, tells of it, and returns its size. */
  async write(path: string, text: string): Promise<number> {
    const bytes = new TextEncoder().encode(text);
    const file = new URL(path, this.#folder);
    await Deno.mkdir(new URL("./", file), { recursive: true });
    await Deno.writeFile(file, bytes);
    if (!path.startsWith("play/source/")) tell(bytes.length, path);
    return bytes.length;
  }
}

function tell(bytes: number, path: string): void {
  console.log(`${(bytes / 1024).toFixed(0).padStart(6)} KB  ${path}`);
}

/** The recorded course: the page of the stage with other sources of its frames. */
async function buildCourse(output: Output): Promise<void> {
  const page = new URL("../page/", HERE);
  const read = (name: string) => Deno.readTextFile(new URL(name, page));
  const html = (await read("index.html")).replaceAll("/stage/page/", "stage/")
    .replace("stage/theme.ts", "stage/theme.js")
    .replace('type="module" src="stage/main.ts"', 'defer src="stage/main.js"')
    .replace("<body>", `<body>\n${await Deno.readTextFile(new URL("recorded_note.html", HERE))}`);
  await output.write("index.html", html);
  const sheets = Array.from(html.matchAll(/"stage\/(\w+\.css)"/g), ([, name]) => name!);
  for (const name of [...sheets, "icon.svg"]) await output.write(`stage/${name}`, await read(name));
  const theme = await esbuild.transform(await read("theme.ts"), { loader: "ts" });
  await output.write("stage/theme.js", theme.code);
  const script = await bundled("../page/main.ts", { map: RECORDED_MAP });
  await output.write("stage/main.js", script.code);
  const { chapters, steps } = await record();
  await output.write("recorded/course.json", JSON.stringify(chapters));
  for (const [number, recorded] of steps) {
    await output.write(`recorded/${number}.json`, JSON.stringify(recorded));
  }
}

/** The Worker, its line table, and the sources whose lines the page shows. */
async function buildWorker(output: Output): Promise<void> {
  const { code, table } = await bundled("worker.ts", { map: EXPLORER_MAP, withLines: true });
  await output.write("play/worker.js", code);
  await output.write("play/lines.json", JSON.stringify(table));
  const sources = table.sources.filter((source) => SHOWN.test(source));
  let bytes = 0;
  for (const source of sources) {
    const text = await Deno.readTextFile(new URL(source, ROOT));
    bytes += await output.write(`play/${fileOfSource(source)}`, JSON.stringify(text));
  }
  tell(bytes, `play/source/ (${sources.length} files)`);
}

/** A script for the browser. With lines, it keeps its line breaks. */
async function bundled(
  entry: string,
  { map: importMap, withLines = false }: { map?: URL; withLines?: boolean } = {},
): Promise<{ code: string; table: LineTable }> {
  const bundle = await bundleOf(new URL(entry, HERE), importMap);
  const { code, map } = await esbuild.transform(bundle, {
    target: TARGET,
    sourcemap: "external",
    sourcefile: "bundle.js",
    charset: "utf8",
    minify: !withLines,
    legalComments: "none",
  });
  return { code, table: tableOf(JSON.parse(map) as SourceMap, pathOf) };
}

/** Returns the path of a source of a map in the repository. */
function pathOf(source: string): string | undefined {
  const at = ["src/", "test/", "tutorials/"].map((folder) => source.indexOf(folder))
    .filter((at) => at >= 0);
  return at.length === 0 || source.includes("node_modules")
    ? undefined
    : source.slice(Math.min(...at));
}

async function bundleOf(entry: URL, importMap: URL | undefined): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "browser", "--format", "iife", "--sourcemap=inline"],
      ...importMap === undefined ? [] : ["--import-map", importMap.pathname],
      entry.pathname,
    ],
    cwd: ROOT,
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot bundle ${entry.pathname}: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  const isWhole = Deno.args[0] !== "--playground";
  const into = Deno.args.at(-1) ?? "learn";
  try {
    await (isWhole ? build : buildPlayground)(new Output(into));
  } finally {
    await esbuild.stop();
  }
  if (isWhole) console.log(`Serve them with any server: cd ${into} && python3 -m http.server`);
}
