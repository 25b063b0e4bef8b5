/// <reference lib="dom" />
/**
 * The page of the live view.
 *
 * @module
 */

import type { FromServer, RegionFacts } from "../src/live/protocol.ts";
import { Card } from "./card.ts";
import { Connection } from "./connection.ts";
import { byId, h, setClass, setText } from "./dom.ts";
import { Events } from "./events.ts";
import { Flow } from "./flow.ts";
import { Load } from "./load.ts";
import { headOf } from "./picture.ts";
import { Store } from "./store.ts";
import { bytes, count } from "./words.ts";

/** The cards that a card without a pin does not take the place of. */
const MOST_CARDS = 24;

const store = new Store();
const cards = new Map<number, Card>();
const flow = new Flow(store, { toggle, isOpen: (id) => cards.has(id) });
const load = new Load(store);
const events = new Events(store);
let isOpen = false;
let isPaused = false;
let hasBegun = false;
let filter = "";
let dropped = 0;

const connection = new Connection({ text, binary, state });
const send = connection.send.bind(connection);

if (new URLSearchParams(location.search).has("token")) {
  history.replaceState(null, "", location.pathname + location.hash); // the cookie has it now
}

// ---- from the server ----

function text(message: FromServer): void {
  if (message.op === "hello") {
    store.begin(message.tickMs);
    setText(byId("host"), message.host === "" ? "" : `on ${message.host}`);
    document.title = message.host === "" ? "vring view" : `vring on ${message.host}`;
  } else if (message.op === "scene") {
    store.scene(message.regions);
    if (!hasBegun) begin();
    for (const card of cards.values()) {
      const region = store.regions.get(card.id);
      if (region !== undefined) card.update(region);
    }
  } else if (message.op === "tick") {
    dropped = message.dropped;
    store.hidden = message.hidden;
    store.tick(message.time, message.rows, message.processes);
    if (message.events > store.lastEvent) send({ op: "events", after: store.lastEvent });
    if (!isPaused) show();
  } else if (message.op === "events") {
    store.addEvents(message.events);
    if (!isPaused) events.show(filter);
  } else if (isPaused) return;
  else if (message.op === "value") cards.get(message.id)?.value(message);
  else if (message.op === "series") cards.get(message.id)?.series(message);
  else cards.get(message.id)?.problem(message.reason);
}

function binary(message: Uint8Array<ArrayBuffer>): void {
  if (!isPaused) cards.get(headOf(message).id)?.picture(message);
}

function state(nowOpen: boolean): void {
  isOpen = nowOpen;
  if (isOpen) { for (const card of cards.values()) card.watch(); }
  showLink();
}

// ---- showing ----

function show(): void {
  flow.show(filter);
  load.show(filter);
  events.show(filter);
  for (const card of cards.values()) card.tick(store.rows.get(card.id));
  showTotals();
  showLink();
}

function showTotals(): void {
  const rows = [...store.rows.values()];
  const sum = (values: readonly (number | null)[]) =>
    values.reduce<number>((all, one) => all + (one ?? 0), 0);
  const lost = sum(rows.map((row) => row.lost));
  const dead = rows.flatMap(({ links }) => links).filter(({ presence }) => presence === "dead");
  const totals: [string, string, boolean][] = [
    [
      count(rows.length) + (store.hidden > 0 ? ` of ${count(rows.length + store.hidden)}` : ""),
      rows.length === 1 ? "region" : "regions",
      false,
    ],
    [count(store.processes.size), store.processes.size === 1 ? "process" : "processes", false],
    [count(Math.round(sum(rows.map((row) => row.rate)))), "messages/s", false],
    [`${bytes(sum(rows.map((row) => row.bytes)))}/s`, "", false],
    [lost > 0 ? `▲ ${count(Math.round(lost))}` : "0", "lost/s", lost > 0],
    ...dead.length > 0 ? [[`✕ ${dead.length}`, "dead", true] as [string, string, boolean]] : [],
  ];
  const element = byId("totals");
  if (element.children.length !== totals.length) {
    element.replaceChildren(...totals.map(() => h("div", {}, h("dt"), h("dd"))));
  }
  totals.forEach(([value, unit, isBad], i) => {
    const group = element.children[i]!;
    setClass(group, isBad ? "bad" : "");
    setText(group.firstElementChild!, unit);
    setText(group.lastElementChild!, value);
  });
}

function showLink(): void {
  const link = byId("link");
  const late = dropped > 0 ? `, ${count(dropped)} updates left out: this page is slow` : "";
  setText(
    link,
    !isOpen
      ? "✕ No connection; trying again"
      : isPaused
      ? "⏸ Paused; Space goes on"
      : `● Live${late}`,
  );
  setClass(link, !isOpen ? "link off" : isPaused ? "link paused" : "link");
  setText(byId("values-note"), cards.size === 0 ? "" : `${cards.size} open`);
}

/** Draws the curves as the display shows them. */
function draw(): void {
  requestAnimationFrame(draw);
  if (isPaused || document.hidden) return;
  const now = Date.now();
  if (now - lastDraw < 45) return;
  lastDraw = now;
  for (const card of cards.values()) card.draw(now);
}
let lastDraw = 0;
draw();

// ---- cards ----

/** Opens the cards that the address names, or that of the first region with messages. */
function begin(): void {
  if (store.regions.size === 0) return showEmpty();
  hasBegun = true;
  const named = decodeURIComponent(location.hash.slice(1)).split(",");
  const asked = named.flatMap((name) => {
    const region = [...store.regions.values()].find((one) => `${one.kind}:${one.name}` === name);
    return region === undefined ? [] : [region];
  });
  for (const { id } of asked.reverse()) open(id, true);
  if (asked.length === 0) { for (const { id } of firstChoice()) open(id, false, true); }
  showEmpty();
}

/** The regions that tell most at first sight: curves, and an image. */
function firstChoice(): RegionFacts[] {
  const readable = store.matching("").filter(({ isReadable }) => isReadable);
  const image = readable.find(({ picture }) => picture === "image") ??
    readable.find(({ picture }) => picture === "points");
  const worth = ({ kind, curves, picture }: RegionFacts) =>
    picture === "no" ? Math.min(curves.length, 8) + (kind === "topic" ? 10 : 0) : 0;
  const curves = readable.filter((region) => worth(region) > 0)
    .toSorted((a, b) => worth(b) - worth(a));
  const points = readable.find(({ picture, id }) => picture === "points" && id !== image?.id);
  const all = [image, curves[0], points, curves[1]].filter((region) => region !== undefined);
  const most = innerHeight > 1000 ? 4 : 2;
  return all.slice(0, most).toReversed();
}

/** Opens or closes a card; where only one section is shown, goes to the card. */
function toggle(id: number): void {
  const isNarrow = matchMedia("(max-width: 820px)").matches;
  if (cards.has(id) && !isNarrow) return close(id);
  open(id, false);
  if (!isNarrow) return;
  showTab("values");
  cards.get(id)?.element.scrollIntoView({ block: "start" });
}

function open(id: number, isPinned: boolean, keepsOthers = false): void {
  const region = store.regions.get(id);
  if (region === undefined || cards.has(id) || cards.size >= MOST_CARDS) return;
  const loose = [...cards.values()].filter((card) => !card.isPinned);
  if (!keepsOthers && loose.length > 1) close(loose[0]!.id);
  const card = new Card(region, { send, close, pin });
  card.setPinned(isPinned);
  cards.set(id, card);
  byId("cards").prepend(card.element);
  card.tick(store.rows.get(id));
  remember();
}

function close(id: number): void {
  cards.get(id)?.remove();
  cards.delete(id);
  remember();
}

function pin(id: number): void {
  const card = cards.get(id);
  card?.setPinned(!card.isPinned);
  remember();
}

/** Keeps the cards with a pin in the address, so that a bookmark opens them. */
function remember(): void {
  const names = [...cards.values()].filter(({ isPinned }) => isPinned).flatMap(({ id }) => {
    const region = store.regions.get(id);
    return region === undefined ? [] : [`${region.kind}:${region.name}`];
  });
  const hash = names.length === 0 ? location.pathname : `#${names.join(",")}`;
  history.replaceState(null, "", hash);
  flow.show(filter);
  showEmpty();
  showLink();
}

function showEmpty(): void {
  const host = byId("cards");
  const known = host.querySelector(".empty");
  if (cards.size > 0) known?.remove();
  else if (known === null) {
    host.append(h("p", { class: "empty" }, "Choose a region to see its messages."));
  }
}

// ---- controls ----

const THEMES = ["auto", "light", "dark"] as const;
let theme = THEMES.find((one) => one === localStorage.getItem("theme")) ?? "auto";
const isDark = matchMedia("(prefers-color-scheme: dark)");

function showTheme(): void {
  const shown = theme === "auto" ? isDark.matches ? "dark" : "light" : theme;
  document.documentElement.dataset.theme = shown;
  const button = byId("theme");
  setText(button, theme[0]!.toUpperCase() + theme.slice(1));
  const words = { auto: "as the system", light: "light", dark: "dark" }[theme];
  button.setAttribute("aria-label", `Colours: ${words}`);
  load.redraw();
  for (const card of cards.values()) card.redraw();
}
isDark.addEventListener("change", showTheme);
showTheme();

function nextTheme(): void {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  localStorage.setItem("theme", theme);
  showTheme();
}

function pause(): void {
  isPaused = !isPaused;
  const button = byId("pause");
  button.setAttribute("aria-pressed", String(isPaused));
  setText(button, isPaused ? "Go on" : "Pause");
  if (!isPaused) show();
  showLink();
}

const TABS = ["flow", "values", "load", "events"] as const;

function showTab(tab: string): void {
  document.body.dataset.tab = tab;
  for (const button of byId("tabs").children) {
    button.setAttribute("aria-current", String((button as HTMLElement).dataset.show === tab));
  }
  show();
}

byId("pause").addEventListener("click", pause);
byId("theme").addEventListener("click", nextTheme);
byId("help").addEventListener("click", () => byId<HTMLDialogElement>("keys").showModal());
for (const tab of TABS) {
  document.querySelector(`[data-show="${tab}"]`)!.addEventListener("click", () => showTab(tab));
}
byId("filter").addEventListener("input", () => {
  filter = byId<HTMLInputElement>("filter").value;
  show();
});

const KEYS: Readonly<Record<string, () => void>> = {
  "/": () => byId("filter").focus(),
  "?": () => byId<HTMLDialogElement>("keys").showModal(),
  " ": pause,
  t: nextTheme,
  p: () => {
    const newest = [...cards.keys()].at(-1);
    if (newest !== undefined) pin(newest);
  },
  j: () => flow.move(1),
  k: () => flow.move(-1),
  ArrowDown: () => flow.move(1),
  ArrowUp: () => flow.move(-1),
  ...Object.fromEntries(TABS.map((tab, i) => [String(i + 1), () => {
    showTab(tab);
    byId(tab).focus();
  }])),
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || byId<HTMLDialogElement>("keys").open) {
    return;
  }
  if (target instanceof HTMLInputElement) {
    if (key === "Escape" || key === "Enter") target.blur();
    return;
  }
  const isOnButton = target instanceof HTMLButtonElement;
  if (event.defaultPrevented || isOnButton && key === " ") return;
  const scrolls = target instanceof HTMLElement && target.id === "log";
  if (scrolls && key.startsWith("Arrow")) return;
  const act = KEYS[key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});
