/* archive OUTPUT FOLDER LIST ...: an archive of object files with an index of all symbols that they define, weak ones too. (What
   TinyCC makes with -ar leaves weak symbols out of the index, and half of musl's functions are weak.) A list is what the compiler
   read with @LIST: paths of sources, set apart by blanks and line ends. For A/B.c there, B.o in the folder is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 4000, NAMES = 1 << 20, SYMBOLS = 40000 };

struct member {
    const char *name;
    unsigned char *bytes;
    unsigned long size, place;
};

static struct member member[MEMBERS];
static char names[NAMES];
static int owner[SYMBOLS];
static int members, symbols;
static unsigned long used;

static void fail(const char *file, const char *why)
{
    fprintf(stderr, "archive: %s: %s\n", file, why);
    exit(1);
}

static unsigned long number(unsigned char *at, int bytes)
{
    unsigned long n = 0;

    while (bytes--)
        n = n << 8 | at[bytes];
    return n;
}

static void load(struct member *m, const char *file)
{
    FILE *f = fopen(file, "rb");

    if (!f)
        fail(file, "cannot be opened");
    fseek(f, 0, SEEK_END);
    m->size = ftell(f);
    fseek(f, 0, SEEK_SET);
    m->bytes = malloc(m->size + 1);
    if (fread(m->bytes, 1, m->size, f) != m->size)
        fail(file, "cannot be read");
    fclose(f);
    m->name = strcpy(malloc(strlen(file) + 1), strrchr(file, '/') + 1);
}

/* Notes the symbols that an ELF file defines for others: global (1) or weak (2), in a section. */
static void index_of(struct member *m)
{
    unsigned char *header = m->bytes + number(m->bytes + 40, 8), *table, *symbol, *texts;
    unsigned long i, count = number(m->bytes + 60, 2), size, n;

    if (m->size < 64 || memcmp(m->bytes, "\177ELF\2\1", 6))
        fail(m->name, "no ELF file of 64 bits");
    for (i = 0; i < count; i++) {
        table = header + 64 * i;
        if (number(table + 4, 4) != 2)
            continue;
        texts = m->bytes + number(header + 64 * number(table + 40, 4) + 24, 8);
        size = number(table + 32, 8);
        for (n = 24; n < size; n += 24) {
            symbol = m->bytes + number(table + 24, 8) + n;
            if (symbol[4] >> 4 == 0 || number(symbol + 6, 2) == 0)
                continue;
            if (symbols == SYMBOLS || used + 300 > NAMES)
                fail(m->name, "too many symbols");
            owner[symbols++] = m - member;
            strcpy(names + used, (char *)texts + number(symbol, 4));
            used += strlen(names + used) + 1;
        }
    }
}

static void head(FILE *f, const char *name, unsigned long size)
{
    fprintf(f, "%-16s%-12d%-6d%-6d%-8s%-10lu`\n", name, 0, 0, 0, "644", size);
}

static void big(FILE *f, unsigned long n)
{
    int shift;

    for (shift = 24; shift >= 0; shift -= 8)
        fputc(n >> shift & 255, f);
}

/* Loads the object of every source in a list. */
static void load_all(const char *folder, const char *list)
{
    static char word[4000], path[4100];
    FILE *f = fopen(list, "r");
    char *from, *end;
    int c, length = 0;

    if (!f)
        fail(list, "cannot be opened");
    do {
        c = getc(f);
        if (c != ' ' && c != '\n' && c != EOF) {
            if (length == sizeof word - 1)
                fail(list, "has a word that is too long");
            word[length++] = c;
        } else if (length) {
            word[length] = length = 0;
            from = strrchr(word, '/') ? strrchr(word, '/') + 1 : word;
            end = strrchr(from, '.');
            if (!end || members == MEMBERS)
                fail(list, "has too many names, or one without an ending");
            strcpy(end, ".o");
            sprintf(path, "%s/%s", folder, from);
            load(&member[members], path);
            index_of(&member[members++]);
        }
    } while (c != EOF);
    fclose(f);
}

int main(int count, char **argument)
{
    unsigned long place;
    char name[20];
    FILE *f;
    int i;

    if (count < 4 || count & 1)
        fail("usage", "archive OUTPUT FOLDER LIST ...");
    for (i = 2; i < count; i += 2)
        load_all(argument[i], argument[i + 1]);
    used += used & 1;
    place = 8 + 60 + 4 + 4 * symbols + used;
    for (i = 0; i < members; i++) {
        member[i].place = place;
        place += 60 + member[i].size + (member[i].size & 1);
    }
    f = fopen(argument[1], "wb");
    if (!f)
        fail(argument[1], "cannot be written");
    fputs("!<arch>\n", f);
    head(f, "/", 4 + 4 * symbols + used);
    big(f, symbols);
    for (i = 0; i < symbols; i++)
        big(f, member[owner[i]].place);
    fwrite(names, 1, used, f);
    for (i = 0; i < members; i++) {
        sprintf(name, "%.15s", member[i].name);
        strcpy(strlen(name) < 15 ? name + strlen(name) : name + 15, "/");
        head(f, name, member[i].size);
        fwrite(member[i].bytes, 1, member[i].size, f);
        if (member[i].size & 1)
            fputc('\n', f);
    }
    if (fclose(f))
        fail(argument[1], "cannot be written");
    return 0;
}
