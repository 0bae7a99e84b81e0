#!/bin/sh
# setup.sh: installs the Debian packages that some purposes need, or says in one line what to type.
# usage: sh tools/setup.sh build|test|bench|stall|docs|lint|clang|pipewire|model|wheel|builds|windows|aarch64|musl|free-threaded ...
set -eu
needs_cargo=""
packages=""
audio="libjack-jackd2-dev portaudio19-dev" # headers for the build; cueline looks for the libraries as it runs

[ $# -gt 0 ] || set -- none
for purpose; do
  case "$purpose" in
    build) needed="g++ cmake ninja-build python3 python3-venv python3-dev $audio" ;;
    test) needed="g++ cmake ninja-build pkg-config libgtest-dev libseccomp-dev python3 $audio jackd2" ;;
    bench)
      needed="g++ clang-22 cmake ninja-build libbenchmark-dev nlohmann-json3-dev libboost-dev libboost-system-dev"
      needed="$needed libreaderwriterqueue-dev libatomic-queue-dev libck-dev libjack-jackd2-dev"
      needs_cargo=yes
      ;;
    stall) needed="g++ cmake ninja-build $audio jackd2" ;;
    docs) needed="doxygen python3 python3-venv" ;;
    lint) needed="clang-format-22 clang-tidy-22" ;; # beside what each of its builds needs
    clang)
      needed="g++ cmake ninja-build libgtest-dev libseccomp-dev python3 $audio jackd2 clang-22 libclang-rt-22-dev llvm-22"
      ;;
    pipewire) needed="pipewire pipewire-bin pipewire-jack jackd2" ;;
    model) needed="g++" needs_cargo=yes ;;
    windows) needed="cmake ninja-build g++-mingw-w64-x86-64-posix wine wine64 googletest" ;;
    aarch64)
      needed="cmake ninja-build g++-aarch64-linux-gnu googletest python3 python3-venv"
      needed="$needed mmdebstrap arch-test qemu-user-static binfmt-support"
      ;;
    musl) needed="cmake ninja-build googletest python3 python3-venv" ;;
    free-threaded) needed="make xz-utils libffi-dev libssl-dev zlib1g-dev g++ clang-22 libclang-rt-22-dev llvm-22" ;;
    wheel) needed="binutils mmdebstrap util-linux" ;; # beside what a build needs
    builds) needed="g++-11 clang-14 clang-15 clang-16 clang-19" ;; # beside the compilers that we work with
    *)
      echo "usage: sh tools/setup.sh build|test|bench|stall|docs|lint|clang|pipewire|model|wheel|builds|windows|aarch64|musl|free-threaded ..." >&2
      exit 2
      ;;
  esac
  packages="$packages $needed"
done

if [ -n "$needs_cargo" ]; then
  # Debian's plain cargo is too old for what we build; a cargo from elsewhere does as well.
  if ! command -v cargo >/dev/null; then
    packages="$packages cargo-web rustc-web"
  elif [ "$(printf '%s\n' 1.74 "$(cargo --version | cut -d ' ' -f 2)" | sort -V | head -n 1)" != 1.74 ]; then
    echo "this needs cargo 1.74 or later, and this is $(cargo --version); type: apt-get install cargo-web rustc-web" >&2
    exit 1
  fi
fi

missing=""
for package in $(printf '%s\n' $packages | sort -u); do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
    missing="$missing $package"
  fi
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "cueline needs these, under the names they have in Debian; install them and run make again:$missing" >&2
  exit 0 # they may be here under other names: what is really missing will say so
fi
command="apt-get update && apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ]; then
  echo "cueline needs some packages; type: sudo sh -c '$command'" >&2
  exit 1
fi
echo "installing$missing"
if ! DEBIAN_FRONTEND=noninteractive sh -c "$command" >/tmp/cueline-setup.log 2>&1 </dev/null; then
  tail -n 5 /tmp/cueline-setup.log >&2
  echo "cueline could not install its packages; when the network is there again, type: $command" >&2
  exit 1
fi
