/* sapling passes every argument on the stack, each at a multiple of 8 bytes. */
#ifndef _STDARG_H
#define _STDARG_H
typedef char *va_list;
#define _SLOT(type) (sizeof(type) + 7 & -8)
#define va_start(list, last) ((list) = (char *)&(last) + _SLOT(last))
#define va_arg(list, type) (*(type *)(((list) += _SLOT(type)) - _SLOT(type)))
#define va_copy(to, from) ((to) = (from))
#define va_end(list) ((void)0)
#endif
