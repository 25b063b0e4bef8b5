/**
 * The playground on the server: built at the first visit into the reader's folder, and again once its
 * sources have changed. The bundler needs more permissions than the stage, and runs in another process.
 *
 * @module
 */

import { playFile } from "./assets.ts";

const ROOT = new URL("../../", import.meta.url);
/** What goes into the playground. */
const SOURCES = [
  "src/",
  "test/explore/",
  "tutorials/stage/play/",
  "tutorials/stage/page/style.css",
];
const BUILDER = new URL("play/build.ts", import.meta.url).pathname;

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The playground is being built</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; }
body { max-width: 60ch; margin: 4rem auto; padding: 0 1rem; font: 17px/1.55 system-ui, sans-serif; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
<h1>The playground is being built</h1>
<p>This takes a few seconds, once. The first time, Deno may load esbuild and Sucrase, with which it
bundles the algorithms.</p>
<pre role="status" aria-label="what is built so far">`;
const RELOAD = `</pre>
<p>Ready.</p>
<script>location.reload();</script>
<noscript>The playground needs JavaScript.</noscript>
`;

/** The playground of one reader. */
export class Playground implements AsyncDisposable {
  readonly #folder: URL;
  #build: Build | undefined;

  /** Builds into a folder when it is needed. */
  constructor(folder: URL) {
    this.#folder = folder;
  }

  /** Returns a file of the playground, or in place of its page the progress of the build. */
  answer(path: string): Response | undefined {
    if (path === "" && !this.#isBuilt()) return this.#progress();
    return playFile(path, new URL("play/", this.#folder));
  }

  /** Ends a build that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#build?.[Symbol.asyncDispose]();
  }

  /** Whether the page is there, and its time is that of the newest source. */
  #isBuilt(): boolean {
    return modified(this.#page) === newestSource();
  }

  /** A page that grows during the build, and then loads the playground in its place. */
  #progress(): Response {
    if (this.#build?.hasEnded !== false) this.#build = new Build(this.#folder, this.#page);
    const body = ReadableStream.from(pageOf(this.#build)).pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { "content-type": "text/html; charset=utf-8" } });
  }

  get #page(): URL {
    return new URL("play/index.html", this.#folder);
  }
}

async function* pageOf(build: Build): AsyncGenerator<string> {
  yield HEAD;
  for await (const text of build.told()) {
    yield text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  }
  yield build.hasFailed
    ? "</pre>\n<p>It cannot be built. Load this page to try again.</p>\n"
    : RELOAD;
}

/** One run of the builder, which several visitors may watch. */
class Build implements AsyncDisposable {
  hasEnded = false;
  hasFailed = false;
  readonly #child: Deno.ChildProcess;
  readonly #told: string[] = [];
  readonly #ended: Promise<void>;
  #more = Promise.withResolvers<void>();

  constructor(folder: URL, page: URL) {
    const newest = new Date(newestSource());
    this.#child = new Deno.Command("deno", {
      args: ["run", "--quiet", "--allow-all", BUILDER, "--playground", folder.pathname],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#follow(() => Deno.utimeSync(page, newest, newest));
  }

  /** What it has told so far, and then what it tells until it ends. */
  async *told(): AsyncGenerator<string> {
    for (let next = 0;;) {
      while (next < this.#told.length) yield this.#told[next++]!;
      if (this.hasEnded) return;
      await this.#more.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.hasEnded) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #follow(built: () => void): Promise<void> {
    const { stdout, stderr } = this.#child;
    const hear = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        this.#told.push(text);
        this.#tell();
      }
    };
    await Promise.all([hear(stdout), hear(stderr)]);
    this.hasFailed = !(await this.#child.status).success;
    if (!this.hasFailed) built();
    this.hasEnded = true;
    this.#tell();
  }

  #tell(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

/** When a file was last changed, in milliseconds; 0 if it does not exist. */
function modified(file: URL): number {
  try {
    return Deno.statSync(file).mtime!.getTime();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function newestSource(): number {
  return Math.max(...SOURCES.map((path) => newestIn(new URL(path, ROOT))));
}

/** When the newest file of a folder, or this file, was last changed. */
function newestIn(place: URL): number {
  if (!place.pathname.endsWith("/")) return modified(place);
  const times = [...Deno.readDirSync(place)].map(({ name, isDirectory }) =>
    newestIn(new URL(isDirectory ? `${name}/` : name, place))
  );
  return Math.max(0, ...times);
}
