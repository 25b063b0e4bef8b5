/** Errors of misuse name the slot or domain, the reason, and the remedy. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { Listener } from "../../src/babus/listener.ts";
import { ClosedError, VringError } from "../../src/errors.ts";
import { bytes, type Codec } from "../../src/codec.ts";
import { waitAny, waitAnySync } from "../../src/wait/any.ts";
import { payload } from "../circular/scene.ts";
import { Scene } from "./scene.ts";

/** Checks that an act throws such an error, with all these parts in its message. */
function refused(act: () => unknown, error: new () => Error, ...parts: string[]): void {
  const { message } = assertThrows(act, error);
  for (const part of parts) assertStringIncludes(message, part);
}

const NONE = undefined as never;

Deno.test("an invalid name of a domain is refused as a domain", () => {
  for (const name of ["", ".", "a/b", "a b", "x".repeat(201)]) {
    const parts = [`Cannot use ${JSON.stringify(name)} as a domain: `];
    refused(() => domain(name), TypeError, ...parts);
  }
});

Deno.test("an invalid name of a slot is refused as a slot", () => {
  using scene = new Scene();
  for (const name of ["", "/", ".", "a b", "a~b", "x".repeat(201)]) {
    const parts = [`Cannot use ${JSON.stringify(name)} as a slot: `];
    refused(() => domain(scene.name, { [name]: {} }), TypeError, ...parts);
    refused(() => scene.domain.slot(name), TypeError, ...parts);
    refused(() => scene.definition.unlink(name), TypeError, ...parts);
  }
  const long = "x".repeat(200); // which could stand alone
  refused(() => scene.domain.slot(long), TypeError, `${long}" as a slot of a domain: it has 2`);
  assertEquals(scene.files(), []);
});

Deno.test("a codec that fails blocks no other writer", () => {
  using scene = new Scene();
  const failing: Codec<number> = {
    type: { name: "failing", hash: 1n },
    sizeBytes: 10,
    encode: (value, into) => {
      if (value < 0) throw new RangeError("no number below 0");
      return bytes().encode(payload(value, 10), into);
    },
    decode: () => {
      throw new RangeError("no way back");
    },
  };
  const slot = scene.domain.slot("failing", { type: failing });
  using other = scene.definition.open();
  refused(() => slot.writeSync(-1), RangeError, "no number below 0");
  refused(() => slot.tryWrite(-1), RangeError, "no number below 0");
  slot.claimSync(5);
  refused(() => slot.writeSync(-1), RangeError, "no number below 0"); // and the claim is given up
  assertEquals(other.slot("failing", { type: failing }).tryWrite(1), 1);
  for (const read of [() => slot.latest(), () => slot.at(1), () => slot.since(0)]) {
    refused(read, RangeError, "no way back");
  }
});

Deno.test("errors of messages and numbers name the slot", () => {
  using scene = new Scene();
  const what = `slot "${scene.name}/imu"`;
  const slot = scene.slot("imu");
  const claim = slot.claimSync(10);
  for (const length of [11, -1, 0.5, NaN]) {
    refused(
      () => claim.publish(length),
      RangeError,
      `${length} bytes to ${what}: 10 are claimed`,
    );
  }
  claim[Symbol.dispose]();
  claim[Symbol.dispose](); // the second call does nothing
  refused(() => claim.publish(), VringError, `claim of ${what}: it has ended; claim first`);
  refused(() => slot.claimSync(257), RangeError, `257 bytes to ${what}`, "larger size");
  refused(() => slot.at(0.5), RangeError, `message 0.5 of ${what}`, "pass the number");
  refused(() => slot.since(NaN), RangeError, `message NaN of ${what}`);
  assertEquals(slot.writeSync(payload(1, 5)), 1);
});

Deno.test("a wait to write is called off before it begins", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  const other = scene.other();
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => other.write(payload(1, 5), { signal }), Error, "too late");
  await assertRejects(() => other.claim(5, { signal }), Error, "too late");
  assertEquals([slot.sequence, slot.tryWrite(payload(1, 5))], [0, 1]); // nobody has the right to
  other.close();
});

Deno.test("add() refuses a value that is not a slot, and a closed slot", () => {
  using scene = new Scene();
  const slot = scene.slot("imu");
  using listener = new Listener();
  for (const wrong of [NONE, null, {}, scene.domain, listener, "imu"]) {
    refused(() => listener.add(wrong as never), TypeError, "pass one that a domain opened");
    assertEquals(listener.remove(wrong as never), false);
  }
  slot.close();
  refused(() => listener.add(slot), ClosedError, `slot "imu": it is closed`);
  refused(() => listener.waitSync({ timeout: 0 }), RangeError, "no slot that wakes it; add one");
});

Deno.test("a slot that was closed is an error until it is removed, and hides no news", async () => {
  using scene = new Scene();
  const [first, gone] = [scene.slot("first"), scene.slot("gone")];
  using listener = new Listener().add(first).add(gone);
  first.writeSync(payload(1, 5));
  gone.close();
  const parts = [`slot "gone": it is closed; remove it`];
  refused(() => listener.look(), ClosedError, ...parts);
  refused(() => listener.waitSync({ timeout: 0 }), ClosedError, ...parts);
  await assertRejects(() => listener.wait({ timeout: 0 }), ClosedError, parts[0]);
  refused(() => waitAnySync([listener]), ClosedError, ...parts);
  assertEquals(listener.remove(gone), true);
  assertEquals(listener.look(), [first as never]); // it was not told before
});

Deno.test("a wait of a listener that is called off before it begins takes no news", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using listener = new Listener().add(slot);
  for (const news of [false, true]) {
    if (news) slot.writeSync(payload(1, 5));
    const signal = AbortSignal.abort(new Error("too late"));
    await assertRejects(() => listener.wait({ signal }), Error, "too late");
  }
  assert((await listener.wait({ timeout: 0 })).length === 1); // which none of those has taken
  listener.close();
  listener.close();
  for (const act of [() => listener.add(slot), () => listener.look(), () => listener.waitSync()]) {
    refused(act, ClosedError, "listener: it is closed");
  }
  assertEquals(listener.remove(slot), false);
  for await (const news of listener) throw new Error(`${news}`); // is over at once
});

Deno.test("waitAny() refuses a value that does not receive", async () => {
  using scene = new Scene();
  const slot = scene.slot();
  using listener = new Listener().add(slot);
  for (
    const [wrong, name] of [
      [scene.domain, "Domain"],
      [{}, "Object"],
      [
        null,
        "null",
      ],
      [NONE, "undefined"],
      [7, "Number"],
    ] as const
  ) {
    const parts = [`Cannot wait for ${name}: it does not receive; pass consumers`];
    refused(() => waitAnySync([listener, wrong as never]), TypeError, ...parts);
    await assertRejects(() => waitAny([listener, wrong as never]), TypeError, parts[0]);
  }
});
