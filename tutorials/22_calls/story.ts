/**
 * Chapter 22 for the stage: calls.
 *
 * @module
 */

import { bytesPicture, tablePicture } from "../stage/pictures.ts";
import type { Scene, Step, Story } from "../stage/story.ts";
import {
  around,
  type Asker,
  clerk,
  count,
  lettersOf,
  Notes,
  numbersBefore,
  oneOfTwo,
  sharedLettersOf,
} from "./actors.ts";

/** The story of chapter 22. */
export const story: Story = {
  cast: { clerk, ann: oneOfTwo(1), ben: oneOfTwo(2) },
  steps: () => {
    const here = new Here();
    return [...ask(here), ...noAnswer(here), ...two(here)];
  },
};

/** The client of this process, and the clerks' notes. */
class Here {
  client!: Asker;
  notes!: Notes;
}

/** The name of an error that a call ends with, or its answer. */
async function outcomeOf(calling: Promise<string>): Promise<string> {
  try {
    return await calling;
  } catch (error) {
    return (error as Error).name;
  }
}

function showOutcomes(scene: Scene, rows: readonly (readonly [string, string])[]): void {
  scene.show(tablePicture("outcomes", "How the calls ended", [["call", "outcome"], ...rows]));
}

function ask(here: Here): Step[] {
  return [
    {
      title: "Ask another process",
      text:
        `Messages went one way so far. Now this process wants an answer. Another process, the clerk,
        counts letters: see its card. A [[call]] is a request in a ring to the clerk, and an answer in a
        ring back.`,
      ask: {
        kind: "choice",
        text: "There may be many clients. How does the answer find ours?",
        options: [
          {
            text: "Each client has two rings with the clerk: there and back",
            right: true,
            because: "Nobody else writes or reads there. The rings are those of chapter 10.",
          },
          {
            text: "All clients read one ring of answers, and pick theirs",
            because:
              "In a common ring, one slow client would hold up all others. Each has a ring " +
              "of its own.",
          },
          {
            text: "The kernel delivers it to our process id",
            because: "The kernel is not asked. Both rings are shared memory.",
          },
        ],
      },
      run: async (scene) => {
        scene.code(count);
        const client = lettersOf(scene.name).client({ onPeerGone: "wait" });
        here.client = client;
        here.notes = new Notes(scene.name);
        scene.start("clerk");
        await client.waitForPeers(1);
        scene.look(() => client.callSync("eleven", { timeout: 5000 }));
        const [request, answer] = [around(scene.name, "eleven")!, around(scene.name, "6 letters")!];
        const show = (id: string, title: string, { bytes, at }: typeof request) =>
          scene.show(bytesPicture(bytes, { id, title, address: 0, from: at, length: 16 }));
        show("request", "The ring to the clerk", request);
        show("answer", "The ring back", answer);
        const [asked, answered] = [request, answer].map(numbersBefore);
        scene.show(
          tablePicture("numbers", "The numbers in front of each text; 00 .. f0 3f is a 1", [
            ["", "request", "answer"],
            ["bytes behind the first number", asked!.length, answered!.length],
            ["call", asked!.call, answered!.call],
            ["client", asked!.client, answered!.client],
          ]),
        );
      },
      after: `The answer has the number of its call. By it, the client knows what was answered.`,
    },
    {
      title: "An error is an answer, too",
      text: `The clerk cannot count an empty word: its [[handler]] throws.`,
      ask: {
        kind: "choice",
        text: "What happens in the clerk?",
        options: [
          {
            text: "Nothing: the error travels to the client, and the clerk serves on",
            right: true,
            because:
              "The client gets a \`RemoteError\` with the name and the message of the error.",
          },
          {
            text: "It ends with the error",
            because:
              "If the clerk ended, one bad request would stop it for all. The error belongs " +
              "to the caller.",
          },
          {
            text: "It logs the error, and the call times out",
            because:
              "The library never logs, and the client need not wait. The error is sent back " +
              "at once, as the answer.",
          },
        ],
      },
      run: async (scene) => {
        const { client } = here;
        const error = await client.call("").catch((error) => error);
        scene.look(() => `${error.name}: ${error.message}`);
        scene.look(() => client.callSync("one", { timeout: 5000 }));
      },
    },
  ];
}

function noAnswer(here: Here): Step[] {
  let runs = 0;
  return [
    {
      title: "A slow answer",
      text:
        `The clerk takes five seconds to count "slow". We ask for that, and wait for half a second. Then
        we ask for "twelve".`,
      ask: {
        kind: "choice",
        text: "The clerk may still answer the first call. What does the second one get?",
        options: [
          {
            text: "Its own answer",
            right: true,
            because:
              "Each call has a number, which its answer repeats. A late answer fits no call that " +
              "waits.",
          },
          {
            text: 'The answer to "slow", which comes first',
            because:
              "The late answer would be taken in a ring without numbers. But each answer has " +
              "the number of its call.",
          },
          {
            text: "An error: the ring is out of step",
            because: "The ring stays in step: a number that nobody waits for is dropped, and the " +
              "next answer is read.",
          },
        ],
      },
      run: async (scene) => {
        const { client, notes } = here;
        const before = notes.left;
        const slow = await outcomeOf(client.call("slow", { timeout: 500 }));
        await scene.until(() => notes.left > before);
        const twelve = await outcomeOf(client.call("twelve", { timeout: 5000 }));
        showOutcomes(scene, [
          ["slow", slow],
          ["twelve", twelve],
          ["given up, as the clerk saw", `${notes.left - before}`],
        ]);
      },
      after:
        `A time-out says that no answer came in time, and not that nothing was done: the clerk had
        taken "slow", and counted its letters all the same. \`caller.signal\` told it that nobody waits
        any more. A handler that moves coins should look at it.`,
    },
    {
      title: "The clerk dies in the middle",
      text: `We ask for "endless", which the clerk begins and never finishes. Then it is killed.`,
      ask: {
        kind: "choice",
        text: "Has the call run?",
        options: [
          {
            text: "We cannot know, so it fails",
            right: true,
            because:
              "The clerk may have died before the work, or after it. So the call is not repeated.",
          },
          {
            text: "No, so it is sent to the next clerk",
            because:
              "The dead clerk may have done the work already. To move coins twice is worse " +
              "than an error.",
          },
          {
            text: "Yes: a request that was taken has run",
            because:
              "The request was taken, and no more is known. The clerk died somewhere after " +
              "that.",
          },
        ],
      },
      run: async (scene) => {
        const { client, notes } = here;
        const before = notes.runs;
        const calling = outcomeOf(client.call("endless", { timeout: 8000 }));
        await scene.until(() => notes.runs > before);
        scene.signal("clerk", "SIGKILL");
        showOutcomes(scene, [["endless", await calling]]);
        scene.look(() => client.peers);
      },
      after: `The kernel has dropped the dead clerk's lock, and the client looks at it four times a
        second: long before the time-out.`,
    },
    {
      title: "Nobody serves",
      text:
        `No clerk is left. We ask for "late", and give up after 100 ms. A moment later another clerk
        starts, and we ask for "again".`,
      ask: {
        kind: "number",
        text: "How many of the two does the new clerk count?",
        unit: "calls",
        answer: () => runs,
        right:
          "Both requests are in the ring, but we set a mark when we gave up the first. The clerk looks " +
          "at that before it begins.",
        often: [
          {
            number: 2,
            because:
              "The request of the first is still in the ring, but with a mark: we gave it up. The " +
              "clerk passes over it.",
          },
          {
            number: 0,
            because: 'The new clerk passes over "late", which we gave up, and counts "again".',
          },
        ],
        otherwise:
          'The new clerk finds both in its ring, and passes over "late", which we gave up.',
      },
      run: async (scene) => {
        const { client, notes } = here;
        const late = await client.call("late", { timeout: 100 }).catch((error: Error) => error);
        const before = notes.runs;
        scene.start("clerk");
        const again = await outcomeOf(client.call("again", { timeout: 5000 }));
        runs = notes.runs - before;
        showOutcomes(scene, [["late", (late as Error).name], ["again", again]]);
        scene.look(() => (late as Error).message.split("; ")[1]);
      },
      after:
        `The error says what we know. Had a clerk taken the request first, it would say that instead:
        then the clerk is free to finish, as it was with "slow".`,
    },
  ];
}

function two(here: Here): Step[] {
  let runs = 0;
  let client: Asker;
  return [
    {
      title: "Two clerks",
      text:
        `A definition may allow several servers. Ann and Ben are two processes that serve the same
        calls. We ask six things at once, without waiting in between.`,
      ask: {
        kind: "choice",
        text: "Who gets which call?",
        options: [
          {
            text: "The clerk that has fewer calls in hand",
            right: true,
            because: "Each stores in shared memory how many it has. The client looks, and chooses.",
          },
          {
            text: "Both get all of them, and the faster one answers",
            because: "If both got all calls, all work would be done twice. Each call goes to one " +
              "clerk.",
          },
          {
            text: "A program in the background decides",
            because: "No such program exists. The client chooses, by what the clerks have stored.",
          },
        ],
      },
      run: async (scene) => {
        client = sharedLettersOf(scene.name).client();
        scene.start("ann");
        scene.start("ben");
        await client.waitForPeers(2);
        const words = ["one", "two", "three", "four", "five", "six"];
        const answers = await Promise.all(words.map((word) => client.call(word)));
        showOutcomes(scene, words.map((word, i) => [word, answers[i]!]));
      },
    },
    {
      title: "Run it again",
      text:
        `To count letters twice does no harm. So this definition says \`retry: true\`. We ask for
        "endless", which a clerk does not finish the first time. The one that has taken it is killed.`,
      ask: {
        kind: "number",
        text: "How often does a handler run for this call?",
        unit: "times",
        answer: () => runs,
        right:
          "The dead clerk had begun, and then the other one ran it. That one sees \`caller.retried\`.",
        often: [{
          number: 1,
          because: "The dead clerk has begun with it, and the other one begins again.",
        }],
        otherwise: "Once in the clerk that died, and once in the other.",
      },
      run: async (scene) => {
        const { notes } = here;
        const before = notes.runs;
        const calling = outcomeOf(client.call("endless", { timeout: 8000 }));
        await scene.until(() => notes.runs > before);
        scene.signal(notes.clerk === 1 ? "ann" : "ben", "SIGKILL");
        showOutcomes(scene, [["endless", await calling]]);
        runs = notes.runs - before;
        scene.look(() => notes.runs - before);
      },
      after:
        `So you choose for each definition: at most once, or at least once while a server lives.

        In the exercise you write what a client remembers of its calls: numbers, deadlines and dead
        servers.`,
    },
  ];
}
