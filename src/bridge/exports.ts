/**
 * Everything that a bridge exports: found among the regions, opened, and closed when it has gone.
 *
 * @module
 */

import { Errno, OsError, VringError } from "../errors.ts";
import type { RegionInfo } from "../region/list.ts";
import { CallsExport } from "./calls_export.ts";
import type { Carried, Export, ExportAccount, ExportParts } from "./export.ts";
import { isListed } from "./listed.ts";
import { SlotExport } from "./slot_export.ts";
import { StreamExport } from "./stream_export.ts";
import { TopicExport } from "./topic_export.ts";

/** A region that a bridge can export. */
interface Exportable {
  readonly region: RegionInfo;
  readonly kind: Carried;
  readonly isMany: boolean;
}

/** What exports ask of their bridge. */
export interface ExportHandlers {
  /** Whether the bridge imports something under this name. */
  isImported(kind: Carried, name: string): boolean;
  /** Something cannot be exported. */
  onProblem(reason: string): void;
  /** The bridge must end. */
  onFailure(error: unknown): void;
}

/** The exports of a bridge. */
export class Exports implements Disposable {
  readonly #patterns: readonly string[];
  readonly #isListed: (kind: Carried, name: string) => boolean;
  readonly #parts: ExportParts;
  readonly #handlers: ExportHandlers;
  readonly #open = new Map<string, Export>(); // by the identity of the region
  readonly #ended: ExportAccount[] = [];
  readonly #refused = new Map<string, string>(); // by identity: why
  readonly #running = new Set<Promise<void>>();

  constructor(patterns: readonly string[], parts: ExportParts, handlers: ExportHandlers) {
    this.#patterns = patterns;
    this.#isListed = isListed(patterns);
    this.#parts = parts;
    this.#handlers = handlers;
  }

  /** The exports that are open. */
  get open(): Iterable<Export> {
    return this.#open.values();
  }

  /** The accounts, also of what has gone. */
  get accounts(): ExportAccount[] {
    return [...this.#ended, ...Array.from(this.#open.values(), ({ account }) => account)];
  }

  /** Exports new regions, and no longer those that have gone or whose name has another one. */
  look(regions: readonly RegionInfo[]): void {
    const present = new Set<string>();
    for (const found of exportable(regions)) {
      if (!this.#isListed(found.kind, found.region.name)) continue;
      const { id } = found.region.details!;
      present.add(id);
      if (!this.#open.has(id) && this.#check(found)) this.#export(found);
    }
    for (const [id, each] of this.#open) if (!present.has(id)) this.#end(id, each);
  }

  /** Returns the patterns that match none of these regions. */
  unmatched(regions: readonly RegionInfo[]): string[] {
    const found = exportable(regions);
    return this.#patterns.filter((pattern) => {
      const isListedThere = isListed([pattern]);
      return !found.some(({ kind, region }) => isListedThere(kind, region.name));
    });
  }

  /** Sends the definitions of everything again. */
  describe(): void {
    for (const each of this.#open.values()) each.describe();
  }

  /** Messages and calls that one bridge both exports and imports would go round for ever. */
  #check({ region: { name, details }, kind }: Exportable): boolean {
    const goesRound = (kind === "mpsc" || kind === "calls") &&
      this.#handlers.isImported(kind, name);
    if (!goesRound) return true;
    const action = `Cannot export ${kind} "${name}"`;
    this.#refuse(details!.id, action, new VringError("this bridge imports it, too; list it once"));
    return false;
  }

  #export({ region, kind, isMany }: Exportable): void {
    const { id } = region.details!;
    try {
      const opened = this.#opened(kind, region, isMany);
      this.#open.set(id, opened);
      this.#refused.delete(id);
      const running = opened.run().catch((error) => {
        this.#end(id, opened);
        this.#refuse(id, `Cannot export ${kind} "${region.name}" any more`, error);
      }).finally(() => this.#running.delete(running));
      this.#running.add(running);
    } catch (error) {
      this.#refuse(id, `Cannot export ${kind} "${region.name}"`, error);
    }
  }

  #opened(kind: Carried, region: RegionInfo, isMany: boolean): Export {
    const parts = this.#parts;
    if (kind === "topic") return new TopicExport(region, isMany, parts);
    if (kind === "slot") return new SlotExport(region, parts);
    if (kind === "mpsc") return new StreamExport(region, parts);
    return new CallsExport(region, parts);
  }

  #end(id: string, opened: Export): void {
    if (this.#open.get(id) !== opened) return;
    this.#open.delete(id);
    opened[Symbol.dispose]();
    this.#ended.push(opened.account);
  }

  #refuse(id: string, action: string, error: unknown): void {
    if (!(error instanceof VringError)) return this.#handlers.onFailure(error);
    if (error instanceof OsError && error.errno === Errno.ENOENT) return; // gone since it was listed
    if (this.#refused.get(id) === error.message) return;
    this.#refused.set(id, error.message);
    this.#handlers.onProblem(`${action}: ${error.message}`);
  }

  /** Ends all exports; resolves once everything they had is sent. */
  async end(): Promise<void> {
    for (const [id, each] of this.#open) this.#end(id, each);
    await Promise.all(this.#running);
  }

  [Symbol.dispose](): void {
    using stack = new DisposableStack();
    for (const each of this.#open.values()) stack.use(each);
  }
}

/** Lists what a bridge can export; the topics of sources go with the one above them. */
function exportable(all: readonly RegionInfo[]): Exportable[] {
  const sound = all.filter(({ details }) => details !== undefined);
  const many = new Set(sound.filter(({ kind }) => kind === "sources").map(({ name }) => name));
  return sound.flatMap((region): Exportable[] => {
    const { kind, name } = region;
    if (kind === "sources") return [{ region, kind: "topic", isMany: true }];
    const parent = name.slice(0, Math.max(0, name.lastIndexOf("/")));
    if (kind === "topic") return many.has(parent) ? [] : [{ region, kind, isMany: false }];
    return kind === "slot" || kind === "mpsc" || kind === "calls"
      ? [{ region, kind, isMany: false }]
      : [];
  });
}
