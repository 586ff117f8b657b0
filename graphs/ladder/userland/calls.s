# What TinyCC does not compile as musl writes it in C.
.text

# long __syscall_all(long n, long a, long b, long c, long d, long e, long f): a call of the kernel.
.global __syscall_all
__syscall_all:
	mov %rdi,%rax
	mov %rsi,%rdi
	mov %rdx,%rsi
	mov %rcx,%rdx
	mov %r8,%r10
	mov %r9,%r8
	mov 8(%rsp),%r9
	syscall
	ret

# long double sqrtl(long double)
.global sqrtl
sqrtl:
	fldt 8(%rsp)
	fsqrt
	ret

# int sigsetjmp(sigjmp_buf, int): as in src/signal/x86_64/sigsetjmp.s, without the mark @PLT.
.global sigsetjmp
.global __sigsetjmp
sigsetjmp:
__sigsetjmp:
	test %esi,%esi
	jz 1f
	popq 64(%rdi)
	mov %rbx,80(%rdi)
	mov %rdi,%rbx
	call setjmp
	pushq 64(%rbx)
	mov %rbx,%rdi
	mov %eax,%esi
	mov 80(%rbx),%rbx
	jmp __sigsetjmp_tail
1:	jmp setjmp
