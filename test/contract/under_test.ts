/**
 * A product under test: every way to open it, the names in its errors and files, and checks that tests
 * of all its rules share.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { countFiles, rangesOf } from "../os/process_state.ts";
import { Name } from "../shared/scene.ts";
import { type Handle, type Options, type Product, type Role, smallSizes } from "./product.ts";

const DIRECTORY = "/dev/shm";

/** A way to get a handle, which rejects where the product throws. */
export type Way = (name: string, options?: Options) => Promise<Handle | undefined>;

/** A class of errors. */
// deno-lint-ignore no-explicit-any -- whatever its constructor takes
type ErrorClass = new (...given: any[]) => Error;

/** The open files and mappings of shared memory in this process. */
export function held(): number[] {
  return [countFiles(`${DIRECTORY}/`), rangesOf(`${DIRECTORY}/`).length];
}

/** Fails unless an action leaves as many files and mappings as there were. */
export async function keepsNothing(action: () => unknown): Promise<void> {
  const before = held();
  await action();
  assertEquals(held(), before);
}

/** Returns the error of an attempt, which must be of one of these classes and mention all of this. */
export async function refusal(
  attempt: () => Promise<unknown>,
  classes: ErrorClass | readonly ErrorClass[],
  ...told: readonly unknown[]
): Promise<Error & { code?: string }> {
  const error = await attempt().then(() => new Error("It was not refused"), (error) => error);
  assert([classes].flat().some((one) => error instanceof one), `${error?.stack ?? error}`);
  for (const part of told) assertStringIncludes(error.message, `${part}`);
  return error;
}

/** A product with the helpers of its tests. */
export class UnderTest {
  readonly sender: Role;
  readonly receiver: Role;
  /** Both, or the one that there is. */
  readonly roles: readonly Role[];
  /** The sizes that tests ask for, and others that a product can have. */
  readonly small: Options;
  readonly bigger: Options;

  constructor(readonly product: Product) {
    const { sender, receiver } = product;
    this.sender = sender;
    this.receiver = receiver;
    this.roles = [...new Set([sender, receiver])];
    this.small = smallSizes(product);
    const sizes = Object.entries(product.sizes);
    this.bigger = Object.fromEntries(sizes.map(([option, { other }]) => [option, other]));
  }

  /** Registers a test with a fresh name. */
  test(name: string, fn: (place: Name) => void | Promise<void>, ignore = false): void {
    Deno.test({
      name: `${this.product.name}: ${name}`,
      ignore,
      fn: async () => {
        using place = new Name();
        await fn(place);
      },
    });
  }

  /** Opens a handle, of the small sizes unless the options say otherwise. */
  open(role: Role, { name }: Name, options?: Options): Handle {
    return role.open(name, { ...this.small, ...options });
  }

  /** The role at the other end. */
  other(role: Role): Role {
    return role === this.sender ? this.receiver : this.sender;
  }

  /** Every way to get a handle in a role; those that wait give up at once. */
  ways(role: Role): Record<string, Way> {
    const { create } = role;
    const made: Record<string, Way> = create
      ? { create: (name, options) => Promise.try(create, name, { ...this.small, ...options }) }
      : {};
    return { ...made, ...this.joins(role) };
  }

  /** The ways that can join. */
  joins(role: Role): Record<string, Way> {
    return {
      open: (name, options) => Promise.try(() => role.open(name, { ...this.small, ...options })),
      ...this.waits(role),
    };
  }

  /** The ways that only join. */
  waits(role: Role): Record<string, Way> {
    const { connect, joins = {} } = role;
    const { sizes } = this;
    const ways: Record<string, Way> = connect
      ? {
        connect: (name, options) =>
          Promise.try(connect, name, { ...sizes, timeout: 0, ...options }),
      }
      : {};
    for (const [way, join] of Object.entries(joins)) {
      ways[way] = (name, options) => Promise.try(join, name, { ...sizes, ...options });
    }
    return ways;
  }

  /** Whether a handle joins a region of the small sizes without stating any. */
  get mayAskNothing(): boolean {
    const { defines, sizes } = this.product;
    return !defines && Object.values(sizes).every(({ usual }) => usual !== undefined);
  }

  /** The sizes that a handle must state to join a region of the small sizes. */
  get sizes(): Options {
    return this.product.defines ? this.small : {};
  }

  /** Every way into any role. */
  get allWays(): Way[] {
    return this.roles.flatMap((role) => Object.values(this.ways(role)));
  }

  /** The beginning of its name in errors. */
  called({ name }: Name): string {
    return `${this.product.noun} "${name}`;
  }

  file({ name }: Name): string {
    return this.product.file(name);
  }

  path(place: Name): string {
    return `${DIRECTORY}/${this.file(place)}`;
  }

  inode(place: Name): number {
    return Deno.lstatSync(this.path(place)).ino!;
  }

  /** Whether the file is there. */
  exists(place: Name): boolean {
    return place.files().includes(this.file(place));
  }
}

/** Fails unless two handles share one region: one of them marks, and the other one finds. */
export function meet(one: Handle, another: Handle): void {
  const [from, to] = one.mark ? [one, another] : [another, one];
  from.mark!();
  assert(to.finds!(), "the two did not meet");
}

/** Fails unless the sizes that a handle shows are these. */
export function assertSizes(handle: Handle, expected: Options): void {
  for (const [option, size] of Object.entries(handle.sizes)) {
    assertEquals(size, expected[option], option);
  }
}
