/* Numbers from texts. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

static int is_blank(int c) { return c == ' ' || (c >= 9 && c <= 13); }

unsigned long long strtoull(const char *text, char **end, int base)
{
    const char *at = text, *first;
    int minus = 0, over = 0;
    unsigned long result = 0;

    while (is_blank(*at))
        at++;
    if (*at == '-' || *at == '+')
        minus = *at++ == '-';
    if ((base == 0 || base == 16) && *at == '0' && (at[1] | 32) == 'x' && digit(at[2]) < 16) {
        at += 2;
        base = 16;
    }
    if (base == 0)
        base = *at == '0' ? 8 : 10;
    for (first = at; digit(*at) < base; at++) {
        if (result > (-1UL - digit(*at)) / base)
            over = 1;
        result = result * base + digit(*at);
    }
    if (end)
        *end = (char *)(at == first ? text : at);
    if (over) {
        errno = ERANGE;
        return -1UL;
    }
    return minus ? -result : result;
}

/* With a sign: what is too large for that becomes the largest or smallest. */
long long strtoll(const char *text, char **end, int base)
{
    unsigned long result = strtoull(text, end, base);
    int minus;

    while (is_blank(*text))
        text++;
    minus = *text == '-';
    if ((minus ? -result : result) > 0x7fffffffffffffffUL + minus || (minus && result == -1UL && text[1] != '1')) {
        errno = ERANGE;
        return 0x7fffffffffffffffL + minus;
    }
    return result;
}

unsigned long strtoul(const char *text, char **end, int base) { return strtoull(text, end, base); }
long strtol(const char *text, char **end, int base) { return strtoll(text, end, base); }
int atoi(const char *text) { return strtol(text, NULL, 10); }
int abs(int n) { return n < 0 ? -n : n; }

double ldexp(double x, int power)
{
    long double result = x;

    for (; power > 0; power--)
        result *= 2;
    for (; power < 0; power++)
        result /= 2;
    return result;
}

/* Fractions are exact: a large whole number holds the digits, and is rounded once. Its words have
   32 bits each, the lowest first. */
enum { WORDS = 1100 };
static unsigned large[WORDS];
static int used;

static void multiply(unsigned factor, unsigned long carry)
{
    int i;

    for (i = 0; i < used || carry; i++) {
        if (i == used)
            large[used++] = 0;
        carry += (unsigned long)large[i] * factor;
        large[i] = carry;
        carry >>= 32;
    }
}

/* What is left over. */
static unsigned divide(unsigned divisor)
{
    unsigned long rest = 0;
    int i;

    for (i = used; i--;) {
        rest = rest << 32 | large[i];
        large[i] = rest / divisor;
        rest %= divisor;
    }
    while (used && !large[used - 1])
        used--;
    return rest;
}

static int bit(int i) { return i >= 0 ? large[i / 32] >> i % 32 & 1 : 0; }

/* The large number times 2 to the power, with so many bits, of which numbers below 2 to the power
   `least` have fewer. */
static long double rounded(int power, int bits, int least, int sticky)
{
    int top = used * 32 - 1, low, i;
    unsigned long mantissa = 0;
    long double result;

    while (top >= 0 && !bit(top))
        top--;
    if (top < 0)
        return 0;
    low = top - bits + 1;
    if (low + power < least)
        low = least - power;
    for (i = top; i >= low; i--)
        mantissa = mantissa << 1 | bit(i);
    for (i = 0; i < low - 1 && !sticky; i++)
        sticky = i <= top && bit(i);
    result = mantissa;
    if (low - 1 <= top && bit(low - 1) && (sticky || mantissa & 1))
        result += 1;
    for (power += low; power > 0; power--)
        result *= 2;
    for (; power < 0; power++)
        result /= 2;
    return result;
}

/* bits: how many the result has; least: the power of the last bit of the smallest number. */
static long double fraction(const char *text, char **end, int bits, int least)
{
    const char *at = text, *first, *kept;
    int minus = 0, base = 10, power = 0, point = 0, digits = 0, shift = 0, sticky = 0, other;
    long double result;

    while (is_blank(*at))
        at++;
    if (*at == '-' || *at == '+')
        minus = *at++ == '-';
    if (*at == '0' && (at[1] | 32) == 'x') {
        base = 16;
        at += 2;
    }
    used = 0;
    for (first = at; digit(*at) < base || (*at == '.' && !point); at++) {
        if (*at == '.') {
            point = 1;
            continue;
        }
        digits++;
        if (digits > 1000) {
            sticky |= *at != '0';
            power += 1 - point;
        } else {
            multiply(base, digit(*at));
            power -= point;
        }
    }
    if (!digits) {
        if (end)
            *end = (char *)text;
        return 0;
    }
    if (base == 16)
        power *= 4;
    if ((*at | 32) == (base == 16 ? 'p' : 'e')) {
        other = strtol(at + 1, (char **)&kept, 10);
        if (kept != at + 1 && !is_blank(at[1])) {
            at = kept;
            power += other > 20000 ? 20000 : other < -20000 ? -20000 : other;
        }
    }
    if (end)
        *end = (char *)at;
    if (base == 10 && (power > 5000 || power < -6000)) {
        result = power > 0 && used ? rounded(20000, bits, least, 0) : 0;
        return minus ? -result : result;
    }
    if (base == 16)
        shift = power;
    else {
        for (; power > 0; power--)
            multiply(10, 0);
        for (other = power * 4 - 96; shift > other; shift -= 16)
            multiply(1 << 16, 0);
        for (; power < 0; power++)
            sticky |= divide(10) != 0;
    }
    result = rounded(shift, bits, least, sticky);
    return minus ? -result : result;
}

float strtof(const char *text, char **end) { return fraction(text, end, 24, -149); }
double strtod(const char *text, char **end) { return fraction(text, end, 53, -1074); }
long double strtold(const char *text, char **end) { return fraction(text, end, 64, -16445); }

/* x >= 0, times ten to the power of `places`, as a whole number in decimal digits: how many. */
int __decimals(long double x, int places, char *digits)
{
    int power = 0, count = 0, sticky = 0, half, i;
    char digit_now;

    for (; x >= 18446744073709551616.0L; power++)
        x /= 2;
    for (; x > 0 && x < 9223372036854775808.0L; power--)
        x *= 2;
    used = 0;
    multiply(0, (unsigned long)x >> 32);
    for (i = 0; i < 2; i++)
        multiply(1 << 16, i ? (unsigned long)x & 0xffff : (unsigned long)x >> 16 & 0xffff);
    for (; places > 0; places--)
        multiply(10, 0);
    for (; power > 0; power--)
        multiply(2, 0);
    for (half = 0; places < 0 || power < 0;) {
        /* divide; in the end the last part that went away says how to round */
        unsigned by = places < 0 ? 10 : 2, rest = divide(by);
        sticky |= half != 0;
        half = rest * 2 / by;
        sticky |= rest * 2 % by != 0;
        places += by == 10;
        power += by == 2;
    }
    if (half && (sticky || (used && large[0] & 1)))
        multiply(1, 1);
    while (used)
        digits[count++] = '0' + divide(10);
    for (i = 0; i < count / 2; i++) {
        digit_now = digits[i];
        digits[i] = digits[count - 1 - i];
        digits[count - 1 - i] = digit_now;
    }
    return count;
}
