/*
 * A program with signal handlers of its own and copies of the library, whose paths are its arguments.
 * A child obeys each line of letters, and a line with what happened is the answer:
 *
 *   H I     puts a handler of this name in place, which calls nobody
 *   F G     puts a handler of this name in place, which then calls the one that it found
 *   0 to 9  asks that copy of the library how often SIGINT has arrived
 *   !       asks all copies, raises SIGINT and asks again: gives the handlers that ran, in order, and
 *           the copies that noticed
 *   *       the same with 1,000 signals in each of 8 threads, and how often each handler ran
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define TIMES 1000
#define MOST (100 * THREADS * TIMES)

static const char NAMES[] = "HIFG";
static int ran[4], total, copies;
static char order[64];
static struct sigaction found[4];
static int (*interrupts[10])(void);

static void run(int which)
{
    int number = __atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
    if (number > MOST) _exit(3); /* they call each other without end */
    if (number < (int)sizeof order - 1) order[number] = NAMES[which];
    __atomic_fetch_add(&ran[which], 1, __ATOMIC_SEQ_CST);
}

static void pass(int which, int signal, siginfo_t *info, void *context)
{
    struct sigaction *action = &found[which];
    run(which);
    if (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN) return;
    if (action->sa_flags & SA_SIGINFO) action->sa_sigaction(signal, info, context);
    else action->sa_handler(signal);
}

static void on_h(int signal) { (void)signal; run(0); }
static void on_i(int signal) { (void)signal; run(1); }
static void on_f(int signal, siginfo_t *info, void *context) { pass(2, signal, info, context); }
static void on_g(int signal, siginfo_t *info, void *context) { pass(3, signal, info, context); }

static void put(int which)
{
    struct sigaction action = { 0 };
    if (which < 2) action.sa_handler = which == 0 ? on_h : on_i;
    else action.sa_sigaction = which == 2 ? on_f : on_g, action.sa_flags = SA_SIGINFO;
    sigaction(SIGINT, &action, &found[which]);
}

static void *raise_often(void *nothing)
{
    for (int i = 0; i < TIMES; i++) pthread_kill(pthread_self(), SIGINT);
    return nothing;
}

static void tell(char command)
{
    int before[10];
    for (int i = 0; i < copies; i++) before[i] = interrupts[i]();
    total = 0;
    memset(ran, 0, sizeof ran);
    memset(order, 0, sizeof order);
    if (command == '!') {
        raise(SIGINT);
        printf("%s", order);
    } else {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, raise_often, NULL);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < 4; i++)
            if (ran[i] > 0) printf("%c%d", NAMES[i], ran[i]);
    }
    for (int i = 0; i < copies; i++)
        if (interrupts[i]() != before[i]) printf(":%d", i);
    printf(" ");
}

static void obey(const char *command)
{
    for (; *command > '\n'; command++) {
        if (*command >= '0' && *command <= '9') interrupts[*command - '0']();
        else if (*command == '!' || *command == '*') tell(*command);
        else put(strchr(NAMES, *command) - NAMES);
    }
}

int main(int count, char **arguments)
{
    char line[100];
    setvbuf(stdout, NULL, _IONBF, 0);
    for (; copies < count - 1; copies++) {
        void *library = dlopen(arguments[copies + 1], RTLD_NOW);
        if (!library) return 2;
        interrupts[copies] = (int (*)(void))dlsym(library, "vring_interrupts");
        for (int i = 0; i < copies; i++)
            if (interrupts[i] == interrupts[copies]) return 4; /* one copy under two names */
    }
    while (fgets(line, sizeof line, stdin)) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            obey(line);
            _exit(0);
        }
        waitpid(child, &status, 0);
        printf(status == 0 ? "\n" : "ended with %x\n", status);
    }
    return 0;
}
