# What no builder may make of a derivation, and what no derivation may say; builders are busybox alone.
{ box }:
let
  bin = builtins.path { path = box; name = "box"; };
  drv = attrs: derivation ({ system = "x86_64-linux"; builder = "${bin}/bin/sh"; } // attrs);
  sh = name: script: attrs: drv ({ inherit name; args = [ "-c" script ]; } // attrs);
  b = "${bin}/bin/busybox";
  attributes = name: checks: sh name "" { __structuredAttrs = true; args = [ "-c" "echo ${bin} > ${builtins.placeholder "out"}" ]; outputChecks.out = checks; };
  dep = sh "dep" "echo ${bin} > $out" { };
  fixed = name: script: algorithm: mode: sh name script { outputHashAlgo = algorithm; outputHashMode = mode; outputHash = builtins.hashString algorithm "flat"; };
  made = name: more: sh name "" ({ __structuredAttrs = true; args = [ "-c" "echo ${bin} > ${builtins.placeholder "out"}" ]; } // more);
in {
  # References.
  disallowed = sh "disallowed" "echo ${bin} > $out" { disallowedReferences = [ bin ]; };
  disallowedSelf = sh "disallowed-self" "echo $out > $out" { disallowedReferences = [ "out" ]; };
  disallowedRequisite = sh "disallowed-requisite" "echo ${dep} > $out" { disallowedRequisites = [ bin ]; };
  allowedNone = sh "allowed-none" "echo ${bin} > $out" { allowedReferences = [ ]; };
  allowedOther = sh "allowed-other" "echo $out > $out" { allowedReferences = [ bin ]; };
  allowedRequisite = sh "allowed-requisite" "echo ${dep} > $out" { allowedRequisites = [ dep ]; };
  checkedReferences = attributes "checked-references" { disallowedReferences = [ bin ]; };
  checkedRequisites = attributes "checked-requisites" { allowedRequisites = [ ]; };
  checkedSize = attributes "checked-size" { maxSize = 100; };
  checkedClosure = attributes "checked-closure" { maxClosureSize = 1000; };
  checkedNothing = attributes "checked-nothing" { allowedReferences = null; };
  checkedString = attributes "checked-string" { allowedReferences = "out"; };
  checkedNumber = attributes "checked-number" { disallowedReferences = [ 1 ]; };
  checkedFraction = attributes "checked-fraction" { maxSize = 100.5; };
  checkedText = attributes "checked-text" { maxSize = "1000000"; };
  specified = sh "specified" "echo > $out" { allowedReferences = [ "nothing" ]; };
  specifiedOutside = sh "specified-outside" "echo > $out" { disallowedReferences = [ "/etc/passwd" ]; };
  specifiedInside = sh "specified-inside" "echo > $out" { disallowedRequisites = [ "${bin}/bin" ]; };
  specifiedBase = sh "specified-base" "echo > $out" { disallowedRequisites = [ (baseNameOf bin) ]; };
  cycle = sh "cycle" "echo $dev > $out; echo $out > $dev" { outputs = [ "out" "dev" ]; };

  # Fixed outputs.
  md5 = fixed "wrong-md5" "echo -n x > $out" "md5" "flat";
  sha1 = fixed "wrong-sha1" "echo -n x > $out" "sha1" "recursive";
  sha256 = fixed "wrong-sha256" "echo -n x > $out" "sha256" "flat";
  sha512 = fixed "no-file" "${b} mkdir $out" "sha512" "flat";
  executable = fixed "executable" "echo -n flat > $out; ${b} chmod +x $out" "sha1" "flat";
  executable256 = fixed "executable-256" "echo -n flat > $out; ${b} chmod +x $out" "sha256" "flat";

  # Outputs.
  none = sh "none" "true" { };
  one = sh "one" "echo > $out" { outputs = [ "out" "dev" ]; };
  fifo = sh "fifo" "${b} mkfifo $out" { };
  fifoInside = sh "fifo-inside" "${b} mkdir $out; ${b} mkfifo $out/x" { };
  groupWrites = sh "group-writes" "echo > $out; ${b} chmod 664 $out" { };
  othersWrite = sh "others-write" "${b} mkdir $out; ${b} chmod 757 $out" { };

  # Builders, and what they ask for.
  status = sh "status" "echo > $out; exit 3" { };
  relative = drv { name = "relative"; builder = "bin/sh"; };
  noShell = drv { name = "no-shell"; builder = "/bin/sh"; };
  noSandbox = sh "no-sandbox" "echo > $out" { __noChroot = true; };
  recursive = sh "recursive" "echo > $out" { requiredSystemFeatures = [ "recursive-nix" ]; };
  feature = sh "feature" "echo > $out" { requiredSystemFeatures = [ "big-parallel" "nobody-has-it" ]; };
  featureAttributes = made "feature-attributes" { requiredSystemFeatures = [ "nobody-has-it" ]; };
  featureString = made "feature-string" { requiredSystemFeatures = "big-parallel"; };
  addressed = sh "addressed" "echo > $out" { requiredSystemFeatures = [ "ca-derivations" ]; };
  noSandboxAttributes = made "no-sandbox-attributes" { __noChroot = true; };
  noSandboxString = made "no-sandbox-string" { __noChroot = "0"; };
  hostDeps = sh "host-deps" "echo > $out" { __impureHostDeps = [ "/dev/null" ]; };
  hostDepsAttributes = made "host-deps-attributes" { __impureHostDeps = [ "/dev/null" ]; };
  builtinSystem = derivation { name = "builtin-system"; system = "builtin"; builder = "${bin}/bin/sh"; args = [ "-c" "echo > $out" ]; };
  foreign = derivation { name = "foreign"; system = "aarch64-linux"; builder = "${bin}/bin/sh"; };
  unknown = derivation { name = "unknown"; system = "x86_64-linux"; builder = "builtin:nothing"; };
  graphOdd = sh "graph-odd" "echo > $out" { exportReferencesGraph = [ "x" ]; };
  graphOutside = sh "graph-outside" "echo > $out" { exportReferencesGraph = [ "x" "/etc/passwd" ]; };
  graphHidden = sh "graph-hidden" "echo > $out" { exportReferencesGraph = [ ".x" bin ]; };
  graphDigit = sh "graph-digit" "echo > $out" { exportReferencesGraph = [ "1x" bin ]; };
  graphPlus = sh "graph-plus" "echo > $out" { exportReferencesGraph = [ "a+b" bin ]; };
  graphBelow = made "graph-below" { exportReferencesGraph.x = [ "${bin}/bin" ]; };
  graphNumber = made "graph-number" { exportReferencesGraph.x = [ 1 ]; };
  graphOutputs = made "graph-outputs" { exportReferencesGraph.outputs = [ bin ]; };
  graphSlash = sh "graph-slash" "echo > $out" { exportReferencesGraph = [ "a/b" bin ]; };
}
