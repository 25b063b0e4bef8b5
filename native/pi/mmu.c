#include "mmu.h"

#define ENTRIES 4096

static uint32_t table[ENTRIES] __attribute__((aligned(4 * ENTRIES)));

/* Writes a register of the system control coprocessor. */
#define WRITE_CP15(value, crn, crm, op2)                                                           \
    __asm__ volatile("mcr p15, 0, %0, " crn ", " crm ", " op2 : : "r"(value) : "memory")

#define READ_CP15(value, crn, crm, op2)                                                            \
    __asm__ volatile("mrc p15, 0, %0, " crn ", " crm ", " op2 : "=r"(value) : : "memory")

/* Waits until all accesses and operations before it are complete (c7, Data Synchronization). */
static void synchronize(void)
{
    WRITE_CP15(0, "c7", "c10", "4");
}

/* Drops instructions that were fetched before (c7, Flush Prefetch Buffer). */
static void flush_prefetch(void)
{
    WRITE_CP15(0, "c7", "c5", "4");
}

static uint32_t *entry_of(uint32_t virtual)
{
    return &table[virtual >> 20];
}

void mmu_map(uint32_t virtual, uint32_t physical, enum memory_kind kind, enum permission permission)
{
    const uint32_t attributes = kind == CACHED ? 1 << 3 | 1 << 2 /* C and B: write-back */
                                               : 1 << 2 /* B: device */ | 1 << 4 /* XN */;
    *entry_of(virtual) = (physical & ~(SECTION - 1)) | (permission >> 2) << 15 |
                         (permission & 3u) << 10 | attributes | 2 /* a section */;
}

void mmu_unmap(uint32_t virtual)
{
    *entry_of(virtual) = 0;
}

uint32_t mmu_descriptor(uint32_t virtual)
{
    return *entry_of(virtual);
}

/*
 * The order matters: the descriptor reaches memory before the TLB forgets, or a walk in between
 * could read the old one and keep it.
 */
void mmu_forget(uint32_t virtual)
{
    WRITE_CP15(entry_of(virtual), "c7", "c10", "1"); /* clean the line of the descriptor */
    synchronize();
    WRITE_CP15(virtual & ~(SECTION - 1), "c8", "c7", "1"); /* invalidate one entry of the TLB */
    WRITE_CP15(0, "c7", "c5", "6"); /* flush the branch targets */
    synchronize();
    flush_prefetch();
}

void mmu_put_in_domain(uint32_t virtual, uint32_t domain)
{
    *entry_of(virtual) |= domain << 5;
}

void mmu_set_domains(uint32_t domains)
{
    WRITE_CP15(domains, "c3", "c0", "0");
    flush_prefetch();
}

void mmu_enable(void)
{
    uint32_t control;
    WRITE_CP15(0, "c7", "c7", "0"); /* invalidate both caches: they hold nothing of ours yet */
    synchronize();
    WRITE_CP15(table, "c2", "c0", "0"); /* TTBR0 */
    WRITE_CP15(0, "c2", "c0", "2"); /* TTBCR: TTBR0 for all addresses */
    mmu_set_domains(1);
    WRITE_CP15(0, "c8", "c7", "0"); /* invalidate the whole TLB */
    WRITE_CP15(0, "c7", "c5", "6"); /* flush the branch targets */
    synchronize();
    READ_CP15(control, "c1", "c0", "0");
    control |= 1 << 0 /* M: translation */ | 1 << 2 /* C: data cache */ | 1 << 12 /* I */ |
               1 << 23 /* XP: descriptors as in mmu_map() */;
    WRITE_CP15(control, "c1", "c0", "0");
    flush_prefetch();
}
