/**
 * Regions that a later version of a product has made: an unknown feature, another control block,
 * another header.
 *
 * @module
 */

import { LayoutMismatchError } from "../../src/errors.ts";
import { HEADER_VERSION, REGION_HEADER } from "../../src/region/header.ts";
import type { Product } from "./product.ts";
import { keepsNothing, meet, refusal, UnderTest } from "./under_test.ts";

/** Registers the tests for a product. */
export function testVersions(product: Product): void {
  if (product.semaphore) return; // it has no header
  const tested = new UnderTest(product);
  for (const role of tested.roles) {
    tested.test(`a ${role.title} refuses what it does not know, and says what that is`, async (place) => {
      using made = tested.open(tested.other(role), place);
      const refused = async (field: Word, value: number, ...told: unknown[]) => {
        const before = replace(tested.path(place), field, value);
        for (const join of Object.values(tested.joins(role))) {
          const attempt = () => join(place.name);
          await keepsNothing(() => refusal(attempt, LayoutMismatchError, ...told));
        }
        replace(tested.path(place), field, before);
      };
      const unknown = "which this version does not know; update this program";
      await refused("incompatible", 2 ** 30, `it uses the feature of bit 30, ${unknown}`);
      await refused("incompatible", 2 ** 31 + 1, `the features of bit 0, of bit 31, ${unknown}`);
      await refused("abi_hash", 1, "it was made by another version");
      await refused(
        "header_version",
        HEADER_VERSION + 1,
        `version ${HEADER_VERSION + 1}, and this`,
      );
      using back = tested.open(role, place);
      meet(made, back);
    });

    tested.test(`a ${role.title} ignores features and reserved bytes that it may ignore`, (place) => {
      using made = tested.open(tested.other(role), place);
      replace(tested.path(place), "compatible", 2 ** 32 - 1);
      replace(tested.path(place), "reserved", 2 ** 32 - 1);
      using back = tested.open(role, place);
      meet(made, back);
    });
  }
}

type Word = "compatible" | "incompatible" | "abi_hash" | "header_version" | "reserved";

/** Stores the first 32 bits of a field of the header; returns those before. */
function replace(path: string, field: Word, value: number): number {
  using file = Deno.openSync(path, { read: true, write: true });
  const word = new DataView(new ArrayBuffer(4));
  const bytes = new Uint8Array(word.buffer);
  const { offset } = REGION_HEADER.fields[field];
  file.seekSync(offset, Deno.SeekMode.Start);
  file.readSync(bytes);
  const before = word.getUint32(0, true);
  word.setUint32(0, value, true);
  file.seekSync(offset, Deno.SeekMode.Start);
  file.writeSync(bytes);
  return before;
}
