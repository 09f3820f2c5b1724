#!/bin/sh
# Makes configure and Makefile.in from configure.ac and Makefile.am.
set -eu
cd "$(dirname "$0")"
command -v autoreconf >/dev/null || { echo "autogen.sh: autoreconf is missing: apt install autoconf automake" >&2; exit 1; }
mkdir -p build-aux
exec autoreconf --install --force
