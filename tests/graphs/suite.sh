# Builds a package and runs its own tests; $out/results has a line for each test, $out/details what those that do not pass printed.
set -eu
# Debian's alternatives are not set up here.
mkdir /tmp/bin
ln -s /usr/bin/mawk /tmp/bin/awk
PATH=/tmp/bin:$PATH
# With their times, which are all the same: nothing looks older than what it is made from.
cp -rp "/store/$package" /tmp/source
chmod -R u+w /tmp/source
cd /tmp/source
mkdir "$out"
case $package in
    make)
        # Debian's source has no configure: its own program takes the tests.
        cd tests
        sed 's/@CC@/gcc/; s/@AR@/ar/; s/@CFLAGS@/-O2/; s/@CPP@/gcc -E/; s/@[A-Z_]*@//' config-flags.pm.in >config-flags.pm
        perl run_make_tests.pl -make /usr/bin/make >/tmp/log 2>&1 || true
        sed -n 's/^\([a-z]*\/[A-Za-z0-9_.-]*\) \.* *\(ok\|FAILED\|N\/A\).*/\2 \1/p' /tmp/log |
            sed 's/^ok/PASS/; s/^FAILED/FAIL/; s,^N/A,SKIP,' | sort >"$out/results"
        tail -400 /tmp/log >"$out/details"
        exit
        ;;
    busybox)
        # dash has no tests; those of busybox's shell are for a shell of its kind.
        cd shell/ash_test
        ln -s /bin/dash ash
        # It spins without a system call until a signal comes: where time is counted in calls, that is never.
        rm ash-signals/continue_and_trap1.tests
        : >.config
        sh run-all >/tmp/log 2>&1 || true
        sed -n 's/^\(ash[^:]*\): ok$/PASS \1/p; s/^\(ash[^:]*\): fail$/FAIL \1/p' /tmp/log | sort >"$out/results"
        for file in *.fail; do echo "== $file" && head -40 "$file"; done >"$out/details"
        exit
        ;;
    # What Debian takes out of gawk's documentation is missed by its makefiles.
    gawk) sed -i '/^SUBDIRS =/s/\<\(doc\|awklib\)\>//g' Makefile.in ;;
esac
(./configure --quiet --disable-dependency-tracking --disable-nls CONFIG_SHELL=/bin/sh $options && make) >/tmp/log 2>&1 || {
    tail -50 /tmp/log
    exit 1
}
export RUN_EXPENSIVE_TESTS=yes
make $check >>/tmp/log 2>&1 || true
if [ "$package" = gawk ]; then
    # Its makefile prints the name of each test; what differs leaves a file behind.
    sed -n '/^[a-z0-9_-]*$/p' /tmp/log | sort -u >/tmp/names
    while read -r name; do
        if [ -e "test/_$name" ]; then echo "FAIL $name"; elif [ -e "test/$name.ok" ]; then echo "PASS $name"; fi
    done </tmp/names >/tmp/results
    tail -400 /tmp/log >"$out/details"
else
    find . -name '*.trs' | sort | while read -r file; do
        sed -n "s|^:test-result: \([A-Z]*\).*|\1 $file|p" "$file"
    done >/tmp/results
    grep -v '^PASS' /tmp/results | while read -r word file; do
        [ ! -e "${file%.trs}.log" ] || { echo "== $word $file" && tail -100 "${file%.trs}.log"; }
    done >"$out/details"
fi
sort /tmp/results >"$out/results"
cut -d' ' -f1 "$out/results" | sort | uniq -c
