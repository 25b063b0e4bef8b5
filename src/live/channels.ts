/**
 * Regions as the channels of Foxglove's protocol.
 *
 * A channel has the schema that `record` writes: `ros2msg` over CDR for structs, `jsonschema` for
 * JSON; text and bytes stay themselves. An image or a point cloud has a second channel with Foxglove's
 * own schema, `/name/image` or `/name/points`, so that its panels show it.
 *
 * @module
 */

import { canPoll } from "../inspect/messages.ts";
import { channelOf, layoutOf } from "../record/channel.ts";
import { FILE_FORM, type FoxgloveForm, foxgloveForm } from "../record/foxglove.ts";
import type { RegionInfo } from "../region/list.ts";
import type { HintFor } from "./region_facts.ts";

/** A channel as the protocol advertises it. */
export interface Advertised {
  readonly id: number;
  readonly topic: string;
  readonly encoding: string;
  readonly schemaName: string;
  readonly schema: string;
  readonly schemaEncoding?: string;
}

/** A channel, and how its messages are made. */
export interface LiveChannel {
  readonly advertised: Advertised;
  /** The number of the region. */
  readonly region: number;
  /** Makes the payload in parts; undefined if the message cannot be. */
  encode(message: Uint8Array<ArrayBuffer>, timeMs: number): Uint8Array[] | undefined;
}

/** The channels of all regions, each with a number that stays while its schema does. */
export class Channels {
  readonly #hintFor: HintFor;
  readonly #ids = new Map<string, number>();

  constructor(hintFor: HintFor) {
    this.#hintFor = hintFor;
  }

  /** Returns the channels of regions, by their numbers. */
  of(regions: ReadonlyMap<number, RegionInfo>): Map<number, LiveChannel> {
    const found = new Map<number, LiveChannel>();
    const taken = new Set<string>();
    for (const [id, region] of regions) {
      const { kind, name, details } = region;
      if (details === undefined || !canPoll(region)) continue;
      const plain = `/${name}`;
      const topic = taken.has(plain) ? `${plain} (${kind})` : plain; // kinds have names of their own
      taken.add(topic);
      for (const channel of this.#channels(id, region, topic)) {
        found.set(channel.advertised.id, channel);
      }
    }
    return found;
  }

  #channels(id: number, { name, details }: RegionInfo, topic: string): LiveChannel[] {
    const { encoding, schema, prefix } = channelOf(name, details!);
    const first = this.#channel(id, topic, encoding, schema, (message) => [
      ...prefix === undefined ? [] : [prefix],
      message,
    ]);
    const hint = this.#hintFor(name);
    const layout = layoutOf(details!.type);
    const form: FoxgloveForm | undefined = layout === undefined && hint !== undefined
      ? FILE_FORM
      : foxgloveForm(layout, hint);
    if (form === undefined) return [first];
    const encode: LiveChannel["encode"] = (message, timeMs) => {
      const made = form.encode(message, timeMs);
      return made && [made];
    };
    return [first, this.#channel(id, `${topic}/${form.what}`, "cdr", form.schema, encode)];
  }

  #channel(
    region: number,
    topic: string,
    encoding: string,
    schema: { name: string; encoding: string; data: string } | undefined,
    encode: LiveChannel["encode"],
  ): LiveChannel {
    const facts = {
      topic,
      encoding,
      schemaName: schema?.name ?? "",
      schema: schema?.data ?? "",
      ...schema && { schemaEncoding: schema.encoding },
    };
    const key = JSON.stringify([region, facts]);
    const id = this.#ids.get(key) ?? this.#ids.size + 1;
    this.#ids.set(key, id);
    return { advertised: { id, ...facts }, region, encode };
  }
}
