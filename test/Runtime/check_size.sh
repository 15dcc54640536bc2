#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# check_size.sh LIBRARY: the runtime core has at most 64 KB stripped, needs nothing but the C library, exports nothing but its C
# ABI, and maps no page both writable and executable.
set -euo pipefail
library=$1
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
llvm-strip-22 -o "$copy" "$library"
size=$(stat -c %s "$copy")
echo "stripped: $size bytes of 65536"
[ "$size" -le 65536 ]
needed=$(readelf -d "$copy" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
echo "needs:" $needed
for name in $needed; do
  case $name in
  libc.so.6 | libpthread.so.0 | ld-linux-*) ;;
  *) echo "unexpected dependency: $name"; exit 1 ;;
  esac
done
symbols=$(nm -D --defined-only "$copy")
exports=$(awk '{print $3}' <<<"$symbols")
grep -q '^dlc_' <<<"$exports" || { echo "no exports"; exit 1; }
others=$(grep -v -E '^(dlc_|DLC_)' <<<"$exports" || true)
[ -z "$others" ] || { echo "unexpected exports: $others"; exit 1; }
if readelf -lW "$copy" | grep -q RWE; then
  echo "a segment is writable and executable"
  exit 1
fi
