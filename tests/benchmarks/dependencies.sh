#!/usr/bin/env bash
# The tests with the oldest allowed dependencies on the oldest allowed Python, and with the newest ones on the newest
# Python that is here. Run by hand from anywhere (it makes two environments in a temporary folder):
#
#     tests/benchmarks/dependencies.sh                      # all tests
#     tests/benchmarks/dependencies.sh tests/test_files.py  # some
#
# OLDEST and NEWEST name the interpreters; without them pyenv's versions and then the PATH are searched.
set -euo pipefail
cd "$(dirname "$0")/../.."

find_python() { # find_python 3.11 3.12 …: the first that is there
  local version found
  for version in "$@"; do
    for found in "$HOME/.pyenv/versions/$version".*/bin/python "$(command -v "python$version" || true)"; do
      if [ -x "$found" ] && "$found" -c '' 2>/dev/null; then
        echo "$found"
        return
      fi
    done
  done
}

oldest=${OLDEST:-$(find_python 3.11)}
newest=${NEWEST:-$(find_python 3.15 3.14 3.13 3.12)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "numpy>=1.24" becomes numpy==1.24, and so on
lowest=$(sed -n 's/^dependencies = \[\(.*\)\]/\1/p' pyproject.toml | tr -d '",' | sed 's/>=/==/g')

check() { # check NAME PYTHON REQUIREMENT… -- TEST…
  local name=$1 python=$2 requirements=()
  shift 2
  while [ "$1" != -- ]; do
    requirements+=("$1")
    shift
  done
  shift
  if [ -z "$python" ]; then
    echo "no Python for the $name dependencies: set ${name^^}" >&2
    return 1
  fi
  "$python" -m venv "$work/$name"
  "$work/$name/bin/python" -m pip install --quiet --upgrade "${requirements[@]}" '.[test]'
  printf '\n== %s: %s, %s\n' "$name" "$("$python" --version)" \
    "$("$work/$name/bin/python" -m pip list --format freeze | grep -E '^(numpy|typer|rich|sacrebleu)=' | tr '\n' ' ')"
  "$work/$name/bin/python" -m pytest -p no:cacheprovider "$@"
}

# shellcheck disable=SC2086
check oldest "$oldest" $lowest -- "$@"
check newest "$newest" -- "$@"
