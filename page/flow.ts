/// <reference lib="dom" />
/**
 * Who is there: processes, regions, and the messages between them.
 *
 * @module
 */

import type { LinkFacts, RegionFacts, RegionRow } from "../src/live/protocol.ts";
import { byId, h, s, setClass, setText } from "./dom.ts";
import { type Edge, isShown, PILL, type Pill, place, type Places } from "./layout.ts";
import type { Store } from "./store.ts";
import { bytes, count, KIND, rate } from "./words.ts";

/** Below this width, a list takes the place of the graph. */
const NARROW = 540;

/** With more edges, the messages on them do not move. */
const MOST_MOVING = 60;

/** The parts of a region that change with each tick. */
interface RegionParts {
  readonly button: HTMLButtonElement;
  readonly rate: HTMLElement;
  readonly type: HTMLElement;
  readonly bytes: HTMLElement;
  readonly load: HTMLElement;
  readonly fill: HTMLElement;
  readonly level: HTMLElement;
  readonly waiting: HTMLElement;
  readonly lost: HTMLElement;
}

/** The graph, or the list. */
export class Flow {
  readonly #store: Store;
  readonly #toggle: (id: number) => void;
  readonly #isOpen: (id: number) => boolean;
  readonly #stage = byId("stage");
  readonly #scroll = byId("flow-scroll");
  #regions = new Map<number, RegionParts>();
  #edges = new Map<
    string,
    { path: SVGElement; pulse: SVGElement | undefined; label: SVGElement }
  >();
  #items = new Map<number, HTMLElement>();
  #shape = "";
  #places: Places | undefined;
  #focus = -1;

  constructor(
    store: Store,
    { toggle, isOpen }: { toggle(id: number): void; isOpen(id: number): boolean },
  ) {
    this.#store = store;
    this.#toggle = toggle;
    this.#isOpen = isOpen;
    new ResizeObserver(() => this.show(this.#filter)).observe(this.#scroll);
    this.#stage.addEventListener("keydown", (event) => this.#key(event));
  }

  #filter = "";

  /** Shows the newest scene. */
  show(filter: string): void {
    this.#filter = filter;
    const { rows, processes } = this.#store;
    const width = this.#scroll.clientWidth - 24;
    if (width <= 0) return; // another section is shown
    const regions = this.#store.matching(filter);
    const isNarrow = width < NARROW;
    const shape = JSON.stringify([
      width,
      this.#scroll.clientHeight,
      regions.map((
        region,
      ) => [region.id, region.type, region.problem, linksIn(rows.get(region.id))]),
      [...processes.values()],
      regions.length === 0 && [filter, this.#store.hasScene],
    ]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      const focused = this.#focusedId();
      if (regions.length === 0) this.#showEmpty(filter);
      else if (isNarrow) this.#list(regions);
      else this.#graph(regions, width);
      if (focused !== undefined) this.#regions.get(focused)?.button.focus();
    }
    for (const region of regions) this.#update(region, rows.get(region.id));
    if (isNarrow) { for (const { id } of regions) this.#fillList(id); }
    else this.#updateEdges();
    this.#note(regions.length);
  }

  #note(shown: number): void {
    const { regions: { size }, hidden } = this.#store;
    const filtered = shown === size ? "" : `${shown} of ${size} regions`;
    const rest = hidden > 0 ? `${count(hidden)} more: choose some with vring view PATTERN` : "";
    setText(byId("flow-note"), [filtered, rest].filter((part) => part !== "").join("; "));
  }

  #focusedId(): number | undefined {
    const id = (document.activeElement as HTMLElement | null)?.dataset.id;
    return id === undefined ? undefined : Number(id);
  }

  #showEmpty(filter: string): void {
    this.#regions.clear();
    this.#edges.clear();
    this.#stage.style.height = "auto";
    this.#stage.replaceChildren(
      !this.#store.hasScene
        ? h("p", { class: "empty" }, "Waiting for the first look at the shared memory.")
        : filter === ""
        ? h(
          "p",
          { class: "empty" },
          "Nothing is open. Start a program that opens a region, such as ",
          h("code", {}, "deno task demo"),
          "; it appears here at once.",
        )
        : h("p", { class: "empty" }, `No region and no process has "${filter}" in its name.`),
    );
  }

  // ---- regions ----

  #region({ id, kind, name }: RegionFacts): RegionParts {
    const parts = {
      rate: h("span", { class: "rate" }),
      type: h("span", { class: "type" }),
      bytes: h("span", { class: "bytes" }),
      load: h("span", { class: "load" }),
      level: h("i"),
      fill: h("span", { class: "fill" }),
      waiting: h("span"),
      lost: h("span", { class: "bad" }),
    };
    parts.fill.append(parts.level);
    parts.load.append(parts.fill, parts.waiting);
    const button = h(
      "button",
      { type: "button", "data-id": id, title: `${kind} ${name}`, click: () => this.#toggle(id) },
      h("span", { class: "kind" }, KIND[kind] ?? kind),
      h("span", { class: "name" }, h("bdi", {}, name)),
      parts.rate,
      h("span", { class: "more" }, parts.type, parts.bytes, parts.load, parts.lost),
    );
    const all = { ...parts, button };
    this.#regions.set(id, all);
    return all;
  }

  #update(region: RegionFacts, row: RegionRow | undefined): void {
    const parts = this.#regions.get(region.id);
    if (parts === undefined) return;
    const { room = null, backlog = null, lost = null, links = [] } = row ?? {};
    const isDead = links.some(({ presence }) => presence === "dead");
    const isOpen = this.#isOpen(region.id);
    setText(parts.rate, row?.rate === null || row === undefined ? "" : rate(row.rate));
    setText(parts.bytes, row?.bytes ? `${bytes(row.bytes)}/s` : "");
    setText(parts.type, region.problem ?? (region.type || region.sizes));
    parts.load.hidden = !room;
    if (room) {
      const share = (backlog ?? 0) / room;
      parts.level.style.width = `${Math.min(100, 100 * share)}%`;
      setClass(parts.fill, share > 0.9 ? "fill full" : "fill");
      const isSamples = region.kind === "topic";
      setText(
        parts.waiting,
        isSamples ? `${backlog ?? "?"}/${room}` : `${Math.round(100 * share)} %`,
      );
    }
    setText(parts.lost, lost ? `▲ ${rate(lost)} lost` : "");
    setClass(
      parts.button,
      ["node region", isOpen && "open", isDead && "died"].filter(Boolean).join(" "),
    );
    parts.button.setAttribute("aria-pressed", String(isOpen));
  }

  // ---- the graph ----

  #graph(regions: readonly RegionFacts[], width: number): void {
    const { rows, processes } = this.#store;
    const places = this.#places = place(regions, rows, processes, this.#scroll.clientHeight - 16);
    const side = Math.min(200, Math.max(118, width * 0.2));
    const middle = Math.min(380, Math.max(200, width * 0.36));
    const gap = (width - 2 * side - middle) / 2;
    this.#regions.clear();
    this.#edges.clear();
    this.#items.clear();
    const edges = s("svg", { class: "edges", "aria-hidden": "true" });
    const isMoving = places.edges.length <= MOST_MOVING;
    for (const edge of places.edges) {
      edges.append(...this.#edge(edge, { side, middle, gap }, isMoving));
    }
    const pills = places.pills.map((pill) => this.#pill(pill, side, width));
    const shelves = places.shelves.map(({ region, y, height }) => {
      const { button } = this.#region(region);
      Object.assign(button.style, {
        left: `${side + gap}px`,
        top: `${y}px`,
        width: `${middle}px`,
        height: `${height}px`,
      });
      return button;
    });
    this.#stage.style.height = `${places.height}px`;
    this.#stage.replaceChildren(edges, ...pills, ...shelves);
  }

  #pill({ title, note, state, pid, side, y }: Pill, size: number, width: number): HTMLElement {
    const element = h(
      "div",
      {
        class: `node process ${state}`,
        "data-pid": pid,
        title: `${title} ${note}`,
        mouseenter: () => this.#light(pid, true),
        mouseleave: () => this.#light(pid, false),
      },
      h("b", {}, title),
      h("span", {}, note),
    );
    Object.assign(element.style, {
      left: `${side === "left" ? 0 : width - size}px`,
      top: `${y}px`,
      width: `${size}px`,
      height: `${PILL}px`,
    });
    return element;
  }

  /** Shows everything that a process does. */
  #light(pid: number, isOn: boolean): void {
    if (pid === 0) return;
    for (const node of this.#stage.querySelectorAll(`[data-pid="${pid}"]`)) {
      node.classList.toggle("lit", isOn);
    }
    for (const { key, pill } of this.#places?.edges ?? []) {
      if (pill.pid === pid) this.#edges.get(key)?.path.classList.toggle("lit", isOn);
    }
  }

  #edge(
    { key, pill, link, y }: Edge,
    { side, middle, gap }: { side: number; middle: number; gap: number },
    isMoving: boolean,
  ): SVGElement[] {
    const isLeft = pill.side === "left";
    const from = isLeft ? side : side + gap + middle;
    const [y0, y1] = isLeft ? [pill.y + PILL / 2, y] : [y, pill.y + PILL / 2];
    const to = from + gap;
    const bend = gap * 0.45;
    const line = `M${from} ${y0}C${from + bend} ${y0} ${to - bend} ${y1} ${to} ${y1}`;
    const path = s("path", { d: line });
    const pulse = isMoving && link.way !== "both"
      ? s("path", { d: line, class: "pulse" })
      : undefined;
    const label = s("text", {
      x: isLeft ? to - 9 : from + 6,
      y: y - 4,
      "text-anchor": isLeft ? "end" : "start",
    });
    const arrow = link.way === "both" || link.presence === "dead" ? undefined : s("path", {
      class: "arrow",
      d: `M${to} ${y1}l-7 -3.5v7z`,
    });
    this.#edges.set(key, { path, pulse, label });
    return [path, pulse, arrow, label].filter((one) => one !== undefined);
  }

  #updateEdges(): void {
    for (const { key, link, shelf } of this.#places?.edges ?? []) {
      const parts = this.#edges.get(key);
      const now = this.#store.rows.get(shelf.region.id)?.links.find((one) =>
        one.pid === link.pid && one.role === link.role && one.seat === link.seat
      );
      if (parts === undefined || now === undefined) continue;
      const { text, state } = labelOf(now, shelf.region.kind);
      setText(parts.label, text);
      setClass(parts.label, `edge-label ${state}`);
      const isIdle = !now.rate && now.presence === "alive";
      const isLit = parts.path.classList.contains("lit");
      setClass(
        parts.path,
        ["edge", now.way, now.presence, isIdle && "idle", isLit && "lit"].filter(Boolean).join(" "),
      );
      parts.path.style.strokeWidth = String(1 + Math.min(3.5, Math.log10(1 + (now.rate ?? 0))));
      if (parts.pulse === undefined) continue;
      setClass(parts.pulse, (now.rate ?? 0) > 100 ? "pulse fast" : "pulse");
      parts.pulse.style.display = now.rate ? "" : "none";
    }
  }

  // ---- the list ----

  #list(regions: readonly RegionFacts[]): void {
    this.#regions.clear();
    this.#edges.clear();
    this.#items.clear();
    this.#stage.style.height = "auto";
    this.#stage.replaceChildren(...regions.map((region) => {
      const links = h("ul");
      this.#items.set(region.id, links);
      return h("div", { class: "row" }, this.#region(region).button, links);
    }));
  }

  #fillList(id: number): void {
    const list = this.#items.get(id);
    const { kind } = this.#store.regions.get(id)!;
    const links = (this.#store.rows.get(id)?.links ?? []).filter(isShown);
    if (list === undefined) return;
    while (list.children.length > links.length) list.lastChild!.remove();
    links.forEach((link, i) => {
      const item = list.children[i] ?? list.appendChild(h("li", {}, h("span"), h("b"), h("span")));
      const [way, name, label] = item.children;
      const process = this.#store.processes.get(link.pid);
      const { text, state } = labelOf(link, kind);
      const isDead = link.presence === "dead";
      setClass(item, state);
      setText(way!, isDead ? "✕" : { in: "→", out: "←", both: "↔" }[link.way]);
      const pause = process?.isStopped ? " ⏸ stopped" : "";
      setText(name!, isDead ? link.role : `${process?.name || "?"} ${link.pid || ""}${pause}`);
      setText(
        label!,
        `${link.way === "in" ? "sends" : link.way === "out" ? "receives" : "uses"} ${text}`,
      );
      if (isDead) setText(label!, "died");
    });
  }

  // ---- keys ----

  #key(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.move(step);
  }

  /** Goes to the next region, or the one before. */
  move(step: number): void {
    const all = [...this.#regions.values()];
    if (all.length === 0) return;
    const at = all.findIndex(({ button }) => button === document.activeElement);
    this.#focus = at < 0
      ? Math.max(0, this.#focus)
      : Math.min(all.length - 1, Math.max(0, at + step));
    all[this.#focus]?.button.focus();
  }
}

/** The part of the links that decides where things stand. */
function linksIn(row: RegionRow | undefined): unknown {
  return row?.links.filter(isShown)
    .map(({ pid, role, seat, way, presence }) => [pid, role, seat, way, presence]);
}

/** What an edge says. */
function labelOf(
  { presence, rate: perSecond, backlog, room, role, way }: LinkFacts,
  kind: string,
): { text: string; state: string } {
  if (presence === "dead") return { text: "✕ died", state: "dead" };
  if (way === "both") return { text: role === "member" ? "" : role, state: "" };
  const moving = perSecond === null ? "" : perSecond === 0 ? "idle" : `${count(perSecond)}/s`;
  const isFull = way === "out" && room !== null && (backlog ?? 0) >= room * 0.9;
  const waiting = way === "out" && backlog && kind === "topic" ? ` +${backlog}` : "";
  return isFull ? { text: `${moving} full`, state: "full" } : { text: moving + waiting, state: "" };
}
