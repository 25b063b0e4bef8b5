/**
 * Opening slots.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import { CorruptRegionError, LayoutMismatchError } from "../errors.ts";
import type { Mapping } from "../memory/mapping.ts";
import { joinOrMake, Region } from "../region/region.ts";
import { type MessageType, REGION_HEADER } from "../region/header.ts";
import { topicPath } from "../region/names.ts";
import { copyIn, copyOut } from "../memory/word.ts";
import {
  DEPTH_MAX,
  isShape,
  MESSAGE_BYTES_MAX,
  type Plan,
  planOf,
  type Shape,
  SLOT,
  SLOT_BYTES_MAX,
  SLOT_CONTROL,
  SlotWords,
} from "./slot_words.ts";

/** What a slot is to be. What is not given is as whoever made the slot has it. */
export interface SlotShapeOptions {
  /** The largest message in bytes, up to 2 GiB; 64 KiB for a new slot. Memory is got when needed. */
  maxSize?: number;
  /** How many of the last messages can be looked back at, 1 to 1,024; 8 for a new slot. */
  depth?: number;
  /** The permission bits of a new one; 0o600 by default. */
  mode?: number;
  /** Keep it when the last one leaves, until it is unlinked. */
  persist?: boolean;
  /** Attach also if it belongs to another user than you or root. */
  anyOwner?: boolean;
}

const DEFAULT_SHAPE: Shape = { depth: 8, maxBytes: 65_536 };

/** The path of the file that holds a slot. */
export function slotPath(domain: string, name: string): string {
  topicPath(SLOT.name, name, "a slot"); // throws unless the name could stand alone
  return topicPath(SLOT.name, `${domain}/${name}`, "a slot of a domain");
}

/** Opens a slot, or makes it. */
export function openSlot(
  domain: string,
  name: string,
  options: SlotShapeOptions,
  message: MessageType,
): SlotWords {
  const shape = {
    depth: options.depth ?? DEFAULT_SHAPE.depth,
    maxBytes: options.maxSize ?? DEFAULT_SHAPE.maxBytes,
  };
  if (!isShape(shape)) {
    throw new RangeError(
      `Cannot open slot "${name}" with ${inWords(shape.depth)} messages of ${
        inWords(shape.maxBytes)
      } bytes: the ` +
        `depth is 1 to ${DEPTH_MAX}, the size 1 to ${MESSAGE_BYTES_MAX}, and all together at most ` +
        `${SLOT_BYTES_MAX} bytes`,
    );
  }
  const path = slotPath(domain, name);
  return joinOrMake(
    () => tryJoin(path, name, options, message),
    () => create(path, name, planOf(shape), options, message),
  );
}

function create(
  path: string,
  name: string,
  plan: Plan,
  { mode, persist, anyOwner }: SlotShapeOptions,
  message: MessageType,
): SlotWords {
  const region = Region.create(SLOT, path, {
    dataBytes: plan.bytes,
    reservedBytes: plan.messagesAt,
    initialise: (mapping) => initialise(mapping, plan),
    message,
    mode,
    persist,
    anyOwner,
  });
  return new SlotWords(name, region, plan);
}

/** Joins a slot as it is, if that is as is wished; undefined if there is none. */
function tryJoin(
  path: string,
  name: string,
  options: SlotShapeOptions,
  message: MessageType,
): SlotWords | undefined {
  const { anyOwner, persist } = options;
  const region = Region.tryConnect(SLOT, path, { message, anyOwner });
  if (region === undefined) return undefined;
  using stack = new DisposableStack();
  stack.use(region);
  const control = new Uint8Array(SLOT_CONTROL.size);
  copyOut(region.mapping, region.controlOffset, control);
  const { dataBytes } = region;
  const plan = planIn(control, dataBytes);
  if (plan === undefined) {
    throw new CorruptRegionError(
      `Cannot join slot "${name}": what it tells of its messages does not fit into the ` +
        `${dataBytes} bytes that it holds; unlink it and make a new one`,
    );
  }
  checkWishes(name, plan, options);
  if (persist) { // a wish to keep it is put down by opening only, which needs the size
    return new SlotWords(
      name,
      Region.open(SLOT, path, { dataBytes, message, anyOwner, persist }),
      plan,
    );
  }
  stack.move();
  return new SlotWords(name, region, plan);
}

/** What a control block says of a region with so many bytes; undefined if that cannot be. */
export function planIn(control: Uint8Array, dataBytes: number): Plan | undefined {
  const { depth, max_bytes: maxBytes } = SLOT_CONTROL.read(control);
  const shape = { depth, maxBytes };
  const plan = isShape(shape) ? planOf(shape) : undefined;
  return plan?.bytes === dataBytes ? plan : undefined;
}

/** What is asked for must be what there is. */
function checkWishes(name: string, plan: Plan, { depth, maxSize }: SlotShapeOptions): void {
  const wishes = [["depth", depth, plan.depth], ["maxSize", maxSize, plan.maxBytes]] as const;
  for (const [option, wished, is] of wishes) {
    if (wished === undefined || wished === is) continue;
    throw new LayoutMismatchError(
      `Cannot open slot "${name}": its ${option} is ${is}, not ${wished}; ask for that, or for ` +
        "none, or unlink it once nobody uses it",
    );
  }
}

function initialise(mapping: Mapping, { depth, maxBytes }: Plan): void {
  const control = new Uint8Array(SLOT_CONTROL.size);
  const view = SLOT_CONTROL.view(control);
  view.depth = depth;
  view.max_bytes = maxBytes;
  copyIn(mapping, REGION_HEADER.size, control);
}
