/**
 * The definition of one slot of a domain: its type and its sizes.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import { Definition, type DefinitionOptions, type OpenMode } from "../definition.ts";
import type { Mapping } from "../memory/mapping.ts";
import { copyIn, copyOut } from "../memory/word.ts";
import {
  type Bytes,
  type Input,
  sizeOfType,
  type Type,
  typeIn,
  type Value,
  type View,
} from "../message.ts";
import { REGION_HEADER } from "../region/header.ts";
import { checkTopic, topicPath } from "../region/names.ts";
import { checkSize, type Opened, type OpenOptions, type Product } from "../region/open.ts";
import type { Again } from "../region/poll.ts";
import {
  DEPTH_MAX,
  isShape,
  MESSAGE_BYTES_MAX,
  planOf,
  SLOT,
  SLOT_BYTES_MAX,
  SLOT_CONTROL,
  type SlotOffsets,
  SlotWords,
} from "./slot_words.ts";

/** The type and the sizes of a slot. */
export interface SlotOptions<K extends Type = Bytes> {
  /** The type of the messages; bytes by default. */
  readonly type?: K | undefined;
  /** The number of last messages that can be read, 1 to 1,024; 8 by default. */
  readonly depth?: number | undefined;
  /**
   * The largest message in bytes, up to 2 GiB; by default the size of the type, or 64 KiB if the
   * type has none. A slot takes memory for messages only when they are written.
   */
  readonly size?: number | undefined;
}

/** The codec of a type. */
export type CodecOf<K extends Type> = Codec<Value<K>, Input<K>, View<K>>;

/** The default size of messages whose type has no size. */
const USUAL_SIZE = 65_536;

/** The sizes of a slot, by their options. */
interface SlotGeometry {
  readonly [option: string]: number;
  readonly depth: number;
  readonly size: number;
}

const SLOTS: Product<SlotGeometry> = {
  regionType: SLOT,
  usual: { depth: 8, size: USUAL_SIZE },
  plan(geometry, what, _options, page) {
    const { depth, size } = geometry;
    checkSize(what, "depth", depth, DEPTH_MAX);
    checkSize(what, "size", size, MESSAGE_BYTES_MAX);
    const plan = planOf({ depth, size }, page);
    if (plan.bytes > SLOT_BYTES_MAX) {
      throw new RangeError(
        `Cannot define ${what}: its ${depth} messages of ${size} bytes take more than ` +
          `${SLOT_BYTES_MAX} bytes; pass a smaller depth or size`,
      );
    }
    return {
      geometry,
      dataBytes: plan.bytes,
      reservedBytes: plan.messagesAt,
      initialise: (mapping) => initialise(mapping, plan),
    };
  },
  geometryOf({ mapping, controlOffset, dataBytes }) {
    const control = new Uint8Array(SLOT_CONTROL.size);
    copyOut(mapping, controlOffset, control);
    const plan = planIn(control, dataBytes);
    return plan && { depth: plan.depth, size: plan.size };
  },
};

/** The place of a slot: its domain, its name there, and the options of its region. */
export interface SlotPlace extends DefinitionOptions {
  readonly domain: string;
  readonly name: string;
}

/** The definition of one slot. */
export class SlotDefinition<K extends Type = Bytes> extends Definition<SlotGeometry, OpenOptions> {
  /** The name in messages, such as `slot "robot/imu"`. */
  readonly title: string;
  readonly codec: CodecOf<K>;
  readonly depth: number;
  readonly size: number;

  constructor({ domain, name, ...region }: SlotPlace, options?: SlotOptions<K>) {
    const action = `define slot ${inWords(name)}`;
    const given = checkedOptions(options, action, ["type", "depth", "size"]);
    const codec = typeIn(given.type, action);
    const { depth = 8, size = sizeOfType(codec as Codec<unknown>) ?? USUAL_SIZE } = given;
    super({
      product: SLOTS,
      name,
      path: slotPath(domain, name),
      options: { ...region, depth, size } as OpenOptions,
      message: codec.type,
    });
    this.title = this.what();
    this.codec = codec;
    this.depth = depth;
    this.size = size;
  }

  /** Joins the slot, or creates it. */
  open(mode?: OpenMode): SlotWords {
    return this.#words(this.attach(mode));
  }

  /** Performs one step of attaching as an observer; returns undefined if the slot does not exist. */
  observe(): SlotWords | Again | undefined {
    const opened = this.joinOnce({ readOnly: true });
    return opened !== undefined && "region" in opened ? this.#words(opened) : opened;
  }

  #words({ region, geometry }: Opened<SlotGeometry>): SlotWords {
    return new SlotWords(this.title, region, planOf(geometry));
  }
}

/** Returns the path of a slot's file. */
export function slotPath(domain: string, name: string, directory?: string): string {
  const slot = `${domain}/${checkTopic(name, "a slot")}`;
  return topicPath(SLOT.name, slot, "a slot of a domain", directory);
}

/** Returns the layout that a control block states; undefined if it does not fit the data. */
export function planIn(control: Uint8Array, dataBytes: number): SlotOffsets | undefined {
  const { depth, max_bytes: size } = SLOT_CONTROL.read(control);
  const shape = { depth, size };
  const plan = isShape(shape) ? planOf(shape) : undefined;
  return plan?.bytes === dataBytes ? plan : undefined;
}

function initialise(mapping: Mapping, { depth, size }: SlotOffsets): void {
  const control = new Uint8Array(SLOT_CONTROL.size);
  const view = SLOT_CONTROL.view(control);
  view.depth = depth;
  view.max_bytes = size;
  copyIn(mapping, REGION_HEADER.size, control);
}
