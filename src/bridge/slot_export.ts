/**
 * A local slot whose latest value a bridge publishes to the network. Values that are overwritten
 * before they are sent are not lost: only the latest counts. A far side that starts later asks for
 * the latest value.
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import type { Bytes } from "../message.ts";
import type { RegionInfo } from "../region/list.ts";
import { domain } from "../babus/definition.ts";
import type { Domain } from "../babus/domain.ts";
import { Listener } from "../babus/listener.ts";
import type { Slot } from "../babus/slot.ts";
import { inChunks } from "./assembly.ts";
import { type Export, type ExportAccount, type ExportParts, incarnationOf } from "./export.ts";
import { headersOf } from "./message.ts";
import { hashText, type Offered, offeredIn, offerText, slotFrom } from "./offer.ts";
import { subjectOf } from "./subjects.ts";

const NOTHING_UNSENT = { before: 0, inside: 0, skipped: 0 };

/** Publishes the latest value of one slot until it is disposed. */
export class SlotExport implements Export {
  readonly kind = "slot";
  readonly name: string;
  readonly offered: Offered;
  readonly #parts: ExportParts;
  readonly #subject: string;
  readonly #incarnation: number;
  readonly #domain: Domain;
  readonly #slot: Slot<Bytes>;
  readonly #listener = new Listener();
  #wake = new AbortController();
  #last = 0; // the number of the value that was sent last
  #sent = 0;
  #skipped = 0;

  /** Opens the slot as its region describes it. */
  constructor({ name, details }: RegionInfo, parts: ExportParts) {
    this.name = name;
    this.offered = offeredIn(details!);
    this.#parts = parts;
    this.#subject = subjectOf("slot", { ...parts, name });
    this.#incarnation = incarnationOf(details!.id);
    const [body, slot] = [name.slice(0, name.indexOf("/")), name.slice(name.indexOf("/") + 1)];
    this.#domain = domain(body).open({ open: "join" });
    this.#slot = this.#domain.slot(slot, slotFrom(this.offered)) as Slot<Bytes>;
    this.#listener.add(this.#slot);
  }

  get account(): ExportAccount {
    const { kind, name } = this;
    return { kind, name, sent: this.#sent, before: 0, inside: 0, skipped: this.#skipped };
  }

  describe(): void {
    this.#last = 0;
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  async run(): Promise<void> {
    while (!this.#slot.closed) {
      const { signal } = this.#wake;
      try {
        this.#send();
        await this.#listener.wait({ signal });
      } catch (error) {
        if (error instanceof ClosedError && this.#slot.closed) return;
        if (error !== signal.reason) throw error;
      }
    }
  }

  #send(): void {
    const { carrier, window, transit, chunkBytes } = this.#parts;
    const latest = this.#slot.latest();
    if (latest === undefined || latest.sequence <= this.#last) return;
    const { value, time, origin } = latest;
    if (origin !== undefined && !transit) {
      this.#last = latest.sequence;
      return void this.#skipped++;
    }
    if (!window.accepts(value.length)) {
      const again = () => this.describe();
      if (carrier.isConnected) window.drained().then(again); // else the connection calls describe()
      return;
    }
    const stem = origin === undefined
      ? { host: this.#parts.host, incarnation: this.#incarnation, hops: 1 }
      : { ...origin, hops: origin.hops + 1 };
    const heading = {
      stem,
      source: undefined,
      hash: hashText(this.offered.type),
      offer: offerText(this.offered),
      count: 1,
      sequence: origin?.sequence ?? latest.sequence,
      time,
      unsent: NOTHING_UNSENT,
      isEnd: false,
    };
    inChunks(value, chunkBytes, (payload, chunk) => {
      carrier.publish({
        subject: this.#subject,
        headers: headersOf({ ...heading, chunk }),
        payload,
      });
      window.add(payload.length);
    });
    this.#last = latest.sequence;
    this.#sent++;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.#domain.close();
    this.#wake.abort();
  }
}
