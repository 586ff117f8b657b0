# dash once more, with what its own scripts make: by dash, sed, awk and the other tools. The same bytes as before.
set -e
cp -R /store/dash-source/src /build/src
chmod -R u+w /build/src
cp /own/config.h /build/src
cd /build/src
sh mktokens
/store/tinycc-1 -E -P -xc -include config.h -DBSD=1 -DSHELL builtins.def.in > builtins.def
sh mkbuiltins builtins.def
for helper in mkinit mknodes mksyntax mksignames; do /store/tinycc-1 -static -o $helper $helper.c; done
files='alias.c arith_yacc.c arith_yylex.c cd.c error.c eval.c exec.c expand.c histedit.c input.c jobs.c mail.c main.c memalloc.c
miscbltin.c mystring.c options.c parser.c redir.c show.c trap.c output.c bltin/printf.c system.c bltin/test.c bltin/times.c var.c'
./mkinit $files
./mknodes nodetypes nodes.c.pat
./mksyntax
./mksignames
/store/tinycc-1 -static -w -I. -include config.h -DBSD=1 -DSHELL -o $out $files builtins.c init.c nodes.c signames.c syntax.c

# And the two headers of musl that its Makefile makes with sed, which `headers` made before there was one.
sed -f /store/musl-source/tools/mkalltypes.sed /store/musl-source/arch/x86_64/bits/alltypes.h.in /store/musl-source/include/alltypes.h.in > alltypes.h
{
    cat /store/musl-source/arch/x86_64/bits/syscall.h.in
    sed -n -e s/__NR_/SYS_/p /store/musl-source/arch/x86_64/bits/syscall.h.in
} > syscall.h
cmp alltypes.h /store/musl/usr/include/x86_64-linux-musl/bits/alltypes.h
cmp syscall.h /store/musl/usr/include/x86_64-linux-musl/bits/syscall.h
