/* What a static program sees of its own memory, in one word. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned char below(void)
{
    volatile unsigned char never_written[20000];

    return never_written[100];
}

int main(int count, char **argument)
{
    char here;

    switch (count > 1 ? argument[1][0] : 0) {
    case 's':
        return printf("%p", (void *)&here) < 0;
    case 'h':
        return printf("%p", sbrk(0)) < 0;
    case 'm':
        return printf("%p", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) < 0;
    case 'b':
        return printf("%02x", below()) < 0;
    case 'p':
        return printf("%02x", ((unsigned char *)malloc(1000))[500]) < 0;
    }
    return 1;
}
