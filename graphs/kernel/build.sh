#!/bin/sh
# Builds a Linux kernel so that the same source, configuration and tools give the same bytes whatever the folder, user, host
# and time: in a step of kernel.ron, and by `groundup kernel` outside of any machine.
#
#   build.sh SOURCE CONFIG OUT JOBS     in an empty folder; OUT is made, with vmlinux, bzImage and config
#
# SOURCE is only read. CONFIG lists options over allnoconfig; one that the kernel doesn't take ends the build.
set -eu
source=$1 config=$2 out=$3 jobs=$4

# What the kernel would write into itself of where, when, by whom and with which compiler it was built: the bytes alone are
# to tell compilers apart. An empty LOCALVERSION keeps it from asking git.
export LC_ALL=C TZ=UTC LOCALVERSION=
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_USER=groundup KBUILD_BUILD_HOST=groundup
mkdir work
build() { make -s -C "$source" O="$PWD/work" ARCH=x86_64 CC_VERSION_TEXT=gcc "$@"; }

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
