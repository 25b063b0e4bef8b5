/**
 * The search: its button, its progress, and what it found.
 *
 * @module
 */

/// <reference lib="dom" />

import type { FindingKind } from "../../../test/explore/engine/scenario.ts";
import type { Report } from "../../../test/explore/engine/search.ts";
import { decode } from "../../../test/explore/engine/token.ts";
import { Explorer, KilledError, StoppedError } from "./client.ts";
import { find, h } from "./dom.ts";
import { error as errorLines } from "./explain.ts";
import type { Found, Subject } from "./protocol.ts";
import { counted, listed } from "./words.ts";

/** What the explorer did when it won. */
const WINS: Readonly<Record<FindingKind, string>> = {
  "lost wake-up": "it lost a wake-up",
  invariant: "it broke the promise",
  error: "it made a party fail",
  hang: "it left a party waiting for ever",
};

/** Searches in a Worker of its own, and tells how it went. */
export class SearchView {
  readonly #explorer = new Explorer();
  readonly #show: (token: string) => void;
  #isRunning = false;
  /** Counts the searches, so that an old one does not write over a new one. */
  #turn = 0;

  /** `show` plays the run of a token. */
  constructor(show: (token: string) => void) {
    this.#show = show;
  }

  /** Whether it searches now. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Ends the search that runs, and forgets its result. */
  clear(): void {
    this.#turn++;
    this.stop();
    this.#tell([]);
    this.#setRunning(false);
  }

  /** Ends the search that runs. */
  stop(): void {
    if (this.#isRunning) this.#explorer.kill();
  }

  /** Searches for a run that goes wrong. */
  async search(subject: Subject, isWeak: boolean): Promise<void> {
    const turn = ++this.#turn;
    this.#setRunning(true);
    this.#tell(["The explorer tries every order…"]);
    const progress = ({ states, schedules, milliseconds }: Report) =>
      this.#tell([
        `${counted(states, "state")} and ${counted(schedules, "run")} in ` +
        `${(milliseconds / 1000).toFixed(1)} s…`,
      ]);
    try {
      const found = await this.#explorer.search(subject, isWeak, progress);
      if (turn === this.#turn) this.#tellFound(found);
    } catch (error) {
      if (turn === this.#turn) this.#tellFailure(error);
    }
    if (turn === this.#turn) this.#setRunning(false);
  }

  #setRunning(isRunning: boolean): void {
    this.#isRunning = isRunning;
    const button = find("search");
    button.textContent = isRunning ? "Stop" : "Search";
    button.setAttribute("aria-pressed", `${isRunning}`);
  }

  #tellFailure(error: unknown): void {
    if (error instanceof StoppedError) return this.#tell(["You stopped the search."]);
    if (error instanceof KilledError) {
      return this.#tell([
        "Killed after 2 seconds: a party never reached its next operation. " +
        "Is there a loop without one?",
      ], "bad");
    }
    const message = error instanceof Error ? error.message : `${error}`;
    this.#tell(errorLines({ message }), "bad");
  }

  #tellFound(found: Found): void {
    const { finding, states, milliseconds } = found.report;
    if (found.changing !== undefined) {
      return this.#tell([
        `Your code is not deterministic: ${found.changing}. Keep all state inside of the party or ` +
        "in the memory; use no random numbers and no clock.",
      ], "bad");
    }
    const searched = `${counted(states, "state")} in ${(milliseconds / 1000).toFixed(2)} s`;
    if (finding === undefined) return this.#tellNothing(found, searched);
    const message = finding.message.split("\n")[0]!;
    if (/is not deterministic/.test(message)) return this.#tell(errorLines({ message }), "bad");
    const steps = counted(decode(finding.token).codes.length, "step");
    this.#tell([
      `The explorer won: ${WINS[finding.kind]}, in ${steps}. It searched ${searched}.`,
    ], "bad");
    const button = find("show-found");
    button.onclick = () => this.#show(finding.token);
    button.hidden = false;
  }

  #tellNothing({ report, bounds }: Found, searched: string): void {
    const allowed = [
      counted(bounds.preemptions, "preemption"),
      bounds.deaths > 0 && counted(bounds.deaths, "death"),
      bounds.noise > 0 && counted(bounds.noise, "early wake-up"),
      bounds.reorderings && counted(bounds.reorderings, "reordering"),
    ].filter((part) => typeof part === "string");
    if (report.exhausted) {
      const every = `every order within ${listed(allowed)}`;
      this.#tell([`Nobody can win: ${every} was tried. ${searched}.`], "good");
    } else {
      this.#tell([`Nothing was found in ${searched}. There are more orders than it could try.`]);
    }
  }

  #tell(lines: readonly string[], tone: "good" | "bad" | "" = ""): void {
    const box = find("result");
    find("show-found").hidden = true;
    box.dataset.tone = tone;
    const mark = tone === "good" ? "✓ " : tone === "bad" ? "✕ " : "";
    box.replaceChildren(...lines.map((line, i) => h("p", {}, (i === 0 ? mark : "") + line)));
  }
}
