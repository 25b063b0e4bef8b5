/**
 * The size of a slot, and opening one.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import type { Mapping } from "../memory/mapping.ts";
import { joinOnce, open, type Product } from "../region/open.ts";
import { Again } from "../region/poll.ts";
import { type MessageType, REGION_HEADER } from "../region/header.ts";
import { checkTopic, topicPath } from "../region/names.ts";
import { copyIn, copyOut } from "../memory/word.ts";
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

/**
 * The options for opening a slot. Omitted sizes are those of the existing slot, or the defaults.
 */
export interface SlotShapeOptions {
  /**
   * The largest message in bytes, up to 2 GiB; 64 KiB for a new slot. Memory is allocated when
   * needed.
   */
  maxSize?: number | undefined;
  /** The number of last messages that can be read, 1 to 1,024; 8 for a new slot. */
  depth?: number | undefined;
  /** The permission bits of a new slot; 0o600 by default, 0o640 with a group. */
  mode?: number | undefined;
  /** The name or number of its group, whose members can observe it. */
  group?: string | number | undefined;
  /** Keeps the slot when its last member leaves, until it is unlinked. */
  persist?: boolean | undefined;
  /** Also attaches if the slot belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** Returns the path of a slot's file. */
export function slotPath(domain: string, name: string): string {
  return topicPath(SLOT.name, `${domain}/${checkTopic(name, "a slot")}`, "a slot of a domain");
}

/** The sizes of a slot, by their options. */
interface SlotGeometry {
  readonly [option: string]: number;
  readonly depth: number;
  readonly maxSize: number;
}

const SLOTS: Product<SlotGeometry> = {
  regionType: SLOT,
  usual: { depth: 8, maxSize: 65_536 },
  plan(geometry, what) {
    const { depth, maxSize: maxBytes } = geometry;
    if (!isShape({ depth, maxBytes })) {
      throw new RangeError(
        `Cannot open ${what} with ${inWords(depth)} messages of ${inWords(maxBytes)} bytes: the ` +
          `depth is 1 to ${DEPTH_MAX}, the size 1 to ${MESSAGE_BYTES_MAX}, and all together at ` +
          `most ${SLOT_BYTES_MAX} bytes`,
      );
    }
    const plan = planOf({ depth, maxBytes });
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
    return plan && { depth: plan.depth, maxSize: plan.maxBytes };
  },
};

/** Opens a slot, or creates it. */
export function openSlot(
  domain: string,
  name: string,
  options: SlotShapeOptions,
  message: MessageType,
): SlotWords {
  const { region, geometry } = open(SLOTS, { path: slotPath(domain, name), options, message });
  const { depth, maxSize: maxBytes } = geometry;
  return new SlotWords(name, region, planOf({ depth, maxBytes }));
}

/** Performs one step of attaching to a slot as an observer; returns undefined if none exists. */
export function observeSlot(
  domain: string,
  name: string,
  options: { anyOwner?: boolean | undefined },
  message: MessageType,
): SlotWords | Again | undefined {
  const request = {
    path: slotPath(domain, name),
    options: { ...options, readOnly: true },
    message,
  };
  const opened = joinOnce(SLOTS, request);
  if (opened === undefined || opened instanceof Again) return opened;
  const { depth, maxSize: maxBytes } = opened.geometry;
  return new SlotWords(name, opened.region, planOf({ depth, maxBytes }));
}

/** Returns the layout that a control block states; undefined if it does not fit the data. */
export function planIn(control: Uint8Array, dataBytes: number): SlotOffsets | undefined {
  const { depth, max_bytes: maxBytes } = SLOT_CONTROL.read(control);
  const shape = { depth, maxBytes };
  const plan = isShape(shape) ? planOf(shape) : undefined;
  return plan?.bytes === dataBytes ? plan : undefined;
}

function initialise(mapping: Mapping, { depth, maxBytes }: SlotOffsets): void {
  const control = new Uint8Array(SLOT_CONTROL.size);
  const view = SLOT_CONTROL.view(control);
  view.depth = depth;
  view.max_bytes = maxBytes;
  copyIn(mapping, REGION_HEADER.size, control);
}
