# Derivations of which the name says what they differ with.
{ box }: let
  bin = builtins.path { path = box; name = "box"; };
  one = name: script: more: derivation ({
    inherit name; system = "x86_64-linux"; builder = "${bin}/bin/sh"; PATH = "${bin}/bin"; args = [ "-c" script ];
  } // more);
  dated = one "date" "busybox date +%s > $out" {};
  # Refers to what it does not hold: whoever needs it needs both.
  pointer = one "nothing-pointer" "echo ${dated} > $out" {};
in {
  inherit dated pointer;
  host = one "host-name" "busybox hostname > $out" {};
  path = one "build-path" "pwd > $out" {};
  user = one "user-id" "busybox id -u > $out" {};
  random = one "random-numbers" "busybox head -c 8 /dev/urandom | busybox od -x > $out" {};
  # Of the same input it makes the same.
  heir = one "heir" "busybox sha256sum < $(busybox cat $pointer) > $out" { inherit pointer; };
  clean = one "nothing-clean" "echo clean > $out; echo more > $doc" { outputs = [ "out" "doc" ]; };
  pinned = one "nothing-pinned" "echo $TZ $HOME > $out" { TZ = "UTC"; HOME = "/none"; };
}
