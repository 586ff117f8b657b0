# Builds a package and runs its own tests; $out/results has a line for each test, $out/log what was printed.
set -eu
# Debian's alternatives are not set up here.
mkdir /tmp/bin
ln -s /usr/bin/mawk /tmp/bin/awk
PATH=/tmp/bin:$PATH
# With their times, which are all the same: nothing looks older than what it is made from.
cp -rp "/store/$package" /tmp/source
chmod -R u+w /tmp/source
cd /tmp/source
# What Debian takes out of gawk's documentation is missed by its makefile.
[ "$package" != gawk ] || sed -i '/^SUBDIRS =/,/[^\\]$/s/\<\(doc\|awklib\)\>//' Makefile.in
(./configure --quiet --disable-dependency-tracking --disable-nls CONFIG_SHELL=/bin/sh $options && make) >/tmp/log 2>&1 || {
    tail -50 /tmp/log
    exit 1
}
make $check >>/tmp/log 2>&1 || true
mkdir "$out"
case $package in
    gawk)
        # Its makefile prints the name of each test; what differs leaves a file behind.
        sed -n '/^[a-z0-9_-]*$/p' /tmp/log | sort -u >/tmp/names
        for name in $(cat /tmp/names); do
            if [ -e "test/_$name" ]; then echo "FAIL $name"; elif [ -e "test/$name.ok" ]; then echo "PASS $name"; fi
        done
        ;;
    make) sed -n 's/^\([a-z]*\/[A-Za-z0-9_.-]*\) \.* *\(ok\|FAILED\|N\/A\).*/\2 \1/p' /tmp/log ;;
    *)
        for file in $(find . -name '*.trs' | sort); do
            sed -n "s|^:test-result: \([A-Z]*\).*|\1 $file|p" "$file"
        done
        ;;
esac | sort >"$out/results"
cp /tmp/log "$out/log"
# What those that do not pass printed.
grep -v '^PASS' "$out/results" | while read -r word file; do
    [ ! -e "${file%.trs}.log" ] || { echo "== $word $file" && tail -200 "${file%.trs}.log"; }
done >"$out/details"
cut -d' ' -f1 "$out/results" | sort | uniq -c
