# shellcheck shell=sh disable=SC2154
# common.sh of the suites: read with `.` first. TOP is the checkout, BUILD where builds and logs go.
set -u
top=${TOP:?run suites through tests/run}
: "${BUILD:?run suites through tests/run}"
me=${0##*/}
. "$top/deploy/common.sh"

ok()
{
	echo "ok $*"
}

fail()
{
	echo "FAIL $*"
}

skip()
{
	echo "skip $*"
}

# check NAME COMMAND...: one test that is a command; what it prints is shown where it fails.
check()
{
	check_name=$1
	check_out=${check_out:-$BUILD/check.out}
	shift
	if "$@" >"$check_out" 2>&1; then
		ok "$check_name"
	else
		tail -n 40 "$check_out" | sed 's/^/    /'
		fail "$check_name: see above"
	fi
}

# abreast [MORE]: the commands on standard input, a line each, as many at once as there are cores and
# MORE (0), for commands that wait a good deal. Their lines mix, so each line must say what it is about.
# 0 where all of them ended with 0.
abreast()
{
	xargs -d '\n' -P "$(($(cores) + ${1:-0}))" -n 1 sh -c
}

# compiled_with CC DIR [CONFIGURE-ARGUMENT...]: a build with warnings as errors, counted as a test.
compiled_with()
{
	cc=$1
	dir=$2
	shift 2
	if (build "$dir" CC="$cc" --enable-werror "$@"); then
		ok "the sources compile without a warning: $cc $*"
	else
		fail "the sources compile without a warning: $cc $*"
		return 1
	fi
}

# unit_tests DIR: make check there with a server of each database for all, each cmocka test counted as
# one; those of a program that broke off as one failure.
unit_tests()
{
	"$top/tests/tools/pg" run "$top/tests/tools/mariadb" run make -C "$1" -k -j"$(cores)" check >"$1/check.log" 2>&1
	check_status=$?
	grep -q '^# TOTAL' "$1/check.log" || {
		grep -E 'error:|undefined reference' "$1/check.log" | head -n 20
		tail -n 5 "$1/check.log"
		fail "make check in $1"
		return
	}
	for trs in $(find "$1/tests" -name '*.trs' | sort); do
		unit_results "${trs%.trs}" "${1##*/}"
	done
	[ $check_status = 0 ] || say "make check ended with status $check_status"
}

unit_results()
{
	program=${1##*/}
	result=$(sed -n 's/^:test-result: //p' "$1.trs")
	awk -v p="$2/$program" '
	    /^\[       OK \] / { print "ok " p ": " $4 }
	    /^\[  SKIPPED \] / && NF == 4 { print "skip " p ": " $4 }
	    /^\[  FAILED  \] / && NF == 4 && !seen[$4]++ { print "FAIL " p ": " $4; n++ }
	    END { exit n > 0 }' "$1.log" && case $result in
	PASS) ;;
	SKIP) skip "$2/$program: the whole program" ;;
	*) fail "$2/$program: broke off ($result)" ;;
	esac
	[ "$result" = PASS ] || [ "$result" = SKIP ] || tail -n 40 "$1.log" | sed 's/^/    /'
}
