/**
 * Faults that explain themselves.
 *
 * @module
 */

import { type Access, hex, type Refusal, type Step } from "./tables.ts";

/** Why an access has failed. */
export type FaultKind = "translation" | "permission" | "domain" | "alignment" | "external";

/** What a fault has seen. */
export interface FaultDetails {
  readonly kind: FaultKind;
  readonly address: number;
  readonly access: Access;
  /** The entries that the walk read; none where the TLB answered. */
  readonly steps: readonly Step[];
}

/** An access that the machine has refused. Nothing was loaded or stored. */
export class Fault extends Error {
  override readonly name = "Fault";
  /** Why. */
  readonly kind: FaultKind;
  /** The virtual address. */
  readonly address: number;
  /** What was attempted. */
  readonly access: Access;
  /** The entries that the walk read; none where the TLB answered. */
  readonly steps: readonly Step[];

  /** Makes a fault; its message is the attempt, the reason and a remedy. */
  constructor({ kind, address, access, steps }: FaultDetails, reason: string) {
    super(`Cannot ${access} at ${hex(address)}: ${reason}`);
    this.kind = kind;
    this.address = address;
    this.access = access;
    this.steps = steps;
  }
}

/** The fault of a walk that ended at an entry. */
export function noTranslation(address: number, access: Access, steps: readonly Step[]): Fault {
  const { table, index, at, entry, meaning } = steps.at(-1)!;
  return new Fault(
    { kind: "translation", address, access, steps },
    `entry ${index} of the ${table} table, at ${hex(at)}, is ${hex(entry)}: ${meaning}; ` +
      "map a frame there first",
  );
}

/** The fault of an access that the entry refuses. */
export function refused(
  address: number,
  access: Access,
  steps: readonly Step[],
  { kind, reason }: Refusal,
): Fault {
  return new Fault({ kind, address, access, steps }, reason);
}
