#!/usr/bin/env bash
# Stops what up.sh started in this SLOT (default 9), by the recorded pids, in reverse order; etcd goes last.
set -euo pipefail
D=${TMPDIR:-/tmp}/wheelhouse-lab-$(id -u)/slot-${SLOT:-9}
for c in metrics-server kwok kube-scheduler kube-controller-manager kube-apiserver etcd; do
  f=$D/pids/$c.pid
  [ -f "$f" ] || continue
  pid=$(cat "$f")
  # A recorded pid may have been given to another process meanwhile: only the program of that name is stopped.
  if [ "$(basename "$(readlink "/proc/$pid/exe" || true)")" = "$c" ]; then
    kill -CONT "$pid" && kill -TERM "$pid" || true
    for _ in $(seq 100); do [ -d "/proc/$pid" ] || break; sleep 0.1; done
    [ ! -d "/proc/$pid" ] || kill -KILL "$pid" || true
  fi
  rm -f "$f"
done
