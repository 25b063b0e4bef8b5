/**
 * The C functions of the native libraries, as Deno calls them. Addresses, sizes and nanoseconds are
 * doubles: exact to 2^53, and the only 64-bit form on the engine's fast call path.
 *
 * @module
 */

/** The functions of `native/vring.c`. Results are values or -errno. */
export const LIBRARY_SYMBOLS = {
  // int32_t vring_open(const char *path, uint32_t flags, uint32_t mode)
  vring_open: { parameters: ["buffer", "u32", "u32"], result: "i32" },
  // int32_t vring_close(int32_t fd)
  vring_close: { parameters: ["i32"], result: "i32" },
  // int32_t vring_read(int32_t fd, void *buffer, uint32_t length, double offset)
  vring_read: { parameters: ["i32", "buffer", "u32", "f64"], result: "i32" },
  // int32_t vring_post(int32_t fd)
  vring_post: { parameters: ["i32"], result: "i32" },
  // int32_t vring_truncate(int32_t fd, double length)
  vring_truncate: { parameters: ["i32", "f64"], result: "i32" },
  // int32_t vring_allocate(int32_t fd, double offset, double length)
  vring_allocate: { parameters: ["i32", "f64", "f64"], result: "i32" },
  // int32_t vring_fill(int32_t fd, double offset, double length)
  vring_fill: { parameters: ["i32", "f64", "f64"], result: "i32" },
  // int32_t vring_chmod(int32_t fd, uint32_t mode)
  vring_chmod: { parameters: ["i32", "u32"], result: "i32" },
  // int32_t vring_set_group(int32_t fd, uint32_t group)
  vring_set_group: { parameters: ["i32", "u32"], result: "i32" },
  // int32_t vring_link(const char *proc_path, const char *path)
  vring_link: { parameters: ["buffer", "buffer"], result: "i32" },
  // int32_t vring_unlink(const char *path)
  vring_unlink: { parameters: ["buffer"], result: "i32" },
  // int32_t vring_stat(int32_t fd, double *out)
  vring_stat: { parameters: ["i32", "buffer"], result: "i32" },
  // int32_t vring_stat_path(const char *path, double *out)
  vring_stat_path: { parameters: ["buffer", "buffer"], result: "i32" },
  // int32_t vring_space(const char *path, double *out)
  vring_space: { parameters: ["buffer", "buffer"], result: "i32" },
  // int32_t vring_list(int32_t directory, void *buffer, uint32_t length)
  vring_list: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int32_t vring_uid(void)
  vring_uid: { parameters: [], result: "i32" },

  // double vring_map(double owner, double length, double alignment, int32_t protection,
  //                  int32_t flags, int32_t fd, double offset)
  vring_map: { parameters: ["f64", "f64", "f64", "i32", "i32", "i32", "f64"], result: "f64" },
  // double vring_map_part(double address, double length, int32_t protection, int32_t flags,
  //                       int32_t fd, double offset)
  vring_map_part: { parameters: ["f64", "f64", "i32", "i32", "i32", "f64"], result: "f64" },
  // int32_t vring_unmap(double address, double length)
  vring_unmap: { parameters: ["f64", "f64"], result: "i32" },
  // int32_t vring_retire(double address)
  vring_retire: { parameters: ["f64"], result: "i32" },
  // int32_t vring_place(double address)
  vring_place: { parameters: ["f64"], result: "i32" },
  // double vring_faults(void)
  vring_faults: { parameters: [], result: "f64" },
  // void vring_ranges(double *out)
  vring_ranges: { parameters: ["buffer"], result: "void" },
  // double vring_isolate_ended(void)
  vring_isolate_ended: { parameters: [], result: "f64" },
  // double vring_copy_out(uint8_t *target, double source, uint32_t length, double word)
  vring_copy_out: { parameters: ["buffer", "f64", "u32", "f64"], result: "f64" },

  // double vring_load64(double word)
  vring_load64: { parameters: ["f64"], result: "f64" },
  // void vring_store64(double word, double value)
  vring_store64: { parameters: ["f64", "f64"], result: "void" },
  // void vring_store32(double word, uint32_t value)
  vring_store32: { parameters: ["f64", "u32"], result: "void" },
  // uint32_t vring_store_then_load32(double word, uint32_t value, double other)
  vring_store_then_load32: { parameters: ["f64", "u32", "f64"], result: "u32" },
  // uint32_t vring_publish32(double word, uint32_t value, double bell)
  vring_publish32: { parameters: ["f64", "u32", "f64"], result: "u32" },
  // uint32_t vring_publish64(double word, double value, double bell)
  vring_publish64: { parameters: ["f64", "f64", "f64"], result: "u32" },
  // uint32_t vring_send(const uint8_t *message, uint32_t length, double record, double word,
  //                     uint32_t value, double bell)
  vring_send: { parameters: ["buffer", "u32", "f64", "f64", "u32", "f64"], result: "u32" },
  // uint32_t vring_receive(uint8_t *target, uint32_t length, double message, double pair,
  //                        double count, double word, uint32_t value, double bell)
  vring_receive: {
    parameters: ["buffer", "u32", "f64", "f64", "f64", "f64", "u32", "f64"],
    result: "u32",
  },
  // double vring_exchange64(double word, double value)
  vring_exchange64: { parameters: ["f64", "f64"], result: "f64" },
  // double vring_add64(double word, double value)
  vring_add64: { parameters: ["f64", "f64"], result: "f64" },
  // double vring_or64(double word, double value)
  vring_or64: { parameters: ["f64", "f64"], result: "f64" },
  // double vring_and64(double word, double value)
  vring_and64: { parameters: ["f64", "f64"], result: "f64" },
  // double vring_compare_exchange64(double word, double expected, double desired)
  vring_compare_exchange64: { parameters: ["f64", "f64", "f64"], result: "f64" },

  // double vring_now(void)
  vring_now: { parameters: [], result: "f64" },
  // double vring_time(void)
  vring_time: { parameters: [], result: "f64" },
  // int32_t vring_sleep(double deadline)
  vring_sleep: { parameters: ["f64"], result: "i32" },
  // int32_t vring_spin(double word, uint32_t expected, double budget)
  vring_spin: { parameters: ["f64", "u32", "f64"], result: "i32" },

  // int32_t vring_order_others(void)
  vring_order_others: { parameters: [], result: "i32" },
  // int32_t vring_futex_wait(double word, uint32_t expected, double deadline, uint32_t bitset)
  vring_futex_wait: { parameters: ["f64", "u32", "f64", "u32"], result: "i32" },
  // int32_t vring_futex_wake(double word, int32_t count, uint32_t bitset)
  vring_futex_wake: { parameters: ["f64", "i32", "u32"], result: "i32" },
  // int32_t vring_futex_add_wake(double word)
  vring_futex_add_wake: { parameters: ["f64"], result: "i32" },
  // int32_t vring_futex_waitv(double words, uint32_t count, double deadline)
  vring_futex_waitv: { parameters: ["f64", "u32", "f64"], result: "i32" },
  // int32_t vring_futex_scan(double vector, uint32_t count, double deadline, double slice,
  //                          int32_t has_waitv, int32_t interrupts)
  vring_futex_scan: { parameters: ["f64", "u32", "f64", "f64", "i32", "i32"], result: "i32" },

  // int32_t vring_lock(int32_t fd, int32_t kind, double start, double length)
  vring_lock: { parameters: ["i32", "i32", "f64", "f64"], result: "i32" },
  // int32_t vring_lock_test(int32_t fd, int32_t kind, double start, double length)
  vring_lock_test: { parameters: ["i32", "i32", "f64", "f64"], result: "i32" },
  // double vring_lock_find(int32_t fd, double start, double length)
  vring_lock_find: { parameters: ["i32", "f64", "f64"], result: "f64" },

  // double vring_semaphore_open(const char *name, uint32_t mode)
  vring_semaphore_open: { parameters: ["buffer", "u32"], result: "f64" },
  // int32_t vring_semaphore_close(double semaphore)
  vring_semaphore_close: { parameters: ["f64"], result: "i32" },
  // int32_t vring_semaphore_unlink(const char *name)
  vring_semaphore_unlink: { parameters: ["buffer"], result: "i32" },
  // int32_t vring_semaphore_try(double semaphore)
  vring_semaphore_try: { parameters: ["f64"], result: "i32" },
  // int32_t vring_semaphore_post(double semaphore)
  vring_semaphore_post: { parameters: ["f64"], result: "i32" },

  // int32_t vring_interrupts(void)
  vring_interrupts: { parameters: [], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** Picks functions of the library by name. */
function some<K extends keyof typeof LIBRARY_SYMBOLS>(
  ...names: K[]
): Pick<typeof LIBRARY_SYMBOLS, K> {
  const picked = names.map((name) => [name, LIBRARY_SYMBOLS[name]] as const);
  return Object.fromEntries(picked) as Pick<typeof LIBRARY_SYMBOLS, K>;
}

// Deno compiles a direct call to each of the following, which takes 0.2 ms: so they are opened in
// groups, at first use. All other functions are called by address, which costs 2 us more and no
// preparation.

/** The functions that every hot operation calls. */
export const WORD_SYMBOLS = some(
  "vring_publish32",
  "vring_store_then_load32",
  "vring_copy_out",
  "vring_send",
  "vring_receive",
  "vring_now",
  "vring_spin",
);

/** The functions of words of 64 bits. */
export const WIDE_SYMBOLS = some(
  "vring_load64",
  "vring_store64",
  "vring_store32",
  "vring_publish64",
  "vring_exchange64",
  "vring_add64",
  "vring_or64",
  "vring_and64",
  "vring_compare_exchange64",
  "vring_time",
);

/** The functions of sleeping and waking. */
export const FUTEX_SYMBOLS = some(
  "vring_futex_wait",
  "vring_futex_wake",
  "vring_futex_add_wake",
  "vring_order_others",
);

/** The functions of `native/sentinel.c`. */
export const SENTINEL_SYMBOLS = {
  // double sentinel_owner(void)
  sentinel_owner: { parameters: [], result: "f64" },
  // void sentinel_adopt(int32_t fd)
  sentinel_adopt: { parameters: ["i32"], result: "void" },
  // void sentinel_connect(double retire)
  sentinel_connect: { parameters: ["f64"], result: "void" },
  // int32_t sentinel_fifo(const char *path)
  sentinel_fifo: { parameters: ["buffer"], result: "i32" },
  // int32_t sentinel_open(const char *path, uint32_t flags, uint32_t mode)
  sentinel_open: { parameters: ["buffer", "u32", "u32"], result: "i32" },
  // int32_t sentinel_memfd(const char *name, uint32_t flags)
  sentinel_memfd: { parameters: ["buffer", "u32"], result: "i32" },
  // int32_t sentinel_close(int32_t fd)
  sentinel_close: { parameters: ["i32"], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** The functions of the library that run on a thread of Deno's pool. */
export const NONBLOCKING = {
  vring_futex_waitv: { parameters: ["f64", "u32", "f64"], result: "i32", nonblocking: true },
  vring_futex_scan: {
    parameters: ["f64", "u32", "f64", "f64", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** The few functions of the C library that load ours. */
export const LIBC_SYMBOLS = {
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // ssize_t write(int fd, const void *buffer, size_t length)
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int access(const char *path, int mode)
  access: { parameters: ["buffer", "i32"], result: "i32" },
  // int mkstemp(char *template)
  mkstemp: { parameters: ["buffer"], result: "i32" },
  // int unlink(const char *path)
  unlink: { parameters: ["buffer"], result: "i32" },
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Record<string, Deno.ForeignFunction>;
