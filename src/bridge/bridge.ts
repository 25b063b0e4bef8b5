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

import { FLAG, optionsBy, SIGNAL } from "../arguments.ts";
import { VringError } from "../errors.ts";
import { sleep } from "../os/clock.ts";
import { FUNCTION, numberFrom, required, TEXT, TEXTS, wholeFrom } from "../tool_rules.ts";
import { regions } from "../region/list.ts";
import type { Carrier, CarrierEvent, Incoming, Kept } from "./carrier.ts";
import type { ExportAccount, ExportParts } from "./export.ts";
import { Exports } from "./exports.ts";
import { Imports } from "./imports.ts";
import { isListed } from "./listed.ts";
import { CARRIER, isHost, Presence, type RemoteOffer, toAll } from "./presence.ts";
import { subjectOf } from "./subjects.ts";
import type { ImportAccount } from "./topic_import.ts";
import { Window } from "./window.ts";

/** What a bridge carries, and how. */
export interface BridgeOptions {
  /** The connection; the bridge does not close it. */
  readonly carrier: Carrier;
  /** The name of this machine, 1 to 64 printable characters of ASCII, different on each. */
  readonly host: string;
  /** The name that all bridges share that see each other; "default" by default. */
  readonly realm?: string | undefined;
  /**
   * What to export: names of topics, or patterns with `*` and `**`. Begin those of other kinds with
   * the kind: `slot:robot/*`, `mpsc:jobs`, `calls:lookup`.
   */
  readonly exports?: readonly string[] | undefined;
  /** What to import from other machines, in the same form. */
  readonly imports?: readonly string[] | undefined;
  /**
   * Returns the local name for something of another host; undefined leaves it out. By default it has
   * the same name.
   */
  readonly nameOf?: ((name: string, host: string) => string | undefined) | undefined;
  /**
   * Whether the network keeps the samples of topics until the far bridges have published them; false
   * by default. All bridges that share a topic must agree.
   */
  readonly reliable?: boolean | undefined;
  /** The most bytes that the network keeps of a realm for that; 256 MiB by default. */
  readonly keptMax?: number | undefined;
  /** The number of last values that a reliable network keeps of each slot; 8 by default. */
  readonly slotHistory?: number | undefined;
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
export type BridgeEvent =
  | CarrierEvent
  /** It has subscribed to everything that it imports. */
  | { readonly type: "ready" }
  /** Nothing here matches a pattern of its exports when it begins. */
  | { readonly type: "unmatched"; readonly pattern: string }
  /** It cannot carry something. */
  | { readonly type: "problem"; readonly reason: string };

/** The account of a bridge. */
export interface BridgeReport {
  /** The accounts of exports, by topic. */
  readonly exports: readonly ExportAccount[];
  /** The accounts of imports, by topic and first publisher. */
  readonly imports: readonly ImportAccount[];
  /** How often the network dropped messages because the bridge read too slowly. */
  readonly cutOffs: number;
}

const LOOK_MS = 200;
const ASK_MS = 200;
const DESCRIBE_MS = 50;
const HOPS_USUAL = 4;
const IN_FLIGHT = 2 ** 24;
const KEPT = 2 ** 28;
const SLOT_HISTORY = 8;
const CHUNK = 2 ** 18;
const CHUNK_MAX = 2 ** 19;
const HEADERS_MAX = 2 ** 15;

/** A running bridge. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #realm: string;
  readonly #parts: Omit<ExportParts, "kept">;
  readonly #imports: Imports;
  readonly #presence: Presence;
  #exports: Exports | undefined;
  readonly #asked = new Map<string, number>();
  readonly #end = new AbortController();
  readonly #over = new AbortController(); // run() has ended
  #isAsked = false;
  #isDescribing = false;
  #cutOffs = 0;
  #failure: unknown;

  /** @ignore */
  constructor(options: BridgeOptions) {
    const { carrier, host, realm = "default", transit = false, imports = [] } = options;
    const { chunkBytes = CHUNK, hopsMax = HOPS_USUAL, nameOf = (name: string) => name } = options;
    this.#options = options;
    this.#realm = realm;
    subjectOf("bridge", here(realm, host)); // throws if it is too long
    const window = new Window(carrier, options.inFlightMax ?? IN_FLIGHT);
    const chunk = Math.min(chunkBytes, carrier.maxMessage - HEADERS_MAX);
    const onProblem = (reason: string) => options.onEvent?.({ type: "problem", reason });
    this.#parts = { realm, host, carrier, window, transit, chunkBytes: chunk, onProblem };
    this.#presence = new Presence({ carrier, realm, host });
    const ask = (host: string) => this.#askOnce(host);
    this.#imports = new Imports(imports, {
      carrier,
      realm,
      host,
      hopsMax,
      nameOf,
      ask,
      onProblem,
    });
  }

  /** The account so far. */
  get report(): BridgeReport {
    return {
      exports: this.#exports?.accounts ?? [],
      imports: this.#imports.accounts,
      cutOffs: this.#cutOffs,
    };
  }

  /** Runs the bridge until the signal aborts; resolves with the account. */
  async run(): Promise<BridgeReport> {
    const { carrier, until, exports = [] } = this.#options;
    const signal = AbortSignal.any([until, this.#end.signal]);
    const kept = await this.#keep();
    await using stack = new AsyncDisposableStack();
    stack.defer(() => this.#over.abort());
    stack.use(this.#imports);
    const exporting = this.#exports = stack.use(this.#exporting(kept));
    stack.use(carrier.onEvent((event) => this.#onEvent(event)));
    for (const subscription of this.#imports.subscribe()) stack.use(subscription);
    for (const asked of [toAll(this.#realm, "offers"), this.#own]) {
      stack.use(carrier.subscribe(asked, (message) => this.#answer(message)));
    }
    for (const subscription of this.#presence.subscribe()) stack.use(subscription);
    if (kept !== undefined) {
      for await (const consumer of this.#imports.consume(kept)) stack.use(consumer);
    }
    stack.use(this.#imports); // first: a consumer may wait for a subscriber here
    using _present = this.#presence.begin();
    this.#ask();
    await carrier.flush().catch(() => {}); // a connection that broke subscribes again
    this.#options.onEvent?.({ type: "ready" });
    for (const pattern of exporting.unmatched(exports.length > 0 ? regions() : [])) {
      this.#options.onEvent?.({ type: "unmatched", pattern });
    }
    do {
      if (exports.length > 0) exporting.look(regions());
    } while (await sleep(LOOK_MS, signal));
    await exporting.end();
    if (this.#failure !== undefined) throw this.#failure;
    if (carrier.isConnected) await carrier.flush().catch(() => {}); // lost, which the far side counts
    return this.report;
  }

  #exporting(kept: Kept | undefined): Exports {
    const { exports = [], imports = [], nameOf } = this.#options;
    const isImported = nameOf === undefined ? isListed(imports) : () => false;
    const onFailure = (error: unknown) => this.#fail(error);
    const { onProblem } = this.#parts;
    return new Exports(exports, { ...this.#parts, kept }, { isImported, onProblem, onFailure });
  }

  async #keep(): Promise<Kept | undefined> {
    const { carrier, reliable, keptMax = KEPT, slotHistory = SLOT_HISTORY } = this.#options;
    if (reliable !== true) return undefined;
    if (carrier.keep === undefined) {
      throw new VringError(`Cannot bridge reliably over ${carrier.what}: it keeps no messages`);
    }
    return await carrier.keep({ realm: this.#realm, maxBytes: keptMax, slotHistory });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#end.abort();
  }

  #onEvent(event: CarrierEvent): void {
    if (event.type === "slow") this.#cutOffs++;
    if (event.type === "connected") {
      this.#exports?.describe();
      this.#ask();
    }
    this.#options.onEvent?.(event);
    if (event.type !== "closed") return;
    const { what } = this.#options.carrier;
    const why = event.error === undefined ? "" : `: ${event.error.message}`;
    const message = `Cannot bridge over ${what}: the connection has ended${why}`;
    this.#fail(new VringError(message, { cause: event.error }));
  }

  /** The subject of questions to this bridge. */
  get #own(): string {
    return subjectOf("bridge", here(this.#realm, this.#options.host));
  }

  /** Asks all bridges to send the definitions of what they export. */
  #ask(): void {
    const { carrier, imports = [] } = this.#options;
    if (imports.length > 0 && carrier.isConnected) this.#request(toAll(this.#realm, "offers"));
  }

  #askOnce(host: string): void {
    const now = performance.now();
    if (now < (this.#asked.get(host) ?? -Infinity) + ASK_MS) return;
    this.#asked.set(host, now);
    this.#request(subjectOf("bridge", here(this.#realm, host)));
  }

  /**
   * Sends the definitions to all, at once and at most twenty times a second: one answer serves all who
   * asked before it, and after the restart of a server all ask.
   */
  #describe(): void {
    this.#isAsked = true;
    if (this.#isDescribing) return;
    this.#isDescribing = true;
    void (async () => {
      while (this.#isAsked) {
        this.#isAsked = false;
        this.#exports?.describe();
        if (!await sleep(DESCRIBE_MS, this.#over.signal)) return;
      }
      this.#isDescribing = false;
    })();
  }

  #request(subject: string): void {
    this.#options.carrier.publish({ subject, headers: new Map(), payload: new Uint8Array(0) });
  }

  /** Answers a question for offers: to one who lists them, or to all who import them. */
  #answer({ reply }: Incoming): void {
    if (reply === undefined) {
      this.#presence.beat();
      return this.#describe();
    }
    const { host } = this.#options;
    const offers = Array.from(this.#exports?.open ?? [], ({ kind, name, offered, account }) => {
      const { sent } = account;
      return { host, kind, name, type: offered.type?.name, sent } satisfies RemoteOffer;
    });
    this.#presence.answer(reply, offers);
  }
}

const RULES = {
  carrier: required(CARRIER),
  host: required({
    wanted: "1 to 64 printable characters of ASCII",
    is: (value) => typeof value === "string" && isHost(value),
  }),
  realm: TEXT,
  exports: TEXTS,
  imports: TEXTS,
  nameOf: FUNCTION,
  reliable: FLAG,
  keptMax: wholeFrom(1),
  slotHistory: wholeFrom(1),
  transit: FLAG,
  hopsMax: wholeFrom(1),
  inFlightMax: numberFrom(1),
  chunkBytes: wholeFrom(1, CHUNK_MAX),
  until: required(SIGNAL),
  onEvent: FUNCTION,
};

function here(realm: string, host: string) {
  return { realm, host, name: "offers" };
}

/** Runs a bridge until its signal aborts; resolves with the account. */
export async function bridge(options: BridgeOptions): Promise<BridgeReport> {
  return await new Bridge(optionsBy(options, "bridge", RULES)).run();
}
