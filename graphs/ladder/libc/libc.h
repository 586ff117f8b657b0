/* All headers of the small C library in one file, which is mounted under each of their names. It
   has what TinyCC needs of them, and little more. */

#ifndef _LIBC_H
#define _LIBC_H

/* <stddef.h> and <stdarg.h>. sapling passes every argument on the stack, each at a multiple of 8
   bytes. Another compiler has these headers of its own. */
#ifdef __SAPLING__
typedef unsigned long size_t;
typedef long ptrdiff_t;
typedef int wchar_t;
#define NULL ((void *)0)
#define offsetof(type, member) ((size_t)&((type *)0)->member)
typedef char *va_list;
#define _SLOT(type) (sizeof(type) + 7 & -8)
#define va_start(list, last) ((list) = (char *)&(last) + _SLOT(last))
#define va_arg(list, type) (*(type *)(((list) += _SLOT(type)) - _SLOT(type)))
#define va_copy(to, from) ((to) = (from))
#define va_end(list) ((void)0)
#else
#include <stddef.h>
#include <stdarg.h>
#endif

/* <stdint.h> */
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;

/* <limits.h> */
#define CHAR_BIT 8
#define INT_MAX 0x7fffffff
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX 0xffffffffu
#define LONG_MAX 0x7fffffffffffffffL
#define LONG_MIN (-LONG_MAX - 1)
#define ULONG_MAX 0xffffffffffffffffUL

/* <assert.h> */
#undef assert
#ifdef NDEBUG
#define assert(x) ((void)0)
#else
#define assert(x) ((void)((x) || (__assert_fail(#x, __FILE__, __LINE__), 0)))
void __assert_fail(const char *what, const char *file, int line);
#endif

/* <errno.h> */
extern int errno;
#define ENOENT 2
#define EINTR 4
#define ENOMEM 12
#define EINVAL 22
#define ERANGE 34
#define ENOSYS 38

/* <fcntl.h> */
#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_APPEND 02000
int open(const char *path, int flags, ...);

/* <setjmp.h> */
typedef long jmp_buf[8];
long __setjmp();
long __longjmp();
#define setjmp(buffer) ((int)__setjmp(buffer))
#define longjmp(buffer, value) ((void)__longjmp(buffer, (value) ? (value) : 1))

/* <math.h> */
double ldexp(double x, int power);

/* <time.h> */
typedef long time_t;
struct tm { int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst; };
time_t time(time_t *where);
struct tm *localtime(const time_t *when);

/* <sys/time.h> */
struct timeval { long tv_sec, tv_usec; };
int gettimeofday(struct timeval *when, void *zone);

/* <sys/mman.h> */
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
int mprotect(void *start, size_t size, int access);

/* <signal.h> */
/* For tccrun.c, which handles signals for `tcc -run`. */
typedef struct { unsigned long bits[16]; } sigset_t;
typedef struct { int si_signo, si_errno, si_code, pad; void *si_addr; long more[13]; } siginfo_t;
struct sigaction {
    union {
        void (*sa_handler)(int);
        void (*sa_sigaction)(int, siginfo_t *, void *);
    };
    sigset_t sa_mask;
    int sa_flags;
};
#define SIGILL 4
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGSEGV 11
#define SA_SIGINFO 4
#define SA_RESETHAND 0x80000000
#define FPE_INTDIV 1
#define FPE_FLTDIV 3
int sigemptyset(sigset_t *set);
int sigaction(int number, const struct sigaction *new, struct sigaction *old);

/* <sys/ucontext.h> */
#define REG_RBP 10
#define REG_RIP 16
typedef struct { struct { long gregs[23]; } uc_mcontext; } ucontext_t;

/* <semaphore.h> */
/* There is one thread, so nobody has to wait. */
typedef struct { int count; } sem_t;
int sem_init(sem_t *sem, int shared, unsigned count);
int sem_wait(sem_t *sem);
int sem_post(sem_t *sem);

/* <unistd.h> */
typedef long off_t;
typedef long ssize_t;
extern char **environ;
ssize_t read(int file, void *bytes, size_t size);
ssize_t write(int file, const void *bytes, size_t size);
off_t lseek(int file, off_t place, int from);
int close(int file);
int unlink(const char *path);
char *getcwd(char *buffer, size_t size);
int execvp(const char *program, char *const arguments[]);

/* <stdlib.h> */
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *bytes);
void exit(int status);
void abort(void);
int atoi(const char *text);
int abs(int n);
char *getenv(const char *name);
long strtol(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
float strtof(const char *text, char **end);
double strtod(const char *text, char **end);
long double strtold(const char *text, char **end);
void qsort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *));

/* <string.h> */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t size);
char *strcat(char *to, const char *from);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
char *strstr(const char *text, const char *part);
char *strerror(int number);

/* <stdio.h> */
typedef struct _FILE FILE;
extern FILE *stdin, *stdout, *stderr;
#define EOF (-1)
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
FILE *fopen(const char *path, const char *mode);
FILE *fdopen(int file, const char *mode);
int fclose(FILE *file);
int fflush(FILE *file);
size_t fread(void *bytes, size_t size, size_t count, FILE *file);
size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file);
int fseek(FILE *file, long place, int from);
long ftell(FILE *file);
int fgetc(FILE *file);
int getc(FILE *file);
char *fgets(char *line, int size, FILE *file);
int fputc(int c, FILE *file);
int putc(int c, FILE *file);
int putchar(int c);
int fputs(const char *text, FILE *file);
int puts(const char *text);
int remove(const char *path);
int printf(const char *format, ...);
int fprintf(FILE *file, const char *format, ...);
int sprintf(char *to, const char *format, ...);
int snprintf(char *to, size_t size, const char *format, ...);
int vprintf(const char *format, va_list arguments);
int vfprintf(FILE *file, const char *format, va_list arguments);
int vsprintf(char *to, const char *format, va_list arguments);
int vsnprintf(char *to, size_t size, const char *format, va_list arguments);
int sscanf(const char *text, const char *format, ...);

#endif
