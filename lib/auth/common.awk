# common.awk: the words of common.txt, one a line; the build sorts them and makes the C table.
/^#/ { next }
{
	for (i = 1; i <= NF; i++) {
		if ($i !~ /^[a-z0-9]+$/ || length($i) < 3 || length($i) > 24) {
			print FILENAME ":" FNR ": \"" $i "\" is no word of 3 to 24 letters and digits" > "/dev/stderr"
			exit 1
		}
		print $i
	}
}
