/* Programs that are made to differ each time they run. Which one is the argument; each prints what it found. */
#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long word;

static word sum(const void *from, word length) {
    word result = 14695981039346656037UL;
    for (word i = 0; i < length; i++)
        result = (result ^ ((const unsigned char *)from)[i]) * 1099511628211UL;
    return result;
}

static word cycles(void) {
    unsigned low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (word)high << 32 | low;
}

/* Threads add to one number without a lock, and note who was last. */
static volatile word total, order;

static void *add(void *name) {
    for (int i = 0; i < 3000000; i++)
        total = total + 1;
    order = order << 4 | (word)name;
    return name;
}

static void threads(void) {
    pthread_t thread[4];
    for (word i = 0; i < 4; i++)
        pthread_create(&thread[i], 0, add, (void *)(i + 1));
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], 0);
    printf("total %lu order %lx\n", total, order);
}

static void counter(void) {
    word first = cycles(), second = cycles();
    printf("cycles %lu %lu\n", first, second - first);
}

static void randomness(void) {
    word got[2], read_[2];
    getrandom(got, sizeof got, 0);
    int file = open("/dev/urandom", O_RDONLY);
    if (read(file, read_, sizeof read_) != sizeof read_)
        exit(1);
    printf("getrandom %lx urandom %lx at_random %lx\n", got[0] ^ got[1], read_[0] ^ read_[1],
           sum((void *)getauxval(AT_RANDOM), 16));
}

/* What a stack and a heap hold before anything is written to them, and where they are; above the stack lie the random bytes
   that the kernel gives to every program. */
static void memory(void) {
    char stack[16384];
    char *heap[64];
    for (int i = 0; i < 64; i++) {
        heap[i] = malloc(900 + 16 * i);
        snprintf(heap[i], 64, "%p", (void *)heap[i]);
    }
    for (int i = 0; i < 64; i += 2)
        free(heap[i]);
    char *again = malloc(5000);
    void *map = mmap(0, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("stack %p %lx above %lx heap %p %lx map %p\n", (void *)stack, sum(stack, sizeof stack),
           sum(stack, (char *)getauxval(AT_RANDOM) + 16 - stack), (void *)again, sum(again, 5000), map);
}

static void clocks(void) {
    struct timeval day;
    gettimeofday(&day, 0);
    printf("day %ld.%06ld", (long)day.tv_sec, (long)day.tv_usec);
    for (int clock = 0; clock < 8; clock++) {
        struct timespec now = {0};
        clock_gettime(clock, &now);
        printf(" %ld.%09ld", (long)now.tv_sec, now.tv_nsec);
    }
    struct timespec nap = {0, 1000000}, before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&nap, 0);
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf(" slept %ld\n", (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec);
}

/* Processes race to make files; their numbers, and the files' numbers and order. */
static void files(void) {
    char name[64], folder[] = "defeat-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder))
        exit(1);
    for (int child = 0; child < 4; child++) {
        int pid = fork();
        if (pid == 0) {
            for (int i = 0; i < 40; i++) {
                snprintf(name, sizeof name, "%d-%d", child, i);
                close(open(name, O_CREAT | O_WRONLY, 0644));
            }
            _exit(0);
        }
        printf("pid %d ", pid);
    }
    while (wait(0) > 0)
        ;
    printf("parent %d folder %s:", getpid(), folder);
    DIR *open_folder = opendir(".");
    for (struct dirent *entry; (entry = readdir(open_folder));)
        printf(" %s=%lu", entry->d_name, (word)entry->d_ino);
    printf("\n");
}

/* How far a loop came at each tick of a timer, and which of two signals that are sent at once comes first. */
static volatile word turns, ticks, reached[20], signals;

static void tick(int signal) {
    signals = signals * 31 + signal;
    if (signal == SIGALRM && ticks < 20)
        reached[ticks++] = turns;
}

static void timers(void) {
    struct itimerval each = {{0, 2000}, {0, 2000}};
    signal(SIGALRM, tick);
    signal(SIGCHLD, tick);
    signal(SIGUSR1, tick);
    setitimer(ITIMER_REAL, &each, 0);
    for (int child = 0; child < 3; child++)
        if (fork() == 0) {
            for (int i = 0; i < 20; i++)
                kill(getppid(), SIGUSR1);
            _exit(0);
        }
    while (ticks < 20)
        turns++;
    printf("signals %lx turns", signals);
    for (int i = 0; i < 20; i++)
        printf(" %lu", reached[i]);
    printf("\n");
}

/* Clients race to one server over the loopback interface. */
static void sockets(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, peer;
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (void *)&address, length) || listen(server, 16) ||
        getsockname(server, (void *)&address, &length))
        exit(1);
    printf("port %d:", ntohs(address.sin_port));
    fflush(stdout);
    for (int child = 0; child < 4; child++)
        if (fork() == 0) {
            for (int i = 0; i < 10; i++) {
                int client = socket(AF_INET, SOCK_STREAM, 0);
                char byte = (char)('a' + child);
                if (connect(client, (void *)&address, length) || write(client, &byte, 1) != 1)
                    _exit(1);
                close(client);
            }
            _exit(0);
        }
    for (int i = 0; i < 40; i++) {
        char byte = '?';
        length = sizeof peer;
        int client = accept(server, (void *)&peer, &length);
        if (read(client, &byte, 1) != 1)
            exit(1);
        printf(" %c%d", byte, ntohs(peer.sin_port));
        close(client);
    }
    printf("\n");
}

int main(int count, char **argument) {
    static const struct {
        const char *name;
        void (*run)(void);
    } programs[] = {{"threads", threads}, {"counter", counter}, {"random", randomness}, {"memory", memory},
                    {"clocks", clocks},   {"files", files},     {"timers", timers},     {"sockets", sockets}};
    for (unsigned i = 0; i < sizeof programs / sizeof *programs; i++)
        if (count > 1 && strcmp(argument[1], programs[i].name) == 0) {
            programs[i].run();
            /* An output, where there is one to make. */
            if (count > 2)
                close(open(argument[2], O_CREAT | O_WRONLY, 0444));
            return 0;
        }
    return 2;
}
