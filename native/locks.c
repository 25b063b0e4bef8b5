/* Locks that the kernel or the C library keeps: record locks and named semaphores. */

/* ---- record locks of an open file description ---- */

static int32_t lock(int32_t fd, int32_t command, struct flock *range)
{
    return call3(__NR_fcntl, fd, command, range);
}

/* Sets a lock; kind: 0 read, 1 write, 2 unlock. Never blocks: returns -EAGAIN on a conflict. */
EXPORT int32_t vring_lock(int32_t fd, int32_t kind, double start, double length)
{
    struct flock range = { .l_type = kind, .l_start = start, .l_len = length };
    return lock(fd, F_OFD_SETLK, &range);
}

/* Returns the kind of lock of others that conflicts with `kind`, or 2 for none. */
EXPORT int32_t vring_lock_test(int32_t fd, int32_t kind, double start, double length)
{
    struct flock range = { .l_type = kind, .l_start = start, .l_len = length };
    int32_t result = lock(fd, F_OFD_GETLK, &range);
    return result < 0 ? result : range.l_type;
}

/* Returns where a lock of others within the range begins; -ENOENT if it holds none. */
EXPORT double vring_lock_find(int32_t fd, double start, double length)
{
    struct flock range = { .l_type = F_WRLCK, .l_start = start, .l_len = length };
    int32_t result = lock(fd, F_OFD_GETLK, &range);
    if (result < 0) return result;
    return range.l_type == F_UNLCK ? -ENOENT : (double)range.l_start;
}

/* ---- named semaphores, as far as the C library of this process has them ---- */

#define WEAK __attribute__((weak))
extern void *sem_open(const char *name, int flags, ...) WEAK;
extern int sem_close(void *semaphore) WEAK;
extern int sem_unlink(const char *name) WEAK;
extern int sem_trywait(void *semaphore) WEAK;
extern int sem_post(void *semaphore) WEAK;
extern int *__errno_location(void) WEAK;

static int32_t outcome(int result)
{
    return result < 0 ? -*__errno_location() : result;
}

/*
 * The C library maps the page of a semaphore, and its file can be truncated like any other. So the
 * page is recorded, once for each time that the semaphore is open.
 */
#define SEMAPHORE_PAGE 4096 /* a smaller part than the page of some systems, with the semaphore */

static uintptr_t page_of(void *semaphore)
{
    return (uintptr_t)semaphore & -(uintptr_t)SEMAPHORE_PAGE;
}

static int32_t is_lost(double semaphore)
{
    int32_t place = vring_place(page_of(POINTER(semaphore)));
    return place >= 0 && __atomic_load_n(&faults[place], __ATOMIC_SEQ_CST) != 0;
}

/* Opens the semaphore, or creates it with the value 1. */
EXPORT double vring_semaphore_open(const char *name, uint32_t mode)
{
    if (!sem_open || !__errno_location) return -ENOSYS;
    void *semaphore = sem_open(name, O_CREAT, mode, 1);
    if (!semaphore) return -*__errno_location();
    int32_t result = record((struct range){ page_of(semaphore), SEMAPHORE_PAGE, 0 });
    if (result < 0) {
        sem_close(semaphore);
        return result;
    }
    catch_faults();
    return (uintptr_t)semaphore;
}

EXPORT int32_t vring_semaphore_close(double semaphore)
{
    int32_t place = take_recorded(page_of(POINTER(semaphore)), 0);
    if (place >= 0) forget(place);
    return outcome(sem_close(POINTER(semaphore)));
}

EXPORT int32_t vring_semaphore_unlink(const char *name)
{
    return sem_unlink ? outcome(sem_unlink(name)) : -ENOSYS;
}

/* Acquires one permit; returns -EAGAIN if none is free, -EFAULT if its file was truncated. */
EXPORT int32_t vring_semaphore_try(double semaphore)
{
    int32_t result = outcome(sem_trywait(POINTER(semaphore)));
    return is_lost(semaphore) ? -EFAULT : result;
}

EXPORT int32_t vring_semaphore_post(double semaphore)
{
    int32_t result = outcome(sem_post(POINTER(semaphore)));
    return is_lost(semaphore) ? -EFAULT : result;
}
