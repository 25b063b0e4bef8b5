/**
 * What a chapter tells: steps with prose, the code that runs, pictures as data, and predictions. One
 * story feeds the page in the browser and the terminal.
 *
 * A step runs in a child process (player.ts) and becomes a {@linkcode Frame}, which is plain data: it
 * can be shown, sent, stored and shown again later as a recording.
 *
 * Prose may hold `code`, and terms in double brackets, such as [[page]] or [[page|pages]]: terms.ts
 * explains them. `[[play NAME|words]]` leads to a scenario of the playground, and
 * `{{in a browser|in the terminal}}` differs between the two. An empty line begins a new paragraph.
 *
 * @module
 */

/** A chapter. */
export interface Story {
  /** Makes the steps; each telling has memory of its own in the closure. */
  readonly steps: () => readonly Step[];
  /** What other processes do, by their names. Each gets the name of the telling, see `Scene.name`. */
  readonly cast?: Readonly<Record<string, (name: string) => void | Promise<void>>>;
  /**
   * More tellings, by their words: `deno task learn --term 8/first`. Each has a terminal of its own,
   * and all of them the same `Scene.name`.
   */
  readonly terminals?: Readonly<Record<string, () => readonly Step[]>>;
}

/** Text, or a function that makes it from what has run before. */
export type Text = string | (() => string);

/** One step: a screen with an address of its own, such as `/1/4`. */
export interface Step {
  readonly title: string;
  /** The prose before anything runs. */
  readonly text: Text;
  /** A prediction, which the reader makes before the step runs. */
  readonly ask?: Question;
  /** Runs the step. */
  readonly run?: (scene: Scene) => void | Promise<void>;
  /** The prose about what was seen. */
  readonly after?: Text;
  /** The signal with which the kernel ends the process in this step. */
  readonly crash?: "SIGSEGV" | "SIGBUS" | "SIGKILL";
}

/** What a step can do while it runs. */
export interface Scene {
  /** A name for files in /dev/shm that no other telling uses. */
  readonly name: string;
  /** What the reader has predicted, to run the step with it; undefined if the step is told without. */
  readonly answer: number | undefined;
  /** Shows a line of code with a name for its result, runs exactly that code, shows the result. */
  run<T>(name: string, code: () => T): T;
  /** Shows a line of code, runs it, and shows its result unless it is a block. */
  look<T>(code: () => T): T;
  /** Shows the code of a function that other code runs. */
  code(code: (...args: never[]) => unknown): void;
  /** Starts a process of the cast. It has begun, and may be anywhere, when this returns. */
  start(actor: string): void;
  /** Sends a signal to a process of the cast. */
  signal(actor: string, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void;
  /** Waits until something is the case, by looking every few milliseconds. */
  until(isSo: () => boolean): Promise<void>;
  /** Shows a picture. One with the `id` of an earlier picture takes its place. */
  show(picture: Picture): void;
}

/** A prediction. */
export type Question = ChoiceQuestion | NumberQuestion | ByteQuestion;

/** One of several answers. */
export interface ChoiceQuestion {
  readonly kind: "choice";
  readonly text: string;
  /** A picture of an earlier step that it is about. Without it, such pictures stand aside. */
  readonly picture?: string;
  /** In any order: shuffle.ts decides in which they are shown. */
  readonly options: readonly Option[];
}

/** An answer to choose, and why it is right or wrong. */
export interface Option {
  readonly text: string;
  readonly right?: boolean;
  readonly because: string;
}

/** A number. */
export interface NumberQuestion {
  readonly kind: "number";
  readonly text: string;
  /** A picture of an earlier step that it is about. Without it, such pictures stand aside. */
  readonly picture?: string;
  readonly unit?: string;
  /** Whether the right number is shown in hexadecimal. */
  readonly hexadecimal?: boolean;
  /** Computes the right number after the step has run. */
  readonly answer: () => number;
  /** How far off is right too, as a factor; 1, only the very number, by default. */
  readonly within?: number;
  readonly right: string;
  /** Numbers that people often say, and why they are wrong; `right` follows. */
  readonly often: readonly { readonly number: number; readonly because: string }[];
  /** What to say in place of `right` after any other number. */
  readonly otherwise: string;
}

/** A byte in a picture that the reader points to. */
export interface ByteQuestion {
  readonly kind: "byte";
  readonly text: string;
  /** The picture, which an earlier step has shown. */
  readonly picture: string;
  /** Computes where the byte is, from the first byte of the picture's memory. */
  readonly answer: () => number;
  readonly right: string;
  /** Explains why another byte is wrong. */
  readonly otherwise: (byte: number) => string;
}

/** A picture as data. `id` names the place that it has on the stage. */
export type Picture =
  | BytesPicture
  | PagesPicture
  | TablePicture
  | SpacePicture
  | AddressPicture
  | RingPicture
  | TracksPicture;

/** What every picture has. */
interface Drawn {
  readonly id: string;
  readonly title: string;
}

/** Bytes by address: in hexadecimal, and as text. */
export interface BytesPicture extends Drawn {
  readonly kind: "bytes";
  /** The address of the first byte that is shown; a multiple of 16. */
  readonly address: number;
  readonly bytes: readonly number[];
  /** The memory, and where in it the first byte is: equal places in equal memory are one byte. */
  readonly memory: string;
  readonly place: number;
  /** Which bytes differ from the last picture with this `id`. The player fills it in. */
  readonly changed?: readonly number[];
}

/** Pages in a row. */
export interface PagesPicture extends Drawn {
  readonly kind: "pages";
  readonly pages: readonly {
    /** closed: no access. empty: no memory yet. zeros: the page of zeros that all share. */
    readonly state: "closed" | "empty" | "zeros" | "memory" | "hole" | "beyond";
    readonly label: string;
  }[];
  /** Pages that differ from the last picture with this `id`. The player fills it in. */
  readonly changed?: readonly number[];
}

/** Rows and columns. */
export interface TablePicture extends Drawn {
  readonly kind: "table";
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether the first column is code. */
  readonly words?: boolean;
  /** Cells, as [row, column], that differ from the last picture. The player fills it in. */
  readonly changed?: readonly (readonly [row: number, column: number])[];
}

/** The address space, from 0 to 2^47, with what is mapped in it. */
export interface SpacePicture extends Drawn {
  readonly kind: "space";
  readonly ranges: readonly {
    readonly start: number;
    readonly end: number;
    readonly permissions: string;
    readonly path: string;
  }[];
  /** Places to point at and to zoom to. */
  readonly marks: readonly {
    readonly address: number;
    readonly length: number;
    readonly label: string;
  }[];
}

/** Addresses, divided into the number of the page and the offset in it. */
export interface AddressPicture extends Drawn {
  readonly kind: "address";
  /** How many hexadecimal digits the offset has. */
  readonly digits: number;
  readonly rows: readonly { readonly label: string; readonly address: number }[];
}

/** A ring with two positions; `cells` shows what is in it, a character for each of its parts. */
export interface RingPicture extends Drawn {
  readonly kind: "ring";
  readonly cells: string;
  /** The bytes in each cell. */
  readonly cellBytes: number;
  /** Where the next byte is read, in bytes from the beginning of the ring. */
  readonly readAt: number;
  /** How many bytes can be read. */
  readonly available: number;
  /** Whether the memory is mapped twice in a row. */
  readonly mirrored: boolean;
}

/** What several parties do, an operation for each row, and the words that they share. */
export interface TracksPicture extends Drawn {
  readonly kind: "tracks";
  readonly parties: readonly string[];
  readonly words: readonly string[];
  readonly rows: readonly TrackRow[];
  /** How it ends. */
  readonly end?: string;
}

/** One operation in {@linkcode TracksPicture}. */
export interface TrackRow {
  /** Its index in `parties`. */
  readonly party: number;
  readonly text: string;
  /** The words after the operation. */
  readonly values: readonly (number | string)[];
  readonly note?: string;
  /** What happens if the party dies right after the operation. */
  readonly death?: Death;
}

/** What the others do after a death, in memory as the dead party has left it. */
export interface Death {
  readonly parties: readonly string[];
  readonly rows: readonly TrackRow[];
  /** Which word the repair starts from, and how it ends. */
  readonly end: string;
}

/** Code that ran, or a picture of what it did. */
export type Shown =
  | { readonly kind: "code"; readonly source: string; readonly result?: string }
  | { readonly kind: "picture"; readonly picture: Picture };

/** A question as the reader gets it: without the answer. */
export interface Asked {
  readonly kind: Question["kind"];
  readonly text: string;
  readonly options?: readonly string[];
  readonly unit?: string;
  /** The picture of `before` that it is about. */
  readonly picture?: string;
}

/** What became of a prediction. */
export interface Verdict {
  readonly right: boolean;
  /** What the reader has said, and, unless it is right, why it is wrong. */
  readonly said: string;
  readonly wrong?: string;
  /** What is right, and why. */
  readonly answer: string;
  readonly because: string;
}

/** A step that ran, or that waits for a prediction: plain data. */
export interface Frame {
  readonly chapter: number;
  /** Counted from 1. */
  readonly step: number;
  readonly steps: number;
  readonly title: string;
  readonly text: string;
  readonly ask?: Asked;
  /** The pictures that were on the stage before the step ran. */
  readonly before: readonly Picture[];
  /** The step that has shown them. */
  readonly beforeStep?: number;
  /** Whether the step has run. */
  readonly done: boolean;
  readonly shown: readonly Shown[];
  readonly after?: string;
  readonly verdict?: Verdict;
  /** How the process ended, if it did. */
  readonly ended?: string;
}
