/**
 * The program of a {@linkcode Party} that calls, or is called.
 *
 * @module
 */

import { RpcClient } from "../../src/ring/rpc_client.ts";
import { RpcServer } from "../../src/ring/rpc_server.ts";
import { serve } from "../shared/serve.ts";
import { dieBefore, stepsOf } from "../trap/trap.ts";
import { isPayload, lengthOf, payload } from "./circular_scene.ts";
import { assault, endure } from "./rpc_assault.ts";
import { answerTo, type Client, isAnswer, type Server } from "./rpc_scene.ts";

/** What the functions can use. */
const TOOLS = {
  RpcClient,
  RpcServer,
  payload,
  isPayload,
  lengthOf,
  answerTo,
  isAnswer,
  dieBefore,
  stepsOf,
  assault,
  endure,
  /** What stays open between two functions. */
  servers: [] as Server[],
  clients: [] as Client[],
  /** What goes on between two functions. */
  underWay: [] as Promise<unknown>[],
};

export type Tools = typeof TOOLS;

await serve(TOOLS);
