/**
 * Opening regions that no product defines, as only tests do.
 *
 * @module
 */

import type { RegionType } from "../../src/region/header.ts";
import type { CreateOptions, JoinOptions } from "../../src/region/file.ts";
import { create, open, type OpenRequest } from "../../src/region/open.ts";
import { type PollOptions, pollUntil, retrySync } from "../../src/region/poll.ts";
import { Region } from "../../src/region/region.ts";

/** The options of a new region, except its description. */
export type RegionOptions = Omit<CreateOptions, "description"> & Pick<JoinOptions, "anyOwner">;

function request(
  regionType: RegionType,
  path: string,
  options: RegionOptions,
): OpenRequest<Record<never, never>> {
  const { message, mode, group, persist, anyOwner, ...memory } = options;
  return {
    product: { regionType, geometryOf: () => ({}) },
    plan: { geometry: {}, ...memory },
    path,
    message,
    options: { mode, group, persist, anyOwner },
  };
}

/** Joins a region, or creates it. */
export function openRegion(regionType: RegionType, path: string, options: RegionOptions): Region {
  return open(request(regionType, path, options)).region;
}

/** Creates a region. */
export function createRegion(regionType: RegionType, path: string, options: RegionOptions): Region {
  return create(request(regionType, path, options)).region;
}

/** Joins a region; returns undefined if it does not exist. */
export function joinRegion(
  regionType: RegionType,
  path: string,
  options: JoinOptions = {},
): Region | undefined {
  return retrySync(() => Region.joinOnce(regionType, path, options));
}

/** Resolves once nobody else holds a role of a region, or a byte of a file. */
export async function untilFree(
  holder: { isHeld(role: number): boolean } | { isHeldByOther(byte: number): boolean },
  number: number,
  options: PollOptions = {},
): Promise<void> {
  const isHeld = () => "isHeld" in holder ? holder.isHeld(number) : holder.isHeldByOther(number);
  await pollUntil({ look: () => !isHeld() || undefined, action: "see it become free" }, options);
}
