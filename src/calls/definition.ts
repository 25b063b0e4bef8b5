/**
 * The definition of calls, which servers and clients import.
 *
 * @module
 */

import { checkedOptions, definitionOptions, inWords } from "../arguments.ts";
import { Definition, type DefinitionOptions, nextHandle } from "../definition.ts";
import { type Bytes, type Type, typeIn } from "../message.ts";
import { regionPath } from "../region/names.ts";
import type { WaitOptions } from "../wait/until.ts";
import { CALLS, CALLS_REGION, type CallTypes, messageTypeOf } from "./calls.ts";
import type { CallClient, CallClientOptions, CallHandleOptions } from "./client.ts";
import { openClient, openServer } from "./open.ts";
import type { CallServer } from "./server.ts";

/** The options of `calls()`. */
export interface CallsOptions<Q extends Type = Bytes, S extends Type = Bytes>
  extends DefinitionOptions {
  /** The type of requests; bytes by default. */
  request?: Q | undefined;
  /** The type of responses; bytes by default. */
  response?: S | undefined;
  /**
   * Whether a call may run twice: a call that a server had taken when it closed or died goes to
   * another server, which sees `caller.retried`. Otherwise, by default, such a call fails.
   */
  retry?: boolean | undefined;
  /** The most clients at a time, up to 64; 8 by default. */
  clients?: number | undefined;
  /** The most servers at a time, up to 16; 1 by default. Clients times servers: at most 256. */
  servers?: number | undefined;
  /**
   * The bytes of each lane, rounded up to a power of two of at least a page; 1 MiB by default. Each
   * client has two lanes to each server.
   */
  capacity?: number | undefined;
}

/** Opens the servers and clients of calls; {@linkcode calls} makes this definition. */
export class CallsDefinition<Q extends Type = Bytes, S extends Type = Bytes>
  extends Definition<Readonly<Record<string, number>>, CallsOptions<Q, S>> {
  readonly #types: CallTypes;
  readonly #retry: boolean;

  /** @ignore */
  constructor(name: string, options: CallsOptions<Q, S>) {
    const action = `open calls ${inWords(name)}`;
    const { request, response, ...own } = checkedOptions(
      options,
      action,
      definitionOptions("request", "response", "retry", "clients", "servers", "capacity"),
    );
    const types: CallTypes = {
      request: typeIn(request, action, "request"),
      response: typeIn(response, action, "response"),
    };
    const path = regionPath(CALLS_REGION.name, name, "the name of calls");
    super({ product: CALLS, name, path, options: own, message: messageTypeOf(types) });
    this.#types = types;
    this.#retry = own.retry ?? false;
  }

  /**
   * Opens a server, and creates the region if it does not exist. Throws a RoleTakenError if
   * `servers` servers are alive.
   */
  server(options?: CallHandleOptions): CallServer<Q, S> {
    const { open, own = false } = checkedOptions(options, `open ${this.what()} as a server`);
    const choice = { types: this.#types, own };
    return this.openHandle(open, ({ region }) => openServer(this.name, region, choice));
  }

  /**
   * Opens a client, and creates the region if it does not exist. Throws a RoleTakenError if
   * `clients` clients are alive.
   */
  client(options?: CallClientOptions): CallClient<Q, S> {
    const action = `open ${this.what()} as a client`;
    const { open, own = false, onPeerGone } = checkedOptions(options, action);
    const choice = { types: this.#types, own, retry: this.#retry, waits: onPeerGone === "wait" };
    return this.openHandle(open, ({ region }) => openClient(this.name, region, choice));
  }

  /** Resolves with a server once a seat for one is free. */
  nextServer(options?: CallHandleOptions & WaitOptions): Promise<CallServer<Q, S>> {
    return nextHandle(() => this.server(options), `open ${this.what()} as a server`, options);
  }

  /** Resolves with a client once a seat for one is free. */
  nextClient(options?: CallClientOptions & WaitOptions): Promise<CallClient<Q, S>> {
    return nextHandle(() => this.client(options), `open ${this.what()} as a client`, options);
  }
}

/**
 * Defines calls from many clients to one server or several. Every program imports the same
 * definition; servers and clients start in any order.
 *
 * @example Servers that share the calls
 * ```ts
 * import { calls, json, text } from "@vring/vring";
 *
 * const lengths = calls("example-lengths", {
 *   request: text(),
 *   response: json<number>(),
 *   servers: 2,
 *   retry: true, // measuring twice does no harm
 * });
 * using server = lengths.server(); // in one process or two
 * const serving = server.serve((text) => text.length);
 *
 * using client = lengths.client(); // in another one
 * console.log(await client.call("eleven")); // 6
 * await server.shutdown();
 * await serving;
 * ```
 */
export function calls<Q extends Type, S extends Type>(
  name: string,
  options: CallsOptions<Q, S> & { request: Q; response: S },
): CallsDefinition<Q, S>;
/** Defines calls whose responses are bytes. */
export function calls<Q extends Type>(
  name: string,
  options: CallsOptions<Q> & { request: Q },
): CallsDefinition<Q>;
/** Defines calls whose requests are bytes. */
export function calls<S extends Type>(
  name: string,
  options: CallsOptions<Bytes, S> & { response: S },
): CallsDefinition<Bytes, S>;
/** Defines calls whose requests and responses are bytes. */
export function calls(name: string, options?: CallsOptions): CallsDefinition;
export function calls<Q extends Type = Bytes, S extends Type = Bytes>(
  name: string,
  options?: CallsOptions<Q, S>,
): CallsDefinition<Q, S> {
  if (options === undefined) options = {};
  return new CallsDefinition(name, options);
}
