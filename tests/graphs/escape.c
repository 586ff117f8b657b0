/*
 * Tries to get out of a step by ways that other builders' jails have left open, and says how each attempt ended. The exit status is
 * the number of those that succeeded. As `invoke` it is no step: it starts a program in a session that has a key.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ = 11, UPDATE = 2, REVOKE = 3, SETPERM = 5, DESCRIBE = 6, LINK = 8, SEARCH = 10, JOIN = 1, SESSION = -3, USER = -4 };

static int allowed;

static void attempt(const char *what, long result)
{
    if (result == -1) {
        printf("%s: %s\n", what, strerror(errno));
    } else {
        printf("%s: ALLOWED\n", what);
        allowed++;
    }
}

static long i386(long number, long a, long b, long c)
{
    int result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/* A program's file by the process that runs it, opened in ways that need no right to write, and then again to write. */
static void overwrite(int process)
{
    static const int ways[] = { O_RDONLY, O_PATH };
    char path[64], what[128], link[200] = "";
    unsigned way;
    int file, again;

    snprintf(path, sizeof path, "/proc/%d/exe", process);
    readlink(path, link, sizeof link - 1);
    printf("process %d runs %s\n", process, link);
    snprintf(what, sizeof what, "%s to write", path);
    attempt(what, open(path, O_WRONLY));
    attempt(what, truncate(path, 0));
    for (way = 0; way < 2; way++) {
        file = open(path, ways[way]);
        if (file == -1)
            continue;
        snprintf(what, sizeof what, "/proc/self/fd/%d", file);
        again = open(what, O_WRONLY | O_TRUNC);
        attempt("reopen a program to write", again);
        attempt("reopen a program to append", open(what, O_RDWR | O_APPEND));
        attempt("change a program's mode", chmod(what, 0777) == -1 && fchmod(file, 0777) == -1 ? -1 : 0);
        /* Locked while it runs: whoever holds it waits until it does not. */
        attempt("lease of a program", fcntl(file, F_SETLEASE, F_WRLCK));
    }
}

/* CVE-2019-5736: the program that starts others in the jail, by the processes that run it. */
static void programs(const char *under)
{
    char line[200];
    int tracer = 0, status;
    FILE *file = fopen("/proc/self/status", "r");

    while (fgets(line, sizeof line, file))
        sscanf(line, "TracerPid: %d", &tracer);
    fclose(file);
    if (under && !tracer) {
        printf("nobody stands between this and its supervisor\n");
        exit(100);
    }
    overwrite(1);
    if (tracer > 1)
        overwrite(tracer);
    /* This program itself, by a child of it. */
    if (fork() == 0) {
        overwrite(getppid());
        exit(allowed);
    }
    wait(&status);
    allowed += WEXITSTATUS(status);
}

static void terminal(void)
{
    char name[100];
    int file;

    if (!isatty(1)) {
        printf("this is no terminal\n");
        exit(100);
    }
    ttyname_r(1, name, sizeof name);
    attempt("type", ioctl(1, TIOCSTI, "x"));
    attempt("type by i386", i386(54, 1, TIOCSTI, (long)name));
    attempt("paste", ioctl(1, TIOCLINUX, "\3"));
    /* In a session of its own, whose terminal it takes. */
    if (fork() == 0) {
        setsid();
        file = open(name, O_RDWR);
        ioctl(file, TIOCSCTTY, 1);
        attempt("type into the terminal of the session", ioctl(file, TIOCSTI, "x"));
        attempt("type into /dev/tty", ioctl(open("/dev/tty", O_RDWR), TIOCSTI, "x"));
        exit(allowed);
    }
    wait(&file);
    allowed += WEXITSTATUS(file);
}

static int set(const char *path, const char *text)
{
    int file = open(path, O_WRONLY), result = write(file, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
    close(file);
    return result;
}

/* Root in a namespace of its own, if that may be: what is outside stays as it is. */
static void nested(const char *input)
{
    char map[64], other[200], byte;
    int uid = getuid(), gid = getgid(), child, status;

    snprintf(other, sizeof other, "/tmp%s/escaped", input);
    attempt("mounts without a user namespace", unshare(CLONE_NEWNS));
    attempt("clone3", syscall(435, map, 64));
    child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    if (child == -1 && unshare(CLONE_NEWUSER) == -1) {
        printf("a namespace: %s\n", strerror(errno));
        return;
    }
    if (child > 0 && (waitpid(child, &status, 0), unshare(CLONE_NEWUSER)) == -1) {
        perror("unshare");
        exit(100);
    }
    printf("a namespace: may be\n");
    set("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %d 1", uid);
    attempt("another's id", set("/proc/self/uid_map", "0 0 1"));
    if (set("/proc/self/uid_map", map)) {
        perror("uid_map");
        exit(100);
    }
    snprintf(map, sizeof map, "0 %d 1", gid);
    set("/proc/self/gid_map", map);
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)) {
        perror("unshare");
        exit(100);
    }
    child = fork();
    if (child) {
        waitpid(child, &status, 0);
        allowed += WEXITSTATUS(status);
        return;
    }
    attempt("a new /proc, of which nothing is covered", mount("proc", "/tmp", "proc", 0, NULL));
    attempt("a new /sys", mount("sysfs", "/tmp", "sysfs", 0, NULL));
    attempt("uncover /proc/sys", umount2("/proc/sys", MNT_DETACH));
    attempt("uncover the root", umount2("/", MNT_DETACH));
    attempt("remount an input", mount(NULL, input, NULL, MS_REMOUNT | MS_BIND, NULL));
    attempt("uncover an input", umount2(input, MNT_DETACH));
    mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL);
    attempt("write to an input", open(other, O_WRONLY | O_CREAT, 0666));
    attempt("a setting", set("/proc/sys/kernel/core_pattern", "|/tmp/x"));
    attempt("a setting of the whole kernel", set("/proc/sys/vm/overcommit_memory", "1"));
    attempt("a device", mknod("/build/null", S_IFCHR | 0666, makedev(1, 3)));
    attempt("join the supervisor", syscall(SYS_setns, open("/proc/1/ns/mnt", O_RDONLY), 0));
    attempt("the supervisor's root", open("/proc/1/root/plan", O_RDONLY));
    attempt("another's id", setuid(1));
    attempt("add_key", syscall(SYS_add_key, "user", "k", "secret", 6, USER));
    attempt("type", ioctl(1, TIOCSTI, "x"));
    attempt("io_uring", syscall(425, 4, &byte));
    attempt("bpf", syscall(SYS_bpf, 0, map, 64));
    attempt("load a module", syscall(SYS_init_module, "", 0, ""));
    attempt("hard clock", settimeofday(&(struct timeval){ 1, 0 }, NULL));
    attempt("packets", socket(AF_PACKET, SOCK_RAW, 0));
    attempt("file handles", syscall(SYS_open_by_handle_at, AT_FDCWD, &(long[4]){ 8 }, 0));
    exit(allowed);
}

/* The key of whoever started all this, by its number and by its name. */
static void key(const char *number)
{
    static const char type[] = "user", name[] = "groundup-invoker";
    char bytes[200];
    long serial = atol(number);

    attempt("read the key", syscall(SYS_keyctl, READ, serial, bytes, sizeof bytes, 0));
    attempt("read the key by i386", i386(288, READ, serial, (long)bytes));
    attempt("change the key", syscall(SYS_keyctl, UPDATE, serial, "other!", 6, 0));
    attempt("describe the key", syscall(SYS_keyctl, DESCRIBE, serial, bytes, sizeof bytes, 0));
    attempt("link the key", syscall(SYS_keyctl, LINK, serial, USER, 0, 0));
    attempt("revoke the key", syscall(SYS_keyctl, REVOKE, serial, 0, 0, 0));
    attempt("find the key", syscall(SYS_keyctl, SEARCH, SESSION, type, name, 0));
    attempt("ask for the key", syscall(SYS_request_key, type, name, NULL, 0));
    attempt("overwrite the key", syscall(SYS_add_key, type, name, "other!", 6, SESSION));
    errno = ENOENT;
    attempt("/proc/keys", read(open("/proc/keys", O_RDONLY), bytes, sizeof bytes) > 0 ? 0 : -1);
}

/* Writes the number of a new key over these digits in a file, and runs the rest; then the key must be as it was. */
static int invoke(const char *digits, const char *path, char **program)
{
    char text[100000], bytes[16] = "";
    int file = open(path, O_RDWR), status;
    long length = read(file, text, sizeof text - 1), serial;
    char *place = length > 0 ? (text[length] = 0, strstr(text, digits)) : NULL;

    if (!place || syscall(SYS_keyctl, JOIN, "groundup-test", 0, 0, 0) == -1
        || (serial = syscall(SYS_add_key, "user", "groundup-invoker", "secret", 6, SESSION)) == -1
        || syscall(SYS_keyctl, SETPERM, serial, 0x3f3f3f3f, 0, 0) == -1) {
        perror("making a key");
        return 100;
    }
    snprintf(bytes, sizeof bytes, "%010ld", serial);
    pwrite(file, bytes, 10, place - text);
    close(file);
    if (fork() == 0) {
        execv(program[0], program);
        exit(127);
    }
    wait(&status);
    memset(bytes, 0, sizeof bytes);
    if (syscall(SYS_keyctl, READ, serial, bytes, sizeof bytes, 0) != 6 || strcmp(bytes, "secret")) {
        fprintf(stderr, "the key is not what it was: %s\n", bytes);
        return 101;
    }
    return WEXITSTATUS(status);
}

int main(int count, char **argument)
{
    const char *what = argument[1];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(what, "invoke"))
        return invoke(argument[2], argument[3], argument + 4);
    if (!strcmp(what, "programs"))
        programs(argument[2]);
    else if (!strcmp(what, "terminal"))
        terminal();
    else if (!strcmp(what, "nested"))
        nested(argument[2]);
    else if (!strcmp(what, "key"))
        key(argument[2]);
    if (!allowed)
        close(open(getenv("out"), O_WRONLY | O_CREAT, 0666));
    return allowed;
}
