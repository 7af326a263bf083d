#!/bin/sh
# Rewrites the lock files from pyproject.toml: hashes, no download addresses. Needs uv; run it through `make lock`.
set -eu
cd "$(dirname "$0")/.."
for set in run dev; do
  extra=""
  [ "$set" = dev ] && extra="--extra dev"
  # shellcheck disable=SC2086  # two words or none
  uv pip compile pyproject.toml requirements/build.in $extra --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file "requirements/$set.txt" "$@"
done
