/* Formatted output, and sscanf for whole numbers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __decimals(long double x, int places, char *digits);

/* Where it goes: to a file, or to a buffer with so much room. */
struct sink {
    FILE *file;
    char *buffer;
    size_t room, count;
};

static void put(struct sink *sink, int c)
{
    if (sink->file)
        fputc(c, sink->file);
    else if (sink->count < sink->room)
        sink->buffer[sink->count] = c;
    sink->count++;
}

static void put_many(struct sink *sink, int c, int count)
{
    while (count-- > 0)
        put(sink, c);
}

/* What stands between % and the letter. */
struct form {
    int left, plus, space, other, zero, width, precision, size;
};

/* The text with a sign or prefix in front, in a field. */
static void field(struct sink *sink, struct form *form, const char *prefix, const char *text, int size)
{
    int blanks = form->width - strlen(prefix) - size;

    if (!form->left && !form->zero)
        put_many(sink, ' ', blanks);
    while (*prefix)
        put(sink, *prefix++);
    if (!form->left && form->zero)
        put_many(sink, '0', blanks);
    while (size-- > 0)
        put(sink, *text++);
    if (form->left)
        put_many(sink, ' ', blanks);
}

static void whole(struct sink *sink, struct form *form, int letter, unsigned long n, const char *prefix)
{
    char text[1100], *at = text + sizeof text;
    int base = letter == 'o' ? 8 : (letter | 32) == 'x' || letter == 'p' ? 16 : 10, digits = 0;
    const char *names = letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

    if (base == 16 && n && (form->other || letter == 'p'))
        prefix = letter == 'X' ? "0X" : "0x";
    for (; n; n /= base, digits++)
        *--at = names[n % base];
    if (form->precision >= 0)
        form->zero = 0;
    while (digits < (form->precision < 0 ? 1 : form->precision) && digits < 1000)
        *--at = '0', digits++;
    if (base == 8 && form->other && *at != '0')
        *--at = '0', digits++;
    field(sink, form, prefix, at, digits);
}

/* The power of ten of the first digit of x, or about that. */
static int power_of(long double x)
{
    int power = 0;

    for (; x >= 10; power++)
        x /= 10;
    for (; x > 0 && x < 1; power--)
        x *= 10;
    return power;
}

/* The digits of x with so many behind the first; the power of the first, which rounding may raise. */
static int scientific_digits(long double x, int precision, char *digits)
{
    int power = power_of(x), count;

    for (;;) {
        count = __decimals(x, precision - power, digits);
        if (x == 0 || count == precision + 1)
            break;
        power += count > precision + 1 ? 1 : -1;
    }
    while (count < precision + 1)
        digits[count++] = '0';
    return power;
}

static void fraction(struct sink *sink, struct form *form, int letter, long double x)
{
    char digits[6000], text[6000], *at = text;
    const char *prefix = x < 0 ? "-" : form->plus ? "+" : form->space ? " " : "";
    int count, power, i, precision = form->precision < 0 ? 6 : form->precision;
    int general = (letter | 32) == 'g', scientific = (letter | 32) == 'e';

    if (x != x || x - x != 0) {
        form->zero = 0;
        field(sink, form, prefix, x != x ? "nan" : "inf", 3);
        return;
    }
    if (x < 0)
        x = -x;
    if (precision > 900)
        precision = 900;
    if (general) {
        precision = precision ? precision : 1;
        power = scientific_digits(x, precision - 1, digits);
        scientific = power < -4 || power >= precision;
        precision = scientific ? precision - 1 : precision - 1 - power;
    }
    if (scientific) {
        power = scientific_digits(x, precision, digits);
        *at++ = digits[0];
        if (precision)
            *at++ = '.';
        for (i = 1; i <= precision; i++)
            *at++ = digits[i];
    } else {
        count = __decimals(x, precision, digits);
        for (i = count > precision ? count : precision + 1; i > 0; i--) {
            *at++ = i > count ? '0' : digits[count - i];
            if (i == precision + 1 && precision)
                *at++ = '.';
        }
    }
    if (general && !form->other && precision > 0) {
        while (at[-1] == '0')
            at--;
        if (at[-1] == '.')
            at--;
    }
    if (scientific)
        at += sprintf(at, "%c%c%02d", letter & 32 ? 'e' : 'E', power < 0 ? '-' : '+', abs(power));
    field(sink, form, prefix, text, at - text);
}

static const char *read_form(struct form *form, const char *format, va_list *arguments)
{
    memset(form, 0, sizeof *form);
    form->precision = -1;
    for (;; format++) {
        if (*format == '-') form->left = 1;
        else if (*format == '+') form->plus = 1;
        else if (*format == ' ') form->space = 1;
        else if (*format == '#') form->other = 1;
        else if (*format == '0') form->zero = 1;
        else break;
    }
    if (*format == '*') {
        form->width = va_arg(*arguments, int);
        if (form->width < 0) {
            form->left = 1;
            form->width = -form->width;
        }
        format++;
    } else
        form->width = strtol(format, (char **)&format, 10);
    if (*format == '.') {
        format++;
        if (*format == '*') {
            form->precision = va_arg(*arguments, int);
            format++;
        } else
            for (form->precision = 0; *format >= '0' && *format <= '9'; format++)
                form->precision = form->precision * 10 + *format - '0';
    }
    for (;; format++) {
        if (*format == 'l' || *format == 'z' || *format == 'j' || *format == 't') form->size = 8;
        else if (*format == 'L') form->size = 16;
        else if (*format == 'h') form->size = form->size == 2 ? 1 : 2;
        else break;
    }
    return format;
}

static void one(struct sink *sink, struct form *form, int letter, va_list *arguments)
{
    char c;
    const char *text;
    int size;
    long n;

    switch (letter) {
    case 'd': case 'i':
        n = form->size == 8 ? va_arg(*arguments, long) : va_arg(*arguments, int);
        n = form->size == 2 ? (short)n : form->size == 1 ? (signed char)n : n;
        whole(sink, form, letter, n < 0 ? -n : n, n < 0 ? "-" : form->plus ? "+" : form->space ? " " : "");
        break;
    case 'u': case 'x': case 'X': case 'o':
        n = form->size == 8 ? va_arg(*arguments, long) : va_arg(*arguments, unsigned);
        n = form->size == 2 ? (unsigned short)n : form->size == 1 ? (unsigned char)n : n;
        whole(sink, form, letter, n, "");
        break;
    case 'p':
        whole(sink, form, letter, (unsigned long)va_arg(*arguments, void *), "");
        break;
    case 'c':
        c = va_arg(*arguments, int);
        field(sink, form, "", &c, 1);
        break;
    case 's':
        text = va_arg(*arguments, char *);
        if (!text)
            text = "(null)";
        for (size = 0; (form->precision < 0 || size < form->precision) && text[size]; size++)
            ;
        field(sink, form, "", text, size);
        break;
    case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        if (form->size == 16)
            fraction(sink, form, letter, va_arg(*arguments, long double));
        else
            fraction(sink, form, letter, va_arg(*arguments, double));
        break;
    default:
        put(sink, letter);
    }
}

static int print(struct sink *sink, const char *format, va_list arguments)
{
    struct form form;

    for (; *format; format++) {
        if (*format != '%') {
            put(sink, *format);
            continue;
        }
        format = read_form(&form, format + 1, &arguments);
        if (!*format)
            break;
        one(sink, &form, *format, &arguments);
    }
    return sink->count;
}

int vfprintf(FILE *file, const char *format, va_list arguments)
{
    struct sink sink = {file};

    return print(&sink, format, arguments);
}

int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
    struct sink sink = {NULL, to, size ? size - 1 : 0};
    int count = print(&sink, format, arguments);

    if (size)
        to[count < size ? count : size - 1] = 0;
    return count;
}

int vprintf(const char *format, va_list arguments) { return vfprintf(stdout, format, arguments); }
int vsprintf(char *to, const char *format, va_list arguments) { return vsnprintf(to, 1UL << 40, format, arguments); }

#define FORWARD(call) va_list list; int result; va_start(list, format); result = call; va_end(list); return result;

int printf(const char *format, ...) { FORWARD(vfprintf(stdout, format, list)) }
int fprintf(FILE *file, const char *format, ...) { FORWARD(vfprintf(file, format, list)) }
int sprintf(char *to, const char *format, ...) { FORWARD(vsprintf(to, format, list)) }
int snprintf(char *to, size_t size, const char *format, ...) { FORWARD(vsnprintf(to, size, format, list)) }

/* Knows %d, and characters that stand for themselves. */
int sscanf(const char *text, const char *format, ...)
{
    va_list list;
    int count = 0;
    char *end;

    va_start(list, format);
    for (; *format; format++) {
        if (format[0] == '%' && format[1] == 'd') {
            int n = strtol(text, &end, 10);
            if (end == text)
                break;
            *va_arg(list, int *) = n;
            text = end;
            count++;
            format++;
        } else if (*text++ != *format)
            break;
    }
    va_end(list);
    return count;
}
