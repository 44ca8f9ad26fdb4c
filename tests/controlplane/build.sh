#!/usr/bin/env bash
# Builds the control plane for the tests into a cache and prints the folder that holds the binaries.
#   tests/controlplane/build.sh          8 minutes cold on 2 cores, at once when cached
#   tests/controlplane/build.sh --path   prints the folder when cached, else exits 1; needs no Go
# The cache key covers the pinned modules and this script, so a changed pin never meets a stale binary. It leaves the Go
# version out: the modules demand their own minimum, and a machine without Go can then still use a restored cache.
set -euo pipefail
cd "$(dirname "$0")"
KEY=$(cat k8s/go.mod k8s/go.sum sim/go.mod sim/go.sum build.sh | sha256sum | cut -c1-16)
ROOT=${XDG_CACHE_HOME:-$HOME/.cache}/wheelhouse/controlplane
BIN=$ROOT/$KEY/bin
if [ "${1-}" = --path ]; then
  [ -d "$BIN" ] || exit 1
  echo "$BIN"; exit
fi
if [ ! -d "$BIN" ]; then
  command -v go >/dev/null || { echo "building the control plane needs Go 1.26 or newer on the PATH (apt-get install golang-go, or go.dev/dl)" >&2; exit 1; }
  export GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-mod=readonly
  mkdir -p "$ROOT/$KEY"
  exec 9>"$ROOT/$KEY/lock"; flock 9
  if [ ! -d "$BIN" ]; then   # another run may have built it while this one waited for the lock
    TMP=$ROOT/$KEY/bin.new; rm -rf "$TMP"; mkdir -p "$TMP"
    KV=$(awk '$1=="k8s.io/kubernetes"{print $2; exit}' k8s/go.mod)
    P=k8s.io/component-base/version; minor=${KV#v1.}; minor=${minor%%.*}
    # Without the stamp /version says v0.0.0-master and clients that parse gitVersion fail.
    LD="-s -w -X $P.gitVersion=$KV -X $P.gitMajor=1 -X $P.gitMinor=$minor -X $P.gitTreeState=clean -X $P.gitCommit=module -X $P.buildDate=1970-01-01T00:00:00Z"
    { (cd k8s
       go build -trimpath -ldflags "$LD" -o "$TMP/" k8s.io/kubernetes/cmd/kube-apiserver   # the largest first: fail early
       go build -trimpath -ldflags "-s -w" -o "$TMP/etcd" go.etcd.io/etcd/server/v3
       go build -trimpath -ldflags "$LD" -o "$TMP/" k8s.io/kubernetes/cmd/{kubectl,kube-controller-manager,kube-scheduler})
      (cd sim && go build -trimpath -ldflags "-s -w" -o "$TMP/" tool)
    } >&2
    # kwok's own definitions of how nodes and pods behave, taken from the pinned module so that a test run needs no Go.
    M=$(cd sim && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize
    for f in stage/node/fast/node-initialize stage/node/heartbeat-with-lease/node-heartbeat-with-lease stage/pod/fast/pod-ready \
             stage/pod/fast/pod-complete metrics/resource/metrics-resource metrics/usage/usage-from-annotation; do
      cat "$M/$f.yaml"; printf '\n---\n'
    done >"$TMP/kwok-stages.yaml"
    mv "$TMP" "$BIN"
  fi
fi
echo "$BIN"
