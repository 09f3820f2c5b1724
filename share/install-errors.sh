#!/bin/sh
# install-errors.sh FROM TO: makes TO/CODE.html of each line "CODE|title|text" of FROM/pages.txt by
# FROM/page.html: the pages of the site's look for what the web server answers by itself. Called by
# `make install`.
set -eu
from=$1
to=$2
mkdir -p "$to"
grep -v '^#' "$from/pages.txt" | while IFS='|' read -r code title text; do
	awk -v code="$code" -v title="$title" -v text="$text" '{
		gsub(/@CODE@/, code)
		gsub(/@TITLE@/, title)
		gsub(/@TEXT@/, text)
		print
	}' "$from/page.html" >"$to/$code.html.new"
	chmod 644 "$to/$code.html.new"
	mv "$to/$code.html.new" "$to/$code.html"
done
