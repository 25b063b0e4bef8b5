/**
 * Broken: a waiter that takes all hints and goes by the first of them alone. What the others tell, it
 * finds when it looks at all things, half a slice later.
 *
 * @module
 */

import { Hall } from "../../../src/wait/hall.ts";

const { collect } = Hall.prototype;

Hall.prototype.collect = function (this: Hall): void {
  this.groups.exchange(0);
  const taken = this.hints.map((hint) => hint.exchange(0));
  const group = taken.findIndex((bits) => bits !== 0);
  if (group >= 0) {
    this.hints[group]!.or(taken[group]! & -taken[group]!);
    this.groups.or(1 << group);
  }
  collect.call(this);
};

export { default } from "../workloads/many.ts";
