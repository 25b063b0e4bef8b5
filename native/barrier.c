/*
 * A barrier for one side: src/wait/doorbell.ts, P1.
 *
 * MEMBARRIER_CMD_GLOBAL_EXPEDITED is a barrier on every processor that runs a process which has
 * registered, and a process that is not running has passed one. So a registered waker needs no fence
 * between its store and its load of a bell: the sleeper has the barrier in its stead.
 *
 * The kernel takes 10 to 20 ms to register a process with several threads, so a thread does it in
 * the background. `is_registered` is set once it is done. Until then, or if the kernel refuses, the
 * waker keeps its fence. A process that forks passes its registration on.
 *
 * On aarch64 no fence can be saved: an ldar waits for the stlr before it.
 */
#if defined(__x86_64__)

#define BARRIER_BUDGET 20000.0 /* nanoseconds */

static int32_t is_registered;

extern int pthread_create(unsigned long *thread, const void *attributes,
                          void *(*start)(void *), void *argument) __attribute__((weak));
extern int pthread_detach(unsigned long thread) __attribute__((weak));

static void *register_process(void *unused)
{
    long result = call3(__NR_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
    if (result == 0) __atomic_store_n(&is_registered, 1, __ATOMIC_SEQ_CST);
    return unused;
}

static void begin_registering(void)
{
    unsigned long thread;
    if (!pthread_create || !pthread_detach) return;
    if (pthread_create(&thread, NULL, register_process, NULL) == 0) pthread_detach(thread);
}

/* Whether sleepers order this waker's store and load. No later load moves before this. */
static int32_t is_unfenced(void)
{
    return __atomic_load_n(&is_registered, __ATOMIC_ACQUIRE);
}

static double now(void);

/*
 * Puts a barrier into all wakers: what they stored before it is visible now, and what they load
 * after it shows what this thread stored before. Where the kernel refuses, a moment passes instead.
 * A processor keeps a store from others for less than a microsecond, unless it is stopped.
 */
EXPORT int32_t vring_order_others(void)
{
    long result = call3(__NR_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    if (result == 0) return 0;
    for (double end = now() + BARRIER_BUDGET; now() < end;) __asm__ volatile("pause");
    return result;
}

#else

static void begin_registering(void)
{
}

static int32_t is_unfenced(void)
{
    return 0;
}

/* A barrier in this thread only, which is all that is missing here. */
EXPORT int32_t vring_order_others(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return 0;
}

#endif
