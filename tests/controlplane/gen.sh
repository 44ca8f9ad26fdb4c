#!/usr/bin/env bash
# Regenerates the two Go modules that pin the control plane's tools. Needed only when a version changes:
#   KV=v1.37.2 EV=v3.7.3 tests/controlplane/gen.sh
# The committed go.mod and go.sum then build read-only. Two modules, because the `replace` lines that k8s.io/kubernetes
# needs would otherwise also apply to kwok, which is written for another minor version of the same libraries.
set -euo pipefail
cd "$(dirname "$0")"
KV=${KV:-v1.37.2} EV=${EV:-v3.7.3} KWOK=${KWOK:-v0.8.0} MS=${MS:-v0.9.0}
export GOTOOLCHAIN=local GOSUMDB=off GOFLAGS=-mod=mod CGO_ENABLED=0
mkdir -p k8s sim
(
  cd k8s && rm -f go.mod go.sum && go mod init wheelhouse/controlplane/k8s && go mod edit -go=1.26.0 -godebug=default=go1.26
  # k8s.io/kubernetes requires every staging module at v0.0.0 and replaces them inside its own repository; a dependent
  # has to spell the published versions out. The list is taken from the published go.mod so that none is missed.
  mapfile -t replaces < <(awk -v v="v0.${KV#v1.}" '$1 ~ /^k8s\.io\// && $2=="v0.0.0"{printf "-replace=%s=%s@%s\n",$1,$1,v}' \
    "$(go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@$KV")")
  go mod edit "${replaces[@]}"
  go get -tool "k8s.io/kubernetes/cmd/kube-apiserver@$KV" "k8s.io/kubernetes/cmd/kube-controller-manager@$KV" \
    "k8s.io/kubernetes/cmd/kube-scheduler@$KV" "k8s.io/kubernetes/cmd/kubectl@$KV" "go.etcd.io/etcd/server/v3@$EV"
)
(
  cd sim && rm -f go.mod go.sum && go mod init wheelhouse/controlplane/sim && go mod edit -go=1.26.4 -godebug=default=go1.26
  go get -tool "sigs.k8s.io/kwok/cmd/kwok@$KWOK" "sigs.k8s.io/metrics-server/cmd/metrics-server@$MS"
)
