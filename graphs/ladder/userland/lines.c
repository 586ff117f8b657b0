/* lines SCRIPT: runs the commands of a script, one a line, until one fails. Words are set apart by blanks; `#` begins a comment,
   and a line whose last word is `\` goes on in the next one.
   There is no quoting, no pattern and no variable: what a line says is what is run. It knows itself

       cd FOLDER            works in that folder from here on
       mkdir FOLDER ...     makes folders
       copy FROM TO         copies a file, or what a folder holds into another, which is made if it is not there

   and everything else is a program, named with its folder. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Comes with sapling: a call of the kernel. */
long __syscall();

enum { CHDIR = 80, FORK = 57, GETDENTS = 217, MKDIR = 83, WAIT = 61, WORDS = 200, LINE = 4000, PATH = 4096, FOLDER = 0200000 };

static int line_number;
static const char *script;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "lines: %s, line %d: %s: %s\n", script, line_number, what, why);
    exit(1);
}

static void copy_file(int from, const char *to)
{
    static char bytes[65536];
    long size;
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (out < 0)
        fail(to, "cannot be written");
    while ((size = read(from, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, size) != size)
            fail(to, "cannot be written");
    close(out);
}

/* An entry of a folder, as the kernel gives it: where the next one begins is in `size`. */
struct entry { long inode, place; unsigned short size; unsigned char kind; char name[1]; };

static void copy(const char *from, const char *to)
{
    char *block, *in, *out;
    struct entry *entry;
    long size, at;
    int file = open(from, O_RDONLY | FOLDER);

    if (file < 0) {
        file = open(from, O_RDONLY);
        if (file < 0)
            fail(from, "cannot be opened");
        copy_file(file, to);
        close(file);
        return;
    }
    __syscall((long)MKDIR, to, 0755L);
    block = malloc(32768);
    in = malloc(PATH);
    out = malloc(PATH);
    while ((size = __syscall((long)GETDENTS, (long)file, block, 32768L)) > 0)
        for (at = 0; at < size; at += entry->size) {
            entry = (struct entry *)(block + at);
            if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
                continue;
            if (snprintf(in, PATH, "%s/%s", from, entry->name) >= PATH || snprintf(out, PATH, "%s/%s", to, entry->name) >= PATH)
                fail(from, "too long a path");
            copy(in, out);
        }
    close(file);
    free(block);
    free(in);
    free(out);
}

static void run(char **word)
{
    int status = 0;
    long child = __syscall((long)FORK);

    if (child == 0) {
        execvp(word[0], word);
        fail(word[0], "cannot be run");
    }
    if (child < 0 || __syscall((long)WAIT, child, &status, 0L, 0L) != child || status)
        fail(word[0], "failed");
}

static void line(char **word, int words)
{
    int i;

    if (!strcmp(word[0], "cd") && words == 2) {
        if (__syscall((long)CHDIR, word[1]) < 0)
            fail(word[1], "is no folder");
    } else if (!strcmp(word[0], "mkdir")) {
        for (i = 1; i < words; i++)
            if (__syscall((long)MKDIR, word[i], 0755L) < 0)
                fail(word[i], "cannot be made");
    } else if (!strcmp(word[0], "copy") && words == 3) {
        copy(word[1], word[2]);
    } else {
        run(word);
    }
}

/* Cuts a line into words behind those there are, and says how many there are then. */
static int split(char *at, char **word, int words)
{
    while (*at && *at != '#') {
        if (*at == ' ' || *at == '\t' || *at == '\n') {
            *at++ = 0;
            continue;
        }
        if (words == WORDS - 1)
            fail(script, "too many words");
        for (word[words++] = at; *at != ' ' && *at != '\t' && *at != '\n'; at++)
            ;
    }
    *at = 0;
    return words;
}

int main(int count, char **argument)
{
    static char text[LINE], *word[WORDS];
    char *at = text;
    int words = 0;
    FILE *file;

    script = count == 2 ? argument[1] : "usage: lines SCRIPT";
    file = count == 2 ? fopen(script, "r") : NULL;
    if (!file)
        fail(script, "cannot be opened");
    while (fgets(at, text + LINE - at, file)) {
        line_number++;
        if (!strchr(at, '\n'))
            fail(script, "a line is too long, or has no end");
        count = strlen(at) + 1;
        words = split(at, word, words);
        at += count;
        if (words && !strcmp(word[words - 1], "\\")) {
            words--;
            continue;
        }
        word[words] = NULL;
        if (words)
            line(word, words);
        words = 0;
        at = text;
    }
    if (words)
        fail(script, "ends in the middle of a command");
    return 0;
}
