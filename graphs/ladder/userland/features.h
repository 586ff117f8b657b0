/* In the place of src/include/features.h: TinyCC's attribute `alias` makes no symbol, its assembler does. */

#include_next <features.h>
#undef weak_alias

#define weak_alias(old, new) extern __typeof(old) new; __asm__(".weak " #new "\n.set " #new "," #old)

