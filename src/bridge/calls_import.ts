/**
 * Calls whose servers are on other machines: the bridge is a server of them here, and passes each
 * call on. A call is sent once, so it runs at most once.
 *
 * @module
 */

import type { Caller } from "../calls/in_hand.ts";
import type { CallServer } from "../calls/server.ts";
import { VringError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import { CALL_MS, CODE, ERROR, requestSubject } from "./calls_export.ts";
import type { Carrier } from "./carrier.ts";
import type { Heading } from "./message.ts";
import { callsFrom, hashText, type Offered, offerIn } from "./offer.ts";
import type { ImportAccount } from "./topic_import.ts";

/** The parts of an import of calls. */
export interface CallsImportParts {
  /** The name here. */
  readonly name: string;
  /** The name on the other machines. */
  readonly remoteName: string;
  readonly realm: string;
  readonly carrier: Carrier;
  readonly onRefusal: (reason: string) => void;
}

/** Passes calls on as long as another machine serves them. */
export class CallsImport implements Disposable {
  readonly #parts: CallsImportParts;
  readonly #hosts = new Set<string>();
  #offered: Offered | undefined;
  #server: CallServer<Bytes, Bytes> | undefined;
  #published = 0;
  #refusal: string | undefined;

  constructor(parts: CallsImportParts) {
    this.#parts = parts;
  }

  get account(): ImportAccount {
    return {
      kind: "calls",
      name: this.#parts.name,
      host: [...this.#hosts].join(" "),
      source: undefined,
      published: this.#published,
      duplicates: 0,
      lost: { before: 0, inside: 0, wire: 0, here: 0 },
      refusal: this.#refusal,
    };
  }

  /** Takes the news that a host serves the calls, or no longer does. */
  receive(host: string, { isEnd, offer, hash }: Heading): void {
    if (isEnd) {
      this.#hosts.delete(host);
      if (this.#hosts.size === 0) this.#close();
      return;
    }
    const offered = offer === undefined ? undefined : offerIn(offer);
    if (offered === undefined || hashText(offered.type) !== hash) {
      return this.#refuse(host, "its definition is damaged");
    }
    this.#hosts.add(host);
    if (this.#server !== undefined && !this.#server.closed) return;
    try {
      const server = callsFrom(this.#parts.name, offered).server();
      this.#server = server;
      this.#offered = offered;
      this.#refusal = undefined;
      server.serve((request, caller) => this.#pass(request, caller)).catch((error) => {
        this.#refuse(host, error.message);
      });
    } catch (error) {
      if (!(error instanceof VringError)) throw error;
      this.#refuse(host, error.message);
    }
  }

  async #pass(request: Uint8Array, { signal }: Caller): Promise<Uint8Array> {
    const { carrier, realm, remoteName } = this.#parts;
    const { type } = this.#offered!;
    const headers = new Map([["Vring-Hash", hashText(type)], ["Vring-Type", type?.name ?? ""]]);
    const subject = requestSubject(realm, remoteName);
    const givenUp = Promise.withResolvers<never>();
    const giveUp = () => givenUp.reject(signal.reason);
    signal.addEventListener("abort", giveUp);
    try {
      const asked = carrier.request({ subject, headers, payload: request }, CALL_MS);
      const answer = await Promise.race([asked, givenUp.promise]);
      this.#published++;
      if (!answer.headers.has(ERROR)) return answer.payload;
      throw Object.assign(new Error(new TextDecoder().decode(answer.payload)), {
        name: answer.headers.get(ERROR),
        ...answer.headers.has(CODE) && { code: JSON.parse(answer.headers.get(CODE)!) },
      });
    } finally {
      signal.removeEventListener("abort", giveUp);
      givenUp.promise.catch(() => {});
    }
  }

  #refuse(host: string, reason: string): void {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    const { name } = this.#parts;
    this.#parts.onRefusal(`Cannot import calls "${name}" from host "${host}": ${reason}`);
  }

  #close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
