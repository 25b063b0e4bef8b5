/** Who may use the port of a live view. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type AccessOptions, accessTo, newToken } from "../../src/live/access.ts";

const LOCAL: AccessOptions = { token: "secret", hostname: "127.0.0.1", names: [], origins: [] };

/** Asks for an address with these headers; returns the status. */
function ask(path: string, headers: Record<string, string>, options: Partial<AccessOptions> = {}) {
  const asked = {
    url: `http://127.0.0.1:8765${path}`,
    headers: new Headers({ host: "127.0.0.1:8765", ...headers }),
  };
  const access = accessTo(asked, 8765, { ...LOCAL, ...options });
  return access.isAllowed ? 200 : access.status;
}

Deno.test("access needs the token, in the address or in the cookie of this port", () => {
  assertEquals(ask("/", {}), 401);
  assertEquals(ask("/?token=wrong", {}), 401);
  assertEquals(ask("/?token=", {}, { token: "" }), 200);
  assertEquals(ask("/?token=secret", {}), 200);
  assertEquals(ask("/", { cookie: "a=b; vring_view_8765=secret" }), 200);
  assertEquals(ask("/", { cookie: "vring_view_8766=secret" }), 401);
  assertEquals(ask("/", { cookie: "vring_view_8765=wrong" }), 401);
  assertEquals(ask("/", {}, { token: undefined }), 200);
  const first = accessTo(
    { url: "http://x/?token=secret", headers: new Headers({ host: "localhost:8765" }) },
    8765,
    LOCAL,
  );
  assert(first.isAllowed);
  assertStringIncludes(first.cookie!, "vring_view_8765=secret; Path=/; HttpOnly; SameSite=Strict");
});

Deno.test("access needs a Host that names this server", () => {
  const at = (host: string, options: Partial<AccessOptions> = {}) =>
    ask("/?token=secret", { host }, options);
  for (const host of ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "LOCALHOST:8765"]) {
    assertEquals(at(host), 200, host);
  }
  for (
    const host of [
      "evil.example:8765",
      "127.0.0.1",
      "127.0.0.1:80",
      "10.0.0.5:8765",
      "",
      "a b:8765",
    ]
  ) {
    assertEquals(at(host), 403, host);
  }
  const open = { hostname: "0.0.0.0", names: ["robot.local"] };
  for (const host of ["10.0.0.5:8765", "[fd00::1]:8765", "robot.local:8765", "127.0.0.1:8765"]) {
    assertEquals(at(host, open), 200, host);
  }
  assertEquals(at("evil.example:8765", open), 403);
  const without = { url: "http://x/?token=secret", headers: new Headers() };
  assertEquals(accessTo(without, 8765, LOCAL).isAllowed, false);
});

Deno.test("access of a WebSocket needs an Origin that may use it", () => {
  const cookie = "vring_view_8765=secret";
  const own = "http://127.0.0.1:8765";
  assertEquals(ask("/", { cookie, origin: own }), 200);
  // the cookie comes along with whatever page asks, so only the own page may
  for (
    const origin of [
      "http://evil.example",
      "http://localhost:8765", // another name than the Host of the request
      "http://127.0.0.1:9000",
      "https://127.0.0.1:8765",
      "https://app.foxglove.dev",
      "file://",
      "null",
    ]
  ) assertEquals(ask("/", { cookie, origin }), 403, origin);
  // the token in the address is known only to those whom its owner gave it
  for (const origin of [own, "https://app.foxglove.dev", "file://", "null"]) {
    assertEquals(ask("/?token=secret", { origin }), 200, origin);
  }
  const lichtblick = "https://lichtblick.example";
  assertEquals(ask("/?token=secret", { origin: lichtblick }), 403);
  assertEquals(ask("/?token=secret", { origin: lichtblick }, { origins: [lichtblick] }), 200);
  // without a token, pages that hide where they are from stay out
  const free = { token: undefined };
  assertEquals(ask("/", { origin: own }, free), 200);
  assertEquals(ask("/", { origin: "null" }, free), 403);
  assertEquals(ask("/", { origin: "http://evil.example" }, free), 403);
});

Deno.test("tokens are long and differ", () => {
  assert(/^[0-9a-f]{32}$/.test(newToken()));
  assert(newToken() !== newToken());
});
