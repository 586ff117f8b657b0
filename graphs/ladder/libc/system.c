/* A small C library, for what sapling compiles: what TinyCC needs, and little more.
   This file: the start and the end of a program, and what only asks the kernel. */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* These come with sapling: they cannot be written in C. */
long __syscall();

int errno;
char **environ;

int main(int count, char **arguments, char **environment);

/* Where a program starts: the stack holds the number of arguments, their addresses, a zero, and
   the same for the environment. */
void __start(long *stack)
{
    environ = (char **)(stack + *stack + 2);
    exit(main((int)*stack, (char **)(stack + 1), environ));
}

void exit(int status)
{
    fflush(NULL);
    __syscall(231L, (long)status);
}

void abort(void)
{
    write(2, "abort\n", 6);
    __syscall(231L, 134L);
}

void __assert_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* The kernel's answer: from -4095 to -1 it is an error. */
static long answer(long result)
{
    if (result < 0 && result > -4096) {
        errno = -result;
        return -1;
    }
    return result;
}

ssize_t read(int file, void *bytes, size_t size)
{
    return answer(__syscall(0L, (long)file, bytes, size));
}

ssize_t write(int file, const void *bytes, size_t size)
{
    return answer(__syscall(1L, (long)file, bytes, size));
}

int open(const char *path, int flags, ...)
{
    va_list more;
    long mode = 0;

    va_start(more, flags);
    if (flags & O_CREAT)
        mode = va_arg(more, int);
    va_end(more);
    return answer(__syscall(2L, path, (long)flags, mode));
}

int close(int file) { return answer(__syscall(3L, (long)file)); }
off_t lseek(int file, off_t place, int from) { return answer(__syscall(8L, (long)file, place, (long)from)); }
int mprotect(void *start, size_t size, int access) { return answer(__syscall(10L, start, size, (long)access)); }
int unlink(const char *path) { return answer(__syscall(87L, path)); }
int remove(const char *path) { return unlink(path); }

char *getcwd(char *buffer, size_t size)
{
    return answer(__syscall(79L, buffer, size)) < 0 ? NULL : buffer;
}

/* Without looking through PATH: the program is named with its folder. */
int execvp(const char *program, char *const arguments[])
{
    return answer(__syscall(59L, program, arguments, environ));
}

int gettimeofday(struct timeval *when, void *zone) { return answer(__syscall(96L, when, zone)); }

time_t time(time_t *where)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    if (where)
        *where = now.tv_sec;
    return now.tv_sec;
}

/* Local time is UTC. Days are counted from 1 March of year 0, so that a leap day is a year's last. */
struct tm *localtime(const time_t *when)
{
    static struct tm result;
    long day = *when / 86400 + 719468, second = *when % 86400;
    long era = day / 146097, in_era = day % 146097;
    long year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    long in_year = in_era - (365 * year + year / 4 - year / 100);
    long month = (5 * in_year + 2) / 153;

    result.tm_sec = second % 60;
    result.tm_min = second / 60 % 60;
    result.tm_hour = second / 3600;
    result.tm_mday = in_year - (153 * month + 2) / 5 + 1;
    result.tm_mon = month < 10 ? month + 2 : month - 10;
    result.tm_year = year + era * 400 + (month >= 10) - 1900;
    result.tm_wday = (day + 3) % 7;
    return &result;
}

char *getenv(const char *name)
{
    size_t size = strlen(name);
    char **entry;

    for (entry = environ; *entry; entry++)
        if (!strncmp(*entry, name, size) && (*entry)[size] == '=')
            return *entry + size + 1;
    return NULL;
}

int sem_init(sem_t *sem, int shared, unsigned count) { sem->count = count; return 0; }
int sem_wait(sem_t *sem) { sem->count--; return 0; }
int sem_post(sem_t *sem) { sem->count++; return 0; }

/* Signals keep their default action: who asks for another one is refused. */
int sigemptyset(sigset_t *set) { memset(set, 0, sizeof *set); return 0; }

int sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    errno = ENOSYS;
    return -1;
}
