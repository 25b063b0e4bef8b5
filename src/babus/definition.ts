/**
 * The definition of a domain: slots by name, each a file of its own.
 *
 * A domain has no file and no state: it is the common part of its slots' names. So it leaves
 * nothing behind, and cannot disagree with its slots.
 *
 * @module
 */

import { checkedOptions, checkObject, definitionOptions } from "../arguments.ts";
import type { DefinitionOptions, HandleOptions } from "../definition.ts";
import { Landing } from "../landing.ts";
import * as files from "../os/files.ts";
import { REGION_HEADER } from "../region/header.ts";
import { type RegionInfo, regions } from "../region/list.ts";
import { checkName } from "../region/names.ts";
import { Again, pollUntil } from "../region/poll.ts";
import { Region } from "../region/region.ts";
import type { WaitOptions } from "../wait/until.ts";
import { Domain, type DomainPlace, type SlotTable } from "./domain.ts";
import { planIn, SlotDefinition, slotPath } from "./geometry.ts";
import { SlotObserver } from "./observer.ts";
import { Slot } from "./slot.ts";
import { SLOT, SLOT_CONTROL } from "./slot_words.ts";

/** The properties of a slot, as any process can read them without opening it. */
export interface SlotInfo {
  /** The name within the domain. */
  readonly name: string;
  /** The name of the type of its messages. */
  readonly type: string;
  /** The number of last messages that can be read. */
  readonly depth: number;
  /** The largest message in bytes. */
  readonly size: number;
  /** The number of the newest message; 0 before the first. */
  readonly sequence: number;
  /** The memory it occupies, in bytes. */
  readonly allocatedBytes: number;
}

/** The options of observers of a domain's slots. */
export interface DomainObserverOptions {
  /** Gives each message of bytes a buffer of its own; by default short ones share one. */
  own?: boolean | undefined;
}

/** The options of a domain's handle. */
export interface DomainHandleOptions extends HandleOptions, DomainObserverOptions {}

/**
 * Defines a domain: named slots, each of which keeps the last messages of one type. Opens nothing.
 *
 * @example Write in one process, read in all
 * ```ts
 * import { domain, json } from "@vring/vring";
 *
 * const robot = domain("example-robot", { speed: { type: json<number>(), depth: 4 } });
 *
 * using body = robot.open(); // in one process
 * for (const value of [0.1, 0.2, 0.3]) body.slots.speed.writeSync(value);
 *
 * using view = robot.open(); // in another
 * const { speed } = view.slots;
 * console.log(speed.latest()?.value); // 0.3
 * console.log(speed.since(1).map(({ value }) => value)); // [ 0.2, 0.3 ]
 * ```
 *
 * @param slots The type and the sizes of each slot, by name.
 */
export function domain<const S extends SlotTable>(
  name: string,
  slots: S,
  options?: DefinitionOptions,
): DomainDefinition<S>;
/** Defines a domain of which only the name is known: `slot()` opens each slot. */
export function domain(
  name: string,
  slots?: undefined,
  options?: DefinitionOptions,
): DomainDefinition;
export function domain(
  name: string,
  slots?: SlotTable,
  options?: DefinitionOptions,
): DomainDefinition<SlotTable> {
  if (slots === undefined) slots = {};
  if (options === undefined) options = {};
  return new DomainDefinition(name, slots, options);
}

/** The definition of a domain, by which its slots are opened. */
export class DomainDefinition<S extends SlotTable = Record<never, never>> {
  /** The name. */
  readonly name: string;
  readonly #place: DomainPlace;

  /** @ignore */
  constructor(name: string, slots: S, options: DefinitionOptions) {
    this.name = checkName(name, "a domain");
    const action = `define domain "${this.name}"`;
    const region = checkedOptions(options, action, definitionOptions());
    checkObject(slots, action);
    const definitions = Object.entries(slots).map(([slot, own]) =>
      new SlotDefinition({ ...region, domain: this.name, name: slot }, own)
    );
    this.#place = { domain: this.name, region, definitions };
  }

  /** Opens all slots of the definition for reading and writing; by default creates missing ones. */
  open(options?: DomainHandleOptions): Domain<S> {
    const { open, own } = checkedOptions(options, `open domain "${this.name}"`);
    return new Domain(this.#place, (slot) => new Slot(slot, slot.open(open), new Landing({ own })));
  }

  /**
   * Opens observers of all slots, which need only the right to read. The slots need not exist yet.
   */
  observer(options?: DomainObserverOptions): Domain<S, "observer"> {
    const { own } = checkedOptions(options, `observe domain "${this.name}"`);
    return new Domain(this.#place, (slot) => new SlotObserver(slot, new Landing({ own })));
  }

  /**
   * Resolves once all slots of the definition exist, whichever program creates them. Rejects if one
   * differs from its definition.
   */
  async ready(options?: WaitOptions): Promise<void> {
    const action = `find all slots of domain "${this.name}"`;
    const own = checkedOptions(options, action);
    const { domain } = this.#place;
    const missing = new Set(this.#place.definitions);
    const look = () => {
      for (const definition of missing) {
        const found = definition.observe();
        if (found instanceof Again) return found;
        if (found === undefined) continue;
        found.region.close();
        missing.delete(definition);
      }
      return missing.size === 0 || undefined;
    };
    await pollUntil({
      look,
      action,
      missing: () => {
        const all = Array.from(missing, ({ name }) => `slot "${domain}/${name}"`);
        return `of which ${all.join(" and ")} ${missing.size === 1 ? "does" : "do"} not exist`;
      },
    }, own);
  }

  /** Lists the slots of the domain by name, also those of other programs; omits abandoned ones. */
  info(): SlotInfo[] {
    return this.#infos().map((info) => look(info, this.name)).filter((info) => info !== undefined);
  }

  /**
   * Removes the names of all slots of the domain, or only that of `slot`, so that the next handle
   * creates new slots. Existing handles keep working. Returns false if nothing was removed.
   */
  unlink(slot?: string): boolean {
    const paths = slot === undefined
      ? this.#infos().map(({ path }) => path)
      : [slotPath(this.name, slot, this.#place.region.directory)];
    return paths.map((path) => Region.unlink(SLOT, path)).includes(true);
  }

  #infos(): RegionInfo[] {
    return regions({ directory: this.#place.region.directory }).filter(({ kind, name }) =>
      kind === SLOT.name && name.startsWith(`${this.name}/`)
    );
  }
}

/** Reads one slot; returns undefined if it was removed, is unused or is not valid. */
function look(info: RegionInfo, domain: string): SlotInfo | undefined {
  const { details, inUse, path, allocatedBytes } = info;
  if (details === undefined || details.abiHash !== SLOT.control.hash) return undefined;
  if (inUse !== true && !details.persist) return undefined;
  const fd = files.open(path, 0);
  if (fd < 0) return undefined;
  using _file = { [Symbol.dispose]: () => files.close(fd) };
  const control = new Uint8Array(SLOT_CONTROL.size);
  if (files.read(fd, control, REGION_HEADER.size) < control.length) return undefined;
  const plan = planIn(control, details.dataBytes);
  if (plan === undefined) return undefined;
  return {
    name: info.name.slice(domain.length + 1),
    type: details.type?.name ?? "",
    depth: plan.depth,
    size: plan.size,
    sequence: Number(SLOT_CONTROL.read(control).published),
    allocatedBytes,
  };
}
