/* headers types OUTPUT INPUT ..., headers calls OUTPUT INPUT: the two headers of musl that its Makefile makes with sed.

   `types` turns, in each line of bits/alltypes.h.in that begins with one of these words,
       TYPEDEF type name;       into a definition of that type for those who ask for it with __NEED_name,
       STRUCT name { ... };     and UNION, the same
   and copies all others. `calls` copies bits/syscall.h.in, and once more each line with __NR_, as SYS_. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *file)
{
    fprintf(stderr, "headers: %s: cannot be opened, or has a line that is not understood\n", file);
    exit(1);
}

static void define(FILE *out, const char *prefix, const char *name, const char *before, const char *after)
{
    fprintf(out, "#if defined(__NEED_%s%s) && !defined(__DEFINED_%s%s)\n", prefix, name, prefix, name);
    fprintf(out, "%s %s;\n#define __DEFINED_%s%s\n#endif\n\n", before, after, prefix, name);
}

static void types(FILE *out, char *line, const char *file)
{
    char *end, *rest, word[200];

    if (!strncmp(line, "TYPEDEF ", 8)) {
        end = strrchr(line, ';');
        if (!end)
            fail(file);
        *end = 0;
        rest = strrchr(line, ' ');
        *rest = 0;
        sprintf(word, "typedef %s", line + 8);
        define(out, "", rest + 1, word, rest + 1);
    } else if (!strncmp(line, "STRUCT ", 7) || !strncmp(line, "UNION ", 6)) {
        char *prefix = *line == 'S' ? "struct_" : "union_", *kind = *line == 'S' ? "struct" : "union";
        char *name = strchr(line, ' ') + 1;

        end = strrchr(line, ';');
        rest = strchr(name, ' ');
        if (!end || !rest)
            fail(file);
        *end = *rest = 0;
        sprintf(word, "%s %s", kind, name);
        define(out, prefix, name, word, rest + 1);
    } else {
        fputs(line, out);
    }
}

int main(int count, char **argument)
{
    static char line[4000];
    char *at;
    int i, calls;
    FILE *in, *out = count > 3 ? fopen(argument[2], "w") : NULL;

    if (!out)
        fail("usage: headers types|calls OUTPUT INPUT ...");
    calls = !strcmp(argument[1], "calls");
    for (i = 3; i < count; i++) {
        in = fopen(argument[i], "r");
        if (!in)
            fail(argument[i]);
        while (fgets(line, sizeof line, in))
            if (calls)
                fputs(line, out);
            else
                types(out, line, argument[i]);
        fclose(in);
    }
    if (calls) {
        in = fopen(argument[3], "r");
        while (fgets(line, sizeof line, in)) {
            at = strstr(line, "__NR_");
            if (!at)
                continue;
            *at = 0;
            fprintf(out, "%sSYS_%s", line, at + 5);
        }
        fclose(in);
    }
    return fclose(out) != 0;
}
