/* Text for a place that has only put_char(): the UART of the Pi, or the standard output. */
#ifndef TEXT_H
#define TEXT_H

#include <stdint.h>

/* Prints one character; each program has its own. */
void put_char(char character);

/*
 * Prints text; in it, %x is a number of 32 bits in eight hexadecimal digits, %u one in decimal, %s a
 * text.
 */
void print(const char *format, ...);

/* Counts and prints a check. */
void check(int holds, const char *statement);

/* Prints how many checks held; returns 0 if all did. */
int report(void);

#endif
