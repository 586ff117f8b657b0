/* Files, with a buffer for what is written. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct _FILE {
    int number;
    int used;                   /* bytes in the buffer */
    int at_once;                /* nothing waits in the buffer */
    int failed;
    struct _FILE *next;
    char buffer[4096];
};

static FILE standard[3] = {{0}, {1, 0, 0, 0, standard}, {2, 0, 1, 0, standard + 1}};
FILE *stdin = standard, *stdout = standard + 1, *stderr = standard + 2;
static FILE *files = standard + 2;

FILE *fdopen(int number, const char *mode)
{
    FILE *file = number < 0 ? NULL : calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->number = number;
    file->next = files;
    files = file;
    return file;
}

FILE *fopen(const char *path, const char *mode)
{
    int flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;

    if (*mode == 'w')
        flags |= O_CREAT | O_TRUNC;
    if (*mode == 'a')
        flags |= O_CREAT | O_APPEND;
    return fdopen(open(path, flags, 0666), mode);
}

int fflush(FILE *file)
{
    int done, n;

    if (!file) {
        for (file = files; file; file = file->next)
            fflush(file);
        return 0;
    }
    for (done = 0; done < file->used; done += n) {
        n = write(file->number, file->buffer + done, file->used - done);
        if (n <= 0) {
            file->failed = 1;
            break;
        }
    }
    file->used = 0;
    return file->failed ? EOF : 0;
}

int fclose(FILE *file)
{
    FILE **link = &files;
    int result = fflush(file);

    if (close(file->number) < 0)
        result = EOF;
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    if (file < standard || file >= standard + 3)
        free(file);
    return result;
}

int fputc(int c, FILE *file)
{
    file->buffer[file->used++] = c;
    if (file->used == sizeof file->buffer || file->at_once)
        if (fflush(file))
            return EOF;
    return (unsigned char)c;
}

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file)
{
    const char *from = bytes;
    size_t all = size * count, i;
    int kept = file->at_once;

    file->at_once = 0;
    for (i = 0; i < all; i++)
        if (fputc(from[i], file) == EOF)
            break;
    file->at_once = kept;
    if (kept && fflush(file))
        return 0;
    return size ? i / size : 0;
}

size_t fread(void *bytes, size_t size, size_t count, FILE *file)
{
    size_t all = size * count, i;
    long n;

    for (i = 0; i < all; i += n) {
        n = read(file->number, (char *)bytes + i, all - i);
        if (n <= 0)
            break;
    }
    return size ? i / size : 0;
}

int fseek(FILE *file, long place, int from)
{
    fflush(file);
    return lseek(file->number, place, from) < 0 ? -1 : 0;
}

long ftell(FILE *file)
{
    fflush(file);
    return lseek(file->number, 0, SEEK_CUR);
}

int fgetc(FILE *file)
{
    unsigned char c;

    return fread(&c, 1, 1, file) == 1 ? c : EOF;
}

char *fgets(char *line, int size, FILE *file)
{
    int i = 0, c = 0;

    while (i < size - 1 && c != '\n' && (c = fgetc(file)) != EOF)
        line[i++] = c;
    line[i] = 0;
    return i ? line : NULL;
}

int getc(FILE *file) { return fgetc(file); }
int putc(int c, FILE *file) { return fputc(c, file); }
int putchar(int c) { return fputc(c, stdout); }

int fputs(const char *text, FILE *file)
{
    size_t size = strlen(text);

    return fwrite(text, 1, size, file) == size ? 0 : EOF;
}

int puts(const char *text) { return fputs(text, stdout) || fputc('\n', stdout) == EOF ? EOF : 0; }
