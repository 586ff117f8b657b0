/* Memory and texts. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

long __syscall();

/* A block has 16 bytes in front, which hold its class: its size is 2 to that power. What is given
   back waits in a list for its class. */
static char *spare[48];
static char *heap_at, *heap_end;

static char *from_kernel(size_t size)
{
    char *start;

    if (!heap_at)
        heap_at = heap_end = (char *)__syscall(12L, 0L);
    while ((size_t)(heap_end - heap_at) < size) {
        size_t more = size > 1 << 20 ? size : 1 << 20;
        if ((char *)__syscall(12L, heap_end + more) != heap_end + more)
            return NULL;
        heap_end += more;
    }
    start = heap_at;
    heap_at += size;
    return start;
}

void *malloc(size_t size)
{
    int class = 5;
    char *block;

    if (size >> 46) {
        errno = ENOMEM;
        return NULL;
    }
    while ((1UL << class) - 16 < size)
        class++;
    block = spare[class];
    if (block)
        spare[class] = *(char **)(block + 16);
    else if (!(block = from_kernel(1UL << class))) {
        errno = ENOMEM;
        return NULL;
    }
    *(long *)block = class;
    return block + 16;
}

void free(void *bytes)
{
    char *block = (char *)bytes - 16;

    if (!bytes)
        return;
    *(char **)bytes = spare[*(long *)block];
    spare[*(long *)block] = block;
}

void *calloc(size_t count, size_t size)
{
    void *result = size && count > (size_t)-1 / size ? NULL : malloc(count * size);

    if (result)
        memset(result, 0, count * size);
    return result;
}

void *realloc(void *old, size_t size)
{
    size_t room;
    void *new;

    if (!old)
        return malloc(size);
    room = (1UL << *(long *)((char *)old - 16)) - 16;
    if (size <= room)
        return old;
    new = malloc(size);
    if (!new)
        return NULL;
    memcpy(new, old, room);
    free(old);
    return new;
}

void *memcpy(void *to, const void *from, size_t size)
{
    char *a = to;
    const char *b = from;

    while (size >= 8) {
        *(long *)a = *(const long *)b;
        a += 8;
        b += 8;
        size -= 8;
    }
    while (size--)
        *a++ = *b++;
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *a = to;
    const char *b = from;

    if (a <= b)
        while (size--)
            *a++ = *b++;
    else
        while (size--)
            a[size] = b[size];
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    char *a = to;

    while (size--)
        *a++ = byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;

    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    const char *end = text;

    while (*end)
        end++;
    return end - text;
}

char *strcpy(char *to, const char *from) { return memcpy(to, from, strlen(from) + 1); }
char *strcat(char *to, const char *from) { strcpy(to + strlen(to), from); return to; }

char *strncpy(char *to, const char *from, size_t size)
{
    size_t i;

    for (i = 0; i < size && from[i]; i++)
        to[i] = from[i];
    for (; i < size; i++)
        to[i] = 0;
    return to;
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size; size--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, -1); }

char *strchr(const char *text, int c)
{
    for (; *text != (char)c; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

char *strrchr(const char *text, int c)
{
    const char *found = NULL;

    do
        if (*text == (char)c)
            found = text;
    while (*text++);
    return (char *)found;
}

char *strstr(const char *text, const char *part)
{
    size_t size = strlen(part);

    for (; *text || !size; text++)
        if (!strncmp(text, part, size))
            return (char *)text;
    return NULL;
}

char *strerror(int number)
{
    static char text[] = "error 0000";
    int i;

    for (i = 9; i > 5; i--, number /= 10)
        text[i] = '0' + number % 10;
    return text;
}

/* By merging: what compares as equal stays in order. */
static void sort(char *items, char *spare_items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    size_t half = count / 2, i = 0, j = half, k;

    if (count < 2)
        return;
    sort(items, spare_items, half, size, compare);
    sort(items + half * size, spare_items, count - half, size, compare);
    for (k = 0; k < count; k++) {
        int left = j == count || (i < half && compare(items + i * size, items + j * size) <= 0);
        memcpy(spare_items + k * size, items + (left ? i++ : j++) * size, size);
    }
    memcpy(items, spare_items, count * size);
}

void qsort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    void *spare_items = malloc(count * size);

    if (!spare_items)
        abort();
    sort(items, spare_items, count, size, compare);
    free(spare_items);
}
