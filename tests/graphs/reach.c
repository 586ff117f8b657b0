/*
 * Tries to reach the host's kernel from a step on `native`: every call of each table with random arguments, by each instruction that makes a
 * call, from either mode, with other segment registers, from footing's own pages. Each attempt is a process of its own, which an alarm ends. How
 * they end does not matter: whoever watches the host's kernel says what arrived there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Footing's own pages: the list of its calls, and the code that makes them. */
#define STUB 0x7ffff8000000ul

static unsigned long state = 0x123456789abcdef1;
static unsigned char page[4096];

static unsigned long draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Small numbers, which mean more, and addresses that are mapped. */
static unsigned long pick(void)
{
    switch (draw() % 4) {
    case 0:
        return draw() % 64;
    case 1:
        return (unsigned long)page + draw() % sizeof page;
    case 2:
        return draw();
    default:
        return 0;
    }
}

static void by_syscall(unsigned long number)
{
    register unsigned long r10 __asm__("r10") = pick(), r8 __asm__("r8") = pick(), r9 __asm__("r9") = pick();
    unsigned long result;
    __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(pick()), "S"(pick()), "d"(pick()), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
}

static void by_interrupt(unsigned long number)
{
    unsigned long result, rbx = pick() & 0xffffffff;
    __asm__ volatile("xchg %%rbx, %2; int $0x80; xchg %%rbx, %2" : "=a"(result) : "0"(number), "r"(rbx), "c"(pick()), "d"(pick()), "S"(pick()), "D"(pick())
                     : "memory", "r8", "r9", "r10", "r11");
}

static void by_sysenter(unsigned long number)
{
    __asm__ volatile("sysenter" : : "a"(number), "b"(pick()), "c"(pick()), "d"(pick()) : "memory");
}

/* Bytes that are executed in compatibility mode, in low memory, with a stack there. */
static void in_compatibility_mode(const char *bytes, unsigned long size, unsigned long number)
{
    unsigned char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED)
        return;
    memcpy(low, bytes, size);
    memcpy(low + size, "\xf4", 1);
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) target = {(uint32_t)(uintptr_t)low, 0x23};
    __asm__ volatile("mov %0, %%rsp; ljmp *%1" : : "r"(low + 8000), "m"(target), "a"(number), "b"(3), "c"(low), "d"(1) : "memory");
}

static void with_segments(unsigned long selector)
{
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(selector));
    by_syscall(39);
    by_interrupt(20);
    __asm__ volatile("mov %0, %%gs" : : "r"(selector));
    by_syscall(39);
    __asm__ volatile("mov %0, %%fs" : : "r"(selector));
    __asm__ volatile("syscall" : : "a"(39) : "rcx", "r11");
}

static void write_stub(unsigned long at)
{
    *(volatile unsigned long *)(STUB + at) = 39;
}

/* With what footing's own calls have in their registers, except for the secret. */
static void jump_to_stub(unsigned long at)
{
    __asm__ volatile("mov %0, %%r11; mov $0x32, %%r10d; jmp *%%r11" : : "r"(STUB + 0x1000 + at), "a"(draw() % 2 ? 9 : 11), "b"(page), "D"(page), "S"(4096), "d"(7)
                     : "r10", "r11");
}

static void by_vsyscall(unsigned long at)
{
    ((void (*)(void *, void *))(0xffffffffff600000ul + at))(page, NULL);
}

static void attempt(void (*how)(unsigned long), unsigned long what)
{
    pid_t child;
    draw();
    child = fork();
    if (child == 0) {
        alarm(1);
        how(what);
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, __WALL);
}

static void syscall_in_compatibility_mode(unsigned long number)
{
    in_compatibility_mode("\x0f\x05", 2, number);
}

static void sysenter_in_compatibility_mode(unsigned long number)
{
    in_compatibility_mode("\x0f\x34", 2, number);
}

static void interrupt_in_compatibility_mode(unsigned long number)
{
    in_compatibility_mode("\xcd\x80", 2, number);
}

int main(int argc, char **argv)
{
    unsigned long number;
    if (argc < 2)
        return 2;
    for (number = 0; number < 600; number++) {
        attempt(by_syscall, number);
        attempt(by_syscall, number | 0x40000000);
        attempt(by_interrupt, number);
    }
    for (number = 0; number < 64; number++) {
        attempt(by_sysenter, number);
        attempt(syscall_in_compatibility_mode, number);
        attempt(sysenter_in_compatibility_mode, number);
        attempt(interrupt_in_compatibility_mode, number);
        attempt(with_segments, number);
    }
    for (number = 0; number < 4096; number += 8)
        attempt(write_stub, 2 * number);
    for (number = 0; number < 96; number++)
        attempt(jump_to_stub, number);
    for (number = 0; number < 4096; number += 1024)
        attempt(by_vsyscall, number);
    puts("all attempts ended");
    return close(open(argv[1], O_WRONLY | O_CREAT, 0666));
}
