#ifndef _UNISTD_H
#define _UNISTD_H
#include <stddef.h>
#include <stdint.h>
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
#endif
