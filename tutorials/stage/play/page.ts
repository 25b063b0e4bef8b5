/**
 * The playground: the reader is the scheduler.
 *
 * @module
 */

/// <reference lib="dom" />

import "./polyfills.ts";
import { decode, encode } from "../../../test/explore/engine/token.ts";
import { type Address, addressOf, readAddress, YOURS } from "./address.ts";
import { Explorer, KilledError } from "./client.ts";
import { enable, find, h } from "./dom.ts";
import { Editor } from "./editor.ts";
import { error as errorLines, explain } from "./explain.ts";
import type { Film, Moment } from "./film.ts";
import { goalOf, groupsOf, subjectOf } from "./goals.ts";
import { memoryElements } from "./memory_view.ts";
import { PartiesView } from "./parties_view.ts";
import type { Listed, Subject } from "./protocol.ts";
import { SearchView } from "./search_view.ts";
import { Sources } from "./source.ts";
import { tracksTable } from "./tracks_view.ts";
import { counted, listed, toldShort } from "./words.ts";

const FIRST = "broken-unlooked";
const OWN: Listed = {
  name: YOURS,
  about: "two parties over one memory of 512 bytes",
  expect: undefined,
  bounds: { preemptions: 2, deaths: 0, noise: 0 },
  parties: [],
};

class Playground {
  readonly #player = new Explorer();
  readonly #searching = new SearchView((token) => void this.#showRun(token));
  readonly #sources = new Sources();
  readonly #editor = new Editor(() => this.#edited());
  readonly #parties = new PartiesView(
    find("parties"),
    this.#sources,
    (code) => void this.take(code),
  );
  #list: readonly Listed[] = [];
  #scenario: Listed = OWN;
  #film: Film | undefined;
  #codes: readonly string[] = [];
  #at = 0;
  #isWeak = false;
  #isEdited = false;
  /** The source that is played, which the editor may have changed since. */
  #played = "";
  #address = "";
  /** Whether the moment that is shown is an end. */
  #hasEnded = false;
  #turn = 0;

  async begin(): Promise<void> {
    this.#list = await this.#player.list();
    this.#fillScenarios();
    this.#listen();
    await this.#follow(location.hash);
  }

  // ---- what is played ----

  get #subject(): Subject {
    return this.#scenario.name === YOURS ? { source: this.#played } : { name: this.#scenario.name };
  }

  /** Shows what an address says. */
  async #follow(hash: string): Promise<void> {
    this.#address = hash;
    try {
      await this.#show(await readAddress(hash === "" || hash === "#" ? `#${FIRST}` : hash));
    } catch (error) {
      this.#say("This address leads nowhere", [messageOf(error)], "bad");
    }
  }

  async #show({ name, source, token, at }: Address): Promise<void> {
    const scenario = name === YOURS ? OWN : this.#list.find((each) => each.name === name);
    if (scenario === undefined) throw new Error(`Cannot find the scenario "${name}"`);
    this.#searching.clear();
    this.#scenario = scenario;
    if (source !== undefined) this.#editor.source = source;
    const { codes, isWeak } = decode(token);
    this.#isWeak = isWeak;
    this.#codes = codes;
    this.#at = at ?? codes.length;
    this.#film = undefined;
    this.#showScenario();
    this.#played = this.#editor.source;
    await this.#replay();
  }

  /** Makes the film of the present steps. */
  async #replay(): Promise<void> {
    const turn = ++this.#turn;
    if (this.#scenario.name === YOURS) {
      this.#sources.setOwn(this.#played);
      this.#isEdited = false;
    }
    let film: Film;
    try {
      film = await this.#player.film(this.#subject, encode(this.#codes, this.#isWeak));
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
      return;
    }
    if (turn !== this.#turn) return;
    this.#film = film;
    const possible = film.moments.length - 1;
    this.#codes = this.#codes.slice(0, possible);
    this.#at = Math.min(this.#at, possible);
    this.#draw();
    if (film.refused !== undefined) {
      const step = film.moments.length;
      this.#say("This run cannot go on", [
        `Step ${step} of the address, "${film.refused}", is not possible here. ` +
        "The code may have changed since the address was made.",
      ], "bad");
    }
  }

  /** Takes a step from the moment that is shown. */
  async take(code: string): Promise<void> {
    if (this.#codes[this.#at] === code) return this.goTo(this.#at + 1);
    this.#codes = [...this.#codes.slice(0, this.#at), code];
    this.#at = this.#codes.length;
    await this.#replay();
  }

  goTo(at: number): void {
    if (this.#film === undefined || at < 0 || at >= this.#film.moments.length) return;
    this.#at = at;
    this.#draw();
  }

  async #restart(): Promise<void> {
    this.#codes = [];
    this.#at = 0;
    if (this.#scenario.name === YOURS) this.#played = this.#editor.source;
    this.#film = undefined;
    await this.#replay();
  }

  // ---- drawing ----

  #fillScenarios(): void {
    const select = find<HTMLSelectElement>("scenario");
    select.append(h("option", { value: YOURS }, "Write your own"));
    for (const [label, scenarios] of groupsOf(this.#list)) {
      const options = scenarios.map(({ name }) => h("option", { value: name }, name));
      select.append(h("optgroup", { label }, ...options));
    }
  }

  #showScenario(): void {
    const scenario = this.#scenario;
    find<HTMLSelectElement>("scenario").value = scenario.name;
    find("question").textContent = goalOf(scenario);
    find("about").textContent = subjectOf(scenario);
    find("editor").hidden = scenario.name !== YOURS;
    document.body.classList.toggle("own", scenario.name === YOURS);
    document.body.classList.toggle("weak", this.#isWeak);
    find<HTMLInputElement>("weak").checked = this.#isWeak;
    document.title = `${scenario.name} · Be the scheduler`;
  }

  #draw(): void {
    const film = this.#film!;
    const moment = film.moments[this.#at]!;
    const before = film.moments[this.#at - 1];
    this.#parties.show(film, moment);
    const memory = find("memory");
    memory.replaceChildren(...memoryElements(film, moment, before));
    showWithin(memory, memory.querySelector(".has-changed"));
    const tracks = find("tracks");
    tracks.replaceChildren(tracksTable(film, this.#at, (at) => this.goTo(at)));
    showWithin(tracks, tracks.querySelector("tr.current"));
    this.#drawButtons(film, moment);
    this.#explain(film, moment);
    void this.#storeAddress();
  }

  #drawButtons(film: Film, moment: Moment): void {
    enable(find("back"), this.#at > 0);
    enable(find("forward"), this.#at < film.moments.length - 1);
    enable(find("restart"), this.#codes.length > 0 || this.#isEdited);
    find("position").textContent = `Step ${this.#at} of ${film.moments.length - 1}`;
    find("tick").hidden = !moment.choices.some(({ kind }) => kind === "tick");
  }

  #explain(film: Film, moment: Moment): void {
    const explained = explain({ ...film, moments: film.moments.slice(0, this.#at + 1) }, moment);
    const isNew = this.#hasEnded === false && explained !== undefined;
    this.#hasEnded = explained !== undefined;
    if (isNew && matchMedia("(max-width: 60rem)").matches) {
      find("outcome").scrollIntoView({ block: "nearest" }); // it is above the parties there
    }
    if (explained !== undefined) {
      const isGood = moment.ending?.kind === "well";
      return this.#say(explained.title, explained.lines, isGood ? "good" : "bad");
    }
    const can = film.parties.filter((_, i) => moment.choices.some(({ party }) => party === i));
    const [step, rest] = [moment.events.at(-1), this.#codes.length - this.#at];
    const happened = this.#at === 0 || step === undefined
      ? "Nothing has happened yet."
      : `Step ${this.#at}: ${[step.actor, toldShort(step.what)].filter(Boolean).join(": ")}.`;
    const next = rest > 0
      ? `${counted(rest, "step")} of this run ${
        rest === 1 ? "lies" : "lie"
      } ahead: press →, or choose another order.`
      : `Choose whose operation comes next: ${listed(can.map(({ name }) => name))}.`;
    this.#say("Your turn", [happened, next], "");
  }

  #say(title: string, lines: readonly string[], tone: "good" | "bad" | ""): void {
    const mark = tone === "good" ? "✓ " : tone === "bad" ? "✕ " : "";
    find("outcome").dataset.tone = tone;
    find("outcome-text").replaceChildren(
      h("h2", {}, mark + title),
      ...lines.map((line) => h("p", {}, ...this.#named(line))),
    );
  }

  /** Sets the names of the parties in bold. */
  #named(line: string): (string | HTMLElement)[] {
    const names = (this.#film?.parties ?? []).map(({ name }) => name);
    return line.split(/([\w-]+)/).map((word) =>
      names.includes(word) ? h("strong", {}, word) : word
    );
  }

  #fail(error: unknown): void {
    const message = messageOf(error);
    this.#editor.mark(undefined);
    if (error instanceof KilledError) {
      const { place, party } = error.reached ?? {};
      const where = place === undefined
        ? "No party reached an operation before."
        : `The last operation that was reached is that of ${party} in line ${place.line}: ` +
          "look for a loop after it, or before the next operation.";
      this.#editor.mark(place?.line);
      return this.#say("Stopped: an endless loop?", [`${message}. ${where}`], "bad");
    }
    const line = /\((\d+):\d+\)/.exec(message)?.[1];
    this.#editor.mark(line === undefined ? undefined : Number(line));
    this.#say("This code does not run", errorLines({ message }), "bad");
  }

  async #storeAddress(): Promise<void> {
    const [turn, at] = [this.#turn, this.#at];
    const address = await addressOf({
      name: this.#scenario.name,
      source: this.#scenario.name === YOURS ? this.#played : undefined,
      token: this.#codes.length === 0 && !this.#isWeak ? "" : encode(this.#codes, this.#isWeak),
      at: at === this.#codes.length ? undefined : at,
    });
    if (turn !== this.#turn || at !== this.#at || address === this.#address) return;
    this.#address = address;
    history.replaceState(null, "", address);
  }

  // ---- the search ----

  #search(): void {
    if (this.#searching.isRunning) return this.#searching.stop();
    if (this.#scenario.name === YOURS) this.#played = this.#editor.source;
    void this.#searching.search(this.#subject, this.#isWeak);
  }

  async #showRun(token: string): Promise<void> {
    const { codes, isWeak } = decode(token);
    this.#codes = codes;
    this.#isWeak = isWeak;
    this.#at = 0;
    await this.#replay();
  }

  // ---- input ----

  #edited(): void {
    this.#isEdited = true;
    enable(find("restart"), true);
    this.#say("Edited", ['Press "Play it" to play the new code, or search it.'], "");
  }

  #listen(): void {
    const on = (id: string, act: () => void) => find(id).addEventListener("click", act);
    on("back", () => this.goTo(this.#at - 1));
    on("forward", () => this.goTo(this.#at + 1));
    on("restart", () => void this.#restart());
    on("play-own", () => void this.#restart());
    on("search", () => this.#search());
    on("tick", () => void this.take("t"));
    on("copy", () => void this.#copy());
    find("scenario").addEventListener("change", () => {
      location.hash = `#${find<HTMLSelectElement>("scenario").value}`;
    });
    find("weak").addEventListener("change", () => {
      this.#isWeak = find<HTMLInputElement>("weak").checked;
      document.body.classList.toggle("weak", this.#isWeak);
      void this.#restart();
    });
    addEventListener("hashchange", () => {
      if (location.hash !== this.#address) void this.#follow(location.hash);
    });
    addEventListener("keydown", (event) => this.#key(event));
  }

  async #copy(): Promise<void> {
    const button = find("copy");
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copy the address bar";
    }
    setTimeout(() => button.textContent = "Copy link", 2000);
  }

  #key(event: KeyboardEvent): void {
    const { key, target, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (altKey || ctrlKey || metaKey || this.#film === undefined) return;
    if (target instanceof Element && target.closest("input, select, textarea")) return;
    const letter = key.length === 1 ? key.toUpperCase() : "";
    const kind = shiftKey ? ".acts button:nth-of-type(2)" : ".step";
    const step = /^[A-D]$/.test(letter)
      ? document.querySelector<HTMLButtonElement>(`[data-party="${letter}"] ${kind}`)
      : null;
    if (step !== null) step.click();
    else if (key === "ArrowLeft") this.goTo(this.#at - 1);
    else if (key === "ArrowRight") this.goTo(this.#at + 1);
    else if (key === "Home") this.goTo(0);
    else if (key === "End") this.goTo(this.#film.moments.length - 1);
    else if (letter === "S") this.#search();
    else if (letter === "T" && !find("tick").hidden) find("tick").click();
    else return;
    event.preventDefault();
  }
}

/** Scrolls a row of a table into the middle of its box, if it is not in view. */
function showWithin(box: HTMLElement, row: Element | null): void {
  if (!(row instanceof HTMLElement)) return;
  const table = row.closest("table")!;
  const [top, height] = [table.offsetTop + row.offsetTop, row.offsetHeight];
  const isInView = top > box.scrollTop + height && top + height < box.scrollTop + box.clientHeight;
  if (!isInView) box.scrollTop = top - (box.clientHeight - height) / 2;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}

/** Sets light or dark by hand, or leaves it to the system. */
function listenToTheme(): void {
  const button = find("theme");
  const names = ["system", "light", "dark"];
  const set = (name: string) => {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    button.textContent = `Colours: ${name}`;
    button.dataset.theme = name;
    if (name === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", name);
  };
  set(localStorage.getItem("theme") ?? "system");
  button.addEventListener("click", () => {
    set(names[(names.indexOf(button.dataset.theme ?? "") + 1) % names.length]!);
  });
}

if (location.protocol !== "file:") { // there, index.html has said what to do
  listenToTheme();
  const playground = new Playground();
  playground.begin().then(
    () => document.body.dataset.ready = "true",
    (error) => {
      find("outcome-text").replaceChildren(
        h("h2", {}, "✕ Cannot start"),
        h("p", {}, messageOf(error)),
      );
    },
  );
}
