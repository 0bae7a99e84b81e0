#!/bin/sh
# example.sh: a worked example as a stranger has it: copied to a folder of its own, built there against the wheel,
# played, and tested.
# usage: sh tools/example.sh sampler|looper PYTHON FOLDER-OF-WHEELS
set -eu
example=$1
python=$2
PIP_FIND_LINKS=$(cd "$3" && pwd) # the one thing of the repository that pip is told of
export PIP_FIND_LINKS
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git ls-files -z "examples/$example" | xargs -0 cp --parents --target-directory "$folder"

"$python" -m venv "$folder/venv"
cd "$folder/examples/$example"
../../venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
../../venv/bin/python -m pip install --quiet .
../../venv/bin/python -m pip install --quiet --group test
PATH="$folder/venv/bin:$PATH"
case $example in
sampler)
    sampler render beat.wav --bars 4
    sampler play --device null --bars 2
    ;;
looper) looper --device null ;;
esac
SAMPLER_NEEDS_JACK=1 python -m pytest -q
