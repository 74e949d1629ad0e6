#!/bin/sh
# Fails when a *_templ.go differs from what its template generates. It generates beside a
# copy of the sources, so that the working tree stays as it is.
set -eu
# Names in the generated files are relative to the path: make generate uses the same folder.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R internal "$copy/internal"
cp go.mod go.sum "$copy/"
for folder in internal/report internal/login internal/notify/email; do
	go tool -modfile="$PWD/tools/templ/go.mod" templ generate -path "$copy/$folder" >"$copy/log" 2>&1 || { cat "$copy/log"; exit 1; }
done
find "$copy/internal" -name '*_templ.go' | while read -r new; do
	cmp -s "$new" "internal${new#"$copy/internal"}" || { echo "internal${new#"$copy/internal"} is out of date: run make generate"; exit 1; }
done
