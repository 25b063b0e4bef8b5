/*
 * A program that knows nothing of vring, maps the file of its first argument and works with what
 * begins at the offset of its second, by lines: "get INDEX", "set INDEX VALUE" (doubles).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int count, char **arguments)
{
    char command[16];
    struct stat status;
    if (count != 3) return 2;
    int file = open(arguments[1], O_RDWR);
    if (file < 0 || fstat(file, &status) < 0) return 3;
    char *base = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (base == MAP_FAILED) return 4;
    double *numbers = (double *)(base + atol(arguments[2]));
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%ld\n", (long)status.st_size);
    while (scanf("%15s", command) == 1) {
        long index;
        double value;
        if (!strcmp(command, "set") && scanf("%ld %lf", &index, &value) == 2) numbers[index] = value;
        else if (scanf("%ld", &index) != 1) return 5;
        printf("%.17g\n", numbers[index]);
    }
    return 0;
}
