/*
 * Makes an output of two files that holds the same bytes each time and something beside them that no archive has, or writes down all
 * that can be seen of such an output: hidden make WAY | hidden look FOLDER
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SIZE = 1 << 20, GETFLAGS = 0x80086601, SETFLAGS = 0x40086602, NODUMP = 0x40 };

static char zeros[SIZE];

static int create(const char *name)
{
    return open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
}

static void make(const char *way)
{
    long flags = NODUMP;
    int file = create("large"), small = create("small");
    char other[200];

    if (!strcmp(way, "holes"))
        ftruncate(file, SIZE);
    else
        write(file, zeros, SIZE);
    write(small, "small\n", 6);
    if (!strcmp(way, "punched"))
        fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, SIZE / 2);
    else if (!strcmp(way, "beyond"))
        fallocate(small, FALLOC_FL_KEEP_SIZE, 0, SIZE);
    else if (!strcmp(way, "flags")) {
        printf("flags: %s\n", ioctl(small, SETFLAGS, &flags) ? strerror(errno) : "set");
        printf("attribute: %s\n", fsetxattr(small, "user.x", "1", 1, 0) ? strerror(errno) : "set");
    } else if (!strcmp(way, "links")) {
        link("small", "/store/elsewhere");
        snprintf(other, sizeof other, "%s/small", getenv("doc"));
        link("small", other);
        return;
    }
    snprintf(other, sizeof other, "%s/small", getenv("doc"));
    small = create(other);
    write(small, "small\n", 6);
}

static void look(FILE *out, const char *folder, const char *name)
{
    char path[200];
    struct stat stat;
    struct statx all;
    long flags = 0;
    int file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = open(path, O_RDONLY);
    fstat(file, &stat);
    statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &all);
    fprintf(out, "%s: %ld bytes, %ld blocks of %ld, %lu links, mode %o, changed %ld\n", name, (long)stat.st_size, (long)stat.st_blocks,
        (long)stat.st_blksize, (unsigned long)stat.st_nlink, stat.st_mode, (long)stat.st_mtime);
    fprintf(out, "data at %ld, a hole at %ld; ", (long)lseek(file, 0, SEEK_DATA), (long)lseek(file, 0, SEEK_HOLE));
    fprintf(out, "data behind 16384 at %ld; ", (long)lseek(file, 16384, SEEK_DATA));
    fprintf(out, "flags %d %lx, attributes %llx, names %ld\n", ioctl(file, GETFLAGS, &flags), flags,
        (unsigned long long)all.stx_attributes, (long)flistxattr(file, NULL, 0));
}

int main(int count, char **argument)
{
    FILE *out;

    if (!strcmp(argument[1], "make")) {
        mkdir(getenv("doc"), 0755);
        mkdir(getenv("out"), 0755);
        if (chdir(getenv("out")))
            return 1;
        make(argument[2]);
        return 0;
    }
    out = fopen(getenv("out"), "w");
    look(out, argument[2], "large");
    look(out, argument[2], "small");
    look(out, argument[3], "small");
    return fclose(out);
}
