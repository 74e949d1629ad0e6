#!/bin/sh
# Builds the image from a program that is built already: tools/image.sh build NAME
# Builds it in a storage of its own, runs it, and says how large it is: tools/image.sh test
# Wants bin/k8guard, and buildah; to build, docker or podman do, too.
set -eu
cd "$(dirname "$0")/.."

# One folder is all that the image gets.
gather() {
	authorities=/etc/ssl/certs/ca-certificates.crt
	[ -r "$authorities" ] || { echo "$authorities is missing: install ca-certificates; without authorities no mail server is trusted" >&2; exit 2; }
	rm -rf bin/image
	mkdir -p bin/image/etc/ssl/certs
	cp bin/k8guard bin/image/k8guard
	cp "$authorities" bin/image/etc/ssl/certs/
	chmod -R u=rwX,go=rX bin/image
}

arguments="--target local --build-arg VERSION=${VERSION:-dev} --build-arg COMMIT=${COMMIT:-unknown} --build-arg DATE=${DATE:-unknown}"

build() {
	gather
	# shellcheck disable=SC2086 # words on purpose
	for builder in buildah podman docker; do
		command -v "$builder" >/dev/null || continue
		"$builder" build $arguments -t "$1" -f Dockerfile .
		echo "built $1 with $builder; push it: $builder push $1"
		return
	done
	echo "buildah, podman or docker is missing: install one (Debian: apt-get install buildah)" >&2
	exit 3
}

# Nothing of it stays: image and containers lie in a folder of their own.
check() {
	command -v buildah >/dev/null || { echo "buildah is missing: install it (Debian: apt-get install buildah)" >&2; exit 3; }
	gather
	store=$(mktemp -d)
	b() { buildah --storage-driver vfs --root "$store/root" --runroot "$store/run" "$@"; }
	trap 'b rm -a >/dev/null 2>&1 || true; rm -rf "$store"' EXIT
	# shellcheck disable=SC2086
	b build --quiet --isolation chroot $arguments -t k8guard-image-test -f Dockerfile . >/dev/null
	b inspect --type image --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{index .OCIv1.Config.Labels "org.opencontainers.image.version"}}' k8guard-image-test >"$store/config"
	echo "user, entry point, version: $(cat "$store/config")"
	case "$(cat "$store/config")" in "65532:65532 [/k8guard] ${VERSION:-dev}") ;; *) echo "that is not what the Dockerfile says" >&2; exit 1 ;; esac
	container=$(b from k8guard-image-test)
	root=$(b mount "$container")
	files=$(cd "$root" && find . -type f | sort | tr '\n' ' ')
	echo "files: $files"
	[ "$files" = "./etc/ssl/certs/ca-certificates.crt ./k8guard " ] || { echo "there is more in it than the program and the authorities" >&2; exit 1; }
	loose=$(find "$root" \( -type f -o -type d \) \( -perm -0002 -o -user 65532 \))
	[ -z "$loose" ] || { echo "its own user could write to: $loose" >&2; exit 1; }
	echo "size: $(du -sb "$root" | cut -f1) bytes"
	if b run --isolation chroot "$container" -- /k8guard version >"$store/version" 2>"$store/problem"; then
		how="buildah run --isolation chroot"
	elif chroot --userspec=65532:65532 "$root" /k8guard version >"$store/version"; then
		how="chroot (buildah run says: $(tail -n 1 "$store/problem"))"
	else
		cat "$store/problem" >&2
		exit 1
	fi
	echo "by $how: $(cat "$store/version")"
	grep -q "^k8guard ${VERSION:-dev} " "$store/version"
}

case "${1:-} ${2:-}" in
"build "?*) build "$2" ;;
"test ") check ;;
*) echo "usage: tools/image.sh build NAME, or tools/image.sh test" >&2; exit 2 ;;
esac
