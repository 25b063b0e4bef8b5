/**
 * Two bridges in one process: host "a" exports, host "b" imports the same under "far/".
 *
 * @module
 */

import { Bridge, type BridgeEvent, type BridgeOptions } from "../../src/bridge/bridge.ts";
import type { Carrier } from "../../src/bridge/carrier.ts";

/** A bridge that runs until it is disposed. */
export class Running implements AsyncDisposable {
  readonly bridge: Bridge;
  readonly events: BridgeEvent[] = [];
  /** Resolves once it has subscribed to what it imports. */
  readonly ready: Promise<void>;
  readonly #end = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(options: Omit<BridgeOptions, "until">) {
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    const onEvent = (event: BridgeEvent) => {
      this.events.push(event);
      if (event.type === "ready") ready.resolve();
    };
    this.bridge = new Bridge({ realm: "test", onEvent, ...options, until: this.#end.signal });
    this.#done = this.bridge.run();
  }

  /** The reasons why something was not carried. */
  get problems(): string[] {
    return this.events.flatMap((event) => event.type === "problem" ? [event.reason] : []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#done;
  }
}

/** Starts to export what these patterns match. */
export function exporting(
  carrier: Carrier,
  exports: readonly string[],
  more: Partial<BridgeOptions> = {},
): Running {
  return new Running({ carrier, host: "a", exports, ...more });
}

/** Starts to import what these patterns match, under "far/". */
export function importing(
  carrier: Carrier,
  imports: readonly string[],
  more: Partial<BridgeOptions> = {},
): Running {
  const nameOf = (name: string) => `far/${name}`;
  return new Running({ carrier, host: "b", imports, nameOf, ...more });
}
