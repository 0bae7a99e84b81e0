#!/bin/sh
# sampler.sh: the worked example as a stranger has it: copied to a folder of its own, built there against the wheel,
# played, and tested.
# usage: sh tools/sampler.sh PYTHON FOLDER-OF-WHEELS
set -eu
python=$1
PIP_FIND_LINKS=$(cd "$2" && pwd) # the one thing of the repository that pip is told of
export PIP_FIND_LINKS
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git ls-files -z examples/sampler | xargs -0 cp --parents --target-directory "$folder"

"$python" -m venv "$folder/venv"
cd "$folder/examples/sampler"
../../venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
../../venv/bin/python -m pip install --quiet .
../../venv/bin/python -m pip install --quiet --group test
PATH="$folder/venv/bin:$PATH"
sampler render beat.wav --bars 4
sampler play --device null --bars 2
SAMPLER_NEEDS_JACK=1 python -m pytest -q
