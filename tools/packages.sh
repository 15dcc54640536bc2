# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sourced by quickstart and check: installs the Debian packages that building and testing need, when one is missing.

# Compilers and libraries. LLVM 22 comes from Debian's security archive for bookworm.
DLC_PACKAGES=(
  ca-certificates ccache cmake git ninja-build
  clang-22 libclang-rt-22-dev lld-22 liblld-22-dev llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  flatbuffers-compiler libcli11-dev libflatbuffers-dev libgtest-dev libjemalloc-dev libpng-dev libturbojpeg0-dev libxxhash-dev libzip-dev
  nlohmann-json3-dev zlib1g-dev
  python3 python3-numpy
)

say() { printf '== %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

missing_packages() {
  local package
  for package in "${DLC_PACKAGES[@]}"; do
    # A line for each architecture that it is installed for.
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
  done
}

# Runs a command as root, through sudo when there is one.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages needs root, and there is no sudo; as root, run: $*"
  fi
}

install_packages() {
  command -v dpkg-query >/dev/null || die "this script installs Debian packages; elsewhere install their equivalents and
  build with: cmake --preset release && cmake --build --preset release"
  local missing
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" = 0 ]; then
    say "every package is installed"
    return
  fi
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  if ! apt-cache show llvm-22-dev >/dev/null 2>&1; then
    # shellcheck source=/dev/null
    local codename="${VERSION_CODENAME:-$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")}"
    if [ "$codename" = bookworm ]; then
      die "this machine's package sources have no llvm-22-dev. Debian 12 has it in its security archive: add the line
  deb http://deb.debian.org/debian-security bookworm-security main
to /etc/apt/sources.list and run this again"
    fi
    die "this machine's package sources have no llvm-22-dev, which Debian 12 (bookworm) has in its security archive; this is
${codename:-an unknown release}. Install LLVM, MLIR and LLD 22 from where your release has them"
  fi
  # No questions, and nothing beyond what is needed: recommended packages double the size.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}
