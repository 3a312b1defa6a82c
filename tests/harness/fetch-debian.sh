# fetch-debian DIR SUITE PACKAGE PROGRAM — puts Debian's PACKAGE, runnable, into DIR: no root, no container, and
# nothing of the machine's own packages is touched. SUITE is a release's code name, or `host`.
#
# The machine's apt, with a state of its own under DIR, resolves PACKAGE against an empty system and downloads it
# and the libraries of its closure, signatures checked, from the mirror that this machine uses. They are unpacked
# into DIR/root. DIR/run starts PROGRAM (a path within the packages) through its own ld.so with --library-path,
# not LD_LIBRARY_PATH: what the program starts keeps the machine's libraries.
#
# A finished DIR carries a stamp, and the next run returns at once. A second run at the same time waits for the
# first; an interrupted one is taken up again.
set -euo pipefail
[ $# = 4 ] || { echo "usage: fetch-debian DIR SUITE PACKAGE PROGRAM" >&2; exit 2; }
dir=$1 suite=$2 package=$3 program=$4
say() { echo "$package from Debian $suite: $*" >&2; }
fail() { say "$*"; exit 1; }
trap 'say "stopped at line $LINENO of fetch-debian"' ERR

# Changed when this recipe does, to make every DIR again.
stamp="recipe 1: $suite $package"
finished() { [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$stamp" ]; }
mkdir -p "$dir"
dir=$(cd "$dir" && pwd -P)
finished && exit 0
exec 9>"$dir/.lock"
flock --nonblock 9 || { say "waiting for another run that fetches it"; flock 9; }
finished && exit 0

for tool in apt-get apt-cache dpkg-deb; do
  command -v $tool >/dev/null || fail "needs $tool: on a system that is not Debian, install $package by its own means"
done
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
[ "$suite" != host ] || suite=$codename
for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do [ ! -e "$keyring" ] || break; done
[ -e "$keyring" ] || fail "its signature can't be checked: apt-get install debian-archive-keyring"

# The mirror of the main archive: from apt's lists, or before the first `apt-get update` from its sources.
mirror_by_lists() {
  apt-get indextargets --format '$(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "main" { print $3; exit }'
}
mirror_by_sources() {
  local suites="^($codename|sid|unstable|testing|stable)\$"
  {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -nE 's/^deb +(\[[^]]*\] *)?//p'
    # The same three words for each stanza of the newer form: address, first suite, components.
    awk -v RS= -F'\n' '{ uri = first = parts = ""
      for (i = 1; i <= NF; i++) {
        n = split($i, w, " ")
        if (w[1] == "URIs:") uri = w[2]; if (w[1] == "Suites:") first = w[2]
        if (w[1] == "Components:") for (j = 2; j <= n; j++) parts = parts " " w[j]
      }
      print uri, first parts }' /etc/apt/sources.list.d/*.sources 2>/dev/null
  } | awk -v suites="$suites" '$2 ~ suites && / main/ { print $1; exit }'
}
mirror=$(mirror_by_lists)
[ -n "$mirror" ] || mirror=$(mirror_by_sources || true)
[ -n "$mirror" ] || fail "this machine's apt names no Debian mirror: run apt-get update, or install $package"

apt=$dir/.apt
rm -rf "$apt" "$dir/root"
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/log" "$dir/root"
: > "$apt/status"                             # an empty system, so that the closure includes libc
echo "deb [signed-by=$keyring] $mirror $suite main" > "$apt/sources.list"
# Read after the machine's own apt.conf.d: its proxy and other ways to the mirror stay in force; not its hooks, nor
# what container images save disk with, which costs seconds.
# Old suites' Release files have run out, hence no Check-Valid-Until.
cat > "$apt/conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Acquire::GzipIndexes "false";
Dir::Log "$apt/log";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
CONF
step() {                                      # step NAME COMMAND… — what it printed is shown when it fails
  "${@:2}" > "$apt/log/$1" 2>&1 || {
    tail -n 10 "$apt/log/$1" >&2
    fail "apt's $1 failed; is the mirror $mirror reachable from here, and does it carry $suite?"
  }
}

say "package lists"
step update apt-get -q -c "$apt/conf" -o APT::Update::Error-Mode=any update
step plan apt-get -q -c "$apt/conf" -s -y install "$package"
# Of the closure: its own packages and the libraries. What only maintainers' scripts want is left out.
closure=$(awk '$1 == "Inst" { print $2 }' "$apt/log/plan" |
  xargs apt-cache -c "$apt/conf" show --no-all-versions |
  awk -v own="^${package%%-*}" '
    /^Package: / { name = $2 } /^Section: / { section = $2 }
    /^$/ { if (name ~ own || section ~ /^(libs|oldlibs|interpreters)$/) print name; name = section = "" }' | sort -u)

unpack() {                                    # unpack PACKAGE… — downloads them into DIR/root
  cd "$apt/archives"
  step download apt-get -q -c "$apt/conf" download "$@"
  say "unpacking $# packages, $(du -csh ./*.deb | awk 'END { print $1 }')"
  for deb in *.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/root" --no-same-owner --exclude='./usr/share/doc/*' \
      --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/lib/*/gconv/*'
    rm "$deb"
  done
  cd "$dir"
  ld=$(find root -name 'ld-linux-*.so.*' -path '*-linux-gnu/*' | head -n 1)
  libraries=$dir/root/usr/lib
  for folder in root/usr/lib/*-linux-gnu root/lib/*-linux-gnu; do
    [ ! -d "$folder" ] || libraries=$libraries:$dir/$folder
  done
}
# Half of the bytes are libraries for calendars, codec2 and SNMP, which no test needs: they are left out,
# unless something else turns out to be linked with them (Asterisk 16 is, with libicu).
heavy='^(libicu|libcodec2|libsnmp|libperl|perl-modules|libdb5|libgnutls30)'
complete() {
  local file
  for file in "root/$program" $(find root -path '*/asterisk/modules/*.so' | grep -vE 'calendar|codec2|snmp'); do
    [ -z "$("$ld" --library-path "$libraries" --list "$file" 2>&1 | grep 'not found\|cannot open')" ] || return 1
  done
}
# shellcheck disable=SC2046
unpack $(echo "$closure" | grep -vE "$heavy")
# shellcheck disable=SC2046
complete || unpack $(echo "$closure" | grep -E "$heavy")

# What a maintainer's script does with update-alternatives: the voice for each language.
for voice in root/usr/share/asterisk/sounds/??_*/; do
  [ ! -d "$voice" ] || { name=$(basename "$voice"); ln -sfn "$name" "root/usr/share/asterisk/sounds/${name%%_*}"; }
done

# Since glibc 2.33. Programs that start themselves again, as Asterisk's `core restart`, need it.
case $("$ld" --help 2>&1) in *--argv0*) argv0="--argv0 \"$dir/run\"" ;; *) argv0= ;; esac
cat > run <<RUN
#!/bin/sh
exec "$dir/$ld" --library-path "$libraries" $argv0 "$dir/root/$program" "\$@"
RUN
chmod +x run
rm -rf "$apt/archives" "$apt/lists" "$apt"/*.bin
echo "$stamp" > .stamp
say "ready: $dir"
