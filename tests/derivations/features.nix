# Every feature of derivations that groundup supports, one derivation each; builders are busybox alone.
{ box }:
let
  bin = builtins.path { path = box; name = "box"; };
  drv = attrs: derivation ({ system = "x86_64-linux"; builder = "${bin}/bin/sh"; } // attrs);
  sh = name: script: attrs: drv ({ inherit name; args = [ "-c" script ]; } // attrs);
  # Commands of busybox by their names.
  b = "${bin}/bin/busybox";
in rec {
  environment = sh "environment" "${b} env | ${b} sort > $out" { one = "1 2"; two = "a\nb\t\"c\\"; empty = ""; };
  arguments = drv {
    name = "arguments";
    args = [ "-c" "for a in \"$@\"; do echo \"<$a>\"; done > $out; ${b} tr '\\000' '\\n' < /proc/self/cmdline >> $out" "zero" "" "a b" "\$x" "é" ];
  };
  files = sh "files" ''
    { ${b} cat /etc/passwd /etc/group /etc/hosts; ${b} ls -a / /etc /build /nix/store | ${b} grep -v '^sh$'
      for d in /dev/*; do [ $d = /dev/kvm ] || echo $d; done; ${b} readlink /dev/fd /dev/stdin /dev/stdout /dev/stderr /dev/ptmx
      ${b} stat -c '%a %F %n' /dev/null /dev/zero /dev/full /dev/urandom /tmp /build /nix/store /dev/shm; } > $out
  '' { };
  # Who owns what, as a builder sees it and as it takes it into an archive.
  owners = sh "owners" ''
    { ${b} stat -c '%a %u:%g %n' / /build /nix /nix/store /tmp /dev /dev/null /etc/passwd /proc ${bin} ${b}
      ${b} cat /proc/self/uid_map /proc/self/gid_map | ${b} awk '{ print $1, $3 }'; ${b} cat /proc/self/setgroups; ${b} tar -cf - -C ${bin} .; } > $out
  '' { };
  identity = sh "identity" ''
    { ${b} id -u; ${b} id -g; ${b} hostname; ${b} uname -n; ${b} pwd; umask; echo $$; ulimit -c
      ${b} cat /proc/self/personality /proc/sys/kernel/domainname; ${b} grep -E '^(NoNewPrivs|NStgid|NSsid|CapEff):' /proc/self/status
      [ -t 0 ] && echo in; [ -t 1 ] && echo out; [ -t 2 ] && echo err; ${b} readlink /proc/self/fd/0; } > /build/log; ${b} cp /build/log $out
  '' { };
  asFile = sh "as-file" "echo more >> $textPath; { ${b} stat -c '%a %u:%g' $textPath; ${b} cat $textPath $otherPath; echo $textPath; echo \${text-none}; echo \$passAsFile; } > $out" {
    text = "a long text\nwith lines"; other = "${bin}"; passAsFile = [ "text" "other" "absent" ];
  };
  # Old versions of Nix name the files by where they are outside the sandbox, so that the variables can't be used here.
  structured = sh "structured" "" { __structuredAttrs = true; outputs = [ "out" "lib" ];
    args = [ "-c" "{ ${b} cat /build/.attrs.sh /build/.attrs.json; ${b} env | ${b} grep -v '^NIX_ATTRS' | ${b} sort; } > ${builtins.placeholder "out"}; ${b} mkdir ${builtins.placeholder "lib"}" ];
    list = [ 1 "two" true null ]; set = { a = 1; b = "it's"; }; nested = { x = [ 1 { } ]; }; yes = true; no = false; nothing = null; number = 42;
    fraction = 1.5; text = "a'b\"c\\d\ne\té"; "not a variable" = 1; dep = environment;
  };
  graph = sh "graph" "${b} cp graph $out; ${b} cat other >> $out" { exportReferencesGraph = [ "graph" bin "other" (builtins.toFile "referring" "see ${bin}") ]; };
  structuredGraph = sh "structured-graph" "" { __structuredAttrs = true; exportReferencesGraph.closure = [ (builtins.toFile "referring" "see ${bin}") ];
    args = [ "-c" "${b} cat /build/.attrs.json > ${builtins.placeholder "out"}" ]; };
  placeholders = sh "placeholders" "echo $here $there > $out; ${b} mkdir $dev" { outputs = [ "out" "dev" ]; here = builtins.placeholder "out"; there = "--x=${builtins.placeholder "dev"}/include"; };
  outputs = sh "outputs" ''
    ${b} mkdir $out $lib; echo $dev > $lib/to-dev; echo $lib > $out/to-lib; ${b} ln -s /etc $dev; echo $lib > $lib/self
  '' { outputs = [ "lib" "out" "dev" ]; };
  chained = sh "chained" "${b} ls /nix/store > $out; ${b} cat ${outputs.out}/to-lib >> $out" { };
  flat = sh "flat" "echo -n flat > $out; ${b} env | ${b} grep NIX_" { outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = builtins.hashString "sha256" "flat"; };
  recursive = sh "recursive" "${b} mkdir $out; echo x > $out/y" { outputHashMode = "recursive"; outputHash = "sha256-6htY54dQiSfSkgWMC/PjagGlDl1uV0zhTmQ0C420nwQ="; };
  usesFixed = sh "uses-fixed" "${b} cat ${flat} > $out" { };
  setId = sh "set-id" ''
    ${b} touch f; { ${b} chmod 4755 f || echo refused; ${b} chmod 2755 f || echo refused; ${b} stat -c %a f; } 2> /dev/null > $out
  '' { };
  canonical = sh "canonical" ''
    ${b} mkdir -p $out/sub $out/empty; cd $out; echo a > sub/a; echo b > b; ${b} chmod 700 sub; ${b} chmod 751 b; ${b} chmod 600 sub/a
    ${b} ln -s ../nowhere link; ${b} ln b hard; ${b} touch -d 2001-02-03 sub; echo > "with space"; echo > é; echo > B; ${b} truncate -s 100000 hole; umask 077; echo > private
  '' { };
  file = sh "file" "echo > $out; ${b} chmod 755 $out" { };
  link = sh "link" "${b} ln -s /nowhere $out" { };
  self = sh "self" "echo $out > $out" { };
  allowed = sh "allowed" "echo ${bin} $out > $out" { allowedReferences = [ bin "out" ]; };
  requisites = sh "requisites" "echo ${self} > $out" { allowedRequisites = [ self ]; disallowedReferences = [ bin ]; disallowedRequisites = [ flat ]; };
  shm = sh "shm" "echo x > /dev/shm/x; ${b} cat /dev/shm/x > $out; echo y > /tmp/y; ${b} cat /tmp/y >> $out" { };
  toFile = sh "to-file" "${b} cat ${builtins.toFile "text" "text ${bin}"} > $out" { };
  i686 = derivation { name = "i686"; system = "i686-linux"; builder = "${bin}/bin/sh"; args = [ "-c" "${b} uname -m > $out; ${b} cat /proc/self/personality >> $out" ]; };
}
