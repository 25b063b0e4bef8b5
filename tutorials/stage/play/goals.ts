/**
 * The question of each scenario.
 *
 * @module
 */

import type { Listed } from "./protocol.ts";

/** Questions for the scenarios that are broken in a way of their own. */
const QUESTIONS: Readonly<Record<string, string>> = {
  "broken-publishes-first": "Can you read a message before it is written?",
  "broken-ends-first": "Can you lose the last message?",
  "broken-seqlock-one-look": "Can you read half a message?",
  "broken-rolled-back": "Can you make the reader accept bytes that are gone?",
  "broken-observer-leaves-early": "Can you make the observer miss a message?",
  "broken-observer-one-look": "Can you make the observer accept half a message?",
  "broken-acks-first": "Can you lose a message with one kill?",
  "broken-releases-more": "Can you lose a message with one kill?",
  "broken-topic-not-invalidated": "Can you read half a sample?",
  "broken-topic-one-look": "Can you read half a sample?",
  "broken-offers-loaned": "Can you lend the same memory twice?",
  "broken-gives-back-twice": "Can you lend the same memory twice?",
  "broken-repair-unheld": "Can you make money vanish?",
  "broken-frees-twice": "Can you free a buffer twice?",
};

const BY_KIND: Readonly<Record<string, string>> = {
  "lost wake-up": "Can you lose a wake-up?",
  hang: "Can you strand a sleeper with one kill?",
  invariant: "Can you break the promise?",
  error: "Can you make it throw?",
};

/** Returns the question of a scenario. */
export function goalOf({ name, expect }: Pick<Listed, "name" | "expect">): string {
  if (name === "yours") return "Is your code right in every order?";
  if (name.startsWith("twin-")) return "This one is right. Can you still break it?";
  if (expect === undefined) return "Shipped code. Can you break it?";
  return QUESTIONS[name] ?? BY_KIND[expect]!;
}

/** Returns the sentence below the question. */
export function subjectOf(
  { name, about, expect, bounds }: Pick<Listed, "name" | "about" | "expect" | "bounds">,
): string {
  const mortal = bounds.deaths === 0 ? "" : ` You may kill ${bounds.deaths}.`;
  const sentence = `${about[0]!.toUpperCase()}${about.slice(1)}.${mortal}`;
  if (expect === "lost wake-up") {
    return `${sentence} You win when a party sleeps for ever, though nobody died.`;
  }
  if (expect === "hang") return `${sentence} You win when a party waits for ever after a death.`;
  if (expect !== undefined) return `${sentence} You win when the check at the end fails.`;
  if (name.startsWith("twin-")) {
    const broken = name.replace("twin-", "broken-");
    return `The right version of ${broken}. The search shows that no order breaks it.`;
  }
  return sentence;
}

/** The headings of scenarios that are no product's own, by the beginning of the name. */
const TITLES: Readonly<Record<string, string>> = {
  broken: "Broken on purpose",
  twin: "The same, done right",
  hostile: "Against a hostile peer",
};

/** Divides scenarios into groups with headings: the first word of a name decides. */
export function groupsOf<T extends { readonly name: string }>(
  scenarios: readonly T[],
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const scenario of scenarios) {
    const [first = ""] = scenario.name.split("-");
    const title = TITLES[first] ?? `As shipped: ${first}`;
    groups.set(title, [...groups.get(title) ?? [], scenario]);
  }
  return groups;
}
