#!/usr/bin/env bash
# Runs the linter for shell scripts over every one in the tree, found by name or first line.
# Exit status 0 = clean, 1 = findings, 77 = shellcheck is not installed.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v shellcheck >/dev/null; then
	echo "skipped: shellcheck is not installed"
	exit 77
fi

scripts=()
while IFS= read -r -d '' file; do
	case "$file" in
	*.sh) scripts+=("$file") ;;
	*)
		first=
		IFS= read -r first < <(head -c 64 "$file" | tr -d '\0') || true
		[[ ! "$first" =~ ^'#!'.*(/| )(ba|da)?sh( |$) ]] || scripts+=("$file")
		;;
	esac
done < <(find . \( -name .git -o -path './build*' -o -path './obj-*' -o -path ./tests/fuzz/corpus \) -prune -o \
	-type f -print0 | sort -z)

[ ${#scripts[@]} -gt 0 ] || { echo "no scripts found"; exit 1; }
shellcheck --external-sources --source-path=SCRIPTDIR --source-path="$PWD" "${scripts[@]}"
echo "${#scripts[@]} scripts"
