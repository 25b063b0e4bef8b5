/**
 * Three hints for each exercise: what to look at, the idea, and almost the code.
 *
 * @module
 */

/** The hints by the key of the chapter. */
export const HINTS: Readonly<Record<string, readonly [string, string, string]>> = {
  one_byte: [
    "Two questions: is it your turn, and what is the number?",
    "Return at once if `bytes[0]` is not 1. Otherwise there are two stores. Which comes last?",
    "`bytes[1] = bytes[1]! + 1`, and only then `bytes[0] = 0`.",
  ],
  pages: [
    "Draw two pages, and a write of two bytes. Where can it begin so that it touches both?",
    "Only two bytes count: the first and the last. In which page is each?",
    "The page of a byte is `Math.floor(address / page)`, and the last byte is at " +
    "`address + length - 1`. A length of 0 has no last byte.",
  ],
  page_tables: [
    "With two frames, four pages need entries. Which frame is the third for? In which table is " +
    "its entry, if the first page is the last of its 4 MiB?",
    "Do everything for each page: find its entry in the first table, take a table if that one is " +
    "not present, fill in the entry, invalidate the page.",
    "The table is `memory.load32(root + 4 * (page >>> 22)) & ~4095`, its entry is number `(page " +
    ">>> 12) & 1023`, and the frame is `frames[i % frames.length]`.",
  ],
  memory_file: [
    "How long is a memory file when it is new? Which call gives it memory, and not only a length?",
    "Reserve before use: `allocate` extends the file and fills its holes. And each call can fail.",
    "Call `memfd`, `allocate` and `map`; return the first result below 0. Close the fd in a " +
    "`finally` block: the mapping holds the file.",
  ],
  two_addresses: [
    "An address only leads to a byte. What in the list identifies the byte itself?",
    "Find the range of each address. Compare the files, and the places in the file.",
    "The place is `range.offset + (address - range.start)`. The inodes must be equal and not 0, " +
    "and both permissions must end in `s`.",
  ],
  mirror_ring: [
    "In the file the ring begins behind the header. Where in the file does the second window begin?",
    "Each of the three calls can fail. One `unmap` of the whole range removes all that was mapped.",
    "Pass `offset: header` to the last `map`. If any result is below 0, unmap `header + 2 * " +
    "capacity` bytes from the base, unless the base itself is the error.",
  ],
  heatshrink: [
    "Five bytes back, eight bytes: which five can you copy at once? What is there then?",
    "Copy in pieces. No piece may be longer than what lies between the beginning of the pattern and " +
    "the place to write to.",
    "`from` stays. While `done < length`: the piece is `Math.min(distance + done, length - done)`, " +
    "it goes to `from + distance + done`, and `done` grows by it.",
  ],
  who_is_alive: [
    "What a member stores stays when it is killed. What goes with it?",
    "Let a lock be the membership: hold the byte of your place, and store nothing at all.",
    "`join` returns the first place for which `tryLock` is true. `living` lists `mine` and every " +
    "place for which `isLockedByOther` is true. `leave` unlocks.",
  ],
  shared_memory: [
    "You may die after any store. Which stores may come first without harm?",
    "Write down the result, not the change; then mark the note as valid with one store.",
    "Store `ann - coins` and `ben + coins` in two notes, set the third to 1, move both purses from " +
    "the notes, and set it to 0. `repair` does the same moves if it finds a 1.",
  ],
  semaphore_lock: [
    "Which of the two halves does the kernel drop at a death? Take that one first.",
    "A free record lock and a number of 0 mean that an owner died. The heir leaves the number at 0.",
    "`enter`: busy unless `tryRecord()`; then clean if `tryWait()`, else dirty. `leave`: `post()`, and " +
    "then `dropRecord()`.",
  ],
  four_rings: [
    "In each function, which store gives something away? What may happen right after it?",
    "A difference of positions that wrap is right once it is taken as an unsigned 32-bit number.",
    "Fill before you mark; `(head - tail) >>> 0`; compute with `tailSeen` before you call " +
    "`loadTail`; call the handler before `storeTail`.",
  ],
  memory_order: [
    "Four stores and loads of `count` enclose the bytes. For each: must it stay in front of the bytes, " +
    "or behind them?",
    "A release stays behind what came before it, an acquire in front of what follows. Those two are " +
    "cheap. For the other two directions there is only the barrier.",
    "`storeFirst`, the bytes, `store`; and `load`, the bytes, `loadLast`. Only the writer stores " +
    "`count`, so it may glance at it.",
  ],
  cache_lines: [
    "Which words may share a line? Write down both parties of each word.",
    "Collect the words with the same two parties, wherever they are in the list. Each such group " +
    "begins a new line.",
    "Sort a group by size, the large ones first. The first goes to `Math.ceil(end / 64) * 64`, and " +
    "each next one behind the last.",
  ],
  doorbell: [
    "Read the operations from the last one back: which value did the reader sleep on, and who changed it?",
    "A flag of 1 looks like any other 1. Let the bell also count how often it rang.",
    "`sleep`: set bit 0 with `or(1)`, look again, sleep while the value is what you set. `ring`: " +
    "if bit 0 is set, `addAndWake()`.",
  ],
  explorer: [
    "A move leads from one state to another. How do you come back to the first, to take the next move?",
    "Keep a list of states to go on from, each with the moves that led there, and a set of the states " +
    "that you know. Take a state from the front, put those that follow at the back.",
    "`for (const { state, path } of left)`: leave out known ones by `JSON.stringify(state)`; return " +
    "`path` if it is lost; for each move, `copyOf(state)`, step or kill, and push.",
  ],
  overwriting_buffer: [
    "The writer may lap you while you copy. What can you ask it after the copy?",
    "A copy counts only if the message was still intact after it. Copy first, then look.",
    "Copy, then ask `oldest()` once. If it is above `next`, the message is lost: return the " +
    "difference, and that same number as `next`.",
  ],
  leapfrog_ring: [
    "Draw five places and the two windows at the last two. Where can the first one leap?",
    "When the ring starts over, the first window is empty. So the second one becomes the first, at " +
    "`start`, and all positions move back by the difference.",
    "The difference is `first + capacity - start`. Show `start` and `start + capacity`, keep the " +
    "old second window in `left`, and hide it when the next leap comes.",
  ],
  many_producers: [
    "A hint that arrives while you look must not be cleared unseen. Which call prevents that?",
    "Take the hints before you look into the lanes, and keep in `mind.bits` what is not empty yet.",
    "`mind.bits |= ring.takeHints()`; go round from `mind.last + 1`; clear a bit only when its lane " +
    "was empty.",
  ],
  vring: [
    "The next writer sees only the words. What must be there before the first reader gets anything?",
    "The journal first, the readers then, `sequence` last. A word with the number was served.",
    "`finish` delivers only if the journal is `sequence() + 1`. Skip readers whose " +
    "`load(k) >>> 2` is the number; compare and exchange the others.",
  ],
  vdds: [
    "A sample that you release may be overwritten at once. When are you done with it?",
    "`tryTakeLatest` skips to the newest, and `using` releases it however the block ends.",
    "`using sample = subscriber.tryTakeLatest()`; return if there is none; report `lost` if it is " +
    "not 0; draw `sample.bytes` in place.",
  ],
  any_of_many: [
    "A message can arrive after your look and before the bell is up. What must follow the raise?",
    "Look; raise the bells of the mask; look again; only then sleep. Remember what you report.",
    "One function looks at the slots of the mask and updates `mind.seen`. Call it before and after " +
    "raising, return what it finds, and otherwise sleep on all values.",
  ],
  slots: [
    "The writer does not know you. How do you find out that it was in the entry meanwhile?",
    "Copy first, then compare the stamp with the number. A number that is not there counts as lost.",
    "From `max(seen, last - depth) + 1` to `last`: copy, compare `stamp`, and return with " +
    "`lost = number - before - 1`, where `before` is the last number that you returned.",
  ],
  calls: [
    "There are two questions about each number: may an answer still come, and does somebody wait?",
    "A time-out answers only the second one. The number is free when the answer comes, or never will.",
    "`receive` returns `waits` and frees the number. `expire` sets `waits` to false. `lose` returns " +
    "those that wait, and frees all numbers of the server.",
  ],
  bridge: [
    "Every number belongs to exactly one place. Which numbers does this message tell you about?",
    "The gap before the first new frame was lost before, inside or on the wire. The totals say how " +
    "many of the first two.",
    "Return if the end is not above `last`. Begin at `max(first, last + 1)`. `wire` grows by the gap " +
    "less what `before` and `inside` have grown by. `lost` is `number - published - 1`.",
  ],
  your_ring: [
    "Take the first check that fails: its first words name a stage. The exercise of the chapter " +
    "behind that stage has the same idea in small.",
    "The tests are beside memory.ts, in check_positions.ts and check_waiting.ts. For each " +
    "word, write down who stores it, and what is true once the other side sees it.",
    "tutorials/answers has a file for each stage: ring_mirror.ts, ring_positions.ts, ring_order.ts, ring_bell.ts. " +
    "Compare yours with the one of the stage that fails.",
  ],
};
