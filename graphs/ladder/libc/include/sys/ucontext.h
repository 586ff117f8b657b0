#ifndef _SYS_UCONTEXT_H
#define _SYS_UCONTEXT_H
#define REG_RBP 10
#define REG_RIP 16
typedef struct { struct { long gregs[23]; } uc_mcontext; } ucontext_t;
#endif
