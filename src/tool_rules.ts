/**
 * The values that arguments of the tools can have: of recording, replaying, the live view and bridges.
 *
 * @module
 */

import type { Rule } from "./arguments.ts";

/** A function. */
export const FUNCTION: Rule = { wanted: "a function", is: (value) => typeof value === "function" };

/** A text that is not empty. */
export const TEXT: Rule = {
  wanted: "a text that is not empty",
  is: (value) => typeof value === "string" && value !== "",
};

/** A list of such texts. */
export const TEXTS: Rule = {
  wanted: "a list of texts",
  is: (value) => Array.isArray(value) && value.every((text) => typeof text === "string"),
};

/** A number from one to another. */
export function numberFrom(least: number, most = Infinity): Rule {
  return {
    wanted: most === Infinity ? `a number, ${least} or more` : `a number, ${least} to ${most}`,
    is: (value) => typeof value === "number" && value >= least && value <= most,
    isNumeric: true,
  };
}

/** A whole number from one to another. */
export function wholeFrom(least: number, most: number = Number.MAX_SAFE_INTEGER): Rule {
  return {
    wanted: `a whole number, ${least} to ${most}`,
    is: (value) => Number.isInteger(value) && value as number >= least && value as number <= most,
    isNumeric: true,
  };
}

/** An object that has these methods. */
export function objectWith(...methods: string[]): Rule {
  return {
    wanted: methods.length === 0 ? "an object" : `an object with ${methods.join(", ")}`,
    is: (value) =>
      typeof value === "object" && value !== null &&
      methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function"),
  };
}

/** The same rule for an argument that has no default. */
export function required(rule: Rule): Rule {
  return { ...rule, isRequired: true };
}
