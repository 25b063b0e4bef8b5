/*
 * The section tables of the ARM1176, and what the caches and the TLB need to know of changes.
 * Names of registers and sections of the manual are those of the ARM1176JZF-S Technical Reference
 * Manual, ARM DDI 0301H.
 */
#ifndef MMU_H
#define MMU_H

#include <stdint.h>

#define SECTION (1u << 20)

/* The kinds of memory, by the bits TEX, C and B of a descriptor (6.6, Memory region attributes). */
enum memory_kind { DEVICE, CACHED };

/* The bits APX and AP of a descriptor (6.5, Memory access control). */
enum permission { NO_ACCESS = 0, PRIVILEGED = 1, ALL = 3, PRIVILEGED_READS = 5 };

/* Maps a section; the translation before it may remain until mmu_forget(). */
void mmu_map(uint32_t virtual, uint32_t physical, enum memory_kind kind, enum permission permission);

/* Unmaps a section; its translation may remain until mmu_forget(). */
void mmu_unmap(uint32_t virtual);

/* Writes a changed descriptor back to memory, and drops its translation from the TLB. */
void mmu_forget(uint32_t virtual);

/* Returns the descriptor of a section, as it is in the table. */
uint32_t mmu_descriptor(uint32_t virtual);

/* Switches translation and both caches on. */
void mmu_enable(void);

/* Moves a section, which is in domain 0 at first, to another domain; mmu_forget() as above. */
void mmu_put_in_domain(uint32_t virtual, uint32_t domain);

/*
 * Sets what each domain does with permissions, in two bits each: 0 refuses all accesses, 1 looks at
 * the permissions (client), 3 does not (manager).
 */
void mmu_set_domains(uint32_t domains);

#endif
