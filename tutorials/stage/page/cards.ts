/// <reference lib="dom" />
/**
 * The processes of a chapter as cards, with buttons that really stop, continue and kill them.
 *
 * @module
 */

import type { Act, Card } from "../processes.ts";
import { act, cards } from "./api.ts";
import { el } from "./dom.ts";

const LOOK_MS = 700;
/** A card names so many locks, and counts the others. */
const MOST_LOCKS = 4;

const SIGNS: Readonly<Record<Card["state"], string>> = {
  running: "▶",
  spinning: "⟳",
  asleep: "☾",
  stopped: "❚❚",
  dead: "✝",
};

/** Cards that are looked at again and again while they are on the page. */
export class CardTable {
  readonly element: HTMLElement = el("section.cards", { "aria-label": "processes" });
  readonly #chapter: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shown = "";
  #closed = false;

  constructor(chapter: number) {
    this.#chapter = chapter;
  }

  /** Looks now, and from then on. */
  async look(): Promise<void> {
    clearTimeout(this.#timer);
    const found = await cards(this.#chapter).catch(() => []);
    if (this.#closed) return;
    clearTimeout(this.#timer); // of another look that was under way
    this.#draw(found.slice(0, 3));
    this.#timer = setTimeout(() => this.look(), LOOK_MS);
  }

  /** Looks no more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #draw(found: readonly Card[]): void {
    const rounded = found.map((card) => ({ ...card, memory: Math.round(card.memory / 2 ** 20) }));
    const shown = JSON.stringify(rounded.map(({ busyMs: _, ...card }) => card));
    if (shown === this.#shown) return; // the buttons keep the focus
    this.#shown = shown;
    this.element.replaceChildren(...rounded.map((card) => this.#cardOf(card)));
  }

  #cardOf({ pid, actor, state, signal, memory, locks }: Card): HTMLElement {
    const button = (name: Act, label: string, isOff: boolean) =>
      el("button", {
        type: "button",
        disabled: isOff,
        title: `${label} process ${pid}`,
        click: async () => {
          await act(pid, name).catch(() => {});
          await this.look();
        },
      }, label);
    const isDead = state === "dead";
    const now = state === "stopped" ? "waits for CONT" : `${memory} MiB resident`;
    const facts = isDead ? undefined : [now, ...named(locks)].join(", ");
    return el(
      `div.panel.card.${state}`,
      {},
      el(
        "p",
        {},
        el("span.sign", { "aria-hidden": true }, SIGNS[state]),
        el("strong", {}, actor === undefined ? `process ${pid}` : `${actor}, ${pid}`),
        el("span.state", {}, isDead && signal ? `dead by ${signal}` : state),
      ),
      facts && el("p.facts", {}, facts),
      isDead ? undefined : el(
        "p.acts",
        {},
        button("stop", "STOP", state === "stopped"),
        button("cont", "CONT", state !== "stopped"),
        button("kill", "KILL", false),
      ),
    );
  }
}

/** Names locks. A process that owns a region, or has a role in it, uses it too: that is not said. */
function named(all: readonly string[]): string[] {
  const isTold = (name: string) =>
    all.some((lock) => lock.endsWith(` of ${name}`) || lock === `owns ${name}`);
  const locks = all.filter((lock) => !(lock.startsWith("uses ") && isTold(lock.slice(5))));
  const more = locks.length - MOST_LOCKS;
  return more > 1 ? [...locks.slice(0, MOST_LOCKS), `and ${more} more`] : [...locks];
}
