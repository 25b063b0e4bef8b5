import { assertEquals } from "@std/assert";
import { compareReports, type Report } from "../bench/harness/compare.ts";
import { Random } from "./random.ts";

const TITLE = "spsc, round trip";
const FLOOR = "C, words on two lines";

/** A report of one contender, whose time is that of the floor by so much, and some noise. */
function reportOf(seed: number, options: { factor?: number; noise?: number; floors?: number[] }) {
  const { factor = 5, noise = 0.05, floors = Array.from({ length: 22 }, () => 70) } = options;
  const random = new Random(seed);
  const noisy = (time: number) => time * (1 + noise * random.next());
  const times = floors.slice(1).map((floor) => noisy(factor * floor));
  const runs = [{ title: TITLE, name: FLOOR, times: floors }, {
    title: TITLE,
    name: "ring",
    times,
  }];
  return { runs } satisfies Report;
}

/** The verdicts of several runs on each side, which are alike here. */
function verdicts(before: Report, after: Report, runs = 2): string[] {
  const [a, b] = [before, after].map((report) => Array.from({ length: runs }, () => report));
  return compareReports(a!, b!).map(({ what, verdict }) => `${what}: ${verdict}`);
}

Deno.test("compare finds no difference between two runs of the same speed, however noisy", () => {
  for (const noise of [0, 0.05, 0.5, 2]) {
    for (let seed = 1; seed < 20; seed++) {
      const found = verdicts(reportOf(seed, { noise }), reportOf(seed + 100, { noise }));
      assertEquals(found, ["spsc, round trip: ring, near: no difference"]);
    }
  }
});

Deno.test("compare finds what is a fifth faster or slower, if the noise is less", () => {
  const usual = reportOf(1, {});
  assertEquals(verdicts(usual, reportOf(2, { factor: 6 })), [
    "spsc, round trip: ring, near: slower",
  ]);
  assertEquals(verdicts(usual, reportOf(2, { factor: 4 })), [
    "spsc, round trip: ring, near: faster",
  ]);
  assertEquals(verdicts(reportOf(1, { noise: 1 }), reportOf(2, { factor: 6, noise: 1 })), [
    "spsc, round trip: ring, near: no difference",
  ]);
});

Deno.test("compare finds no difference of 3 per cent, which the place in memory explains", () => {
  const found = verdicts(reportOf(1, { noise: 0 }), reportOf(2, { noise: 0, factor: 5.15 }));
  assertEquals(found, ["spsc, round trip: ring, near: no difference"]);
});

Deno.test("compare keeps placements apart, and leaves out rounds between two of them", () => {
  const [near, far] = [70, 300].map((ns) => Array.from({ length: 10 }, () => ns));
  const both = reportOf(1, { floors: [...near!, ...far!] });
  assertEquals(verdicts(both, reportOf(2, { factor: 6, floors: [...near!, ...far!] })), [
    "spsc, round trip: ring, near: slower",
    "spsc, round trip: ring, far: slower",
  ]);
  assertEquals(verdicts(reportOf(1, { floors: near! }), reportOf(2, { floors: far! })), []);
});

Deno.test("compare judges nothing by four rounds", () => {
  const floors = [70, 70, 70];
  const found = verdicts(reportOf(1, { floors }), reportOf(2, { floors, factor: 50 }));
  assertEquals(found, ["spsc, round trip: ring, near: too few rounds"]);
});

Deno.test("compare finds no difference that is less than that of the same C program", () => {
  const withControl = (report: Report, factor: number): Report => ({
    runs: [
      ...report.runs,
      {
        title: TITLE,
        name: "C, masked rings",
        times: report.runs[1]!.times.map((ns) => ns * factor),
      },
    ],
  });
  const before = withControl(reportOf(1, {}), 1);
  const after = withControl(reportOf(2, { factor: 6 }), 1.3 * 5 / 6);
  assertEquals(verdicts(before, after), [
    "spsc, round trip: ring, near: no difference",
    "spsc, round trip: C, masked rings, near: control",
  ]);
});

Deno.test("compare takes a fifth between single runs for chance, and a half for a difference", () => {
  const usual = reportOf(1, {});
  assertEquals(verdicts(usual, reportOf(2, { factor: 6 }), 1), [
    "spsc, round trip: ring, near: no difference",
  ]);
  assertEquals(verdicts(usual, reportOf(2, { factor: 7.5 }), 1), [
    "spsc, round trip: ring, near: slower",
  ]);
});
