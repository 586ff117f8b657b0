# busybox, as its Makefile would build it, with the programs that scripts like ./configure use. There is a shell, and no other
# tool: what Kconfig and sed would make is made by the shell itself, with `harvest` for the lines of the sources that say it.
set -e
source=/store/busybox-source
build=/build
harvest=/store/harvest
tcc=/store/tinycc-1
cc="$tcc -static"

# The programs, and what else is on, by the names of Kconfig. What is not named is off.
applets='[ awk basename cat chmod cmp cp cut date diff dirname echo egrep env expr false fgrep find grep head id install ln ls mkdir
mktemp mv nl od printf pwd readlink rm rmdir sed seq sleep sort stat tail tee test touch tr true uname uniq wc which xargs yes'
options=' AWK BASENAME CAT CHMOD CMP CP CUT DATE DIFF DIRNAME ECHO EGREP ENV EXPR FALSE FGREP FIND GREP HEAD ID INSTALL LN LS MKDIR
MKTEMP MV NL OD PRINTF PWD READLINK RM RMDIR SED SEQ SLEEP SORT STAT TAIL TEE TEST TEST1 TOUCH TR TRUE UNAME UNIQ WC WHICH XARGS YES
BUSYBOX EXPR_MATH_SUPPORT_64 FEATURE_AWK_GNU_EXTENSIONS FEATURE_AWK_LIBM FEATURE_CP_LONG_OPTIONS FEATURE_DIFF_DIR FEATURE_FANCY_ECHO
FEATURE_FANCY_HEAD FEATURE_FANCY_TAIL FEATURE_FIND_DEPTH FEATURE_FIND_EXEC FEATURE_FIND_NEWER FEATURE_FIND_NOT FEATURE_FIND_PAREN
FEATURE_FIND_PATH FEATURE_FIND_PERM FEATURE_FIND_PRINT0 FEATURE_FIND_PRUNE FEATURE_FIND_TYPE FEATURE_INSTALL_LONG_OPTIONS
FEATURE_LS_FILETYPES FEATURE_LS_RECURSIVE FEATURE_LS_SORTFILES FEATURE_LS_TIMESTAMPS FEATURE_READLINK_FOLLOW FEATURE_SORT_BIG
FEATURE_TEST_64 FEATURE_TOUCH_SUSV3 FEATURE_TR_CLASSES FEATURE_TR_EQUIV FEATURE_XARGS_SUPPORT_ARGS_FILE
FEATURE_XARGS_SUPPORT_QUOTES FEATURE_XARGS_SUPPORT_REPL_STR FEATURE_XARGS_SUPPORT_TERMOPT FEATURE_XARGS_SUPPORT_ZERO_TERM
LFS LONG_OPTS PLATFORM_LINUX STATIC '
values='BUSYBOX_EXEC_PATH="/proc/self/exe" FEATURE_COPYBUF_KB=64 FEATURE_EDITING_HISTORY=0 FEATURE_EDITING_MAX_LEN=1024
FIRST_SYSTEM_ID=100 LAST_SUPPORTED_WCHAR=0 LAST_SYSTEM_ID=999 MD5_SMALL=1 SHA3_SMALL=1 SUBST_WCHAR=0 UNAME_OSNAME="Linux"'

# The options, as Kconfig writes them: include/autoconf.h.
write_options() {
    while read -r name rest; do
        case $options in
        *[[:space:]]"$name"[[:space:]]*) on=1 ;;
        *) on= ;;
        esac
        value=1
        for one in $values; do
            case $one in $name=*) on=1 value=${one#*=} ;; esac
        done
        if [ $on ]; then
            printf '#define CONFIG_%s %s\n#define ENABLE_%s 1\n#define IF_%s(...) __VA_ARGS__\n#define IF_NOT_%s(...)\n' $name "$value" $name $name $name
        else
            printf '#define ENABLE_%s 0\n#define IF_%s(...)\n#define IF_NOT_%s(...) __VA_ARGS__\n' $name $name $name
        fi
    done
}
cd $source
{
    $harvest '//config:config ' */*.c */*/*.c
    $harvest '	config ' Config.in */Config.src */*/Config.src
    $harvest 'config ' Config.in */Config.src */*/Config.src
} | write_options > $build/include/autoconf.h

# The list of programs: include/applets.h.
while IFS= read -r text; do
    case $text in
    INSERT) $harvest //applet: */*.c */*/*.c ;;
    *) printf '%s\n' "$text" ;;
    esac
done < include/applets.src.h > $build/include/applets.h

cd $build/include
: > usage_compressed.h
echo '#define NUM_SCRIPTS 0' > embedded_scripts.h
{
    echo 'enum { COMMON_BUFSIZE = 1024 };'
    echo 'extern char bb_common_bufsiz1[];'
    echo '#define setup_common_bufsiz() ((void)0)'
} > common_bufsiz.h
flags="-I$build/include -I$source/include -I$source/libbb -D_GNU_SOURCE -DNDEBUG -w"
$cc $flags -include autoconf.h -o applet_tables $source/applets/applet_tables.c
./applet_tables applet_tables.h NUM_APPLETS.h

# The programs themselves, and the library that they share.
flags="$flags -DBB_VER=\"1.35.0\" -DBB_EXTRA_VERSION=\"\" -DAUTOCONF_TIMESTAMP=\"\" -include $build/include/autoconf.h"
files='editors/awk coreutils/basename coreutils/cat coreutils/chmod editors/cmp coreutils/cp coreutils/cut coreutils/date editors/diff
coreutils/dirname coreutils/echo coreutils/env coreutils/expr coreutils/false findutils/find findutils/grep coreutils/head coreutils/id
coreutils/install coreutils/ln coreutils/ls coreutils/mkdir coreutils/mktemp coreutils/mv coreutils/nl coreutils/od coreutils/printf
coreutils/pwd coreutils/readlink coreutils/rm coreutils/rmdir editors/sed coreutils/seq coreutils/sleep coreutils/sort coreutils/stat
coreutils/tail coreutils/tee coreutils/test coreutils/test_ptr_hack coreutils/touch coreutils/tr coreutils/true coreutils/uname
coreutils/uniq coreutils/wc debianutils/which findutils/xargs coreutils/yes coreutils/libcoreutils/cp_mv_stat
coreutils/libcoreutils/getopt_mk_fifo_nod'
list= library=
for file in $files; do list="$list $source/$file.c"; done
for file in $source/libbb/*.c; do
    case ${file##*/} in
    capability.c | hash_md5prime.c | loop.c | obscure.c | pidfile.c | pw_encrypt*.c | selinux_common.c | unicode.c | utmp.c | *_template.c) ;;
    *) library="$library $file" ;;
    esac
done
cd $build/library
$cc -c $flags $library
$tcc -ar rcs ../library.a *.o
cd $build/programs
$cc -c $flags $list
$cc -o $out/busybox *.o ../library.a

# One program, called by the name of each that it is.
for applet in $applets; do $out/busybox ln -s busybox "$out/$applet"; done
