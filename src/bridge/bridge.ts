/**
 * A bridge: what it exports, what it imports, and the account of it all.
 *
 * ```
 *   host a                                         host b
 *   publisher -> topic -> bridge == network == bridge -> topic -> subscriber
 *                         exports               imports
 * ```
 *
 * It exports each local topic whose name is listed, and imports each one of other hosts whose name
 * is listed; nothing else crosses. It never exports what a bridge has published, unless it transits:
 * then samples carry the number of bridges that they passed, and one that comes home, or passes too
 * many, is dropped.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import { sleep } from "../os/clock.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import type { Carrier, CarrierEvent, Incoming, Subscription } from "./carrier.ts";
import { headingIn } from "./message.ts";
import { placeOf, ROOTS, subjectOf, subjectsOf, tokenOf } from "./subjects.ts";
import { type ExportAccount, type ExportParts, TopicExport } from "./topic_export.ts";
import { type ImportAccount, TopicImport } from "./topic_import.ts";
import { matcher } from "../region/pattern.ts";
import { Window } from "./window.ts";

/** What a bridge carries, and how. */
export interface BridgeOptions {
  /** The connection; the bridge does not close it. */
  readonly carrier: Carrier;
  /** The name of this machine, 1 to 64 printable characters of ASCII, different on each. */
  readonly host: string;
  /** The name that all bridges share that see each other; "default" by default. */
  readonly realm?: string | undefined;
  /** The local topics to export: names, or patterns with `*` and `**`. */
  readonly exports?: readonly string[] | undefined;
  /** The topics of other hosts to import: names, or patterns. */
  readonly imports?: readonly string[] | undefined;
  /**
   * Returns the local name for a topic of another host; undefined leaves it out. By default it has
   * the same name.
   */
  readonly nameOf?: ((name: string, host: string) => string | undefined) | undefined;
  /** Whether to export what other bridges have published; false by default. */
  readonly transit?: boolean | undefined;
  /** The most bridges that a sample may pass; 4 by default. */
  readonly hopsMax?: number | undefined;
  /** The most bytes on their way to the network; 16 MiB by default. */
  readonly inFlightMax?: number | undefined;
  /** The size of the parts of a large sample, at most 512 KiB; 256 KiB by default. */
  readonly chunkBytes?: number | undefined;
  /** Ends the bridge. */
  readonly until: AbortSignal;
  /** Called when the connection changes, or something cannot be carried. */
  readonly onEvent?: ((event: BridgeEvent) => void) | undefined;
}

/** An event of a bridge: one of its connection, or something that it cannot carry. */
export type BridgeEvent = CarrierEvent | { readonly type: "problem"; readonly reason: string };

/** The account of a bridge. */
export interface BridgeReport {
  /** The accounts of exports, by topic. */
  readonly exports: readonly ExportAccount[];
  /** The accounts of imports, by topic and first publisher. */
  readonly imports: readonly ImportAccount[];
  /** How often the network dropped messages because the bridge read too slowly. */
  readonly cutOffs: number;
}

/** A topic that another bridge offers. */
export interface RemoteOffer {
  readonly host: string;
  readonly kind: string;
  readonly name: string;
  readonly type: string | undefined;
}

const LOOK_MS = 200;
const ASK_MS = 200;
const HOPS_USUAL = 4;
const IN_FLIGHT = 2 ** 24;
const CHUNK = 2 ** 18;
const CHUNK_MAX = 2 ** 19;
const HEADERS_MAX = 2 ** 15;

/** A running bridge. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #realm: string;
  readonly #parts: ExportParts;
  readonly #isExported: (name: string) => boolean;
  readonly #exports = new Map<string, TopicExport>(); // by the identity of the region
  readonly #imports = new Map<string, TopicImport>();
  readonly #holders = new Map<string, string>(); // the key of the import that has a name
  readonly #closed: ExportAccount[] = [];
  readonly #refused = new Map<string, string>(); // exports, by identity
  readonly #asked = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #cutOffs = 0;
  #failure: unknown;
  readonly #end = new AbortController();

  /** @ignore */
  constructor(options: BridgeOptions) {
    const { carrier, host, realm = "default", chunkBytes = CHUNK, transit = false } = options;
    this.#options = options;
    this.#realm = realm;
    if (!/^[!-~]{1,64}$/.test(host)) {
      throw new TypeError(
        `Cannot bridge as host ${JSON.stringify(host)}: pass 1 to 64 printable characters of ASCII`,
      );
    }
    if (!(chunkBytes >= 1 && chunkBytes <= CHUNK_MAX)) {
      throw new RangeError(`Cannot send chunks of ${chunkBytes} bytes: pass 1 to ${CHUNK_MAX}`);
    }
    subjectOf("bridge", { realm, host, name: "offers" }); // throws if it is too long
    const window = new Window(carrier, options.inFlightMax ?? IN_FLIGHT);
    const chunk = Math.min(chunkBytes, carrier.maxMessage - HEADERS_MAX);
    this.#parts = { realm, host, carrier, window, transit, chunkBytes: chunk };
    const matchers = (options.exports ?? []).map(matcher);
    this.#isExported = (name) => matchers.some((matches) => matches(name));
  }

  /** The account so far. */
  get report(): BridgeReport {
    return {
      exports: [...this.#closed, ...Array.from(this.#exports.values(), ({ account }) => account)],
      imports: Array.from(this.#imports.values(), ({ account }) => account),
      cutOffs: this.#cutOffs,
    };
  }

  /** Runs the bridge until the signal aborts; resolves with the account. */
  async run(): Promise<BridgeReport> {
    const { carrier, until } = this.#options;
    const signal = AbortSignal.any([until, this.#end.signal]);
    using stack = new DisposableStack();
    stack.defer(() => this.#close());
    stack.use(carrier.onEvent((event) => this.#onEvent(event)));
    for (const subscription of this.#subscribe()) stack.use(subscription);
    this.#ask();
    do this.#look(); while (await sleep(LOOK_MS, signal));
    for (const each of this.#exports.values()) each[Symbol.dispose]();
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure;
    if (carrier.isConnected) await carrier.flush().catch(() => {}); // lost, which the far side counts
    return this.report;
  }

  #close(): void {
    using stack = new DisposableStack();
    for (const each of this.#exports.values()) stack.use(each);
    for (const each of this.#imports.values()) stack.use(each);
  }

  #onEvent(event: CarrierEvent): void {
    if (event.type === "slow") this.#cutOffs++;
    if (event.type === "connected") {
      for (const each of this.#exports.values()) each.describe();
      this.#ask();
    }
    this.#options.onEvent?.(event);
    if (event.type !== "closed") return;
    const { what } = this.#options.carrier;
    this.#failure = new VringError(
      `Cannot bridge over ${what}: the connection has ended` +
        (event.error === undefined ? "" : `: ${event.error.message}`),
      { cause: event.error },
    );
    this.#end.abort();
  }

  #problem(reason: string): void {
    this.#options.onEvent?.({ type: "problem", reason });
  }

  /** Exports new topics, and no longer those that have gone or whose name has another one. */
  #look(): void {
    if (this.#options.exports === undefined) return;
    const present = new Set<string>();
    for (const { region, isMany } of exportable(regions())) {
      if (!this.#isExported(region.name)) continue;
      const { id } = region.details!;
      present.add(id);
      if (!this.#exports.has(id)) this.#export(region, isMany);
    }
    for (const [id, each] of this.#exports) {
      if (present.has(id)) continue;
      each[Symbol.dispose]();
      this.#closed.push(each.account);
      this.#exports.delete(id);
    }
  }

  #export(region: RegionInfo, isMany: boolean): void {
    const { id } = region.details!;
    try {
      const opened = new TopicExport(region, isMany, this.#parts);
      this.#exports.set(id, opened);
      this.#refused.delete(id);
      const running = opened.run().catch((error) => {
        opened[Symbol.dispose]();
        this.#refuse(id, `Cannot export topic "${region.name}" any more`, error);
      }).finally(() => this.#running.delete(running));
      this.#running.add(running);
    } catch (error) {
      this.#refuse(id, `Cannot export topic "${region.name}"`, error);
    }
  }

  #refuse(id: string, action: string, error: unknown): void {
    if (!(error instanceof VringError)) {
      this.#failure ??= error;
      return this.#end.abort();
    }
    if (this.#refused.get(id) === error.message) return;
    this.#refused.set(id, error.message);
    this.#problem(`${action}: ${error.message}`);
  }

  *#subscribe(): Generator<Subscription> {
    const { carrier, host, imports = [] } = this.#options;
    const realm = this.#realm;
    const wide = imports.map((pattern) => subjectsOf("topic", realm, pattern));
    const patterns = imports.map(matcher);
    for (const i of imports.keys()) {
      yield carrier.subscribe(wide[i]!, (message) => {
        const place = placeOf("topic", message.subject);
        if (place === undefined || place.host === host) return;
        // several patterns may cover a name; the first that does takes it
        if (patterns.findIndex((matches) => matches(place.name)) !== i) return;
        this.#receive(place.host, place.name, message);
      });
    }
    const root = `${ROOTS.bridge}.${tokenOf(realm)}`;
    for (const asked of [`${root}.all.offers`, subjectOf("bridge", here(realm, host))]) {
      yield carrier.subscribe(asked, (message) => this.#answer(message));
    }
  }

  #receive(sender: string, name: string, message: Incoming): void {
    const heading = headingIn(message.headers);
    if (heading === undefined) return;
    const { host, hops } = heading.stem;
    const { nameOf = (name: string) => name, hopsMax = HOPS_USUAL } = this.#options;
    if (host === this.#options.host || hops > hopsMax) return;
    const local = nameOf(name, sender);
    if (local === undefined) return;
    const key = JSON.stringify([local, heading.source, host]);
    let found = this.#imports.get(key);
    if (found === undefined) {
      const place = JSON.stringify([local, heading.source]);
      found = new TopicImport({
        name: local,
        host,
        source: heading.source,
        claim: (hasSamples) => this.#claim(place, key, hasSamples),
        ask: (sender) => this.#askOnce(sender),
        onRefusal: (reason) => this.#problem(reason),
      });
      this.#imports.set(key, found);
    }
    found.receive(sender, heading, message.payload);
  }

  /** Gives the right to publish under a name to an import; returns the host that keeps it. */
  #claim(place: string, key: string, hasSamples: boolean): string | undefined {
    const holder = this.#holders.get(place) ?? key;
    const held = this.#imports.get(holder)!;
    if (holder !== key && !(held.isIdle && hasSamples)) return held.account.host;
    if (holder !== key) held.release();
    this.#holders.set(place, key);
    return undefined;
  }

  /** Asks all bridges to send the definitions of what they export. */
  #ask(): void {
    if (this.#options.imports === undefined || !this.#options.carrier.isConnected) return;
    this.#request(`${ROOTS.bridge}.${tokenOf(this.#realm)}.all.offers`);
  }

  #askOnce(host: string): void {
    const now = performance.now();
    if (now < (this.#asked.get(host) ?? -Infinity) + ASK_MS) return;
    this.#asked.set(host, now);
    this.#request(subjectOf("bridge", here(this.#realm, host)));
  }

  #request(subject: string): void {
    this.#options.carrier.publish({ subject, headers: new Map(), payload: new Uint8Array(0) });
  }

  /** Answers a question for offers: to one who lists them, or to all who import them. */
  #answer({ reply }: Incoming): void {
    if (reply === undefined) {
      for (const each of this.#exports.values()) each.describe();
      return;
    }
    const { carrier, host } = this.#options;
    const offers = Array.from(this.#exports.values(), ({ name, offered }): RemoteOffer => ({
      host,
      kind: "topic",
      name,
      type: offered.type?.name,
    }));
    const payload = new TextEncoder().encode(JSON.stringify(offers));
    carrier.publish({ subject: reply, headers: new Map(), payload });
  }
}

function here(realm: string, host: string) {
  return { realm, host, name: "offers" };
}

/** A topic that a bridge can export. */
interface Exportable {
  readonly region: RegionInfo;
  readonly isMany: boolean;
}

/** Lists the topics that a bridge can export; the topics of sources go with the one above them. */
function exportable(all: readonly RegionInfo[]): Exportable[] {
  const sound = all.filter(({ details }) => details !== undefined);
  const many = new Set(sound.filter(({ kind }) => kind === "sources").map(({ name }) => name));
  return sound.flatMap((region): Exportable[] => {
    if (region.kind === "sources") return [{ region, isMany: true }];
    const parent = region.name.slice(0, Math.max(0, region.name.lastIndexOf("/")));
    return region.kind === "topic" && !many.has(parent) ? [{ region, isMany: false }] : [];
  });
}

/** Runs a bridge until its signal aborts; resolves with the account. */
export function bridge(options: BridgeOptions): Promise<BridgeReport> {
  return new Bridge(options).run();
}
