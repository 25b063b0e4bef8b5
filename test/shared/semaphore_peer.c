/*
 * A program that knows nothing of vring and uses the named semaphore of its argument, by lines:
 * "open", "wait", "try", "post", "value", "close".
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **arguments)
{
    char command[16];
    sem_t *semaphore = SEM_FAILED;
    if (count != 2) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (scanf("%15s", command) == 1) {
        int value = 0, result = 0;
        if (!strcmp(command, "open")) {
            semaphore = sem_open(arguments[1], O_CREAT, 0600, 1);
            result = semaphore == SEM_FAILED ? -1 : 0;
        } else if (!strcmp(command, "wait")) {
            puts("waits");
            result = sem_wait(semaphore);
        } else if (!strcmp(command, "try")) {
            result = sem_trywait(semaphore);
        } else if (!strcmp(command, "post")) {
            result = sem_post(semaphore);
        } else if (!strcmp(command, "value")) {
            result = sem_getvalue(semaphore, &value);
        } else {
            result = sem_close(semaphore);
        }
        if (result < 0) printf("%s\n", errno == EAGAIN ? "EAGAIN" : strerror(errno));
        else printf("%d\n", value);
    }
    return 0;
}
