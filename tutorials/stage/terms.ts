/**
 * The terms of the course. Each explains itself where it appears in prose.
 *
 * @module
 */

/** An explanation of one or two sentences by term. */
export const TERMS: Readonly<Record<string, string>> = {
  process:
    "A program that is running. The system gives each its own memory, and a number, its pid.",
  byte: "The smallest piece of memory that has an address: a number from 0 to 255.",
  page: "The unit in which the kernel hands out memory: 4096 bytes on most machines.",
  address: "The number of a byte in the memory of a process.",
  "page table":
    "Entries that say for each page of addresses where it is in memory, and who may use it.",
  "physical memory": "The bytes that the computer really has, counted from 0.",
  frame: "A piece of physical memory that has room for one page.",
  fault: "What the processor reports when it cannot translate an address, or may not use it so.",
  element: "A part of a compressed stream: one byte, or where to copy how many bytes from.",
  cache: "A small, fast memory in a processor, with copies of the lines that it has used.",
  line: "The piece of memory that a cache copies at once: 64 bytes on most processors.",
  "false sharing":
    "Two processors store different words of one line, and take the line from each " +
    "other.",
  range: "Addresses in a row that a program has reserved for one purpose.",
  TLB: "Translation lookaside buffer: where a processor keeps the last translations of addresses.",
  invalidate: "To make the TLB drop a translation, so that the next access walks the tables again.",
  section: "A piece of 1 MiB that one entry of an ARM table maps.",
  ring:
    "Memory in which one side writes and the other reads behind it; at the end, both continue " +
    "at the beginning.",
  kernel: "The part of the system that hands out memory and processors; on Linux, Linux itself.",
  mmap: "The system call that maps memory: it gives addresses to pages.",
  offset: "How far a byte is from the beginning of something, such as its page.",
  anonymous: "Memory without a file behind it.",
  private: "Memory of one process: its writes are seen by no other one.",
  shared: "Memory whose writes go to the file behind it, where all that map it see them.",
  "resident memory": "The real memory behind addresses now. The kernel calls it Rss.",
  mapping: "A range of addresses with pages behind it.",
  SIGSEGV: "The signal with which the kernel ends a program that touches memory it may not touch.",
  SIGBUS: "The signal with which the kernel ends a program that touches a page which is mapped, " +
    "but whose file ends before it.",
  ArrayBuffer: "JavaScript's piece of memory. Here it lies over the mapped bytes themselves.",
  detach: "To take the memory away from an ArrayBuffer. Its length becomes 0.",
  fd: "File descriptor: a process's small number for an open file.",
  inode: "The number of a file on its device. It stays, whatever the file is called.",
  errno: "The number of an error of the kernel. Each has a name, such as EBADF for 9.",
  hole: "A page within the length of a file that has no memory.",
  hexadecimal: "Numbers with sixteen digits, 0 to 9 and a to f, written with 0x in front.",
  pid: "Process id: the number that the system gives a process while it exists.",
  "record lock":
    "A lock on a byte of a file. An open file holds it until it unlocks the byte or is " +
    "closed, which the kernel does when the process ends.",
  "kill at step N":
    "A test that lets a process die before its Nth operation, for each N, and looks at " +
    "what is left.",
  futex: "A word of memory on which the kernel lets threads sleep: a fast user-space mutex.",
  seam: "The place where the end of a ring meets its beginning.",
  "copy on write": "A private mapping shares a page until the first write, which makes a copy.",
  release: "A store before which everything that its thread did earlier becomes visible.",
  acquire: "A load after which everything that its thread loads later is served.",
  barrier: "An instruction that keeps all memory operations before it apart from all after it.",
  "little-endian": "A number of several bytes is stored with its lowest byte first.",
  hint: "A word that says where to look. It may be wrong after a death, and is never believed.",
  lane: "The part of a ring that one producer has for itself.",
  vring:
    "A table of samples in shared memory, and rings with their indexes: one for free samples, " +
    "and one for each reader.",
  "compare-and-exchange": "One operation that changes a word only if it has the expected value, " +
    "and returns the value that it found.",
  topic: "Samples with a name: one process publishes them, and many subscribe.",
  handle: "The object with which a program uses shared memory, a lock, a ring, a topic or a slot.",
  loan: "Room for a sample that a publisher has borrowed and not published yet.",
  policy:
    "What a publisher does when no sample is free: wait, drop the oldest, or drop the newest.",
  futex_waitv: "A system call of Linux 5.16 that sleeps on up to 128 words at once.",
  slot: "A place for the newest message, and the last few before it. Readers take nothing away.",
  stamp: "The number of the complete message in an entry; 0 while it is written.",
  observer: "A reader with no right to write, which takes no lock.",
  call: "A request and its answer.",
  handler: "The function of a server that gets a request and returns the answer.",
  bridge: "A process that carries topics between machines, over a network.",
  origin: "The first publisher of a sample, and the number that it had there.",
};
