@ The first instructions: only core 0 exists. A stack, zeros in .bss, the table of exceptions, main.
    .section .text.start
    .globl _start
_start:
    cpsid   if, #0x13               @ supervisor mode, no interrupts
    ldr     sp, =stack_end
    cps     #0x17                   @ abort mode has a stack of its own
    ldr     sp, =abort_stack_end
    cps     #0x13
    ldr     r0, =bss_start
    ldr     r1, =bss_end
    mov     r2, #0
1:  cmp     r0, r1
    strlo   r2, [r0], #4
    blo     1b
    ldr     r0, =vectors
    mcr     p15, 0, r0, c12, c0, 0  @ the base of the exceptions (c12, Vector Base Address)
    bl      main
2:  mcr     p15, 0, r2, c7, c0, 4   @ wait for an interrupt, and none comes
    b       2b

    .balign 32
vectors:
    b       .                       @ reset
    b       .                       @ undefined instruction
    b       .                       @ system call
    b       .                       @ prefetch abort
    b       on_data_abort
    b       .                       @ reserved
    b       .                       @ interrupt
    b       .                       @ fast interrupt

@ Keeps the status and the address of the fault, and goes on behind the instruction that faulted.
on_data_abort:
    push    {r0, r1}
    mrc     p15, 0, r0, c5, c0, 0   @ data fault status
    ldr     r1, =fault_status
    str     r0, [r1]
    mrc     p15, 0, r0, c6, c0, 0   @ fault address
    ldr     r1, =fault_address
    str     r0, [r1]
    pop     {r0, r1}
    subs    pc, lr, #4              @ lr is 8 beyond that instruction
