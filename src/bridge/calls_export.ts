/**
 * Local servers of calls that a bridge offers to clients on other machines.
 *
 * The bridge is a client of the calls here. As long as a server is alive it is in the queue group of
 * the calls, of which one member gets each request: so servers on several machines share the work.
 *
 * @module
 */

import type { CallClient } from "../calls/client.ts";
import type { Bytes } from "../message.ts";
import { sleep } from "../os/clock.ts";
import type { RegionInfo } from "../region/list.ts";
import type { Incoming, Subscription } from "./carrier.ts";
import { type Export, type ExportAccount, type ExportParts, incarnationOf } from "./export.ts";
import { headersOf } from "./message.ts";
import { callsFrom, hashText, type Offered, offeredIn, offerText } from "./offer.ts";
import { ROOTS, subjectOf, tokenOf } from "./subjects.ts";

const LOOK_MS = 100;
const NO_BYTES = new Uint8Array(0);
const NOTHING_UNSENT = { before: 0, inside: 0, skipped: 0 };

/** The longest time that a call may take. */
export const CALL_MS = 30_000;
/** The header of an answer with the name of the error that was thrown; the payload is its message. */
export const ERROR = "Vring-Error";
/** The header with the code of that error, as JSON. */
export const CODE = "Vring-Code";

/** The subject of the requests of calls. */
export function requestSubject(realm: string, name: string): string {
  return `${ROOTS.call}.${tokenOf(realm)}.all.${tokenOf(name)}`;
}

/** Offers the servers of calls until it is disposed. */
export class CallsExport implements Export {
  readonly kind = "calls";
  readonly name: string;
  readonly offered: Offered;
  readonly #parts: ExportParts;
  readonly #incarnation: number;
  readonly #client: CallClient<Bytes, Bytes>;
  readonly #end = new AbortController();
  #subscription: Subscription | undefined;
  #sent = 0;

  /** Opens the calls as a client. */
  constructor({ name, details }: RegionInfo, parts: ExportParts) {
    this.name = name;
    this.offered = offeredIn(details!);
    this.#parts = parts;
    this.#incarnation = incarnationOf(details!.id);
    this.#client = callsFrom(name, this.offered).client({ open: "join", onPeerGone: "wait" });
  }

  get account(): ExportAccount {
    const { kind, name } = this;
    return { kind, name, sent: this.#sent, before: 0, inside: 0, skipped: 0 };
  }

  describe(): void {
    if (this.#subscription !== undefined) this.#announce(false);
  }

  /** Joins the queue group while a server is alive. */
  async run(): Promise<void> {
    const { carrier, realm } = this.#parts;
    do {
      const isServed = !this.#client.closed && this.#client.peers > 0;
      if (isServed === (this.#subscription !== undefined)) continue;
      if (isServed) {
        const subject = requestSubject(realm, this.name);
        const answer = (request: Incoming) => void this.#answer(request);
        this.#subscription = carrier.subscribe(subject, answer, { queue: "servers" });
        this.#announce(false);
      } else this.#leave();
    } while (await sleep(LOOK_MS, this.#end.signal));
    this.#leave();
  }

  #leave(): void {
    if (this.#subscription === undefined) return;
    this.#subscription[Symbol.dispose]();
    this.#subscription = undefined;
    this.#announce(true);
  }

  #announce(isEnd: boolean): void {
    const { carrier, host } = this.#parts;
    const headers = headersOf({
      stem: { host, incarnation: this.#incarnation, hops: 1 },
      source: undefined,
      hash: hashText(this.offered.type),
      offer: offerText(this.offered),
      count: 0,
      sequence: 0,
      time: 0,
      unsent: NOTHING_UNSENT,
      chunk: undefined,
      isEnd,
    });
    const subject = subjectOf("calls", { ...this.#parts, name: this.name });
    carrier.publish({ subject, headers, payload: NO_BYTES });
  }

  async #answer({ headers, payload, reply }: Incoming): Promise<void> {
    if (reply === undefined) return;
    const { carrier } = this.#parts;
    const hash = hashText(this.offered.type);
    try {
      if (headers.get("Vring-Hash") !== hash) {
        throw new TypeError(
          `the calls have the types ${this.offered.type?.name} (${hash}), and the request has ` +
            `${headers.get("Vring-Type")} (${headers.get("Vring-Hash")})`,
        );
      }
      const answer = await this.#client.call(payload, { timeout: CALL_MS });
      if (answer.length + 1000 > carrier.maxMessage) {
        throw new RangeError(`the answer has ${answer.length} bytes, too many for the network`);
      }
      carrier.publish({ subject: reply, headers: new Map(), payload: answer });
      this.#sent++;
    } catch (error) {
      carrier.publish({ subject: reply, ...errorMessage(error) });
    }
  }

  [Symbol.dispose](): void {
    this.#end.abort();
    this.#client.close();
  }
}

/** Writes an error as an answer. */
function errorMessage(error: unknown) {
  const { remoteName, name, message, code } = Object(error) as Record<string, unknown>;
  const headers = new Map([[ERROR, String(remoteName ?? name ?? "Error")]]);
  if (code !== undefined) headers.set(CODE, JSON.stringify(code));
  return { headers, payload: new TextEncoder().encode(String(message ?? error)) };
}
