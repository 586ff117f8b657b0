/* subset FILE: the subset of C that sapling knows, form by form. What it writes must be what it
   writes when another compiler made it: a line of numbers for each form. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN(a, b) a ## b
#define TEXT(x) #x
#define OUTER(x) TEXT(x)
#define LARGEST(a, b) ((a) > (b) ? (a) : (b))
#define SAY(...) fprintf(file, __VA_ARGS__)
#define EMPTY
#define SELF SELF + 1
#if defined EMPTY && !defined(NOTHING) && (3 << 2 == 12 ? 1 : 0)
enum colour { RED, GREEN = 5, BLUE, LAST = BLUE * 2 };
#elif 1
#error "a branch that must not be read: it isn't"
#else
#error
#endif

static FILE *file;

typedef struct node {
    int value;
    struct node *next;
    union { char bytes[8]; double number; unsigned long whole; };
    unsigned low : 3, middle : 7;
    int with_sign : 5;
} node;

struct pair { long a, b; };
static struct pair table[] = {{1, 2}, [3] = {.b = 7, .a = 6}, 8, 9};
static const char *words[] = {"one", "t" "wo", OUTER(LARGEST(1, 2)), TEXT(a  "b\n" c)};
static int counts[][3] = {{1}, {2, 3}, 4, 5, 6};
static node second, first = {-3, &second, {"inner"}, 5, 100, -7};
static double halves[] = {.5, -1.5e3, 2, 0x1.8p1};
static char fixed[4] = "abcd", shorter[] = "ab\0\x41\101";
int declared_later(int), tentative, tentative;
static int (*functions[2])(int) = {declared_later, abs};

int declared_later(int n) { return n * 10 + tentative; }

static struct pair swapped(struct pair pair)
{
    struct pair result = {pair.b, pair.a};

    return result;
}

static long summed(int count, ...)
{
    va_list list, again;
    long sum = 0;

    va_start(list, count);
    va_copy(again, list);
    while (count--)
        sum += va_arg(list, int) + (long)va_arg(list, double) + va_arg(list, long);
    sum = sum * 10 + va_arg(again, int);
    va_end(again);
    va_end(list);
    return sum;
}

static int chosen(long n)
{
    int result = 0;

    switch (n) {
    case -1: case GREEN: result = 1; break;
    case 7: result = 2; /* and on */
    case 8: result += 3; break;
    default: result = 4;
    case 0x7fffffffffff: result++;
    }
    return result;
}

static void integers(void)
{
    unsigned char byte = 300;
    signed char small = 200;
    unsigned short half = -1;
    short low = 40000;
    unsigned int large = 1u << 31;
    long long wide = -1;
    unsigned long all = -1;
    _Bool truth = 0.5;
    int i = 5, j;

    SAY("%d %d %d %d %u %lld %lu %d\n", byte, small, half, low, large, wide, all, truth);
    SAY("%d %d %d %u %ld %d\n", -7 / 2, -7 % 3, -7 >> 1, 7u - 8, (long)large << 1, (int)large);
    SAY("%d %d %d %d %d\n", -1 < 1u, -1L < 1u, (unsigned char)-1 > 0, all > 5, sizeof(int) - 5 > 0);
    SAY("%lu %lu %ld\n", all / 3, all % 10, (long)all / 3);
    j = i++ + ++i; SAY("%d %d ", i, j);
    i += j *= 2; i -= 3; i <<= 2; i |= 1; i ^= 0xf0; i &= ~2; i >>= 1; i %= 50; SAY("%d %d\n", i, j);
    byte += 250; small -= 100; half *= half; SAY("%d %d %d %d\n", byte, small, half, -byte);
    SAY("%d %d %d %d\n", i && 0, i || j / 0, !i, i ? j ? 1 : 2 : 3);
    SAY("%d %o %#x %c %d %d %ld\n", 'a', 0755, 0xABCu, '\x41', '\\', '\377', 10L), i = 2, SAY("%d\n", i);
    SAY("%d %ld %lu %ld\n", 2147483647 + 0, 2147483648, 0xffffffff + 0ul, 0x7fffffffffffffff);
}

static void fractions(void)
{
    float f = 1.1f;
    double d = 1.1, zero = 0;
    long double l = 1.1L;
    unsigned long large = 18446744073709549568u;

    SAY("%.9g %.17g %d %d %d\n", f, d, f == d, f < d, d != d);
    SAY("%d %d %d\n", (int)(d * 10), (int)-d, (int)(l * 1000000 + f));
    SAY("%.3f %.3f %.3f %.3f\n", d + f, d - 3, d * d, 1 / d);
    SAY("%lu %lu %.1f %.1f\n", (unsigned long)1e19, (unsigned long)(double)large, (double)large, (double)-5L);
    SAY("%d %d %d %d\n", zero / zero == zero / zero, zero / zero < 1, 1 / zero > 1e300, !zero);
    SAY("%.3Lf %.3Lf %d %d %d\n", l * 3 - f, -l / 2, l > 1, l == 1.1, l <= 1.0L);
    d += 1; d *= f; f -= .1; l /= 4; SAY("%.6f %.6f %.6Lf\n", d, f, l); SAY("%.1f\n", f++ + ++d);
    SAY("%.1f %.3f %.17g %.17g\n", halves[1], halves[3], 1e23, 123456789012345678.);
}

static void aggregates(void)
{
    node copy = first, *at = &copy;
    struct pair local[2] = {{1}, {.b = 4}}, *pair = local;
    char text[] = "local", grid[2][3] = {"ab", {'c', 'd'}};
    int numbers[] = {[2] = 5, 6};
    static int calls = 40;
    char *end = text + sizeof text;

    SAY("%d %s %d %d %d %s\n", copy.value, copy.bytes, copy.low, copy.middle, at->with_sign, words[1]);
    at->low = 12; at->middle++; at->with_sign = 15; at->with_sign++; at->next = at;
    SAY("%d %d %d %d\n", copy.low, at->next->middle, copy.with_sign, copy.next->next->value);
    SAY("%ld %ld %ld %lu\n", table[3].a, table[3].b, table[4].b, sizeof table / sizeof *table);
    SAY("%s %s %d %d %lu\n", words[2], words[3], counts[1][1], counts[2][2], sizeof counts);
    SAY("%ld %ld %ld %ld\n", local[1].b, pair[0].a, swapped(local[1]).a, swapped(*pair).b);
    *++pair = swapped(local[0]); SAY("%ld %ld %ld %d\n", pair->a, pair->b, pair - local, pair > local);
    SAY("%s %ld %c %c %d %d %lu\n", text, end - text, grid[1][1], *grid[0], numbers[3], numbers[0], sizeof numbers);
    SAY("%.4s %d %d %lu\n", fixed, shorter[3], shorter[4], sizeof shorter);
    SAY("%lu %lu %lu\n", offsetof(node, bytes), sizeof(node), offsetof(struct pair, b));
    SAY("%d %d %d\n", functions[0](4), (*functions[1])(-4), ((struct pair){7, 8}).b == 8);
    SAY("%d %d\n", ++calls, RED + GREEN + BLUE + LAST);
}

static void flow(int depth)
{
    static jmp_buf buffer;
    int i, sum = 0;

    for (i = 0; ; i++) {
        if (i % 2) continue;
        if (i > 8) break;
        for (int j = i; j; j--) sum += j;
    }
    do sum++; while (sum % 7);
    while (sum > 100) sum -= 10;
again:
    if (sum < 200) { sum *= 2; goto again; }
    SAY("%d %d %d %d %d %d %d\n", sum, chosen(-1), chosen(GREEN), chosen(7), chosen(8), chosen(9), chosen(0x7fffffffffff));
    i = setjmp(buffer);
    SAY("%d\n", i);
    if (i < 3) longjmp(buffer, i + 1);
    if (depth) flow(depth - 1);
}

static void preprocessor(void)
{
    int JOIN(na, me) = 3, other = 4;

    SAY("%d %d %s %s\n", name + other, LARGEST(name, 2) EMPTY, OUTER(SELF), OUTER(JOIN(<, <)=));
    SAY("%d %s %s\n", __LINE__, __func__, TEXT(\n "\n" 'x'  +   y));
    SAY("%d\n", LARGEST(LARGEST(1, 4), LARGEST(LARGEST(2, 3), JOIN(1, 2))));
}

int main(int count, char **arguments)
{
    file = count == 2 ? fopen(arguments[1], "w") : NULL;
    if (!file) {
        fprintf(stderr, "usage: subset FILE\n");
        return 1;
    }
    integers();
    fractions();
    aggregates();
    flow(1);
    preprocessor();
    SAY("%ld %d\n", summed(2, 1, 2.5, 3L, 4, 5.5, 6L), strcmp("a", "b") < 0);
    return fclose(file) != 0;
}
