/** The context files of NATS's command line. */

import { assertEquals, assertThrows } from "@std/assert";
import { natsContext } from "../../src/bridge/nats_context.ts";
import { VringError } from "../../src/errors.ts";

const none = () => new Uint8Array(0);

Deno.test("natsContext() reads the server, the credentials and TLS", () => {
  const context = {
    url: "nats://a:4222, nats://b:4222",
    user: "me",
    password: "secret",
    ca: "/ca.pem",
    cert: "",
    description: "ignored",
    inbox_prefix: "_I",
  };
  assertEquals(natsContext(JSON.stringify(context), "x.json", none), {
    servers: ["nats://a:4222", "nats://b:4222"],
    client: { user: "me", pass: "secret", inboxPrefix: "_I", tls: { caFile: "/ca.pem" } },
  });
  assertEquals(natsContext("{}", "x.json", none), { servers: undefined, client: {} });
});

Deno.test("natsContext() reads the files of credentials and of a key", () => {
  const read: string[] = [];
  const keep = (path: string) => {
    read.push(path);
    return new TextEncoder().encode("SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4\n");
  };
  for (const name of ["creds", "nkey"]) {
    const { client } = natsContext(JSON.stringify({ [name]: `/${name}` }), "x.json", keep);
    assertEquals(typeof (client as { authenticator: unknown }).authenticator, "function");
  }
  assertEquals(read, ["/creds", "/nkey"]);
});

Deno.test("natsContext() refuses damaged text without quoting it", () => {
  const error = assertThrows(
    () => natsContext('{"password": "secret', "x.json", none),
    VringError,
    "Cannot read the NATS context x.json",
  );
  assertEquals(/secret/.test(error.message), false);
});
