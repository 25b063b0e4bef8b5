/**
 * What a region states about itself, as the page shows it.
 *
 * @module
 */

import { leavesOf } from "../inspect/leaves.ts";
import { canPoll } from "../inspect/messages.ts";
import { isSingle } from "../layout/describe.ts";
import type { AnyLayout } from "../layout/fields.ts";
import { layoutOf } from "../record/channel.ts";
import { cloudReader, type PictureHint, pictureReader } from "../record/picture.ts";
import type { MessageType } from "../region/header.ts";
import type { RegionInfo } from "../region/list.ts";
import type { RegionFacts } from "./protocol.ts";

/** Returns the size of the images in a region, if it was stated for this name. */
export type HintFor = (name: string) => PictureHint | undefined;

/** Describes a region. */
export function factsOf(region: RegionInfo, id: number, hint?: PictureHint): RegionFacts {
  const { kind, name, details, problem, sizeBytes } = region;
  const layout = layoutOf(details?.type);
  const sizes = { ...details?.geometry, ...details?.policy };
  return {
    id,
    kind,
    name,
    type: typeInWords(details?.type),
    problem,
    sizeBytes,
    sizes: Object.entries(sizes).map(([key, value]) => `${key} ${value}`).join(", "),
    isReadable: canPoll(region),
    curves: layout === undefined ? [] : leavesOf(layout).map(({ path }) => path),
    picture: layout === undefined ? maybe(details?.type) : pictureIn(layout, hint),
  };
}

function pictureIn(layout: AnyLayout, hint?: PictureHint): RegionFacts["picture"] {
  if (pictureReader(layout, hint) !== undefined) return "image";
  return cloudReader(layout) === undefined ? "no" : "points";
}

/** Bytes may be the file of an image; text and JSON are none. */
function maybe(type: MessageType | undefined): RegionFacts["picture"] {
  return type === undefined || type.name === "bytes" ? "maybe" : "no";
}

function typeInWords(type: MessageType | undefined): string {
  const description = type?.description;
  if (description === undefined || !("struct" in description) || !isSingle(description)) {
    return type?.name ?? "";
  }
  return layoutOf(type)?.fields.value?.type ?? type!.name;
}
