#!/usr/bin/env bash
# Checks the markup of the man pages.
# Exit status 0 = clean, 1 = findings, 77 = mandoc is not installed.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

if ! command -v mandoc >/dev/null; then
	echo "skipped: mandoc is not installed"
	exit 77
fi

pages=(agent/*.[1-8] aclserver/*.[1-8])
# Our own pages are not installed, and mandoc's index of the others need not exist.
findings="$(mandoc -Tlint -Wstyle "${pages[@]}" 2>/dev/null | grep -v 'referenced manual not found')"
if [ -n "$findings" ]; then
	echo "$findings"
	exit 1
fi
echo "${#pages[@]} pages"
