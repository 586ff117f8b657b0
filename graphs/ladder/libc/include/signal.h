/* For tccrun.c, which handles signals for `tcc -run`. */
#ifndef _SIGNAL_H
#define _SIGNAL_H
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
#endif
