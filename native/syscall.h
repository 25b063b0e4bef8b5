/*
 * The only way into the kernel: one inline system call with six arguments. No libc is needed to
 * load a library built on this, so one file serves glibc and musl of any age.
 */
#ifndef VRING_SYSCALL_H
#define VRING_SYSCALL_H

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* Addresses, sizes and times cross the FFI as doubles: exact to 2^53, and the only 64-bit form
 * that stays on the engine's fast call path. */
#define POINTER(address) ((void *)(uintptr_t)(int64_t)(address))

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8)
                     : "memory");
    return x0;
#else
#error "x86_64 and aarch64 only"
#endif
}

#define call0(n) call6(n, 0, 0, 0, 0, 0, 0)
#define call1(n, a) call6(n, (long)(a), 0, 0, 0, 0, 0)
#define call2(n, a, b) call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define call3(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define call4(n, a, b, c, d) call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define call5(n, a, b, c, d, e) \
    call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

/* Bits of the flags of open_file; O_CLOEXEC always. The O_ values differ between architectures. */
enum { OPEN_WRITE = 1, OPEN_UNNAMED = 2, OPEN_DIRECTORY = 4, OPEN_FOLLOW = 8, OPEN_SINK = 16 };

static inline long open_file(const char *path, uint32_t flags, uint32_t mode)
{
    long how = O_CLOEXEC | (flags & OPEN_WRITE ? O_RDWR : O_RDONLY);
    if (flags & OPEN_SINK) how |= O_WRONLY; /* a FIFO without a reader is refused */
    if (flags & OPEN_UNNAMED) how |= O_TMPFILE;
    if (flags & OPEN_DIRECTORY) how |= O_DIRECTORY;
    if (!(flags & OPEN_FOLLOW)) how |= O_NOFOLLOW | O_NONBLOCK; /* never hangs on a FIFO */
    return call4(__NR_openat, AT_FDCWD, path, how, mode);
}

#endif
