/*
 * The ring on a Raspberry Pi, without an operating system: two descriptors with one base are the
 * whole trick.
 */
#include "checks.h"
#include "mmu.h"
#include "text.h"

#include <stddef.h>

#define UART 0x20201000u
#define UART_DATA ((volatile uint32_t *)UART)
#define UART_FLAGS ((volatile uint32_t *)(UART + 0x18))
#define UART_FULL (1u << 5)

#define WINDOW 0x40000000u /* the first window; the second follows */
#define BEYOND (WINDOW + 2 * SECTION)

/* The memory of the ring, and that of another ring; their own addresses stay mapped too. */
static uint8_t ring_memory[SECTION] __attribute__((aligned(SECTION)));
static uint8_t other_memory[SECTION] __attribute__((aligned(SECTION)));

volatile uint32_t fault_status, fault_address; /* set by on_data_abort in start.S */

void put_char(char character)
{
    if (character == '\n') put_char('\r');
    while (*UART_FLAGS & UART_FULL)
        ;
    *UART_DATA = character;
}

/* The compiler calls these where it copies or fills. */
void *memcpy(void *target, const void *source, size_t length)
{
    uint8_t *to = target;
    const uint8_t *from = source;
    while (length-- > 0) *to++ = *from++;
    return target;
}

void *memset(void *target, int value, size_t length)
{
    uint8_t *to = target;
    while (length-- > 0) *to++ = value;
    return target;
}

/* Maps the program and the devices where they are, and the ring's memory twice in a row. */
static void fill_in_tables(void)
{
    for (uint32_t at = 0; at < 0x20000000; at += SECTION) mmu_map(at, at, CACHED, PRIVILEGED);
    mmu_map(UART, UART, DEVICE, PRIVILEGED);
    mmu_map(WINDOW, (uintptr_t)ring_memory, CACHED, PRIVILEGED);
    mmu_map(WINDOW + SECTION, (uintptr_t)ring_memory, CACHED, PRIVILEGED);
}

static void show(uint32_t virtual)
{
    const uint32_t descriptor = mmu_descriptor(virtual);
    print("  0x%x  entry %u: 0x%x  ", virtual, virtual >> 20, descriptor);
    if ((descriptor & 3) == 2) print("---> section 0x%x\n", descriptor & ~(SECTION - 1));
    else print("---> nothing\n");
}

/* Touches an address; returns the status of the fault, or 0. Bits 10 and 3 to 0 are the status. */
static uint32_t touch(uint32_t address, int stores)
{
    volatile uint32_t *word = (volatile uint32_t *)(uintptr_t)address;
    fault_status = 0;
    if (stores) *word = 1;
    else (void)*word;
    return fault_status & 0x40f;
}

/* The faults of 6.9, MMU fault checking: translation 5, domain 9, permission 13. */
static void check_faults(void)
{
    check(touch(BEYOND, 0) == 5 && fault_address == BEYOND,
          "a load behind the windows is a translation fault, with its address");
    mmu_map(BEYOND, (uintptr_t)other_memory, CACHED, PRIVILEGED_READS);
    mmu_forget(BEYOND);
    check(touch(BEYOND, 0) == 0, "a section that is mapped there answers");
    check(touch(BEYOND, 1) == 13, "a store to a section for loads is a permission fault");
    mmu_put_in_domain(BEYOND, 1);
    mmu_forget(BEYOND);
    check(touch(BEYOND, 0) == 9, "a section of a domain that refuses all is a domain fault");
    mmu_set_domains(1 | 3 << 2);
    check(touch(BEYOND, 1) == 0, "a manager of the domain is not asked for permissions");
    mmu_set_domains(1);
    mmu_unmap(BEYOND);
    mmu_forget(BEYOND);
    check(touch(BEYOND, 0) == 5, "unmapped and forgotten, it faults again");
}

/* Moves the second window to other memory and back. */
static void check_tlb(void)
{
    volatile uint8_t *second = (volatile uint8_t *)(uintptr_t)(WINDOW + SECTION);
    second[9] = 1;
    other_memory[9] = 2;
    mmu_map(WINDOW + SECTION, (uintptr_t)other_memory, CACHED, PRIVILEGED);
    print("  before the TLB forgets: %s memory\n", second[9] == 1 ? "the old" : "the new");
    mmu_forget(WINDOW + SECTION);
    check(second[9] == 2, "a window that moved shows the new memory once the TLB forgets");
    mmu_map(WINDOW + SECTION, (uintptr_t)ring_memory, CACHED, PRIVILEGED);
    mmu_forget(WINDOW + SECTION);
    check(second[9] == 1, "and the old memory when it is back");
}

int main(void)
{
    fill_in_tables();
    mmu_enable();
    uint32_t id;
    __asm__("mrc p15, 0, %0, c0, c0, 0" : "=r"(id));
    print("A ring of %u bytes on processor 0x%x, mapped twice\n", SECTION, id);
    show(WINDOW);
    show(WINDOW + SECTION);
    show(BEYOND);
    struct vm_ring ring = { .bytes = (uint8_t *)WINDOW, .capacity = SECTION };
    check_ring(&ring);
    check_faults();
    check_tlb();
    report();
    print("end\n");
    return 0;
}
