#!/bin/sh
# free_threaded.sh: builds a CPython without a GIL from source, which no package has; or the same under the thread
# sanitizer. Each is built once, and takes some minutes on two cores.
# usage: sh tools/free_threaded.sh python|tsan     The interpreter is build/free-threaded/<that>/bin/python3.
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
  python) options="--disable-gil" ;;
  tsan) options="--disable-gil --with-thread-sanitizer" CC=clang-22 CXX=clang++-22 && export CC CXX ;;
  *)
    echo "usage: sh tools/free_threaded.sh python|tsan" >&2
    exit 2
    ;;
esac
name=$1
folder=$PWD/build/free-threaded
[ ! -x "$folder/$name/bin/python3" ] || exit 0

# The version of Debian's source package, and its checksum there. The newest one may be too new for a mirror.
version=3.14.7
checksum=3b48dac8fb59f62eaa67ac83c1eb12bda1b7a08406dd286e252c11a66be27f81
archive=pool/main/p/python3.14/python3.14_$version.orig.tar.xz
if [ ! -e "$folder/source/configure" ]; then
  mkdir -p "$folder"
  for mirror in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u); do
    /usr/lib/apt/apt-helper download-file "$mirror$archive" "$folder/source.tar.xz" "SHA256:$checksum" \
      >"$folder/download.log" 2>&1 && break
  done
  if [ ! -e "$folder/source.tar.xz" ]; then
    tail -n 2 "$folder/download.log" >&2
    echo "no Debian mirror of this machine has $archive: put a CPython without a GIL at $folder/$name/bin/python3" >&2
    exit 1
  fi
  rm -rf "$folder/unpacked" && mkdir "$folder/unpacked"
  tar -xf "$folder/source.tar.xz" -C "$folder/unpacked" --strip-components=1
  mv "$folder/unpacked" "$folder/source"
fi

echo "building CPython $version $options, for some minutes: $folder/$name.log"
rm -rf "$folder/$name-build" && mkdir -p "$folder/$name-build" && cd "$folder/$name-build"
# shellcheck disable=SC2086
if ! { ../source/configure $options --prefix="$folder/$name" --disable-test-modules &&
  nice make -j "$(nproc)" && nice make install; } >"$folder/$name.log" 2>&1; then
  tail -n 5 "$folder/$name.log" >&2
  exit 1
fi
rm -rf "$folder/$name-build"
