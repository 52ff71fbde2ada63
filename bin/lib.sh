# shellcheck shell=bash
# What bin/setup, bin/alknet and bin/test share. Sourced, never run. Everything people read goes to standard error.

# The checkout this file lies in, through any symbolic links.
ROOT=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
DEPS=$ROOT/.deps
DEPS_LOCK=$ROOT/bin/deps.lock
VERBOSE=${ALKNET_VERBOSE:-0}

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE: what went wrong, where, and what to do about it.
die() {
  say "${0##*/}: $*"
  exit 1
}

# True when standard error is a terminal that can rewrite its line.
on_terminal() { [[ -t 2 && ${TERM:-dumb} != dumb && ${CI:-false} != true ]]; }

# status_line TEXT: shows TEXT on one line that the next call overwrites; an empty TEXT wipes it. Terminals only.
status_line() {
  on_terminal || return 0
  local width=${COLUMNS:-$(tput cols 2>/dev/null || echo 80)}
  printf '\r\033[K%s' "${1:0:width-1}" >&2
}

# with_lock FILE WHAT COMMAND...: runs COMMAND while no other process holds FILE; says so when it must wait for WHAT.
# COMMAND's own children do not inherit the lock as long as they are started through run_logged.
with_lock() {
  local file=$1 what=$2
  shift 2
  if ! { mkdir -p "$(dirname "$file")" && : >>"$file"; } 2>/dev/null; then
    die "cannot write $file: run it as the owner of $ROOT, or make a clone of your own"
  fi
  (
    trap 'exit 130' INT TERM
    if ! flock -n 9; then
      say "waiting for $what that runs already"
      flock 9
    fi
    "$@"
  ) 9>>"$file"
}

# run_logged LOG COMMAND...: runs COMMAND with its output in LOG and nothing to read. On a terminal its last line shows
# while it runs; ALKNET_VERBOSE=1 shows all of it. Returns the status of COMMAND.
run_logged() {
  local log=$1 watcher='' status=0
  shift
  mkdir -p "$(dirname "$log")"
  printf '$ %s\n' "$*" >"$log"
  if [[ $VERBOSE == 1 ]]; then
    ("$@") </dev/null 9>&- 2>&1 | tee -a "$log" >&2
    return "${PIPESTATUS[0]}"
  fi
  # The command stays in the foreground, so that Ctrl-C ends it; what watches its log does not.
  if on_terminal; then
    while sleep 0.2 && kill -0 $$; do status_line "  $(tail -n 1 "$log" | tr -d '\r')"; done 9>&- &
    watcher=$!
  fi
  ("$@") </dev/null >>"$log" 2>&1 9>&- || status=$?
  if [[ $watcher ]]; then
    kill "$watcher"
    wait "$watcher" 2>/dev/null || true
    status_line ''
  fi
  return "$status"
}

# show_tail LOG [LINES]: the end of a log, for a person who must find out why something failed.
show_tail() {
  say "  last lines of ${1#"$ROOT"/}:"
  tail -n "${2:-15}" "$1" | cut -c 1-200 | sed 's/^/    /' >&2
}

# has_files KIND: true when the files are there without which that kind of deps.lock is surely not unpacked.
has_files() {
  local file files=()
  case $1 in
    backports) files=(root/usr/include/boost/json.hpp root/usr/lib/x86_64-linux-gnu/libngtcp2.a root/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so vulkan/lvp_icd.x86_64.json) ;;
    source) files=(source/usr/src/quickjs-ng/quickjs.c) ;;
    npm) files=(webgpu/lib/libwebgpu_wrapper.so) ;;
    wheel) files=(webgpu/include/webgpu.h webgpu/lib/libwgpu_native-release.so ada/ada.cpp) ;;
    oracle) files=(python/bin/python3 python/lib/python3.11/site-packages/{tokenizers,pyarrow}) ;;
    node) files=(node/node_modules/ajv/package.json) ;;
    module) files=(modules/node_modules/@sinclair/typebox/package.json) ;;
    sid) files=(dawn/usr/lib/x86_64-linux-gnu/{ld-linux-x86-64.so.2,libwebgpu_dawn.so}) ;;
    trixie) files=(bench/usr/include/jsoncons) ;;
    peer) files=(peers/jax) ;;
  esac
  for file in "${files[@]}"; do
    [[ -e $DEPS/$file ]] || return 1
  done
}

# One hash of all that decides what bin/setup installs.
setup_hash() { cat "$DEPS_LOCK" "$ROOT/bin/setup" | sha256sum | cut -d ' ' -f 1; }

# setup_is_current GROUP: true when bin/setup has installed exactly this deps.lock and its files are still there.
setup_is_current() {
  local stamp=$DEPS/stamps/group-$1
  [[ -r $stamp && $(<"$stamp") == "$(setup_hash)" ]] && has_files backports && has_files source &&
    has_files module && has_files npm && has_files wheel &&
    { [[ $1 != gpu ]] || has_files sid; } &&
    { [[ $1 == run || $1 == gpu ]] || { has_files oracle && has_files node; }; } &&
    { [[ $1 != bench ]] || { has_files trixie && has_files peer; }; }
}

# newer_dawn PROGRAM...: becomes PROGRAM with the WebGPU library of `bin/setup --group gpu`. That library needs a newer
# libc than Debian 12 has, so the program starts under the loader that came with it.
newer_dawn() {
  local folder=$DEPS/dawn/usr/lib/x86_64-linux-gnu
  has_files sid || die 'the newer Dawn is not installed: run bin/setup --group gpu'
  exec "$folder/ld-linux-x86-64.so.2" --library-path "$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"
}

# How many compilers may run at once: one a core, but each with a gigabyte of memory.
build_jobs() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  ((gigabytes >= 1)) || gigabytes=1
  echo $((cores < gigabytes ? cores : gigabytes))
}

# Compiler results are kept in the user's ccache, or inside the checkout where there is no home folder to write to.
use_ccache() {
  if [[ -z ${CCACHE_DIR:-} && ! -w ${HOME:-/nonexistent} ]]; then export CCACHE_DIR=$ROOT/build/ccache; fi
}

# Reads ninja's output from standard input, copies it to LOG and shows how far the build is: one changing line on a
# terminal, a line for every tenth of the work elsewhere.
ninja_progress() { # LOG
  local line shown=0 rest
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$1"
    if [[ $VERBOSE == 1 ]]; then
      say "$line"
    elif [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*) ]]; then
      rest=${BASH_REMATCH[3]##*/}
      if on_terminal; then
        status_line "  ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}: ${rest%.o}"
      elif ((BASH_REMATCH[1] * 10 / BASH_REMATCH[2] > shown && BASH_REMATCH[2] >= 10)); then
        shown=$((BASH_REMATCH[1] * 10 / BASH_REMATCH[2]))
        say "  ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
      fi
    fi
  done
  status_line ''
}

# configure PRESET: prepares build/PRESET when that was not done since CMakePresets.json changed.
configure() {
  local folder=$ROOT/build/$1
  if [[ ! -e $folder/build.ninja || $ROOT/CMakePresets.json -nt $folder/build.ninja ]]; then
    run_logged "$folder/configure.log" cmake -S "$ROOT" --preset "$1" || {
      show_tail "$folder/configure.log"
      return 1
    }
    touch "$folder/build.ninja"
  fi
}

# build PRESET [TARGET...]: runs ninja in build/PRESET; shows what went wrong when something does.
build() {
  local folder=$ROOT/build/$1 log=$ROOT/build/$1/build.log status=0
  shift
  : >"$log"
  NINJA_STATUS='[%f/%t] ' ninja -C "$folder" -j "$(build_jobs)" "$@" </dev/null 2>&1 9>&- | ninja_progress "$log" || status=$?
  if ((status)); then
    say "  the build failed; the whole log is ${log#"$ROOT"/}:"
    sed -n '/^FAILED/,$p' "$log" | head -n 40 | sed 's/^/    /' >&2
  fi
  return "$status"
}
