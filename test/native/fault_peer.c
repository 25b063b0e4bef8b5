/*
 * A program that loads copies of the library and has SIGBUS handlers of its own. A child obeys each
 * line of commands; the answer has a word for each that reports something, and for the child's death.
 *
 *   0 1 2   this copy of the library maps a page, whose file is truncated, and the page is touched:
 *           "0" if it was zeros and that copy set its fault word, "0?" if not
 *   H       installs a handler that puts a page in the place of any fault, and counts
 *   F       installs a handler that counts, and calls the one that it found in place
 *   !       touches a page of a truncated file that no copy knows: the handlers that noticed it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define COPIES 3
#define PAGE 4096

typedef double map_call(double, double, double, int32_t, int32_t, int32_t, double);

static struct {
    map_call *map;
    int32_t (*place)(double);
    int32_t *faults;
} copies[COPIES];

static char noticed[64];
static struct sigaction below;

static void note(const char *who)
{
    strcat(noticed, who);
}

static void mend(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    note("H");
    void *page = (void *)((uintptr_t)info->si_addr & -(uintptr_t)PAGE);
    mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void pass(int signal, siginfo_t *info, void *context)
{
    note("F");
    below.sa_sigaction(signal, info, context);
}

static void install(void (*handler)(int, siginfo_t *, void *), struct sigaction *old)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGBUS, &action, old);
}

static int file(void)
{
    int fd = memfd_create("fault", MFD_CLOEXEC);
    if (ftruncate(fd, PAGE) < 0) return -1;
    return fd;
}

static void touch_copy(int i)
{
    int fd = file();
    int flags = MAP_SHARED, protection = PROT_READ | PROT_WRITE;
    double address = copies[i].map(1, PAGE, 0, protection, flags, fd, 0);
    volatile char *page = (char *)(uintptr_t)address;
    page[0] = 7;
    if (ftruncate(fd, 0) < 0) return;
    int value = page[0];
    int fault = copies[i].faults[copies[i].place(address)];
    printf(" %d%s", i, value == 0 && fault == 1 ? "" : "?");
    close(fd);
}

static void touch_foreign(void)
{
    int fd = file();
    volatile char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ftruncate(fd, 0) < 0) return;
    noticed[0] = 0;
    int value = page[0];
    printf(" %s%s", noticed, value == 0 ? "" : "?");
    close(fd);
}

static void obey(const char *line)
{
    for (const char *c = line; *c != 0 && *c != '\n'; c++) {
        if (*c == 'H') install(mend, NULL);
        else if (*c == 'F') install(pass, &below);
        else if (*c == '!') touch_foreign();
        else touch_copy(*c - '0');
        fflush(stdout);
    }
}

int main(int count, char **paths)
{
    char line[256];
    for (int i = 0; i < count - 1 && i < COPIES; i++) {
        void *library = dlopen(paths[i + 1], RTLD_NOW);
        if (library == NULL) return 1;
        copies[i].map = (map_call *)dlsym(library, "vring_map");
        copies[i].place = (int32_t (*)(double))dlsym(library, "vring_place");
        double (*faults)(void) = (double (*)(void))dlsym(library, "vring_faults");
        copies[i].faults = (int32_t *)(uintptr_t)faults();
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            obey(line);
            _exit(0);
        }
        waitpid(child, &status, 0);
        printf(WIFSIGNALED(status) ? " signal %d\n" : "\n", WTERMSIG(status));
        fflush(stdout);
    }
    return 0;
}
