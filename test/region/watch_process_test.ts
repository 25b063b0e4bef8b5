import { assertEquals } from "@std/assert";
import { Child } from "../os/child.ts";
import { Name } from "../shared/scene.ts";

/** Calls again and again, after pauses that double, until it is disposed. */
function repeat(act: () => void, pauseMs: number): Disposable {
  let timer = setTimeout(function again() {
    act();
    timer = setTimeout(again, pauseMs *= 2);
  }, pauseMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

Deno.test("a program that starts again under --watch has its role, and only its own memory", async () => {
  using place = new Name();
  using stack = new DisposableStack();
  const folder = Deno.makeTempDirSync();
  stack.defer(() => Deno.removeSync(folder, { recursive: true }));
  const main = `${folder}/main.ts`;
  const program = new URL("child_watched.ts", import.meta.url);
  const change = () => Deno.writeTextFileSync(main, `import "${program}";\n`);
  change();
  const flags = ["--allow-ffi", "--no-check", "--watch", "--no-clear-screen"];
  await using child = new Child(main, { args: [place.name], flags });
  const first = await child.line();
  assertEquals(JSON.parse(first).mapped, 1);
  using _changes = repeat(change, 150); // Deno overlooks a change soon after a start
  assertEquals(await child.line(), first); // from the same process
});
