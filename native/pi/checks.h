/* What must hold of a ring, however its memory was mapped. */
#ifndef CHECKS_H
#define CHECKS_H

#include "vm_ring.h"

void check_ring(struct vm_ring *ring);

#endif
