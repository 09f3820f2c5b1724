# shellcheck shell=sh disable=SC2154
# common.sh: what deploy/run and tests/run share. Read by them with `.`, after they set `me` (the
# name that goes before messages) and `top` (the checkout).

say()
{
	printf '%s: %s\n' "$me" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# Runs a command as root: directly, or through sudo.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		die "this needs root, and sudo is not installed: $*"
	fi
}

# The packages named in files of deploy/packages/ that are not installed, one a line.
missing_packages()
{
	for list; do
		sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$top/deploy/packages/$list"
	done | sort -u >"$scratch/wanted"
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
	    sed -n 's/^installed //p' | sort -u >"$scratch/installed"
	comm -23 "$scratch/wanted" "$scratch/installed"
}

# Installs what the lists name and the machine lacks. Packages that bring a service are kept from
# starting it: a site of ours runs its own web server on its own port.
need_packages()
{
	scratch=$(mktemp -d)
	missing=$(missing_packages "$@" | tr '\n' ' ')
	if [ -z "$missing" ]; then
		rm -rf "$scratch"
		return 0
	fi
	command -v apt-get >/dev/null 2>&1 ||
	    die "these packages are missing, and there is no apt-get to install them: $missing"
	say "installing $(echo "$missing" | wc -w) packages: $missing"
	policy=/usr/sbin/policy-rc.d
	made_policy=
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >"$scratch/policy"
		as_root install -m 755 "$scratch/policy" $policy && made_policy=1
	fi
	status=0
	install_packages "$missing" >"$scratch/apt.log" 2>&1 || status=$?
	[ -z "$made_policy" ] || as_root rm -f $policy
	if [ $status != 0 ]; then
		tail -n 15 "$scratch/apt.log" >&2
		rm -rf "$scratch"
		die "apt-get could not install what is missing; see above. By hand: apt-get update && apt-get install $missing"
	fi
	rm -rf "$scratch"
}

install_packages()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q || return
	# shellcheck disable=SC2086 # a list of names
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
	    --no-install-recommends $1
}

cores()
{
	getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# newer A B: was A changed after B, or is there no B?
newer()
{
	[ ! -e "$2" ] || [ -n "$(find "$1" -newer "$2")" ]
}

# build DIR [CONFIGURE-ARGUMENT...]: configures and makes the checkout in DIR, doing only what is
# needed. What it prints goes to DIR/build.log; the end of it is shown where it fails. One at a time in
# a directory: another waits.
build()
{
	mkdir -p "$1" || die "cannot make the build directory $1"
	(
		flock 9
		build_alone "$@"
	) 9>"$1/lock" || exit 1
}

build_alone()
{
	build_dir=$1
	shift
	build_log=$build_dir/build.log
	: >"$build_log"
	if [ -e "$top/config.status" ]; then
		die "the checkout itself is configured, which stands in the way of other build directories: run 'make distclean' in $top"
	fi
	if newer "$top/configure.ac" "$top/configure" || newer "$top/Makefile.am" "$top/Makefile.in"; then
		say "making configure"
		(cd "$top" && ./autogen.sh) >>"$build_log" 2>&1 || build_failed autogen.sh
	fi
	if [ ! -e "$build_dir/Makefile" ] || newer "$top/configure" "$build_dir/config.status" ||
	    [ "$*" != "$(cat "$build_dir/configured-with" 2>/dev/null)" ]; then
		say "configuring in $build_dir"
		(cd "$build_dir" && "$top/configure" "$@") >>"$build_log" 2>&1 || build_failed configure
		printf '%s\n' "$*" >"$build_dir/configured-with"
	fi
	if [ ! -e "$build_dir/libmeridian.a" ] || [ -n "$(find "$top/cgi" "$top/cmd" "$top/lib" \
	    "$top/sql" -type f -newer "$build_dir/libmeridian.a" | head -n 1)" ]; then
		say "building in $build_dir"
	fi
	make -C "$build_dir" -j"$(cores)" all >>"$build_log" 2>&1 9>&- || build_failed make
}

build_failed()
{
	tail -n 30 "$build_log" >&2
	die "$1 failed; the whole log is $build_log"
}
