/**
 * The stage in a browser: the page, the steps, the processes and the exercises, on 127.0.0.1 only.
 *
 * @module
 */

import { pageHtml, stageFile } from "./assets.ts";
import { type Chapter, chapterOf } from "./chapters.ts";
import { Telling } from "./director.ts";
import { Bench } from "./exercises.ts";
import { Gate } from "./gate.ts";
import { type Outline, outline } from "./outline.ts";
import { Playground } from "./playground.ts";
import { type Act, Processes, SIGNALS } from "./processes.ts";
import type { Frame } from "./story.ts";
import { Workshop } from "./workshop.ts";

/** Chapters that are told at the same time, each in a process. */
const TELLINGS = 4;

/** The page is ours alone: no other site may frame it, and it loads nothing from elsewhere. */
const HEADERS = {
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/**
 * The playground runs what the reader writes, or what somebody has put into a link. So its pages and
 * its Worker reach nothing but its own files: no step, no signal and no answer of the course.
 */
function playPolicy(origin: string): string {
  const own = `${origin}/play/`;
  return `default-src 'none'; script-src ${own} 'unsafe-eval' 'unsafe-inline'; ` +
    `style-src ${own} 'unsafe-inline'; connect-src ${own}; worker-src ${own}; img-src data:; ` +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
}

/** An address of a step or of an exercise, such as `/8/4` or `/8/exercise`. */
const PLACE = /^\/(?:\d+(?:\/(?:\d+|exercise))?)?$/;

/** A chapter, and how far the reader is in it. */
export interface CourseChapter extends Outline {
  /** The furthest step that was shown. */
  readonly step: number;
  readonly predictions: Readonly<Record<string, boolean>>;
  readonly solved: boolean;
  readonly attempts: number;
}

/** What the page asks for. */
export interface Course {
  readonly chapters: readonly CourseChapter[];
  /** The number of the chapter that was read last. */
  readonly last?: number;
}

/** A server of the course. */
export class Stage implements AsyncDisposable {
  /** The address to open, with the token. */
  readonly address: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #ending = new AbortController();
  readonly #gate: Gate;
  readonly #workshop: Workshop;
  readonly #playground: Playground;
  readonly #processes = new Processes();
  readonly #tellings = new Map<string, Telling>();
  readonly #benches = new Map<number, Bench>();
  /** Each ends one stream of an exercise. */
  readonly #watches = new Set<() => void>();

  /** Listens on a port of 127.0.0.1; 0 takes any that is free. */
  constructor(options: { port?: number; workshop?: Workshop } = {}) {
    const { port = 0, workshop = new Workshop() } = options;
    this.#workshop = workshop;
    this.#playground = new Playground(workshop.built);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, signal: this.#ending.signal, onListen: () => {} },
      (request) => this.#respond(request),
    );
    this.#gate = new Gate(this.#server.addr.port);
    this.address = this.addressOf("/");
  }

  /** Returns the address to open for a place, such as `/play/#broken-unlooked`, with the token. */
  addressOf(place: string): string {
    const address = new URL(place, `http://127.0.0.1:${this.#server.addr.port}`);
    address.searchParams.set("token", this.#gate.token);
    return address.href;
  }

  /** Ends the server and every process that it has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#tellings.values()].map((telling) => telling.close()));
    await this.#playground[Symbol.asyncDispose]();
    for (const stop of this.#watches) stop();
    this.#ending.abort(); // a graceful shutdown would wait for browsers that keep connections
    await this.#server.finished;
  }

  async #respond(request: Request): Promise<Response> {
    const response = this.#gate.answer(request) ?? await this.#answer(request);
    const { pathname, origin } = new URL(request.url);
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
    if (pathname.startsWith("/play/")) {
      response.headers.set("content-security-policy", playPolicy(origin));
    }
    return response;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    try {
      if (request.method === "POST") return await this.#act(pathname, await request.json());
      if (request.method !== "GET") return new Response("Only GET and POST\n", { status: 405 });
      return await this.#get(pathname) ?? notFound(pathname);
    } catch (error) {
      const isAsked = error instanceof RangeError || error instanceof SyntaxError;
      return Response.json({ error: `${error}` }, { status: isAsked ? 400 : 500 });
    }
  }

  async #get(path: string): Promise<Response | undefined> {
    if (PLACE.test(path)) {
      return new Response(pageHtml(), { headers: { "content-type": "text/html; charset=utf-8" } });
    }
    if (path.startsWith("/stage/")) return stageFile(path.slice("/stage/".length));
    if (path === "/play") {
      return new Response(null, { status: 303, headers: { location: "/play/" } });
    }
    if (path.startsWith("/play/")) return this.#playground.answer(path.slice("/play/".length));
    if (path === "/api/course") return Response.json(await this.#course());
    const watched = /^\/api\/exercise\/(\d+)$/.exec(path)?.[1];
    if (watched !== undefined) return this.#watch(existing(Number(watched)));
    return undefined;
  }

  async #act(path: string, body: Record<string, unknown>): Promise<Response> {
    if (path === "/api/step") return Response.json(await this.#step(body));
    if (path === "/api/cards") {
      return Response.json(this.#processes.cards(roleOf(`${body.tab}`, Number(body.chapter))));
    }
    if (path === "/api/leave") {
      this.#tellings.get(roleOf(`${body.tab}`, Number(body.chapter)))?.leave();
      return Response.json({});
    }
    if (path === "/api/process") return this.#signal(Number(body.pid), `${body.act}`);
    const bench = this.#bench(existing(Number(body.chapter)));
    if (path === "/api/hint") bench.openHint();
    else if (path === "/api/reset") bench.reset();
    else return notFound(path);
    return Response.json({});
  }

  async #course(): Promise<Course> {
    const last = this.#workshop.last?.number;
    const chapters = (await outline()).map((chapter) => {
      const { step, predictions } = this.#workshop.readingOf(chapter);
      const { solved, attempts } = this.#workshop.workOf(chapter);
      return { ...chapter, step, predictions, solved, attempts };
    });
    return { chapters, ...last !== undefined && { last } };
  }

  async #step(body: Record<string, unknown>): Promise<Frame> {
    const [tab, number, step] = [`${body.tab}`, Number(body.chapter), Number(body.step)];
    const chapter = existing(number);
    const telling = await this.#telling(tab, number);
    const noteChild = () => {
      if (telling.child !== undefined) this.#processes.add(roleOf(tab, number), telling.child);
      for (const [actor, process] of telling.cast) {
        this.#processes.add(roleOf(tab, number), process, actor);
      }
    };
    noteChild();
    const frame = typeof body.answer === "number"
      ? await telling.answer(step, body.answer, noteChild)
      : await telling.show(step, noteChild);
    this.#workshop.noteStep(chapter, step, frame.verdict?.right);
    return frame;
  }

  async #telling(tab: string, chapter: number): Promise<Telling> {
    const key = roleOf(tab, chapter);
    let telling = this.#tellings.get(key);
    telling ??= await Telling.of(chapter);
    this.#tellings.delete(key); // the one that was used last comes last
    this.#tellings.set(key, telling);
    for (const [old, idle] of [...this.#tellings].slice(0, -TELLINGS)) {
      this.#tellings.delete(old);
      await idle.close();
    }
    return telling;
  }

  #signal(pid: number, act: string): Response {
    if (!Object.hasOwn(SIGNALS, act)) throw new RangeError(`Cannot ${act} a process`);
    return this.#processes.act(pid, act as Act)
      ? Response.json({})
      : Response.json({ error: `The stage has no living process ${pid}` }, { status: 403 });
  }

  #bench(chapter: Chapter): Bench {
    let bench = this.#benches.get(chapter.number);
    bench ??= new Bench(this.#workshop, chapter);
    this.#benches.set(chapter.number, bench);
    return bench;
  }

  /** Streams an exercise at each change, as server-sent events. */
  #watch(chapter: Chapter): Response {
    const bench = this.#bench(chapter);
    let stop = () => {};
    const body = new ReadableStream<string>({
      start: (controller) => {
        const unwatch = bench.watch((exercise) => {
          controller.enqueue(`data: ${JSON.stringify(exercise)}\n\n`);
        });
        stop = () => {
          unwatch();
          this.#watches.delete(end);
        };
        const end = () => {
          stop();
          controller.close();
        };
        this.#watches.add(end);
      },
      cancel: () => stop(),
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), {
      headers: { "content-type": "text/event-stream" },
    });
  }
}

function roleOf(tab: string, chapter: number): string {
  return `${tab}: chapter ${chapter}`;
}

function existing(number: number): Chapter {
  const chapter = chapterOf(number);
  if (chapter === undefined) throw new RangeError(`There is no chapter ${number}`);
  return chapter;
}

function notFound(path: string): Response {
  return new Response(`There is nothing at ${path}.\n`, { status: 404 });
}
