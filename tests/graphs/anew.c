/* Writes down what a step could see of what ran before it, one thing a line: anew MACHINE {INPUT} */
#include <arpa/inet.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void bytes(const char *name, const unsigned char *at, int length)
{
    printf("%s", name);
    for (int i = 0; i < length; i++)
        printf("%s%02x", i ? "" : " ", at[i]);
    printf("\n");
}

static void file(const char *path)
{
    unsigned char text[64];
    int fd = open(path, O_RDONLY), length = read(fd, text, sizeof text);
    bytes(path, text, length < 0 ? 0 : length);
    close(fd);
}

static void numbers(const char *path, int inode)
{
    struct stat stat;
    if (lstat(path, &stat)) {
        printf("%s: none\n", path);
        return;
    }
    printf("%s device %lu", path, (unsigned long)stat.st_dev);
    if (inode)
        printf(" inode %lu", (unsigned long)stat.st_ino);
    printf("\n");
}

int main(int count, char **arguments)
{
    /* Random numbers and the time of day are the machine's own in `strict` alone. */
    int random = !strcmp(arguments[1], "strict");
    freopen(getenv("out"), "w", stdout);
    if (random) {
        unsigned char some[100];
        bytes("AT_RANDOM", (void *)getauxval(AT_RANDOM), 16);
        getrandom(some, sizeof some, 0);
        bytes("getrandom", some, sizeof some);
        file("/dev/urandom");
        file("/proc/sys/kernel/random/uuid");
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        int here = socket(AF_INET, SOCK_STREAM, 0);
        bind(here, (void *)&address, length);
        getsockname(here, (void *)&address, &length);
        printf("port %d\n", ntohs(address.sin_port));
        file("/proc/sys/kernel/random/boot_id");
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("CLOCK_MONOTONIC %ld\n", (long)now.tv_sec);
    clock_gettime(CLOCK_BOOTTIME, &now);
    printf("CLOCK_BOOTTIME %ld\n", (long)now.tv_sec);
    if (random) {
        clock_gettime(CLOCK_REALTIME, &now);
        printf("CLOCK_REALTIME %ld\n", (long)now.tv_sec);
    }
    printf("pid %d parent %d\n", getpid(), getppid());
    pid_t child = fork();
    if (!child)
        _exit(0);
    waitpid(child, 0, 0);
    printf("child %d\n", child);
    printf("System V %d %d %d\n", msgget(IPC_PRIVATE, 0600), semget(IPC_PRIVATE, 1, 0600),
        shmget(IPC_PRIVATE, 4096, 0600));
    const char *own[] = {"/", "/tmp", "/build", "/store", "/dev", "/etc"};
    for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
        numbers(own[i], 1);
    numbers("/proc", 1);
    numbers("/dev/shm", 1);
    numbers("/dev/pts", 1);
    close(open("/build/one", O_WRONLY | O_CREAT, 0644));
    mkdir("/build/two", 0755);
    numbers("/build/one", 1);
    numbers("/build/two", 1);
    for (int i = 2; i < count; i++)
        numbers(arguments[i], 0);
    return 0;
}
