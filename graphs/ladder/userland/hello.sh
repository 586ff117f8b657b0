# GNU hello by its own ./configure and its own Makefile. The compiler links statically and is the archiver too; the linker is only
# asked for its name. There are no translations, as there is no msgfmt.
set -e
cp -a /store/hello-source /build/hello
chmod -R u+w /build/hello
cd /build/hello
./configure CC='/store/tinycc-2 -static' AR='/store/tinycc-2 -ar' RANLIB=: LD=/store/tinycc-2 --disable-nls --disable-dependency-tracking
make
cp hello $out
./hello > /store/hello-said
./hello --greeting='From 256 bytes.' >> /store/hello-said
cat /store/hello-said
