#!/bin/sh
# must_fail.sh: runs a command that has to fail, and says so when it does not.
if "$@"; then echo "SURVIVED: the command found nothing wrong"; fi
