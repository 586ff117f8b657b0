/* A program for 32 bits without a library: gcc -m32 -static -nostdlib. It writes a file. */
static int call(int number, int a, int b, int c)
{
    int result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

void _start(void)
{
    /* open(path, O_WRONLY | O_CREAT, 0644), write, exit */
    int file = call(5, (int)"/store/bits", 0101, 0644);
    call(4, file, (int)"good\n", 5);
    call(1, 0, 0, 0);
}
