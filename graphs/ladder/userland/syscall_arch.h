/* In the place of arch/x86_64/syscall_arch.h: TinyCC keeps no variable in r10, r8 or r9, so a call of the kernel is a call of a
   function (calls.s). */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

hidden long __syscall_all(long n, long a, long b, long c, long d, long e, long f);

static inline long __syscall0(long n) { return __syscall_all(n, 0, 0, 0, 0, 0, 0); }
static inline long __syscall1(long n, long a) { return __syscall_all(n, a, 0, 0, 0, 0, 0); }
static inline long __syscall2(long n, long a, long b) { return __syscall_all(n, a, b, 0, 0, 0, 0); }
static inline long __syscall3(long n, long a, long b, long c) { return __syscall_all(n, a, b, c, 0, 0, 0); }
static inline long __syscall4(long n, long a, long b, long c, long d) { return __syscall_all(n, a, b, c, d, 0, 0); }
static inline long __syscall5(long n, long a, long b, long c, long d, long e) { return __syscall_all(n, a, b, c, d, e, 0); }
static inline long __syscall6(long n, long a, long b, long c, long d, long e, long f) { return __syscall_all(n, a, b, c, d, e, f); }

#define IPC_64 0
