#!/bin/sh
# Installs the Debian packages of test-packages.txt that are missing. It needs root; without it, or on a system that is
# not Debian's kin, it says what is missing and goes on: the tests that need a missing program skip with the reason.
set -eu

list=${0%/*}/test-packages.txt
say() { printf 'fluoro test: %s\n' "$*" >&2; }

wanted=$(sed -e 's/#.*//' "$list" | awk 'NF { print $1 }')
if ! command -v dpkg-query > /dev/null; then
  say "no dpkg here; the tests use these programs, where they are found: $(echo $wanted)"
  exit 0
fi

missing=
for package in $wanted; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command="apt-get install --yes --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
  say "missing system packages:$missing"
  say "tests that need them are skipped; to install them: sudo $command"
  exit 0
fi

install() { DEBIAN_FRONTEND=noninteractive $command < /dev/null > "$log" 2>&1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing system packages:$missing"
if ! install; then
  say "reading the package lists first (apt-get update)"
  apt-get update < /dev/null > "$log" 2>&1 && install || {
    tail -n 20 "$log" >&2
    say "could not install them; tests that need them are skipped, or fail with FLUORO_REQUIRE_KERNEL=1"
    exit 0
  }
fi
say "installed:$missing"
