/** Every product's errors say why when /dev/shm or a file in it is not accessible. */

import { assertEquals, assertMatch } from "@std/assert";
import { processTests } from "../shared/processes.ts";
import type { Tools } from "./region_child.ts";

const { mountTest, startProcess } = processTests<Tools>(
  new URL("./region_child.ts", import.meta.url),
  "access to regions",
);

const OWN_SHM = { shmBytes: 2 ** 20 };
const STRANGER = 54_321;

for (
  const [what, mount, state] of [
    ["there is none", ["-t", "tmpfs", "none", "/dev"], /there is no \/dev\/shm \(\w+: ENOENT\)/],
    [
      "it is read-only",
      ["-o", "remount,ro", "/dev/shm"],
      /\/dev\/shm is read-only \(\w+: EROFS\)/,
    ],
  ] as const
) {
  mountTest(`errors name /dev/shm where ${what}`, async () => {
    await using party = startProcess(OWN_SHM);
    const { errors, found } = await party.run((tools, args) => {
      const { sharedMemory, defineLock, regions, sweep, errorOf } = tools;
      const { success } = new Deno.Command("mount", { args }).outputSync();
      const errors = [
        errorOf(() => sharedMemory("nowhere", { size: 8 }).open()),
        errorOf(() => defineLock("nowhere").open()),
      ];
      return { errors, found: [success, regions().length, sweep().length] };
    }, [...mount]);
    for (const error of errors) {
      assertMatch(error, /^OsError: Cannot (create|open) .*"nowhere": /);
      assertMatch(error, state);
      assertMatch(error, /; mount a tmpfs on \/dev\/shm/);
    }
    assertEquals(found, [true, 0, 0]);
  });
}

mountTest("errors name the owner and the mode of a file of another user", async () => {
  await using party = startProcess(OWN_SHM);
  const errors = await party.run(({ sharedMemory, defineLock, errorOf, becomeUser }, user) => {
    sharedMemory("theirs", { size: 8, persist: true }).open().close();
    defineLock("theirs").open().close();
    Deno.chmodSync("/dev/shm", 0o1777);
    becomeUser(user);
    return [
      errorOf(() => sharedMemory("theirs", { size: 8 }).open()),
      errorOf(() => defineLock("theirs").open()),
    ];
  }, STRANGER);
  for (const error of errors) {
    assertMatch(
      error,
      /^OsError: Cannot open .*"theirs": \/dev\/shm\/\S+\.theirs belongs to user 0/,
    );
    assertMatch(error, /its mode is 0o600, and you are user 54321 \(\w+: EACCES\); .* mode: 0o666/);
  }
});

mountTest("errors say that no file may be made in /dev/shm", async () => {
  await using party = startProcess(OWN_SHM);
  const errors = await party.run(({ sharedMemory, defineLock, errorOf, becomeUser }, user) => {
    Deno.chmodSync("/dev/shm", 0o755);
    becomeUser(user);
    return [
      errorOf(() => sharedMemory("mine", { size: 8 }).open()),
      errorOf(() => defineLock("mine").open()),
    ];
  }, STRANGER);
  for (const error of errors) {
    assertMatch(
      error,
      /^OsError: Cannot .*"mine": you may not make files in \/dev\/shm \(\w+: EACCES/,
    );
  }
});
