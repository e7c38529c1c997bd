#!/bin/sh
# Sees to it that the images of lock-container-tests are there: as they are, else pulled, else as stand-ins.
#
# A stand-in has the server of that version from Debian's packages, for a machine that has a Docker engine and Debian's
# packages but no registry. It takes root, debootstrap and some 30 s. Its label "stand-in" says what is in it, and
# "docker image rm NAME" makes room for the original. The file system that all have in common is kept for the next time.
#
#   .ci/make-docker-images.sh [DIRECTORY]     default /var/tmp/lock-test-images
set -eu
directory=${1:-/var/tmp/lock-test-images}
suite=trixie
packages=redis-server,valkey-server,etcd-server
registry=unknown

there() { docker image inspect "$1" >/dev/null 2>&1; }

# One failure is enough: without a registry each attempt may take long.
pull() {
  [ "$registry" != none ] || return 1
  echo "$1: pulling"
  timeout 90 docker pull --quiet "$1" && return 0
  registry=none
  return 1
}

make_file_system() {
  [ ! -s "$directory/$suite.tar" ] || return 0
  mkdir -p "$directory"
  work=$(mktemp -d "$directory/making.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  debootstrap --variant=minbase --include="$packages" "$suite" "$work/root" >"$work/log" 2>&1 || {
    tail -n 5 "$work/log"
    exit 1
  }
  tar -C "$work/root" --exclude=./var/cache --exclude=./var/lib/apt/lists --exclude=./proc --exclude=./sys \
    --exclude=./dev -cf "$work/tar" .
  mv "$work/tar" "$directory/$suite.tar"
}

# IMAGE PORT COMMAND: the command is an array as in a Dockerfile; its first word is the server.
stand_in() {
  make_file_system
  docker import --change "CMD $3" --change "EXPOSE $2" --change 'WORKDIR /tmp' \
    --change "LABEL stand-in=\"Debian $suite: $packages\"" "$directory/$suite.tar" "$1" >/dev/null
  echo "$1: stand-in with $(docker run --rm --network none "$1" "$(echo "$3" | cut -d '"' -f 2)" --version | head -n 1)"
}

image() {
  if there "$1"; then
    echo "$1: is there"
  elif ! pull "$1"; then
    stand_in "$@"
  fi
}

image redis:8.0 6379 '["redis-server", "--protected-mode", "no", "--save", ""]'
image valkey/valkey:8.1 6379 '["valkey-server", "--protected-mode", "no", "--save", ""]'
image gcr.io/etcd-development/etcd:v3.5.16 2379 \
  '["etcd", "--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", "http://0.0.0.0:2379"]'
