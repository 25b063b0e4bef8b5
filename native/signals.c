/*
 * Handlers of signals, which pass each signal on to those of others.
 *
 * A handler of this library is put above the one in place, and passes each signal on to it. If it
 * kept only that one, two cases would recurse without end. Another library may put its handler
 * above this one, call this one from it, and be wrapped in its turn; and two copies of this library
 * may wrap each other. So a chain keeps every handler that it was put above, oldest first. When a
 * handler below calls this one again, the signal goes to the next older handler, and ends at the
 * oldest. In the picture F calls the handler that it found, which was this one, and H calls none:
 *
 *   handlers: H F      signal -> this one -> F -> this one -> H
 *
 * I1  A handler is listed once. If it is found in place again, a program put it there anew, and the
 *     handlers listed after it are dropped: they are out of use.
 * I2  No chain of SIGINT lists the handler of a chain. A copy of this library that finds the chain of
 *     another copy in place uses that one (`chain_of`), so copies never wrap each other.
 * I3  A thread is identified by its thread pointer: thread-local storage would need libc. Each
 *     passage of a signal keeps the length that the list had when the signal arrived. (A handler
 *     that leaves by longjmp never ends its passage; later signals of its thread skip handlers.)
 *
 * The action keeps the flags, the mask and the return trampoline of the handler in place. The
 * kernel has a field for the trampoline on both processors.
 */
typedef void handler(int signal, void *info, void *context);

struct kernel_action {
    handler *handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#define CHAIN_HANDLERS 16
#define CHAIN_THREADS 64
#define CHAIN_DEPTH 8 /* copies of the library in one process */

/* Copies of the library share chains: a change of this struct needs another mark in CHAIN_ENTRY. */
struct chain {
    handler *own; /* its entry */
    int32_t signal;
    int32_t changing; /* 1 while a thread changes the list */
    int32_t arrived;  /* signals, modulo 2^32 */
    uint32_t count;
    handler *handlers[CHAIN_HANDLERS]; /* oldest first */
    struct passage {
        uintptr_t thread; /* 0: free */
        uint32_t count, depth;
    } passages[CHAIN_THREADS];
};

/*
 * Defines the entry of a chain, which is the function that the kernel calls: a jump, a mark, the
 * distance to the chain, and then the jump to the handler. It is aligned to its 16 bytes, so that
 * looking for the mark in a foreign function never reads beyond the page of its first byte.
 */
#if defined(__x86_64__)
#define ENTRY_BEGIN "jmp 1f\n .ascii \"vring1\"\n"
#define ENTRY_JUMP "jmp "
#else
#define ENTRY_BEGIN "b 1f\n .ascii \"vrg1\"\n"
#define ENTRY_JUMP "b "
#endif
#define CHAIN_ENTRY(entry, chain, function)                                                 \
    __asm__(".text\n .balign 16\n" #entry ": " ENTRY_BEGIN ".long " #chain " - .\n .long 0\n" \
            "1: " ENTRY_JUMP #function "\n");                                               \
    extern handler entry __attribute__((visibility("hidden")))

struct chain_entry {
    uint64_t mark;
    int32_t distance; /* from here */
};

/*
 * Returns the chain whose entry this handler is, in any copy of this library; NULL for another one.
 */
static struct chain *chain_of(handler *handler, const struct chain *like)
{
    const struct chain_entry *entry = (void *)handler, *mine = (void *)like->own;
    if ((uintptr_t)entry % 16 != 0 || entry->mark != mine->mark) return NULL;
    return (void *)((char *)&entry->distance + entry->distance);
}

/* Lists a handler that the chain is put above (I1); returns 0 if the list is full. */
static int chain_list(struct chain *chain, handler *handler)
{
    uint32_t at = 0;
    while (at < chain->count && chain->handlers[at] != handler) at++;
    if (at == CHAIN_HANDLERS) return 0;
    __atomic_store_n(&chain->handlers[at], handler, __ATOMIC_SEQ_CST);
    __atomic_store_n(&chain->count, at + 1, __ATOMIC_SEQ_CST);
    return 1;
}

/* Whether a chain passes signals on to this handler, or to a chain that does. */
static int chain_reaches(const struct chain *chain, handler *target, int32_t depth)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        if (chain->handlers[i] == target) return 1;
        const struct chain *next = chain_of(chain->handlers[i], chain);
        if (next && depth > 0 && chain_reaches(next, target, depth - 1)) return 1;
    }
    return 0;
}

/* Returns the chain that makes a wrap of the handler in place needless, or NULL. */
static struct chain *chain_above(struct chain *chain, handler *in_place)
{
    struct chain *other = chain_of(in_place, chain);
    if (!other || other == chain || chain->signal != SIGBUS) return other;
    return chain_reaches(other, chain->own, CHAIN_DEPTH) ? other : NULL; /* I4 */
}

/* Puts the chain above the handler in place, if one is installed; returns the chain in place. */
static struct chain *chain_wrap(struct chain *chain)
{
    struct kernel_action current, replaced;
    struct chain *found = NULL;
    if (__atomic_exchange_n(&chain->changing, 1, __ATOMIC_SEQ_CST)) return chain;
    while (call4(__NR_rt_sigaction, chain->signal, NULL, &current, 8) == 0 &&
           (uintptr_t)current.handler > 1 && !(found = chain_above(chain, current.handler)) &&
           chain_list(chain, current.handler)) {
        struct kernel_action action = current;
        action.handler = chain->own;
        action.flags |= SA_SIGINFO | (chain->signal == SIGBUS ? SA_ONSTACK : 0);
        call4(__NR_rt_sigaction, chain->signal, &action, &replaced, 8);
        if (replaced.handler == current.handler) break;
        call4(__NR_rt_sigaction, chain->signal, &replaced, NULL, 8); /* installed meanwhile */
    }
    __atomic_store_n(&chain->changing, 0, __ATOMIC_SEQ_CST);
    return found ? found : chain;
}

/*
 * Returns the passage of this thread, a new one if the signal has just arrived; NULL if all are
 * taken.
 */
static struct passage *chain_enter(struct chain *chain)
{
    uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
    struct passage *passages = chain->passages;
    for (int i = 0; i < CHAIN_THREADS; i++)
        if (__atomic_load_n(&passages[i].thread, __ATOMIC_SEQ_CST) == thread) return &passages[i];
    for (int i = 0; i < CHAIN_THREADS; i++) {
        uintptr_t none = 0;
        if (!__atomic_compare_exchange_n(&passages[i].thread, &none, thread, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST)) continue;
        passages[i].count = __atomic_load_n(&chain->count, __ATOMIC_SEQ_CST);
        return &passages[i];
    }
    return NULL;
}

/* Counts a signal and passes it on to the handler below; returns 0 if there was never one. */
static int chain_pass(struct chain *chain, int signal, void *info, void *context)
{
    __atomic_fetch_add(&chain->arrived, 1, __ATOMIC_SEQ_CST);
    struct passage *passage = chain_enter(chain);
    if (!passage) return 0;
    uint32_t depth = passage->depth++;
    if (depth < passage->count) {
        handler **next = &chain->handlers[passage->count - 1 - depth];
        __atomic_load_n(next, __ATOMIC_SEQ_CST)(signal, info, context);
    }
    passage->depth = depth;
    int had_any = passage->count > 0;
    if (depth == 0) __atomic_store_n(&passage->thread, 0, __ATOMIC_SEQ_CST);
    return had_any;
}

/* ---- Ctrl-C during a blocking wait ---- */

/*
 * Once a program listens to SIGINT, the signal no longer ends it. Its listener runs on the event
 * loop, which a blocking wait holds up. So a handler that counts is put above the one in place, and
 * a blocking wait gives up when the count changes.
 */
CHAIN_ENTRY(interrupt_entry, interrupt_chain, on_interrupt);

static struct chain interrupt_chain __attribute__((used));

__attribute__((used)) static void on_interrupt(int signal, void *info, void *context)
{
    chain_pass(&interrupt_chain, signal, info, context);
}

static struct chain *in_place = &interrupt_chain; /* of this or another copy of the library */
static int32_t shift; /* keeps the number below when another chain is in place */

/* Returns the number of SIGINTs so far, by the chain that was last found in place. */
static int32_t count_interrupts(void)
{
    struct chain *chain = __atomic_load_n(&in_place, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&shift, __ATOMIC_SEQ_CST) +
        __atomic_load_n(&chain->arrived, __ATOMIC_SEQ_CST);
}

/* Returns a number that changes with every SIGINT, once a call has found a listener. */
EXPORT int32_t vring_interrupts(void)
{
    struct chain *before = __atomic_load_n(&in_place, __ATOMIC_SEQ_CST);
    struct chain *now = chain_wrap(before);
    int32_t arrived = __atomic_load_n(&now->arrived, __ATOMIC_SEQ_CST);
    if (now != before) {
        __atomic_fetch_add(&shift, before->arrived - arrived, __ATOMIC_SEQ_CST);
        __atomic_store_n(&in_place, now, __ATOMIC_SEQ_CST);
    }
    return __atomic_load_n(&shift, __ATOMIC_SEQ_CST) + arrived;
}

/* ---- SIGBUS: memory that a peer took away ---- */

/*
 * A process that may write to a file may also shorten it. A touch of a page beyond the end is then a
 * SIGBUS, which ends a process. So is a touch of a hole when /dev/shm is full, and of a huge page
 * when the system has none left.
 *
 * The handler looks for the address in the table of ranges, without a lock. The thread that faults
 * is using the range, so its place does not change meanwhile. A fault makes the whole range
 * unusable, for good. The handler sets its word in `faults`, and then puts private zeros in the
 * place of all its memory, both windows of a mirror and huge pages included. The thread then reads
 * zeros. Zeros in one page alone would be worse: an operation could then store its result in a
 * page that peers still see, or two handles could both acquire one lock.
 *
 *   thread               handler                        src/memory/mapping.ts
 *   touches a page  -->  faults[place] = 1
 *                        zeros for the whole range
 *   reads 0         <--
 *   ...                                                 after its last touch an operation loads the
 *                                                       word, and throws instead of returning
 *
 * I4  Every copy of the library must see a SIGBUS, as each has a table of its own. So one that finds
 *     the chain of another copy in place wraps it, unless that passes signals on to this one.
 * I5  Threads that fault at the same time each put zeros there; none has stored anything that counts.
 * C1  A fault of any other address, of another cause, or of a range where the kernel refuses the
 *     zeros, goes to the handler below. Without one, the process ends as it would without this library.
 *
 * The kernel's own accesses never fault: a system call returns EFAULT.
 */
CHAIN_ENTRY(fault_entry, fault_chain, on_fault);

static struct chain fault_chain __attribute__((used));

/* Makes the range of this address unusable; returns 0 if no range has it. */
static int32_t lose(uintptr_t address)
{
    uint32_t end = __atomic_load_n(&recorded_end, __ATOMIC_SEQ_CST);
    int32_t found = 0;
    for (uint32_t i = 0; i < end; i++) { /* a semaphore has a place for each time it is open */
        uintptr_t start = __atomic_load_n(&recorded[i].start, __ATOMIC_SEQ_CST);
        size_t length = __atomic_load_n(&recorded[i].length, __ATOMIC_SEQ_CST);
        if (start == 0 || address < start || address - start >= length) continue;
        if (__atomic_load_n(&recorded[i].start, __ATOMIC_SEQ_CST) != start) continue;
        __atomic_store_n(&faults[i], 1, __ATOMIC_SEQ_CST);
        found = map_zeros(start, length) >= 0;
    }
    return found;
}

__attribute__((used)) static void on_fault(int signal, void *info, void *context)
{
    const siginfo_t *cause = info;
    if (cause->si_code == BUS_ADRERR && lose((uintptr_t)cause->si_addr)) return;
    if (chain_pass(&fault_chain, signal, info, context)) return;
    struct kernel_action none = { 0 };
    call4(__NR_rt_sigaction, signal, &none, NULL, 8);
    if (cause->si_code <= 0) call3(__NR_tgkill, call0(__NR_getpid), call0(__NR_gettid), signal);
}

#if defined(__x86_64__)
/* The kernel of x86_64 returns from a handler only by code of the program; aarch64 has the vDSO. */
__asm__(".text\n fault_return: mov $15, %eax\n syscall\n");
extern void fault_return(void) __attribute__((visibility("hidden")));
#define RETURN_FLAG SA_RESTORER
#define RETURN_CODE fault_return
#else
#define RETURN_FLAG 0
#define RETURN_CODE NULL
#endif

/* Puts the handler above the one in place; Deno has one. It is checked at each mapping. */
static void catch_faults(void)
{
    struct kernel_action current;
    chain_wrap(&fault_chain);
    if (call4(__NR_rt_sigaction, SIGBUS, NULL, &current, 8) < 0) return;
    if ((uintptr_t)current.handler > 1) return;
    struct kernel_action action = {
        .handler = fault_entry,
        .flags = SA_SIGINFO | SA_ONSTACK | RETURN_FLAG,
        .restorer = RETURN_CODE,
    };
    call4(__NR_rt_sigaction, SIGBUS, &action, NULL, 8);
}

/* Here and not where they are defined: the file would contain their zeros. */
static void begin_chains(void)
{
    interrupt_chain.own = interrupt_entry;
    interrupt_chain.signal = SIGINT;
    fault_chain.own = fault_entry;
    fault_chain.signal = SIGBUS;
}
