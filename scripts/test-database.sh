#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one command beside a PostgreSQL server of its own, which is gone afterwards; the command
# finds it in FLORIN_TEST_DATABASE. No other cluster of this machine is touched.
#
#   bash scripts/test-database.sh [--install] COMMAND [ARGUMENT ...]
#
# With --install the server's programs are installed by apt-get where they are missing.
set -euo pipefail

find_programs() {
  local initdb
  initdb=$(command -v initdb ||
    { compgen -G '/usr/lib/postgresql/*/bin/initdb' || true; } | sort -V | tail -n 1)
  [ -z "$initdb" ] || dirname "$(readlink -f "$initdb")"
}

install_programs() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then as_root=(sudo); fi
  # Standard error, so that the command's own output stays alone.
  "${as_root[@]}" apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends postgresql >&2
}

# PostgreSQL does not run as root; its packages bring a user for it. That one may not enter the
# present directory, and its programs say so at length.
as_owner() (
  cd /
  if [ "$(id -u)" -eq 0 ]; then exec runuser -u postgres -- "$@"; fi
  exec "$@"
)

stop_server() {
  if [ -e "$directory/data/postmaster.pid" ]; then
    as_owner "$programs/pg_ctl" --pgdata "$directory/data" --mode immediate --silent stop || true
  fi
  rm -rf "$directory"
}

is_installing=false
if [ "${1:-}" = --install ]; then
  is_installing=true
  shift
fi
if [ $# -eq 0 ]; then
  echo "usage: bash scripts/test-database.sh [--install] COMMAND [ARGUMENT ...]" >&2
  exit 2
fi
programs=$(find_programs)
if [ -z "$programs" ] && $is_installing; then
  install_programs
  programs=$(find_programs)
fi
if [ -z "$programs" ]; then
  echo "There is no PostgreSQL server on this machine; install it (Debian: postgresql)." >&2
  exit 1
fi

# Below /tmp, whatever TMPDIR says: the server's user has to reach it.
directory=$(as_owner mktemp -d /tmp/florin-postgres.XXXXXX)
trap stop_server EXIT
# A password even on loopback: a superuser of the server may run programs as the server's user.
password=$(node -p 'require("node:crypto").randomBytes(16).toString("hex")')
as_owner tee "$directory/password" <<<"$password" >/dev/null
port=$(node -e 'const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
  console.log(server.address().port); server.close(); })')
as_owner "$programs/initdb" --pgdata "$directory/data" --username florin --encoding UTF8 \
  --no-locale --auth scram-sha-256 --pwfile "$directory/password" --no-sync >/dev/null
# Nothing in this cluster has to outlive the machine, so that it need not wait for the disk.
settings="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$directory -c fsync=off"
if ! as_owner "$programs/pg_ctl" --pgdata "$directory/data" --log "$directory/log" \
  --options "$settings" --wait --silent start; then
  cat "$directory/log" >&2
  exit 1
fi
FLORIN_TEST_DATABASE="postgres://florin:$password@127.0.0.1:$port/postgres" "$@"
