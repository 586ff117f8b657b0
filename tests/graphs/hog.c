/* Takes more than a step may have, or leaves what a step must not leave; one way for each word. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void allocate(void)
{
    for (;;)
        memset(malloc(MIB), 1, MIB);
}

/* Until fork fails, and again: every process takes what it can. */
static void fork_bomb(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;)
        fork();
}

/* Many processes, none of which has much. */
static void allocate_in_many(void)
{
    int i;

    for (i = 0; i < 200; i++)
        if (fork() == 0) {
            memset(malloc(8 * MIB), 1, 8 * MIB);
            pause();
        }
    wait(NULL);
}

/* Memory that belongs to no process: System V segments stay when everybody has left them. */
static void allocate_shm(void)
{
    int i;
    void *at;

    for (i = 0;; i++) {
        at = shmat(shmget(IPC_PRIVATE, 16 * MIB, IPC_CREAT | 0600), NULL, 0);
        if (at == (void *)-1)
            give_up("shmat");
        memset(at, 1, 16 * MIB);
        shmdt(at);
    }
}

/* The same with queues and semaphores, which are the kernel's own memory. */
static void allocate_queues(void)
{
    struct { long type; char text[8192]; } message = { 1 };
    int queue;

    while ((queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600)) != -1)
        while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0)
            ;
    give_up("msgget");
}

static void allocate_semaphores(void)
{
    int size;

    for (size = 32000; size; size /= 2)
        while (semget(IPC_PRIVATE, size, IPC_CREAT | 0600) != -1)
            ;
    give_up("semget");
}

/* Files without a name, on a file system of the kernel's own. */
static void allocate_memfd(void)
{
    static char bytes[MIB];
    int file = syscall(SYS_memfd_create, "x", 0);

    while (write(file, bytes, MIB) == MIB)
        ;
    give_up("memfd");
}

/* The kernel's own memory: sockets full of data. */
static void allocate_sockets(void)
{
    static char bytes[64 << 10];
    int pair[2], i;

    for (i = 0; i < 200; i++)
        if (fork() == 0) {
            while (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0)
                while (write(pair[0], bytes, sizeof bytes) > 0)
                    ;
            pause();
        }
    pause();
}

static void deep(int levels)
{
    while (levels--)
        if (mkdir("d", 0777) || chdir("d"))
            give_up("mkdir");
}

static void wide(int entries)
{
    char name[32];
    int i;

    for (i = 0; i < entries; i++) {
        sprintf(name, "entry-%d", i);
        close(open(name, O_WRONLY | O_CREAT | O_EXCL, 0666));
    }
}

/* Hard links to one large file: little space, much to hash. */
static void links(int count)
{
    char name[32];
    int file = open("large", O_WRONLY | O_CREAT, 0666);

    ftruncate(file, 4 * MIB);
    while (count--) {
        sprintf(name, "link-%d", count);
        if (link("large", name))
            give_up("link");
    }
}

static struct sockaddr_un abstract = { AF_UNIX, "\0groundup" };

static int listener(void)
{
    int file = socket(AF_UNIX, SOCK_STREAM, 0);

    if (bind(file, (struct sockaddr *)&abstract, sizeof abstract))
        give_up("bind");
    listen(file, 10);
    return file;
}

/* Two sockets in flight inside each other, with the log's pipe: nothing refers to them but themselves. */
static void pass_log(void)
{
    int pair[2], files[2];
    char control[CMSG_SPACE(sizeof files)] = { 0 };
    struct iovec byte = { "x", 1 };
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int i;

    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof files);
    for (i = 0; i < 2; i++) {
        files[0] = pair[1 - i];
        files[1] = 1;
        memcpy(CMSG_DATA(header), files, sizeof files);
        if (sendmsg(pair[i], &message, 0) != 1)
            give_up("sendmsg");
    }
}

/* Reads back what it wrote to the log's pipe, racing against PID 1 for every byte, and then falls silent. */
static void steal_log(void)
{
    char bytes[4096];
    int file = open("/proc/self/fd/1", O_RDONLY), i;

    if (fork() == 0)
        for (;;)
            read(file, bytes, sizeof bytes);
    for (i = 0; i < 20000; i++)
        write(1, "", 1);
    pause();
}

static void leave(void)
{
    int i;

    listener();
    shmget(4711, MIB, IPC_CREAT | 0666);
    msgget(4711, IPC_CREAT | 0666);
    semget(4711, 1, IPC_CREAT | 0666);
    mq_open("/groundup", O_RDWR | O_CREAT, 0666, NULL);
    syscall(SYS_add_key, "user", "groundup", "secret", 6, -4);
    syscall(SYS_keyctl, 1, "groundup", 0, 0, 0);
    close(open("/dev/shm/left", O_WRONLY | O_CREAT, 0666));
    close(open("/tmp/left", O_WRONLY | O_CREAT, 0666));
    close(open("/build/left", O_WRONLY | O_CREAT, 0666));
    close(open("/store/left", O_WRONLY | O_CREAT, 0666));
    for (i = 0; i < 3; i++)
        if (fork() == 0) {
            setsid();
            if (fork() == 0) {
                if (i == 1) {
                    close(0), close(1), close(2);
                }
                signal(SIGTERM, SIG_IGN);
                signal(SIGHUP, SIG_IGN);
                pause();
            }
            exit(0);
        }
}

static int found;

static void look_for(const char *what, long result)
{
    if (result != -1) {
        printf("found %s\n", what);
        found++;
    }
}

static void look(void)
{
    int i;

    look_for("a socket", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&abstract, sizeof abstract));
    look_for("a segment", shmget(4711, 0, 0));
    look_for("a queue", msgget(4711, 0));
    look_for("semaphores", semget(4711, 0, 0));
    look_for("a POSIX queue", mq_open("/groundup", O_RDONLY));
    look_for("a key", syscall(SYS_keyctl, 10, -4, "user", "groundup", 0));
    look_for("a key", syscall(SYS_request_key, "user", "groundup", NULL, 0));
    look_for("shared memory", access("/dev/shm/left", F_OK));
    look_for("a file in /tmp", access("/tmp/left", F_OK));
    look_for("a file in /build", access("/build/left", F_OK));
    look_for("a file in /store", access("/store/left", F_OK));
    for (i = 3; i < 4000; i++)
        if (i != getpid())
            look_for("a process", kill(i, 0) == -1 && errno == ESRCH ? -1 : 0);
    if (found)
        exit(found);
}

int main(int count, char **argument)
{
    const char *what = argument[1], *out = getenv("out");

    if (!strcmp(what, "allocate"))
        allocate();
    else if (!strcmp(what, "allocate-in-many"))
        allocate_in_many();
    else if (!strcmp(what, "allocate-shm"))
        allocate_shm();
    else if (!strcmp(what, "allocate-queues"))
        allocate_queues();
    else if (!strcmp(what, "allocate-semaphores"))
        allocate_semaphores();
    else if (!strcmp(what, "allocate-memfd"))
        allocate_memfd();
    else if (!strcmp(what, "allocate-sockets"))
        allocate_sockets();
    else if (!strcmp(what, "fork-bomb"))
        fork_bomb();
    else if (!strcmp(what, "steal-log"))
        steal_log();
    else if (!strcmp(what, "pass-log"))
        pass_log();
    else if (!strcmp(what, "leave"))
        leave();
    else if (!strcmp(what, "look"))
        look();
    else if (!strcmp(what, "acl")) {
        /* Version 2; the owner, a user of their own, the group, a mask, all others. */
        static const char acl[] = "\2\0\0\0" "\1\0\6\0\377\377\377\377" "\2\0\7\0\350\3\0\0" "\4\0\4\0\377\377\377\377"
                                  "\20\0\7\0\377\377\377\377" "\40\0\4\0\377\377\377\377";
        close(open(out, O_WRONLY | O_CREAT, 0644));
        if (setxattr(out, "system.posix_acl_access", acl, sizeof acl - 1, 0))
            give_up("setxattr");
        exit(0);
    } else if (!strcmp(what, "socket")) {
        struct sockaddr_un address = { AF_UNIX };
        strcpy(address.sun_path, out);
        exit(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
    } else {
        /* A tree as the output. */
        if (mkdir(out, 0777) || chdir(out))
            give_up(out);
        if (!strcmp(what, "deep"))
            deep(atoi(argument[2]));
        else if (!strcmp(what, "wide"))
            wide(atoi(argument[2]));
        else if (!strcmp(what, "links"))
            links(atoi(argument[2]));
        exit(0);
    }
    close(open(out, O_WRONLY | O_CREAT, 0666));
    return 0;
}
