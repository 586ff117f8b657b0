#!/bin/sh
# Builds a Linux kernel so that the same source, configuration and tools give the same bytes whatever the folder, user, host
# and time: in a step of kernel.ron, and by `groundup kernel` outside of any machine.
#
#   build.sh SOURCE CONFIG OUT JOBS     in an empty folder; OUT is made, with vmlinux, bzImage and config
#
# SOURCE is an absolute path, and only read. CONFIG lists options over allnoconfig; one that the kernel doesn't take ends the build.
set -eu
source=$1 config=$2 out=$3 jobs=$4

# What the kernel would write into itself of where, when, by whom and with which compiler it was built: the bytes alone are
# to tell compilers apart. An empty LOCALVERSION keeps it from asking git.
export LC_ALL=C TZ=UTC LOCALVERSION=
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=groundup KBUILD_BUILD_HOST=groundup
# Random numbers follow from PID 1's seed and from nothing else, so that a step's do not follow from what ran before it: the pool
# takes nothing from interrupts and clocks, nothing is drawn from it after some time, and RNDCLEARPOOL, which Linux takes but
# does nothing for, clears it again.
cp -rs "$source" tree
random=drivers/char/random.c
rm "tree/$random"
sed -e 's/block\.rdseed\[i++\] = random_get_entropy();/block.rdseed[i++] = 0;/' \
    -e '/^\tmix_pool_bytes(pool, sizeof(pool));/d' \
    -e 's/birth) + crng_reseed_interval()/birth) + MAX_JIFFY_OFFSET/' \
    -e '/^\tcase RNDCLEARPOOL:/,/return 0;/s/return 0;/blake2s_init(\&input_pool.hash, BLAKE2S_HASH_SIZE);\n\t\t&/' \
    "$source/$random" >"tree/$random"
if [ "$(diff "$source/$random" "tree/$random" | grep -c '^[<>]')" != 6 ]; then
    echo "the random numbers of this kernel can't be pinned" >&2
    exit 1
fi

mkdir work
build() { make -s -C "$PWD/tree" O="$PWD/work" ARCH=x86_64 CC_VERSION_TEXT=gcc "$@"; }

build KCONFIG_ALLCONFIG="$config" allnoconfig
grep '^CONFIG_' "$config" | while read -r option; do
    if ! grep -qxF "$option" work/.config; then
        echo "this kernel doesn't take $option" >&2
        exit 1
    fi
done
build -j "$jobs" vmlinux bzImage

mkdir "$out"
# Symbols and notes about sections are for debuggers; the ELF notes that a boot loader reads stay.
objcopy --strip-all work/vmlinux "$out/vmlinux"
cp work/arch/x86/boot/bzImage work/.config "$out"
mv "$out/.config" "$out/config"
