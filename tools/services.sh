#!/bin/sh
# Installs what real Kafka, Cassandra and Memcached need, where nobody can mind: as root on
# Debian. Elsewhere "ctl fetch" says what to install, and their tests are left out and counted.
set -eu
missing=
command -v java >/dev/null || missing="$missing default-jre-headless"
command -v mvn >/dev/null || missing="$missing maven"
command -v memcached >/dev/null || missing="$missing memcached"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	exit 0
fi
echo "installing Debian's$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of packages
install() { apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; }
install || { apt-get update -qq >/dev/null 2>&1 && install; } || echo "could not install$missing"
