#ifndef _SETJMP_H
#define _SETJMP_H
typedef long jmp_buf[8];
long __setjmp();
long __longjmp();
#define setjmp(buffer) ((int)__setjmp(buffer))
#define longjmp(buffer, value) ((void)__longjmp(buffer, (value) ? (value) : 1))
#endif
