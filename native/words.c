/* The calls of hot operations: words, copies, and whole messages of a lane. */

/* ---- words, sequentially consistent ---- */

#define WORD(address) ((uint64_t *)POINTER(address))
#define VALUE(value) ((uint64_t)(int64_t)(value))

/* Returns the value; no earlier plain read moves behind this. */
EXPORT double vring_load64(double word)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(WORD(word), __ATOMIC_SEQ_CST);
}

/* Stores the value; no later plain access moves before this. */
EXPORT void vring_store64(double word, double value)
{
    __atomic_store_n(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
#if !defined(__x86_64__) /* x86_64 stores by xchg, which nothing passes */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * Stores the value after every earlier store and before every later one. Loads may pass it: x86_64
 * keeps the order of stores by itself, and an xchg would wait for all of them.
 */
EXPORT void vring_store32(double word, uint32_t value)
{
#if defined(__x86_64__)
    __atomic_store_n((uint32_t *)POINTER(word), value, __ATOMIC_RELEASE);
#else
    __atomic_store_n((uint32_t *)POINTER(word), value, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * Stores a word, then loads another. No fence is needed on aarch64. The store is an stlr and the
 * load an ldar, which the processor keeps in this order at any size; plain accesses before the stlr
 * stay before it, and those after the ldar stay after it. So a later plain access never passes the
 * store either.
 */
EXPORT uint32_t vring_store_then_load32(double word, uint32_t value, double other)
{
    __atomic_store_n((uint32_t *)POINTER(word), value, __ATOMIC_SEQ_CST);
    return __atomic_load_n((uint32_t *)POINTER(other), __ATOMIC_SEQ_CST);
}

/*
 * Stores a position, then loads a bell: a publisher's two steps in one call. In a registered
 * process the load may pass the store, and only the compiler is kept from moving it.
 */
#define PUBLISH(type, word, value, bell)                                                     \
    if (is_unfenced()) {                                                                     \
        __atomic_store_n((type *)POINTER(word), value, __ATOMIC_RELEASE);                    \
        __atomic_signal_fence(__ATOMIC_SEQ_CST);                                             \
    } else {                                                                                 \
        __atomic_store_n((type *)POINTER(word), value, __ATOMIC_SEQ_CST);                    \
    }                                                                                        \
    return __atomic_load_n((uint32_t *)POINTER(bell), __ATOMIC_SEQ_CST)

EXPORT uint32_t vring_publish32(double word, uint32_t value, double bell)
{
    PUBLISH(uint32_t, word, value, bell);
}

EXPORT uint32_t vring_publish64(double word, double value, double bell)
{
    PUBLISH(uint64_t, word, VALUE(value), bell);
}

extern void *memcpy(void *target, const void *source, size_t length) __attribute__((weak));

/*
 * Copies from shared memory into an array (a copy in JavaScript needs a view, at 20 ns). Then
 * returns the value of a word, as vring_load64 does, if one is given.
 */
static void copy(uint8_t *target, const uint8_t *source, size_t length)
{
    if (memcpy) memcpy(target, source, length);
    else while (length--) *target++ = *source++;
}

EXPORT double vring_copy_out(uint8_t *target, double source, uint32_t length, double word)
{
    copy(target, POINTER(source), length);
    return word == 0 ? 0 : vring_load64(word);
}

EXPORT double vring_exchange64(double word, double value)
{
    return __atomic_exchange_n(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_add64(double word, double value)
{
    return __atomic_fetch_add(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_or64(double word, double value)
{
    return __atomic_fetch_or(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_and64(double word, double value)
{
    return __atomic_fetch_and(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_compare_exchange64(double word, double expected, double desired)
{
    uint64_t seen = VALUE(expected);
    __atomic_compare_exchange_n(WORD(word), &seen, VALUE(desired), 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    return seen;
}

/* ---- whole messages of a lane: what record.ts does in several calls, in the same order ---- */

/* Copies a message behind its length, stores the length and publishes the position; see PUBLISH. */
EXPORT uint32_t vring_send(const uint8_t *message, uint32_t length, double record, double word,
                           uint32_t value, double bell)
{
    volatile double *header = POINTER(record); /* each store keeps its place */
    copy((uint8_t *)(header + 1), message, length);
    *header = length;
    PUBLISH(uint32_t, word, value, bell);
}

/* Copies a message out, stores a pair of a position and a count, and publishes the position. */
EXPORT uint32_t vring_receive(uint8_t *target, uint32_t length, double message, double pair,
                              double count, double word, uint32_t value, double bell)
{
    volatile double *counts = POINTER(pair);
    copy(target, POINTER(message), length);
    counts[0] = value;
    counts[1] = count;
    PUBLISH(uint32_t, word, value, bell);
}
