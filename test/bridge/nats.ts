/** The carrier over NATS: `deno task test:bridge`, as its server takes its time. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { bridge } from "../../src/bridge/bridge.ts";
import type { CarrierEvent } from "../../src/bridge/carrier.ts";
import { connectNats } from "../../src/bridge/nats.ts";
import { VringError } from "../../src/errors.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Program } from "../program.ts";
import { bytes, carrierTests, until } from "./carriers.ts";
import { Proxy } from "./proxy.ts";
import { exporting, importing } from "./scene.ts";
import { NatsServer, serverTest } from "./server.ts";

carrierTests("NATS", async () => {
  const server = await NatsServer.start();
  return {
    connect: () => connectNats({ servers: server.url, client: { reconnectTimeWait: 20 } }),
    interrupt: async () => {
      await server.kill();
      await server.start();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, serverTest);

const USERS = `authorization { users = [
  { user: "limited", password: "secret", permissions: { publish: ["ok.>"], subscribe: ["ok.>", "_INBOX.>"] } }
] }`;

serverTest("NATS: wrong credentials are refused, and are not in the message", async () => {
  await using server = await NatsServer.start(USERS);
  const servers = server.url.replace("//", "//limited:wrong@");
  const error = await assertRejects(() => connectNats({ servers }), VringError, "check the cred");
  assertEquals(/wrong/.test(error.message), false);
  assertStringIncludes(error.message, `NATS server ${server.url}: `);
});

serverTest("NATS: what a subject may not carry is told once", async () => {
  await using server = await NatsServer.start(USERS);
  await using carrier = await connectNats({
    servers: server.url,
    client: { user: "limited", pass: "secret" },
  });
  const events: CarrierEvent[] = [];
  using _told = carrier.onEvent((event) => events.push(event));
  using _no = carrier.subscribe("no.>", () => {});
  for (let i = 0; i < 3; i++) {
    carrier.publish({ subject: "no.way", headers: new Map(), payload: new Uint8Array(3) });
    await carrier.flush();
  }
  await until(() => events.length >= 2);
  await carrier.flush();
  assertEquals(events, [
    { type: "refused", operation: "subscribe", subject: "no.>" },
    { type: "refused", operation: "publish", subject: "no.way" },
  ]);
});

serverTest("NATS: a server that is away for more than ten attempts is found again", async () => {
  await using server = await NatsServer.start();
  const client = { reconnectTimeWait: 5, maxReconnectAttempts: 3 };
  await using carrier = await connectNats({ servers: server.url, client });
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, 500)); // a hundred attempts
  await server.start();
  await until(() => carrier.isConnected);
  await carrier.flush();
});

serverTest("NATS: a bridge whose credentials no longer hold ends, and says why", async () => {
  using _place = namespace();
  const config = (password: string) => `authorization { user: "me", password: "${password}" }`;
  await using server = await NatsServer.start(config("secret"));
  const client = { user: "me", pass: "secret", reconnectTimeWait: 20 };
  await using carrier = await connectNats({ servers: server.url, client });
  const running = bridge({
    carrier,
    host: "a",
    imports: ["t"],
    until: new AbortController().signal,
  });
  await carrier.flush();
  await server.kill();
  server.config = config("other");
  await server.start();
  const error = await assertRejects(() => running, VringError, "the connection has ended: ");
  assertMatch(error.message, /authorization/i);
  assertEquals(/secret|other/.test(error.message), false);
});

serverTest(
  "NATS: a bridge that the server cuts off says so, subscribes again, and counts",
  async () => {
    using _place = namespace();
    await using server = await NatsServer.start("max_pending: 2MB");
    using proxy = new Proxy(server.port);
    await using a = await connectNats({ servers: server.url });
    await using b = await connectNats({ servers: proxy.url, client: { reconnectTimeWait: 20 } });
    const options = { size: 100_000, depth: 8 };
    using publisher = topic("t", options).publisher();
    await using _exporter = exporting(a, ["t"]);
    await using importer = importing(b, ["t"]);
    using far = topic("far/t", options).subscriber();
    await until(() => far.peers > 0);
    publisher.trySend(bytes(1));
    const first = (await far.receive({ timeout: 60_000 }))!.origin!.sequence;
    proxy.stall();
    for (let i = 0; i < 300; i++) await publisher.send(new Uint8Array(100_000));
    await new Promise((resolve) => setTimeout(resolve, 1200)); // until the bridge is behind
    proxy.resume();
    let sum = first;
    let last = first;
    const read = () => {
      far.poll(({ lost, origin }) => {
        sum += 1 + lost;
        last = origin!.sequence;
      });
    };
    await until(() => {
      read();
      return importer.events.some(({ type }) => type === "connected");
    });
    await until(() => {
      if (last < 302) publisher.trySend(bytes(2));
      read();
      return last > 301;
    });
    const types = importer.events.map(({ type }) => type).filter((type) => type !== "ready");
    assertEquals(types, ["disconnected", "slow", "connected"]);
    const { cutOffs, imports: [only] } = importer.bridge.report;
    assertEquals([cutOffs, sum], [1, last]);
    const { wire } = only!.lost;
    assert(wire > 100, `${wire} lost on the wire`);
  },
);

serverTest("NATS: connectNats() waits for a server that starts later", async () => {
  await using server = await NatsServer.start();
  await server.kill();
  const reasons: string[] = [];
  const connecting = connectNats({
    servers: server.url,
    onRetry: (reason) => reasons.push(reason),
  });
  await until(() => reasons.length > 0);
  await server.start();
  await using carrier = await connecting;
  await carrier.flush();
});

serverTest(
  "NATS: a socket that is reset while nobody listens does not end the process",
  async () => {
    await using server = await NatsServer.start();
    await using carrier = await connectNats({ servers: server.url });
    reportError(
      Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    await carrier.flush();
  },
);

serverTest("NATS: vring ls tells which host does not answer any more", async () => {
  await using server = await NatsServer.start();
  using place = namespace();
  const common = ["nats", "--server", server.url, "--import", "x"];
  await using a = new Program(
    "--allow-net=127.0.0.1",
    "test/bridge/bridge_child.ts",
    `${place.prefix}.a`,
    ...common,
    "--host",
    "a",
  );
  await a.until(/Ctrl-C/);
  await using b = new Program(
    "--allow-net=127.0.0.1",
    "test/bridge/bridge_child.ts",
    place.prefix,
    ...common,
    "--host",
    "b",
  );
  await b.until(/Ctrl-C/);
  b.kill("SIGKILL");
  await b.end();
  await using list = new Program(
    "--allow-net=127.0.0.1",
    "src/cli/main.ts",
    "ls",
    "--realm",
    "default",
    "--server",
    server.url,
  );
  await list.end();
  assertMatch(
    list.out,
    /answers with an export\.\nHost b does not answer; it was last heard [0-9] s ago\.\n$/,
  );
});
