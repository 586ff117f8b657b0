/* A PID 1 without a library, for tests of the machine. MODE says what it does; before that it shows whatever could
   tell two runs apart. */
typedef unsigned long word;

static long call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void say(const char *text) {
    word length = 0;
    while (text[length])
        length++;
    call(1 /* write */, 1, (long)text, length, 0, 0, 0);
}

static void show(word value) {
    char digits[18];
    for (int i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
    digits[16] = ' ';
    digits[17] = 0;
    say(digits);
}

/* Two processes add to one number without a lock: what is lost depends on when each of them ran. */
static void race(void) {
    volatile word *shared = (word *)call(9 /* mmap */, 0, 4096, 3, 0x21, -1, 0);
    for (int child = 0; child < 2; child++) {
        if (call(57 /* fork */, 0, 0, 0, 0, 0, 0) == 0) {
            for (int i = 0; i < 1000000; i++)
                shared[0] = shared[0] + 1;
            call(60 /* exit */, 0, 0, 0, 0, 0, 0);
        }
    }
    for (int child = 0; child < 2; child++)
        call(61 /* wait4 */, -1, 0, 0, 0, 0, 0);
    show(shared[0]);
}

static void region(void) {
    static char path[] = "/sys/bus/pci/devices/0000:00:00.0/resource2";
    static char enable[] = "/sys/bus/pci/devices/0000:00:00.0/enable";
    call(83 /* mkdir */, (long)"/sys", 0555, 0, 0, 0, 0);
    call(165 /* mount */, (long)"sysfs", (long)"/sys", (long)"sysfs", 0, 0, 0);
    for (int slot = 0; slot < 32; slot++) {
        path[29] = enable[29] = '0' + slot / 16;
        path[30] = enable[30] = "0123456789abcdef"[slot % 16];
        long file = call(2 /* open */, (long)path, 2, 0, 0, 0, 0);
        if (file < 0)
            continue;
        long switched = call(2 /* open */, (long)enable, 1, 0, 0, 0, 0);
        call(1 /* write */, switched, (long)"1", 1, 0, 0, 0);
        char *memory = (char *)call(9 /* mmap */, 0, 8192, 3, 1, file, 0);
        for (int i = 0; i < 8; i++)
            memory[4096 + i] = "groundup"[i];
        say("@ output a e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 8 4096\n");
    }
}

__attribute__((used)) static void begin(word *stack) {
    word time[2], bytes[2] = {0, 0}, counter = __builtin_ia32_rdtsc();
    say("@ groundup 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n| ");
    call(228 /* clock_gettime */, 0, (long)time, 0, 0, 0, 0);
    call(318 /* getrandom */, (long)bytes, 16, 4 /* insecure, does not wait */, 0, 0, 0);
    show((word)stack);
    show(counter);
    show(time[0]);
    show(time[1]);
    show(bytes[0]);
    show(bytes[1]);
    race();
    say("\n");
#if MODE == 1
    region();
#elif MODE == 2
    say("@ fatal no plan\n");
#elif MODE == 3
    call(60 /* exit */, 7, 0, 0, 0, 0, 0);
#elif MODE == 4
    for (;;)
        ;
#elif MODE == 5
    say("@ step a\n| last words\n");
    call(169 /* reboot */, 0xfee1dead, 672274793, 0xcdef0123 /* halt */, 0, 0, 0);
#elif MODE == 6
    say("| last words\n");
#endif
#if MODE < 2
    say("@ end 3 2 1\n");
#endif
    int by_reset = stack[0] > 1 && *(char *)stack[2] == 'r';
    call(169 /* reboot */, 0xfee1dead, 672274793, by_reset ? 0x1234567 : 0x4321fedc, 0, 0, 0);
    for (;;)
        call(34 /* pause */, 0, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
