#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# make_foreign.sh URI NAME [GUEST_DIR] - boot a small guest that hsched did not make: it carries
# no tag, so it is somebody else's and must never be touched. It idles until it is destroyed.
# GUEST_DIR holds what tests/support/guest/build-guest.sh wrote; without it the guest has no
# system and idles in its firmware.
set -euo pipefail

[ $# -eq 2 ] || [ $# -eq 3 ] || {
    echo "usage: make_foreign.sh URI NAME [GUEST_DIR]" >&2
    exit 1
}
uri=$1 name=$2 boot=
[[ $name =~ ^[A-Za-z0-9._-]+$ ]] || {
    echo "make_foreign: '$name' is no name for a guest: letters, digits, . _ -" >&2
    exit 1
}
if [ $# -eq 3 ]; then
    dir=$(cd "$3" && pwd)
    boot="<kernel>$dir/vmlinuz</kernel><initrd>$dir/initrd</initrd><cmdline>$(cat "$dir/cmdline") hsched_idle</cmdline>"
fi
case $uri in
    test:*) type='test' ;;
    *) type='qemu' ;;
esac
xml=$(mktemp)
trap 'rm -f "$xml"' EXIT
cat >"$xml" <<XML
<domain type='$type'>
  <name>$name</name>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os><type>hvm</type>$boot</os>
  <on_poweroff>destroy</on_poweroff>
</domain>
XML
virsh -q -c "$uri" create "$xml" >&2
