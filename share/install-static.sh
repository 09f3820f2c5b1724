#!/bin/sh
# install-static.sh FROM TO: copies the static files NAME.EXT of the folder FROM to TO as
# NAME.<12 digits of the SHA-256 of the content>.EXT, so that browsers may keep them for ever, and
# writes TO/manifest: a line "NAME.EXT NAME.HASH.EXT" for each. Called by `make install`.
# Files of an earlier installation stay: pages that were sent before still ask for them.
set -eu
from=$1
to=$2
mkdir -p "$to"
: >"$to/manifest.new"
for file in "$from"/*.*; do
	[ -f "$file" ] || continue
	name=${file##*/}
	hash=$(sha256sum "$file" | cut -c 1-12)
	hashed=${name%.*}.$hash.${name##*.}
	install -m 644 "$file" "$to/$hashed"
	echo "$name $hashed" >>"$to/manifest.new"
done
chmod 644 "$to/manifest.new"
mv "$to/manifest.new" "$to/manifest"
