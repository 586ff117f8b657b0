# What is rare in derivations, and what no one should do in one; builders are busybox alone.
{ box }:
let
  bin = builtins.path { path = box; name = "box"; };
  drv = attrs: derivation ({ system = "x86_64-linux"; builder = "${bin}/bin/sh"; } // attrs);
  sh = name: script: attrs: drv ({ inherit name; args = [ "-c" script ]; } // attrs);
  # Commands of busybox by their names.
  b = "${bin}/bin/busybox";
  out = builtins.placeholder "out";
  list = builtins.genList (n: n);
in rec {
  # Names.
  oddName = sh "a+b.c_d?e=f-1.0" "echo $name > $out" { };
  oddOutput = sh "x=y" "${b} mkdir $out ${builtins.placeholder "a-b_c.d+e"}; ${b} env | ${b} grep -c a-b > $out/x; true" { outputs = [ "out" "a-b_c.d+e" ]; };
  longName = sh (builtins.concatStringsSep "" (builtins.genList (_: "n") 200)) "echo $out > $out" { };

  # Outputs that are fixed by each hash, and who needs them.
  md5 = sh "md5" "echo -n flat > $out" { outputHashAlgo = "md5"; outputHash = builtins.hashString "md5" "flat"; };
  sha1 = sh "sha1" "echo -n flat > $out" { outputHashAlgo = "sha1"; outputHashMode = "flat"; outputHash = builtins.hashString "sha1" "flat"; };
  sha512 = sh "sha512" "echo -n flat > $out" { outputHashAlgo = "sha512"; outputHash = builtins.hashString "sha512" "flat"; };
  sha1Tree = sh "sha1-tree" "${b} mkdir $out; echo x > $out/y" { outputHashAlgo = "sha1"; outputHashMode = "recursive"; outputHash = "d6ba9c6219917291b9076bcfb5162af064b78d58"; };
  sri = sh "sri" "echo -n flat > $out" { outputHash = "sha256-XcJ68of6VUqhD+yd6Nckp5ZFcvH/0kwrAOGjqGDOdnk="; outputHashMode = "flat"; };
  needsFixed = sh "needs-fixed" "${b} cat ${md5} ${sha1} ${sha512} ${sri} > $out" { };

  # Variables, arguments and placeholders.
  variables = sh "variables" "${b} env | ${b} sort > $out" { lf = "\n"; empty = ""; controls = "\t\r"; long = builtins.concatStringsSep "" (builtins.genList (_: "0123456789abcdef") 6000); "weird name" = "1"; "ünï" = "ö"; "a.b" = "2"; };
  overridden = sh "overridden" "${b} env | ${b} sort > $out" { PATH = "/x"; HOME = "/y"; NIX_STORE = "z"; TMPDIR = "/q"; NIX_BUILD_TOP = "/w"; TERM = "dumb"; NIX_LOG_FD = "9"; NIX_BUILD_CORES = "77"; PWD = "/p"; SHELL = "/s"; TZ = "X"; };
  arguments = drv { name = "thousand"; args = [ "-c" "echo $# > $out; for a in \"$@\"; do echo \"$a\"; done | ${b} md5sum >> $out" "x" ] ++ map (n: "arg ${toString n}\n\"'\\") (list 1000); };
  asFile = sh "as-file" "${b} cat $textPath > $out; ${b} env | ${b} grep Path | ${b} sort >> $out; ${b} ls -A /build >> $out" { text = "a\"b'c\\d\n\té€\r$x`y`"; "with-dash" = "dash"; empty = ""; passAsFile = "text with-dash   empty"; };
  placeholders = drv { name = "placed"; outputs = [ "out" "lib" ]; passAsFile = [ "v" ]; v = "${out}${builtins.placeholder "lib"}"; w = builtins.placeholder "none";
    args = [ "-c" "echo \"$1\" > ${out}; ${b} cat $vPath >> $out; echo \"$w\" > ${builtins.placeholder "lib"}" "x" "--prefix=${builtins.placeholder "lib"}:${out}" ]; };
  ignored = sh "ignored" "${b} env | ${b} grep -c e > $out" { preferLocalBuild = true; allowSubstitutes = false; requiredSystemFeatures = [ "big-parallel" ]; };
  impure = sh "impure" "echo -n flat > $out; [ -z \"$FOO$http_proxy\" ]" { impureEnvVars = [ "http_proxy" "FOO" ]; outputHash = builtins.hashString "sha256" "flat"; outputHashAlgo = "sha256"; };

  # Structured attributes of every kind.
  attributes = sh "attributes" "" { __structuredAttrs = true; args = [ "-c" "${b} cat /build/.attrs.sh /build/.attrs.json > ${out}" ];
    f1 = 1.0; f2 = 0.1; f3 = 1.0e300; f4 = 0 - 2.5; f5 = 3.0e-7; f6 = 123456789.0; f7 = 1.0e15; f8 = 1.0e16; f9 = 100000.0; f10 = 2147483648.0; f11 = 1.0e14; f12 = 0.0001; f13 = 0.00001;
    big = 9223372036854775807; negative = 0 - 9223372036854775807; i = 4294967296; bools = [ true false ]; nothing = null;
    emptyList = [ ]; emptySet = { }; lists = [ [ 1 2 ] [ ] ]; mixed = [ 1 "a" { } ]; deep = { a = { b = { c = [ 1 { d = null; } ]; }; }; }; floats = [ 2.0 (0 - 3.0) ]; half = [ 1.5 ];
    unicode = "€𝄞"; controls = builtins.fromJSON "\"\\u0001\\u001f\\u007f\\u2028\""; quotes = "\"'\\/"; lines = "l1\nl2\n"; store = bin;
    "1abc" = 1; "a-b" = 2; "é" = 3; _x = 4; "" = "e"; set = { "a b" = 1; "x'y" = true; z = null; f = 1.5; }; whole = { f = 2.0; }; };
  checked = sh "checked" "" { __structuredAttrs = true; outputs = [ "out" "dev" ]; args = [ "-c" "echo ${bin} ${builtins.placeholder "dev"} > ${out}; echo > ${builtins.placeholder "dev"}" ];
    outputChecks = { out = { allowedReferences = [ bin "dev" ]; disallowedReferences = [ several ]; maxSize = 1000; }; dev.allowedReferences = [ ]; }; };

  # References, of what is built in the same run too.
  several = sh "several" "${b} mkdir $out $dev $doc; echo $dev > $out/dev; echo $out $doc > $doc/both; ${b} ln -s $dev/x $doc/link; echo x > $dev/x; echo $out > $out/self" { outputs = [ "out" "dev" "doc" ]; };
  reader = sh "reader" "${b} cat ${several.doc}/link ${several.doc}/both > $out; ${b} ls /nix/store >> $out" { };
  inNames = sh "in-names" "${b} mkdir $out; ${b} touch $out/$(${b} basename ${several.dev}); ${b} ln -s ${builtins.substring 0 43 "${several.doc}"} $out/l; echo ${builtins.substring 11 32 "${oddName}"} > $out/f; echo x${builtins.substring 11 32 "${needsFixed}"} > $out/g; echo ${builtins.substring 12 31 "${md5}"} > $out/h" { inherit several oddName needsFixed md5; dd = several.dev; d2 = several.doc; };
  packed = sh "packed" "${b} mkdir -p $out/nix/store; ${b} ln -s $out $out/nix/store/self; echo ${oddName}x > $out/x; ${b} gzip -nc $out/x > $out/x.gz; ${b} base64 $out/x > $out/b64; ${b} rev $out/x > $out/r" { };
  graphBuilt = sh "graph-built" "${b} cat g1 g2 > $out" { exportReferencesGraph = [ "g1" oddName "g2" reader ]; };
  graphSelf = sh "graph-self" "${b} cat g1 > $out" { exportReferencesGraph = [ "g1" several ]; };
  graphOfGraph = sh "graph-of-graph" "${b} cat g ${graphSelf} > $out" { exportReferencesGraph = [ "g" graphBuilt ]; };
  graphInside = sh "graph-inside" "${b} cat g > $out" { exportReferencesGraph = [ "g" "${bin}/bin/sh" ]; };
  graphAttributes = sh "graph-attributes" "" { __structuredAttrs = true; exportReferencesGraph = { built = [ several needsFixed ]; given = [ bin ]; one = several.out; }; args = [ "-c" "${b} cat /build/.attrs.json > ${out}" ]; };

  # Derivations as the files that they are, with and without what they make.
  graphOfFile = sh "graph-of-file" "${b} cat g > $out; ${b} ls /nix/store >> $out" { exportReferencesGraph = [ "g" reader.drvPath ]; };
  attributesOfFile = sh "attributes-of-file" "" { __structuredAttrs = true; exportReferencesGraph = { file = [ graphBuilt.drvPath ]; none = null; one = "${bin}"; }; args = [ "-c" "${b} cat /build/.attrs.json > ${out}" ]; };
  file = sh "file" "${b} cat ${builtins.unsafeDiscardOutputDependency reader.drvPath} > $out; ${b} ls /nix/store >> $out" { };

  # What outputs may look like.
  strange = sh "strange" ''
    ${b} mkdir -p $out/d $out/sticky $out/ro; cd $out
    ${b} chmod 1777 sticky; echo x > ro/f; ${b} chmod 444 ro/f; ${b} chmod 555 ro
    echo s > sgid; ${b} chmod 2755 sgid 2>/dev/null || echo refused > r1; ${b} chmod 4711 sgid 2>/dev/null || echo refused > r2
    ${b} chmod 2775 d 2>/dev/null || echo refused > r3; ${b} chmod 711 d; echo y > h1; ${b} ln h1 h2; ${b} ln -s h1 s1; ${b} ln -s /nonexistent/"a b" s2
    echo > .hidden; ${b} mkdir ..dots; echo > "a*b"; echo > "a
    b"; ${b} touch empty; ${b} chmod 000 empty; ${b} truncate -s 10000000 hole; echo x > all; ${b} chmod 111 all; echo x > group; ${b} chmod 610 group; echo x > other; ${b} chmod 601 other
  '' { };
  unreadable = sh "unreadable" "${b} mkdir -p $out/a/b; echo > $out/a/b/c; ${b} chmod 000 $out/a/b $out/a $out" { };
  bytes = sh "bytes" "${b} mkdir $out; echo > $out/$(${b} printf '\\377\\376'); ${b} ln -s $(${b} printf '\\200x') $out/l; ${b} printf '\\000\\001' > $out/z; echo > $out/É; echo > \"$out/ sp \"; echo > $out/a-; echo > $out/a; echo > $out/a.b; ${b} mkdir $out/a0" { };
  lengths = sh "lengths" "${b} mkdir $out; for i in 0 1 7 8 9 15 16 17; do ${b} head -c $i /dev/zero > $out/$i; done; ${b} ln -s 12345678 $out/l8; n=$(${b} printf '%0255d' 1); echo > $out/$n; ${b} ln -s $n$n$n $out/l" { };
  many = sh "many" "${b} mkdir -p $out/d; i=0; while [ $i -lt 2000 ]; do echo > $out/$i; i=$((i+1)); done; cd $out/d; i=0; while [ $i -lt 100 ]; do ${b} mkdir d; cd d; i=$((i+1)); done; echo > f" { };
  link = sh "a-link" "${b} ln -s ${bin} $out" { };
  throughLink = sh "through-link" "${b} ls -l ${link} | ${b} awk '{print $NF}' > $out; ${b} ls ${link}/ >> $out" { };
  executable = sh "executable" "echo x > $out; ${b} chmod 711 $out" { };
  renamed = sh "renamed" "echo ${oddName} > $out; ${b} rm $out; ${b} mkdir $out; ${b} touch $out/x; ${b} mv $out $out.tmp; ${b} mv $out.tmp $out" { };
  beside = sh "beside" "echo > $out; echo > /nix/store/extra; ${b} mkdir /nix/store/00000000000000000000000000000000-x" { };
  leftBehind = sh "left-behind" "(${b} sleep 1000; echo) & echo > $out" { };

  # Builders, and where they print.
  roundabout = drv { name = "roundabout"; builder = "${bin}/bin/../bin/.//sh"; args = [ "-c" "${b} tr '\\000' ' ' < /proc/$$/cmdline > $out" ]; };
  terminal = sh "terminal" ''
    { ${b} stty -a; ${b} stat -L -c '%a %u:%g' /proc/$$/fd/2; ${b} grep flags /proc/$$/fdinfo/2; ${b} readlink /proc/$$/fd/1 | ${b} tr -d 0-9; } < /proc/$$/fd/2 > log 2>&1; ${b} cp log $out
  '' { };
  apart = sh "apart" "echo > /tmp/x; { ${b} ln /tmp/x /build/x || echo none; ${b} ln /dev/shm /build/y || echo none; ${b} ln -s /tmp/x z; } > log 2> /dev/null; ${b} cp log $out" { };

  # What a builder finds.
  found = sh "found" ''
    { ${b} readlink /proc/$$/fd/0; [ -t 1 ] && ${b} stty -a < /proc/$$/fd/1; ${b} grep -E '^(Sig[BC]|Shd|CapInh|CapPrm|CapEff|CapAmb|NoNew|Seccomp:|Threads|Groups|Umask)' /proc/self/status
      ${b} ip addr; ${b} ip route; ${b} cut -d' ' -f 5-8,18,19,40,41 /proc/self/stat; ${b} stat -c %Y ${bin} ${b}; ${b} stat -c %a /build /nix/store /tmp /dev /proc
      ${b} mknod p p && echo fifo; ${b} mknod c c 1 3 || echo none; ${b} mount -t tmpfs x /tmp || echo none; ${b} hostname x || echo none; ${b} chroot / ${b} true || echo none; ${b} ping -c 1 127.0.0.1 | ${b} head -1
      echo x > /etc/x || echo none; echo x > /x || echo none; ${b} touch ${bin}/x || echo none; ${b} mv ${bin} /nix/store/y || echo none; ${b} head -c 4 /dev/urandom | ${b} wc -c; echo x > /dev/full || echo full; } > log 2>/dev/null; ${b} cp log $out
  '' { };
}
