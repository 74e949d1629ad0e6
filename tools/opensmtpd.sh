#!/bin/sh
# Installs Debian's OpenSMTPD for its test, where nobody can mind: as root on Debian, with no
# other mail server, which the package would replace. Elsewhere the test is skipped, and says so.
set -eu
command -v smtpctl >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || [ -e /usr/sbin/sendmail ]; then
	echo "OpenSMTPD is not installed here: its test is skipped"
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends opensmtpd >/dev/null 2>&1; }
install || { apt-get update -qq >/dev/null 2>&1 && install; } || echo "OpenSMTPD could not be installed: its test is skipped"
