/**
 * The server of the stage: whom it lets in, which processes it signals, and how it judges a file that
 * the reader writes.
 */

import { setTimeout as delay } from "node:timers/promises";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Exercise } from "../../tutorials/stage/exercises.ts";
import { chapterOf } from "../../tutorials/stage/chapters.ts";
import { Telling } from "../../tutorials/stage/director.ts";
import { Gate } from "../../tutorials/stage/gate.ts";
import { type Card, Processes } from "../../tutorials/stage/processes.ts";
import { Stage } from "../../tutorials/stage/server.ts";
import type { Frame } from "../../tutorials/stage/story.ts";
import { Workshop } from "../../tutorials/stage/workshop.ts";

const ROOT = new URL("../../", import.meta.url);

/** A stage with a workshop of its own, and requests as its page sends them. */
class Visit implements AsyncDisposable {
  readonly folder = new URL(`file://${Deno.makeTempDirSync()}/`);
  readonly stage: Stage = new Stage({ workshop: new Workshop(this.folder) });
  readonly origin: string = new URL(this.stage.address).origin;
  #cookie = "";

  /** Opens the printed address, as a browser does. */
  async enter(): Promise<Response> {
    const response = await fetch(this.stage.address, { redirect: "manual" });
    this.#cookie = response.headers.get("set-cookie")!.split(";")[0]!;
    await response.body?.cancel();
    return response;
  }

  get(path: string): Promise<Response> {
    return fetch(this.origin + path, { headers: { cookie: this.#cookie } });
  }

  async post<T>(path: string, body: Record<string, unknown>): Promise<T> {
    const response = await fetch(this.origin + path, {
      method: "POST",
      headers: { cookie: this.#cookie, origin: this.origin },
      body: JSON.stringify({ tab: "test", ...body }),
    });
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stage[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("the gate lets in only our host, our origin and the cookie of the token", () => {
  const gate = new Gate(1234, "secret");
  const status = (url: string, headers: Record<string, string>, method = "GET") => {
    const request = new Request(`http://127.0.0.1:1234${url}`, { headers, method });
    return gate.answer(request)?.status;
  };
  const host = "127.0.0.1:1234";
  const cookie = "vring-learn-1234=secret";
  assertEquals(status("/", { host, cookie }), undefined);
  assertEquals(status("/?token=secret", { host }), 303);
  assertEquals(status("/", { host }), 403);
  assertEquals(status("/", { host, cookie: "vring-learn-1234=other!" }), 403);
  assertEquals(status("/?token=other!", { host, cookie }), 403);
  assertEquals(status("/", { host: "evil.example:1234", cookie }), 403);
  assertEquals(status("/", { host: "127.0.0.1:1235", cookie }), 403);
  assertEquals(status("/", { host, cookie, origin: "http://evil.example" }), 403);
  assertEquals(status("/api/step", { host, cookie }, "POST"), 403);
  assertEquals(status("/api/step", { host, cookie, origin: "null" }, "POST"), 403);
  assertEquals(status("/api/step", { host, cookie, origin: `http://${host}` }, "POST"), undefined);
});

Deno.test("the token becomes a cookie that scripts and other sites do not get", async () => {
  await using visit = new Visit();
  const response = await visit.enter();
  assertEquals([response.status, response.headers.get("location")], [303, "/"]);
  const cookie = response.headers.get("set-cookie")!;
  for (const word of ["HttpOnly", "SameSite=Strict"]) assertStringIncludes(cookie, word);
  const page = await visit.get("/1/4");
  assertEquals(page.status, 200);
  assertStringIncludes(page.headers.get("content-security-policy")!, "default-src 'self'");
  assertStringIncludes(await page.text(), "<main");
});

Deno.test("only files of the page are served", async () => {
  await using visit = new Visit();
  await visit.enter();
  const paths = ["/stage/page/main.ts", "/stage/terms.ts", "/stage/page/style.css"];
  for (const path of paths) {
    const response = await visit.get(path);
    const text = await response.text();
    assertEquals(response.status, 200, path);
    assert(!text.includes("import type"), path);
  }
  for (const path of ["/stage/server.ts", "/stage/page/..%2fserver.ts", "/deno.json", "/1/x"]) {
    const response = await visit.get(path);
    await response.body?.cancel();
    assertEquals(response.status, 404, path);
  }
});

Deno.test("the stage signals the processes that it started, and no other", async () => {
  await using visit = new Visit();
  await visit.enter();
  await visit.post<Frame>("/api/step", { chapter: 1, step: 2 });
  const cards = () => visit.post<Card[]>("/api/cards", { chapter: 1 });
  const [card] = await cards();
  assert(card!.memory > 0);
  const act = (pid: number, act: string) =>
    visit.post<{ error?: string }>("/api/process", { pid, act });
  for (const pid of [1, Deno.pid, Deno.ppid, -1, 0]) {
    assertStringIncludes((await act(pid, "stop")).error!, "no living process");
  }
  assertStringIncludes((await act(card!.pid, "SIGTERM")).error!, "Cannot SIGTERM");
  assertEquals(await act(card!.pid, "stop"), {});
  while ((await cards())[0]!.state !== "stopped");
  assertEquals(await act(card!.pid, "cont"), {});
  assertEquals(await act(card!.pid, "kill"), {});
  while ((await cards())[0]!.signal !== "SIGKILL");
  assertEquals((await cards())[0]!.state, "dead");
  assertStringIncludes((await act(card!.pid, "cont")).error!, "no living process");
  const frame = await visit.post<Frame>("/api/step", { chapter: 1, step: 3 });
  assertEquals([frame.done, frame.ended], [true, undefined]);

  const [next] = (await cards()).filter(({ state }) => state !== "dead");
  await act(next!.pid, "stop");
  const held = visit.post<{ error?: string }>("/api/step", { chapter: 1, step: 4 });
  while ((await cards())[0]!.state !== "stopped"); // which says why the step does not come
  await visit.post("/api/leave", { chapter: 1 });
  assertStringIncludes((await held).error!, "has left this step");
  assertEquals((await visit.post<Frame>("/api/step", { chapter: 1, step: 3 })).done, true);
});

Deno.test("an exercise is judged when its file is written, helped, reset and remembered", async () => {
  await using visit = new Visit();
  await visit.enter();
  const response = await visit.get("/api/exercise/1");
  const deadline = setTimeout(() => visit.stage[Symbol.asyncDispose](), 180_000); // ends the stream
  const events = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  /** Reads on until an exercise is as it should be. */
  const until = async (isRight: (exercise: Exercise) => boolean): Promise<Exercise> => {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error("the stream of the exercise has ended");
      for (const [, data] of (value as string).matchAll(/^data: (.*)$/gm)) {
        const exercise: Exercise = JSON.parse(data!);
        if (isRight(exercise)) return exercise;
      }
    }
  };
  const begun = await until(({ judgement }) => judgement?.verdict === "wrong");
  assertEquals([begun.attempts, begun.solved, begun.solution], [0, false, undefined]);
  assertStringIncludes(begun.task, "Return how many pages");
  const file = new URL("01_pages.ts", visit.folder);
  const shipped = Deno.readTextFileSync(file);

  Deno.writeTextFileSync(file, shipped.replace("length / page", "length / pages"));
  const mistyped = await until(({ judgement }) => judgement?.verdict === "mistyped");
  assertStringIncludes(mistyped.judgement!.text!, "pages");
  assertEquals(mistyped.attempts, 0);

  Deno.writeTextFileSync(file, shipped.replace("Math.ceil(length / page)", "1"));
  await until(({ attempts, judging }) => attempts === 1 && !judging);
  await visit.post("/api/hint", { chapter: 1 });
  assertEquals((await until(({ hints }) => hints.length > 0)).hints.length, 1);

  const answer = Deno.readTextFileSync(new URL("tutorials/answers/01_pages.ts", ROOT));
  const check = new URL("tutorials/01_pages/check.ts", ROOT).href;
  Deno.writeTextFileSync(file, answer.replace("../01_pages/check.ts", check));
  const solved = await until(({ judgement }) => judgement?.verdict === "solved");
  assertEquals([solved.solved, solved.attempts], [true, 1]);
  assertEquals(solved.task, begun.task); // whatever the comment of the reader's file
  assert(solved.solution!.some(({ side }) => side === "both"));

  await visit.post("/api/reset", { chapter: 1 });
  await until(({ judgement }) => judgement?.verdict === "wrong");
  assertEquals(Deno.readTextFileSync(file), shipped);
  const work = new Workshop(visit.folder).workOf({ folder: "01_pages" });
  assertEquals([work.attempts, work.solved, work.hints], [1, true, 1]);
  clearTimeout(deadline);
  await events.return?.();
});

Deno.test("progress stays with a chapter that gets another number", () => {
  const folder = new URL(`file://${Deno.makeTempDirSync()}/`);
  const file = new URL("progress.json", folder);
  Deno.writeTextFileSync(
    file,
    '{ "readings": { "1": { "step": 7, "predictions": {} } }, "works": {}, "last": 1 }', // of old
  );
  const chapter = chapterOf("01_pages")!;
  const workshop = new Workshop(folder);
  assertEquals([workshop.last, workshop.readingOf(chapter).step], [chapter, 7]);
  workshop.noteStep(chapter, 8, true);
  const again = new Workshop(folder);
  assertEquals(again.last, chapter);
  assertEquals(again.readingOf({ folder: "33_pages" }), { step: 8, predictions: { 8: true } });
  assertEquals(again.readingOf({ folder: "01_other" }).step, 0);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("the same answer, judged again, is one attempt, and the exercise as shipped is none", () => {
  const folder = new URL(`file://${Deno.makeTempDirSync()}/`);
  const chapter = chapterOf("01_pages")!;
  const attempts = (...answers: string[]) => {
    const workshop = new Workshop(folder); // as after a restart
    for (const answer of answers) {
      workshop.noteJudgement(chapter, answer, { verdict: "wrong", checks: [] });
    }
    return workshop.workOf(chapter).attempts;
  };
  assertEquals(attempts(new Workshop(folder).shippedText(chapter)), 0);
  assertEquals(attempts("one", "one"), 1);
  assertEquals(attempts("one"), 1);
  assertEquals(attempts("another"), 2);
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("cards name the roles of a process, and say whether it spins", async () => {
  const processes = new Processes();
  const telling = await Telling.of(19);
  try {
    const note = () => telling.cast.forEach((child, actor) => processes.add("here", child, actor));
    await telling.show(1, note);
    await telling.answer(1, 0, note);
    const [camera] = processes.cards("here");
    assertEquals(camera?.actor, "camera");
    assertEquals(camera!.locks, ["publisher 0 of topic", "uses topic"]);
  } finally {
    await telling.close();
  }
  const busy = new Deno.Command("deno", { args: ["eval", "for (;;);"] }).spawn();
  processes.add("busy", busy);
  while (processes.cards("busy")[0]!.state !== "spinning") await delay(50);
  assert(processes.act(busy.pid, "kill"));
  await busy.status;
});

Deno.test("a card that made room for those of later deaths does not come back", async () => {
  const processes = new Processes();
  const dead: Deno.ChildProcess[] = [];
  for (let i = 0; i < 6; i++) {
    const child = new Deno.Command("true").spawn();
    dead.push(child);
    processes.add("here", child, `actor ${i}`);
    await child.status;
  }
  const actors = () => processes.cards("here").map(({ actor }) => actor);
  const newest = ["actor 5", "actor 4", "actor 3", "actor 2"];
  assertEquals(actors(), newest);
  for (const [i, child] of dead.entries()) processes.add("here", child, `actor ${i}`);
  assertEquals(actors(), newest);
});

Deno.test("the progress keeps what several terminals note at once", async () => {
  const folder = new URL(`file://${Deno.makeTempDirSync()}/`);
  const module = new URL("tutorials/stage/workshop.ts", ROOT).href;
  const source = `import { Workshop } from ${JSON.stringify(module)};
    const workshop = new Workshop(new URL(${JSON.stringify(folder)}));
    const folder = Deno.args[0];
    for (let step = 1; step <= 50; step++) workshop.noteStep({ folder }, step, true);`;
  const program = new URL("note.ts", folder);
  Deno.writeTextFileSync(program, source);
  const args = ["run", "--quiet", "--no-check", "--allow-all", program.pathname];
  const chapters = ["1_a", "2_b", "3_c"];
  const ends = chapters.map((chapter) =>
    new Deno.Command("deno", { args: [...args, chapter] }).output()
  );
  assert((await Promise.all(ends)).every(({ success }) => success));
  const workshop = new Workshop(folder);
  const noted = chapters.map((folder) =>
    Object.keys(workshop.readingOf({ folder }).predictions).length
  );
  assertEquals(noted, [50, 50, 50]);
  Deno.removeSync(folder, { recursive: true });
});
