import { assertStrictEquals, assertThrows } from "@std/assert";
import { PeerLostError } from "../../src/errors.ts";
import { domain } from "../../src/babus/definition.ts";
import { Listener } from "../../src/babus/listener.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { type Waitable, waitAny, waitAnySync } from "../../src/wait/any.ts";
import { Party } from "../shared/party.ts";
import { NO_PROCESS } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";

if (NO_PROCESS !== undefined) console.warn(`waitAny() is only tested in threads: ${NO_PROCESS}`);

if (NO_PROCESS === undefined) {
  Deno.test("waitAny() and waitAnySync() sleep on a ring and many slots until one is written", async () => {
    type Tools = import("../babus/babus_child.ts").Tools;
    using name = new Name();
    using quiet = spsc(name.name).consumer();
    using robot = domain(name.name).open();
    using listener = new Listener();
    const slots = Array.from({ length: 40 }, (_, i) => robot.slot(`s${i}`));
    for (const slot of slots) listener.add(slot);
    await using writer = Party.start<Tools>(
      new URL("../babus/babus_child.ts", import.meta.url),
      "process",
    );
    for (const how of [waitAny, waitAnySync]) {
      await writer.run(({ domain, domains }, name) => {
        domains.push(domain(name).open());
        const slot = domains.at(-1)!.slot("s39");
        setTimeout(() => slot.writeSync(new Uint8Array(9)), 20);
      }, name.name);
      assertStrictEquals(await how<Waitable>([quiet, listener], { spin: 0 }), listener);
      assertStrictEquals(listener.look()[0], slots[39] as never);
    }
  });

  Deno.test("waitAny() reports a ring whose producer was killed", async () => {
    type Tools = import("../spsc/spsc_child.ts").Tools;
    using name = new Name();
    using other = new Name();
    using quiet = spsc(other.name).consumer();
    using lonely = spsc(name.name).consumer();
    const program = new URL("../spsc/spsc_child.ts", import.meta.url);
    await using sender = Party.start<Tools>(program, "process");
    await sender.run(({ spsc, producers }, name) => {
      producers.push(spsc(name).producer());
    }, lonely.name);
    const waiting = waitAny([quiet, lonely], { spin: 0 });
    await sender.kill();
    // It asks for the dead once more although `waiting` has asked a moment ago.
    assertStrictEquals(waitAnySync([quiet, lonely], { spin: 0, timeout: 10_000 }), lonely);
    assertStrictEquals(await waiting, lonely);
    assertThrows(() => lonely.receiveSync(), PeerLostError);
  });
}
