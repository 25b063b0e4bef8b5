/**
 * Names that no other test uses, and that are gone after the test.
 *
 * @module
 */

import { VringError } from "../errors.ts";
import * as files from "../os/files.ts";
import { unlinkSemaphore } from "../os/semaphore.ts";
import { regionFiles } from "../region/list.ts";
import { checkName, DIRECTORY, useDirectory, usePrefix } from "../region/names.ts";
import { Region } from "../region/region.ts";
import { noteLines, type OpenHandle, openHandles } from "../region/registry.ts";
import { checkedOptions, inWords } from "../arguments.ts";
import { describeHandles } from "./leaks.ts";

/** The longest prefix: a name behind it still is a name of a file. */
const LONGEST_PREFIX = 30;

let current: Namespace | undefined;

/**
 * Prefixes every name that this isolate uses, until the namespace is disposed. Listings show only
 * the regions in the namespace. Definitions that were made before use it, too.
 *
 * Another process or Worker of the test joins the namespace by passing the same prefix.
 *
 * @example A test whose names no other test meets
 * ```ts
 * import { sharedMemory } from "@vring/vring";
 * import { namespace } from "@vring/vring/testing";
 *
 * const state = sharedMemory("state", { size: 64 }); // as the program defines it
 *
 * Deno.test("the state begins with zeros", () => {
 *   using _names = namespace();
 *   using memory = state.open();
 *   if (memory.bytes.some((byte) => byte !== 0)) throw new Error("it does not");
 * });
 * ```
 *
 * @param prefix The prefix, such as the `prefix` of another process's namespace; by default a
 * unique one.
 */
export function namespace(
  prefix: string = uniquePrefix(),
  options?: NamespaceOptions,
): Namespace {
  return new Namespace(prefix, options);
}

/** The options of {@linkcode namespace}. */
export interface NamespaceOptions {
  /**
   * The directory of all regions whose definitions state none, such as a temporary directory on a
   * tmpfs; `/dev/shm` by default. (A `lock` stays in `/dev/shm`.)
   */
  directory?: string | undefined;
}

function uniquePrefix(): string {
  return `test-${crypto.randomUUID().slice(0, 13)}`;
}

/** The names of one test, which {@linkcode namespace} begins. */
export class Namespace implements Disposable {
  /** The prefix, without the dot that follows it in every name. */
  readonly prefix: string;
  readonly #before: ReadonlySet<OpenHandle> = new Set(openHandles());
  readonly #notedLines: boolean;

  /** @ignore */
  constructor(prefix: string, options?: NamespaceOptions) {
    const { directory } = checkedOptions(options, "begin a namespace", ["directory"]);
    this.prefix = checkName(prefix, "the prefix of a namespace");
    if (this.prefix.length > LONGEST_PREFIX) {
      throw new TypeError(
        `Cannot use ${inWords(prefix)} as the prefix of a namespace: it has ` +
          `${this.prefix.length} characters; use at most ${LONGEST_PREFIX}`,
      );
    }
    if (current !== undefined) {
      throw new VringError(
        `Cannot begin namespace "${prefix}": this isolate is in "${current.prefix}"; dispose that first`,
      );
    }
    current = this;
    usePrefix(`${this.prefix}.`);
    useDirectory(directory);
    this.#notedLines = noteLines(true);
  }

  /**
   * Ends the namespace and unlinks everything in it. Then throws a VringError if a handle that was
   * opened in it is still open. If the block has also thrown, the engine throws a SuppressedError,
   * whose `suppressed` is the error of the block; `checkLeaks()` reports the error of the block.
   */
  [Symbol.dispose](): void {
    if (current !== this) return;
    const left = openHandles().filter((handle) => !this.#before.has(handle));
    this.#unlinkAll();
    current = undefined;
    usePrefix("");
    useDirectory(); // no namespace begins in another
    noteLines(this.#notedLines);
    if (left.length === 0) return;
    throw new VringError(
      `Cannot end namespace "${this.prefix}" in order: ${
        describeHandles(left)
      }; close what a test opens`,
    );
  }

  #unlinkAll(): void {
    for (const { kind, path } of regionFiles()) Region.unlink({ name: kind }, path);
    const names = files.list(DIRECTORY);
    if (typeof names === "number") return; // no /dev/shm: nothing is in it
    const semaphores = names.filter((name) => name.startsWith(`sem.${this.prefix}.`));
    for (const name of semaphores) unlinkSemaphore(name.slice("sem.".length));
  }
}
