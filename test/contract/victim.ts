/**
 * The process that is killed. It performs many acts, each up to the step before which it is to die,
 * one inside the other, so that one `kill -9` is the death of many handles, each before its own step.
 *
 * @module
 */

import { payload } from "../circular/scene.ts";
import { dieAmid, spring, stepsOf } from "../trap/trap.ts";
import type { Death } from "../shared/processes.ts";
import { type Handle, KILLED_LENGTH, type Options } from "./product.ts";
import { PRODUCTS } from "./products.ts";

/** An act of the process that is killed. */
export interface Task {
  readonly product: string;
  readonly end: "sender" | "receiver";
  /** One of the handle's acts, or `open` or `close`. */
  readonly act: string;
  readonly name: string;
  readonly options: Options;
  /** The number of messages that it sends before. */
  readonly before: number;
}

/** The message of a number. */
export function killedMessage(number: number): Uint8Array<ArrayBuffer> {
  return payload(number, KILLED_LENGTH);
}

const handles = new Map<string, Handle>();

/** Opens the handles of the act, and sends the messages before it. */
export function enter(task: Task): void {
  if (task.act === "open") return;
  open(task);
  if (task.end === "receiver") return;
  for (let i = 1; i <= task.before; i++) handles.get(task.name)!.trySend?.(killedMessage(i));
}

function open({ product, end, name, options }: Task): void {
  const { [end]: role } = PRODUCTS.find((one) => one.name === product)!;
  handles.set(name, role.open(name, options));
}

/** Performs the act and returns its steps. */
export function rehearse(task: Task): string[] {
  return stepsOf(() => perform(task));
}

function perform(task: Task): void {
  const handle = handles.get(task.name)!;
  if (task.act === "open") open(task);
  else if (task.act === "close") handle.close();
  else handle.acts![task.act]!(spring, killedMessage(task.before + 1));
}

/** Dies in the middle of all of these acts, in each before its step. */
export function dieIn(tasks: readonly (Task & { readonly death: Death })[]): void {
  dieAmid(tasks.map((task) => ({ ...task.death, act: () => perform(task) })));
}
