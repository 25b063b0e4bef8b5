#include "text.h"

#include <stdarg.h>

static uint32_t checks, held;

static void put_text(const char *text)
{
    while (*text) put_char(*text++);
}

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4) put_char("0123456789abcdef"[value >> shift & 15]);
}

static void put_decimal(uint32_t value)
{
    if (value >= 10) put_decimal(value / 10);
    put_char('0' + value % 10);
}

void print(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (; *format; format++) {
        if (*format != '%') {
            put_char(*format);
            continue;
        }
        switch (*++format) {
        case 'x':
            put_hex(va_arg(values, uint32_t));
            break;
        case 'u':
            put_decimal(va_arg(values, uint32_t));
            break;
        case 's':
            put_text(va_arg(values, const char *));
            break;
        }
    }
    va_end(values);
}

void check(int holds, const char *statement)
{
    checks++;
    held += holds != 0;
    print("%s %u - %s\n", holds ? "ok" : "NOT OK", checks, statement);
}

int report(void)
{
    print("%u of %u checks held\n", held, checks);
    return held != checks;
}
