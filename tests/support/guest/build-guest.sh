#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build-guest.sh OUTDIR - a guest that boots in seconds and honours docs/guest.md.
#
# Writes OUTDIR/vmlinuz (Debian's cloud kernel, unpacked, not installed), OUTDIR/initrd (busybox,
# a few modules and init) and OUTDIR/cmdline. Does nothing if they are newer than their parts.
# Needs no root. OUTDIR/cache keeps the kernel package.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# in the order in which they must be loaded
modules=(virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk
    virtio_console cdrom isofs)

die() {
    echo "build-guest: $*" >&2
    exit 1
}

[ $# -eq 1 ] || die "usage: build-guest.sh OUTDIR"
mkdir -p "$1/cache"
out=$(cd "$1" && pwd)

exec 9>"$out/cache/lock"
flock 9

if [ -s "$out/vmlinuz" ] && [ -s "$out/cmdline" ] && [ "$out/initrd" -nt "$here/init" ] \
    && [ "$out/initrd" -nt "${BASH_SOURCE[0]}" ]; then
    exit 0
fi

for tool in apt-get apt-cache dpkg-deb cpio gzip busybox; do
    command -v "$tool" >/dev/null || die "no '$tool': this needs Debian with busybox-static and cpio"
done
busybox=$(command -v busybox)

kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null \
        | sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1
}

fetch() {
    local package
    package=$(kernel_package)
    [ -n "$package" ] || die "apt knows no linux-image-cloud-amd64: run 'apt-get update' first"
    (cd "$out/cache" && apt-get download -q "$package" >&2) || die "cannot download $package"
}

debs=("$out"/cache/linux-image-*.deb)
if [ ! -e "${debs[0]}" ]; then
    fetch
    debs=("$out"/cache/linux-image-*.deb)
fi

tree=$(mktemp -d "$out/cache/tree.XXXXXX")
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/package" "$tree/root/bin" "$tree/root/modules"
dpkg-deb --fsys-tarfile "${debs[-1]}" | tar -x -C "$tree/package" ./boot ./lib/modules

for module in "${modules[@]}"; do
    file=$(find "$tree/package/lib/modules" -name "$module.ko" -print -quit)
    [ -n "$file" ] || die "the kernel package has no module '$module'"
    cp "$file" "$tree/root/modules/"
    echo "$module" >>"$tree/root/modules/order"
done
cp "$busybox" "$tree/root/bin/busybox"
ln -s busybox "$tree/root/bin/sh"
cp "$here/init" "$tree/root/init"
chmod 0755 "$tree/root/init" "$tree/root/bin/busybox"

cp "$tree"/package/boot/vmlinuz-* "$out/vmlinuz"
chmod 0644 "$out/vmlinuz"
(cd "$tree/root" && find . -print0 | cpio --null -o -H newc --quiet -R 0:0) | gzip -1 >"$out/initrd.part"
echo "console=ttyS0 quiet loglevel=1 panic=-1 tsc=unstable no_timer_check mitigations=off" \
    >"$out/cmdline"
mv "$out/initrd.part" "$out/initrd"
