/**
 * The cards of the parties: state, next operation, the steps that the reader can take, and the line.
 *
 * @module
 */

/// <reference lib="dom" />

import { enable, h } from "./dom.ts";
import type { Choice, Film, Moment, Party, PartyState } from "./film.ts";
import type { Place } from "./places.ts";
import type { Sources } from "./source.ts";
import { inWords, listed } from "./words.ts";

const LINES_BEFORE = 5;
const LINES_AFTER = 5;

/** A card whose parts change with every moment. */
class Card {
  readonly element: HTMLElement;
  readonly #party: Party;
  readonly #sources: Sources;
  readonly #take: (code: string) => void;
  readonly #state = h("span", { class: "state" });
  readonly #step = h("button", { class: "step primary", type: "button" });
  readonly #kill = h("button", { class: "small", type: "button" }, "Kill");
  readonly #wake = h("button", { class: "small", type: "button" }, "End its sleep early");
  readonly #more = h("div", { class: "more" });
  readonly #where = h("div", { class: "where" });
  readonly #code = h("div", { class: "code", tabindex: "0", role: "region" });
  #shown = "";
  /** The frame that is shown: 0 is the innermost. */
  #depth = 0;

  constructor(party: Party, index: number, sources: Sources, take: (code: string) => void) {
    this.#party = party;
    this.#sources = sources;
    this.#take = take;
    const { letter, name } = party;
    this.#code.setAttribute("aria-label", `The code of ${name}`);
    this.element = h(
      "article",
      { class: `card panel party tone-${index % 4 + 1}`, "aria-label": name, "data-party": letter },
      h("header", {}, h("span", { class: "letter" }, letter), h("h3", {}, name), this.#state),
      h("div", { class: "acts" }, this.#step, this.#kill, this.#wake, this.#more),
      this.#where,
      this.#code,
    );
  }

  show(state: PartyState, choices: readonly Choice[], isWeak: boolean, isNext: boolean): void {
    const { status, operation } = state;
    this.element.dataset.status = status;
    this.element.classList.toggle("acted", isNext);
    this.#state.textContent = statusText(state, this.#party);
    const [main, ...others] = mainOf(choices);
    this.#button(this.#step, main, stepText(state, main));
    this.#step.title = main === undefined ? "" : `Key: ${this.#party.letter.toLowerCase()}`;
    const kill = choices.find(({ kind }) => kind === "kill");
    this.#button(this.#kill, kill, "Kill");
    this.#kill.title = kill === undefined
      ? "It cannot die now in this scenario"
      : "Shift and its key";
    const early = choices.filter(({ kind }) => RUDE.includes(kind));
    this.#button(this.#wake, early[0], rudeText(early[0]));
    this.#more.replaceChildren(
      ...[...others, ...early.slice(1)].map((choice) => {
        const button = h("button", { class: "small", type: "button" });
        this.#button(button, choice, moreText(choice, operation, isWeak));
        return button;
      }),
    );
    this.#depth = 0;
    void this.#showPlaces(IDLE[status] === undefined ? state.places : [], status);
  }

  #button(button: HTMLButtonElement, choice: Choice | undefined, text: string): void {
    button.textContent = text;
    enable(button, choice !== undefined);
    button.dataset.code = choice?.code ?? "";
    button.onclick = choice === undefined ? null : () => this.#take(choice.code);
  }

  async #showPlaces(places: readonly Place[], status: PartyState["status"]): Promise<void> {
    const place = places[this.#depth];
    this.#where.replaceChildren(
      h(
        "div",
        { class: "frames" },
        ...places.slice(0, 6).map(({ source, line, name }, depth) =>
          h("button", {
            class: "frame",
            type: "button",
            "aria-pressed": depth === this.#depth ? "true" : "false",
            title: `${source}:${line}`,
            click: () => {
              this.#depth = depth;
              void this.#showPlaces(places, status);
            },
          }, name || "() =>")
        ),
      ),
      h("span", { class: "file", title: place?.source }, place === undefined ? "" : fileOf(place)),
    );
    const key = place === undefined ? "" : `${place.source}:${place.line}`;
    if (key === this.#shown && key !== "") return;
    this.#shown = key;
    if (place === undefined) {
      this.#code.replaceChildren(h("p", { class: "idle" }, IDLE[status] ?? ""));
      return;
    }
    const around = this.#sources.around(place.source, place.line, LINES_BEFORE, LINES_AFTER);
    const lines = await around.catch((error) => [h("p", {}, `${error.message}`)]);
    if (this.#shown !== key) return;
    this.#code.replaceChildren(...lines);
    const here = this.#code.querySelector<HTMLElement>(".here");
    if (here === null) return;
    const middle = (this.#code.clientHeight - here.offsetHeight) / 2;
    this.#code.scrollTop = here.offsetTop - middle;
  }
}

/** Why a party shows no line. */
const IDLE: Readonly<Partial<Record<PartyState["status"], string>>> = {
  "not begun": "Its code has not begun.",
  finished: "Its code has ended.",
  dead: "Its code never runs again: no catch, no finally.",
};

const RUDE: readonly Choice["kind"][] = ["spurious", "early", "resume"];

/** The ordinary steps of a party; the first is the one that its button takes. */
function mainOf(choices: readonly Choice[]): Choice[] {
  return choices.filter(({ kind }) => kind !== "kill" && !RUDE.includes(kind));
}

function statusText(
  { status, sleepsOn, operation, result }: PartyState,
  { begins }: Party,
): string {
  switch (status) {
    case "not begun":
      return `… begins ${begins}`;
    case "ready":
      return "● can act";
    case "asleep":
      return sleepsOn.length > 0
        ? `☾ asleep on ${listed(sleepsOn)}`
        : operation?.startsWith("pause")
        ? "☾ pauses"
        : "☾ asleep";
    case "woken":
      return "◑ was woken";
    case "finished":
      return result === undefined ? "✓ has ended" : `✓ returned ${result}`;
    case "failed":
      return `✕ threw ${result}`;
    case "dead":
      return "✕ dead";
  }
}

function stepText({ operation, status }: PartyState, choice: Choice | undefined): string {
  switch (choice?.kind) {
    case undefined:
      return status === "asleep" ? "asleep" : status === "dead" ? "dead" : "nothing to do";
    case "wake":
      return "wake up and go on";
    case "settle":
      return "hear that a sleep has ended";
    case "pool":
      return `in its pool: ${inWords(operation ?? "sleep")}`;
    case "release":
      return "let the kernel close one of its files";
    case "visible":
      return "let its oldest hidden store become visible";
    default:
      return inWords(operation ?? "");
  }
}

function rudeText(choice: Choice | undefined): string {
  if (choice?.kind === "resume") return "End its pause early";
  return choice?.kind === "early" ? "Let its time run out" : "End its sleep early";
}

function moreText(choice: Choice, operation: string | undefined, isWeak: boolean): string {
  const { kind, detail } = choice;
  if (RUDE.includes(kind)) return rudeText(choice);
  if (kind === "release") return "Close another of its files";
  if (kind === "visible") return `Let hidden store ${detail + 1} become visible`;
  if (kind !== "step") return stepText({ operation } as PartyState, choice);
  if (isWeak && /load|copy out/.test(operation ?? "")) return `… but get older value ${detail}`;
  if (isWeak) return "… but others see it later";
  return `… and wake sleeper ${detail + 1}`;
}

function fileOf({ source, line }: Place): string {
  return `${source.split("/").at(-1)}:${line}`;
}

/** All cards. */
export class PartiesView {
  readonly #element: HTMLElement;
  readonly #sources: Sources;
  readonly #take: (code: string) => void;
  #cards: Card[] = [];
  #names = "";

  constructor(element: HTMLElement, sources: Sources, take: (code: string) => void) {
    this.#element = element;
    this.#sources = sources;
    this.#take = take;
  }

  show(film: Film, moment: Moment): void {
    const names = film.parties.map(({ name }) => name).join();
    if (names !== this.#names) {
      this.#names = names;
      this.#cards = film.parties.map((party, i) => new Card(party, i, this.#sources, this.#take));
      this.#element.replaceChildren(...this.#cards.map(({ element }) => element));
      this.#element.dataset.count = `${this.#cards.length}`;
    }
    for (const [i, card] of this.#cards.entries()) {
      const choices = moment.choices.filter(({ party }) => party === i);
      card.show(moment.parties[i]!, choices, film.isWeak, moment.step?.party === i);
    }
  }
}
