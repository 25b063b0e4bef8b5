/**
 * Values from a command line: JSON, made to fit a type that a region describes.
 *
 * @module
 */

import { fitted } from "../inspect/fit.ts";
import type { MessageType } from "../region/header.ts";
import { UsageError } from "./command.ts";

/** Parses a value of a type. Numbers of 64 bits may be texts; bytes are texts or arrays. */
export function valueOf(text: string, type: MessageType | undefined): unknown {
  const description = type?.description;
  if (type?.name === "text") return text;
  if (type === undefined || type.name === "bytes") return new TextEncoder().encode(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot use ${text} as a value: ${(error as Error).message}`);
  }
  return description === undefined ? value : fitted(value, description);
}
