/**
 * Everything that a bridge imports: the subscriptions, and an import for each thing that arrives.
 *
 * @module
 */

import type { Carrier, Incoming, Kept, Subscription } from "./carrier.ts";
import { CallsImport } from "./calls_import.ts";
import { type Listed, listedIn } from "./listed.ts";
import { type Heading, headingIn } from "./message.ts";
import { mayEnter } from "./numbers.ts";
import { SlotImport } from "./slot_import.ts";
import { INBOX, NAME, REFUSAL } from "./stream_export.ts";
import { StreamImport } from "./stream_import.ts";
import { placeOf, subjectOf, subjectsOf } from "./subjects.ts";
import { type ImportAccount, TopicImport } from "./topic_import.ts";

/** The parts of the imports of a bridge. */
export interface ImportsParts {
  readonly carrier: Carrier;
  readonly realm: string;
  /** The name of this machine, whose messages are dropped. */
  readonly host: string;
  readonly hopsMax: number;
  /** Returns the name here; undefined leaves it out. */
  readonly nameOf: (name: string, host: string) => string | undefined;
  /** Asks a host for the definitions of what it exports. */
  readonly ask: (host: string) => void;
  readonly onProblem: (reason: string) => void;
}

type Import = TopicImport | SlotImport | StreamImport | CallsImport;

/** A message, and the place it has here. */
interface Arrived {
  readonly sender: string;
  /** The name on the machine of the sender, and here. */
  readonly remoteName: string;
  readonly name: string;
  readonly heading: Heading;
  readonly message: Incoming;
}

/** What a subject names, and the index of the first pattern that covers it. */
interface Located {
  readonly host: string;
  readonly name: string;
  readonly first: number;
}

const PLACES_MAX = 4096;

/** The imports of a bridge. */
export class Imports implements Disposable {
  readonly #parts: ImportsParts;
  readonly #listed: readonly Listed[];
  readonly #imports = new Map<string, Import>();
  readonly #places = new Map<string, Located>(); // by subject
  #isClosed = false;
  readonly #holders = new Map<string, string>(); // of topics: the key of the import with the name

  constructor(patterns: readonly string[], parts: ImportsParts) {
    this.#parts = parts;
    this.#listed = patterns.map(listedIn);
  }

  get accounts(): ImportAccount[] {
    return Array.from(this.#imports.values(), ({ account }) => account);
  }

  /** Consumes kept messages of the topics that are listed, and the last values of slots. */
  async *consume(kept: Kept): AsyncGenerator<AsyncDisposable> {
    const { realm, host } = this.#parts;
    for (const [i, { kind, pattern }] of this.#listed.entries()) {
      if (kind === "slot") {
        for (const message of await kept.last(subjectsOf("slot", realm, pattern))) {
          const place = placeOf("slot", message.subject);
          if (place !== undefined && this.#first("slot", place.name) === i) {
            await this.#receive("slot", place, message);
          }
        }
      }
      if (kind !== "topic") continue;
      yield await kept.consume(host, subjectsOf("kept", realm, pattern), async (message, done) => {
        const place = placeOf("kept", message.subject);
        const isOurs = place !== undefined && place.host !== host &&
          this.#first("topic", place.name) === i;
        if (isOurs) return await this.#receive("topic", place, message, done);
        done();
        return true;
      });
    }
  }

  /** Subscribes to everything that is listed. */
  *subscribe(): Generator<Subscription> {
    const { carrier, realm, host } = this.#parts;
    const wide = this.#listed.map(({ kind, pattern }) => subjectsOf(kind, realm, pattern));
    for (const [i, { kind }] of this.#listed.entries()) {
      const options = kind === "mpsc" ? { queue: "importers" } : {};
      yield carrier.subscribe(wide[i]!, (message) => {
        const place = this.#placeOf(kind, message.subject);
        if (place === undefined || place.host === host) return;
        if (place.first === i) this.#receive(kind, place, message);
      }, options);
    }
    if (!this.#listed.some(({ kind }) => kind === "mpsc")) return;
    yield carrier.subscribe(this.#inbox, (message) => {
      const name = message.headers.get(NAME) ?? "";
      const sender = headingIn(message.headers)?.stem.host;
      if (sender !== undefined) this.#receive("mpsc", { host: sender, name }, message);
    });
  }

  /** The subject for batches to this bridge. */
  get #inbox(): string {
    const { realm, host } = this.#parts;
    return subjectOf("bridge", { realm, host, name: "batches" });
  }

  /** Reads a subject. It remembers those of before, as a look at one takes longer than at the map. */
  #placeOf(kind: Listed["kind"], subject: string): Located | undefined {
    const known = this.#places.get(subject);
    if (known !== undefined) return known;
    const place = placeOf(kind, subject);
    if (place === undefined) return undefined;
    if (this.#places.size === PLACES_MAX) this.#places.clear();
    const found = { host: place.host, name: place.name, first: this.#first(kind, place.name) };
    this.#places.set(subject, found);
    return found;
  }

  /** Several patterns may cover a name; the first that does takes it. */
  #first(kind: string, name: string): number {
    return this.#listed.findIndex((each) => each.kind === kind && each.matches(name));
  }

  /** Passes a message to its import. For a kept one, the result is that of its handler. */
  #receive(
    kind: Listed["kind"],
    place: { host: string; name: string },
    message: Incoming,
    done?: () => void,
  ): Promise<boolean> | boolean {
    if (this.#isClosed) return false;
    const heading = headingIn(message.headers);
    const { host, hopsMax, nameOf } = this.#parts;
    const mayPass = heading !== undefined && mayEnter(heading.stem, host, hopsMax);
    const name = mayPass ? nameOf(place.name, place.host) : undefined;
    if (name === undefined) {
      done?.();
      return true;
    }
    const arrived = {
      sender: place.host,
      remoteName: place.name,
      name,
      heading: heading!,
      message,
    };
    if (kind === "topic") return this.#topic(arrived, done);
    if (kind === "slot") this.#slot(arrived);
    else if (kind === "mpsc") this.#stream(arrived);
    else this.#calls(arrived);
    return true;
  }

  #topic(
    { sender, name, heading, message }: Arrived,
    done: (() => void) | undefined,
  ): Promise<boolean> | boolean {
    const { stem: { host }, source } = heading;
    const key = JSON.stringify(["topic", name, source, host]);
    const make = () => {
      const place = JSON.stringify([name, source]);
      const { ask, onProblem: onRefusal } = this.#parts;
      const claim = (hasSamples: boolean) => this.#claim(place, key, hasSamples);
      return new TopicImport({ name, host, source, claim, ask, onRefusal });
    };
    const found = this.#import(key, make);
    const { payload } = message;
    if (done !== undefined) return found.receiveKept({ sender, heading, payload, done });
    found.receive(sender, heading, payload);
    return true;
  }

  /** Gives the right to publish under a name to an import; returns the host that keeps it. */
  #claim(place: string, key: string, hasSamples: boolean): string | undefined {
    const holder = this.#holders.get(place) ?? key;
    const held = this.#imports.get(holder) as TopicImport;
    if (holder !== key && !(held.isIdle && hasSamples)) return held.account.host;
    if (holder !== key) held.release();
    this.#holders.set(place, key);
    return undefined;
  }

  #slot({ sender, name, heading, message }: Arrived): void {
    const { host } = heading.stem;
    const { onProblem: onRefusal } = this.#parts;
    const make = () => new SlotImport({ name, host, onRefusal });
    const key = JSON.stringify(["slot", name, host]);
    this.#import(key, make).receive(sender, heading, message.payload);
  }

  async #stream({ sender, name, heading, message }: Arrived): Promise<void> {
    const { carrier, onProblem: onRefusal } = this.#parts;
    const { host } = heading.stem;
    const make = () => new StreamImport({ name, host, onRefusal });
    const found = this.#import(JSON.stringify(["mpsc", name, host]), make);
    const { reply: subject } = message;
    if (subject === undefined) return;
    let refusal: string | undefined;
    try {
      refusal = await found.receive(sender, heading, message.payload);
    } catch {
      return; // closed meanwhile: without an answer the batch comes again
    }
    const headers = new Map([refusal === undefined ? [INBOX, this.#inbox] : [REFUSAL, refusal]]);
    carrier.publish({ subject, headers, payload: new Uint8Array(0) });
  }

  #calls({ sender, remoteName, name, heading }: Arrived): void {
    const { carrier, realm, onProblem: onRefusal } = this.#parts;
    const make = () => new CallsImport({ name, remoteName, realm, carrier, onRefusal });
    this.#import(JSON.stringify(["calls", name]), make).receive(sender, heading);
  }

  #import<I extends Import>(key: string, make: () => I): I {
    const found = this.#imports.get(key) as I | undefined;
    if (found !== undefined) return found;
    const made = make();
    this.#imports.set(key, made);
    return made;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    using stack = new DisposableStack();
    for (const each of this.#imports.values()) stack.use(each);
  }
}
