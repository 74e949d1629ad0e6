#!/bin/sh
# Unpacks Debian's Prometheus and promtool for their test into the user's cache; nothing is
# installed, and no server is started. Where they are on the PATH, or the system is no Debian,
# nothing is done: without them the test is left out and counted, in CI it fails.
set -eu
command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/k8guard/prometheus
[ -x "$cache/usr/bin/prometheus" ] && [ -x "$cache/usr/bin/promtool" ] && exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
	exit 0
fi
mkdir -p "$(dirname "$cache")"
work=$(mktemp -d "$(dirname "$cache")/.prometheus-XXXXXX")
trap 'rm -rf "$work"' EXIT
download() { (cd "$work" && apt-get download -qq prometheus >/dev/null 2>&1); }
echo "unpacking Debian's prometheus into $cache"
download || { [ "$(id -u)" = 0 ] && apt-get update -qq >/dev/null 2>&1 && download; } || { echo "could not get Debian's prometheus"; exit 0; }
dpkg-deb -x "$work"/prometheus_*.deb "$work/files"
# Another make may have been first; what is there is the same.
mv -T "$work/files" "$cache" 2>/dev/null || [ -x "$cache/usr/bin/promtool" ]
