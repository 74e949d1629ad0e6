#!/bin/sh
# Installs Debian's Alertmanager for its test, where nobody can mind: as root on Debian. It is
# not started. Elsewhere the test is left out, and counted.
set -eu
command -v prometheus-alertmanager >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	exit 0
fi
echo "installing Debian's prometheus-alertmanager"
export DEBIAN_FRONTEND=noninteractive
# Invoke-rc.d starts nothing under this level: the test starts one of its own.
export RUNLEVEL=1
install() { apt-get install -y -qq --no-install-recommends prometheus-alertmanager >/dev/null 2>&1; }
install || { apt-get update -qq >/dev/null 2>&1 && install; } || echo "could not install prometheus-alertmanager"
