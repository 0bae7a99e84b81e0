#!/bin/sh
# must_fail.sh: runs a command that has to fail, and prints SURVIVED if it does not.
if "$@"; then echo "SURVIVED: the command found nothing wrong"; fi
