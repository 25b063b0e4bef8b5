/** Every line of the table of threats names a test that exists, or says that there is none. */

import { assert, assertEquals } from "@std/assert";
import { workloadNames } from "./torture/workloads.ts";

const PAGE = new URL("../docs/threats.md", import.meta.url);

/** The cells of all rows of the tables on the page, without their heads. */
function rowsOf(page: string): string[][] {
  return page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| it "))
    .filter((line) => !/^\| -/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** Returns what is wrong with the proof of a row, or undefined. */
function problemOf(proof: string): string | undefined {
  if (proof.startsWith("no test: ")) return undefined;
  const [, title, file] = /^\[(.+?)\]\((.+?)\)/.exec(proof) ?? [];
  if (title === undefined || file === undefined) return `names no test: ${proof}`;
  const source = Deno.readTextFileSync(new URL(file, PAGE));
  if (!source.includes(title)) return `${file} has no test "${title}"`;
  const [, workload] = /workload `(\w+)`/.exec(proof) ?? [];
  if (workload !== undefined && !workloadNames("workloads").includes(workload)) {
    return `no workload ${workload}`;
  }
  const [, scenarios] = /scenarios `(.+?)`/.exec(proof) ?? [];
  return scenarios === undefined || hasScenario(scenarios) ? undefined : `no scenario ${scenarios}`;
}

/** Whether the explorer has a scenario of such a name, in which `*` stands for any text. */
function hasScenario(pattern: string): boolean {
  const folder = new URL("explore/scenarios/", import.meta.url);
  const name = new RegExp(`name: ["\`]${pattern.replaceAll("*", ".*")}["\`]`);
  return [...Deno.readDirSync(folder)]
    .some((file) => name.test(Deno.readTextFileSync(new URL(file.name, folder))));
}

Deno.test("each threat is proven by a test that exists, or the page says that none is", () => {
  const rows = rowsOf(Deno.readTextFileSync(PAGE));
  assert(rows.length > 25, `${rows.length} rows`);
  for (const row of rows) {
    assertEquals(row.length, 3, `${row}`);
    assertEquals(problemOf(row[2]!), undefined, row[0]);
  }
});

Deno.test("a proof that names no test, or one that does not exist, is found", () => {
  const file = "../test/threats_test.ts";
  assertEquals(problemOf("no test: it is so"), undefined);
  assertEquals(problemOf("somewhere"), "names no test: somewhere");
  const missing = ["a test that does", "not exist"].join(" ");
  assertEquals(problemOf(`[${missing}](${file})`), `${file} has no test "${missing}"`);
  assertEquals(problemOf(`[each threat](${file}), workload \`no\``), "no workload no");
  assertEquals(
    problemOf(`[each threat](${file}), scenarios \`missing-*\``),
    "no scenario missing-*",
  );
  assertEquals(problemOf(`[each threat](${file}), scenarios \`hostile-*-bell\``), undefined);
});
