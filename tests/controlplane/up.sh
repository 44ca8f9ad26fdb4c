#!/usr/bin/env bash
# Starts the whole control plane by hand with a handful of nodes and workloads, and prints the kubeconfig:
#   eval "$(tests/controlplane/up.sh)" && wheelhouse        stop it with tests/controlplane/down.sh
# SLOT=0..9 moves every port by 100 (default 9; the tests use 10 and up). It listens on the loopback address only.
# Logs and pids: $TMPDIR/wheelhouse-lab-UID/slot-N/. The Rust launcher beside this file starts the same components from
# the same flags/ and objects/; certificates come from openssl here and from rcgen there.
set -euo pipefail
cd "$(dirname "$0")"
SLOT=${SLOT:-9}
[[ $SLOT =~ ^[0-9]$ ]] || { echo "SLOT must be 0 to 9" >&2; exit 2; }
BIN=$(./build.sh)
ROOT=${TMPDIR:-/tmp}/wheelhouse-lab-$(id -u) D=${TMPDIR:-/tmp}/wheelhouse-lab-$(id -u)/slot-$SLOT
mkdir -p "$ROOT"
# etcd inherits the lock and holds it for as long as it runs, so two labs never share a slot.
exec 8>"$ROOT/slot-$SLOT.lock"
flock -n 8 || { echo "slot $SLOT is running: SLOT=$SLOT $PWD/down.sh stops it" >&2; exit 1; }
rm -rf "$D"; mkdir -p "$D"/{pki,logs,pids}
declare -A PORT=([ETCD]=21379 [PEER]=21380 [API]=21443 [KCM]=21257 [SCHED]=21259 [KWOK]=21247 [MS]=21444)
FILL=(-e "s|@D@|$D|g")
for p in "${!PORT[@]}"; do PORT[$p]=$((PORT[$p] + 100 * SLOT)); FILL+=(-e "s|@$p@|${PORT[$p]}|g"); done

certificates() (
  cd "$D/pki"
  ca() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.crt" -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature; }
  key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
  sign() { # name, subject, usage, days, extra extensions
    key "$1"; openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "${CA:-ca}.crt" -CAkey "${CA:-ca}.key" -CAcreateserial -days "${4:-365}" -out "$1.crt" \
      -extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s' "$3" "${5-}") 2>/dev/null
  }
  ca ca; ca fp-ca; ca other-ca
  sign apiserver /CN=kube-apiserver serverAuth 365 "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1"
  sign kubelet /CN=localhost serverAuth 365 subjectAltName=DNS:localhost,IP:127.0.0.1
  sign root /O=system:masters/CN=lab-root clientAuth
  sign kwok /O=system:masters/CN=kwok clientAuth
  sign kcm /CN=system:kube-controller-manager clientAuth
  sign sched /CN=system:kube-scheduler clientAuth
  sign admin /O=lab:admins/CN=operator clientAuth
  sign viewer /O=lab:viewers/CN=viewer clientAuth
  sign lister /O=lab:listers/CN=lister clientAuth
  sign none /O=lab:none/CN=none clientAuth
  sign expired /O=lab:admins/CN=late clientAuth -1
  CA=fp-ca sign front-proxy /CN=front-proxy-client clientAuth
  key sa; openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
  printf '%s-token,%s,%s,"%s"\n' viewer viewer u1 lab:viewers narrow narrow u2 lab:admins none none u3 lab:none >tokens.csv
)

kubeconfig() { # name [ca]
  cat >"$D/$1${2:+-$2}.conf" <<Y
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://127.0.0.1:${PORT[API]}", certificate-authority: $D/pki/${2:-ca}.crt}}]
users: [{name: $1, user: {client-certificate: $D/pki/$1.crt, client-key: $D/pki/$1.key}}]
contexts: [{name: lab-$1, context: {cluster: lab, user: $1}}]
current-context: lab-$1
Y
}

start() { # component
  mapfile -t flags < <(sed "${FILL[@]}" "flags/$1")
  if [ "$1" = etcd ]; then KWOK_WORKDIR=$D/kwok setsid "$BIN/$1" "${flags[@]}" >"$D/logs/$1.log" 2>&1 </dev/null &
  else KWOK_WORKDIR=$D/kwok setsid "$BIN/$1" "${flags[@]}" >"$D/logs/$1.log" 2>&1 </dev/null 8>&- & fi
  echo $! >"$D/pids/$1.pid"
}

wait_for() { # what, command...
  local what=$1; shift
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done
  echo "$what was not ready after 60 s; logs are in $D/logs" >&2; ./down.sh; exit 1
}

certificates
for user in root admin kwok kcm sched viewer lister none expired; do kubeconfig $user; done
kubeconfig admin other-ca   # admin-other-ca.conf: the server's certificate is signed by someone else
cat "$BIN/kwok-stages.yaml" objects/stages.yaml >"$D/kwok.yaml"
K=("$BIN/kubectl" --kubeconfig "$D/root.conf")
start etcd; start kube-apiserver
wait_for kube-apiserver "${K[@]}" get --raw /readyz
start kube-controller-manager; start kube-scheduler; start kwok; start metrics-server
for f in rbac metrics; do sed "${FILL[@]}" "objects/$f.yaml" | "${K[@]}" apply -f - >/dev/null; done
wait_for "the default service account" "${K[@]}" get serviceaccount default
"${K[@]}" apply -f objects/workloads.yaml >/dev/null
wait_for "deployment web" "${K[@]}" -n shop rollout status deployment/web --timeout=1s
{ echo "# pids:$(for f in "$D"/pids/*.pid; do printf ' %s=%s' "$(basename "$f" .pid)" "$(cat "$f")"; done)"
  echo "# kubectl: $BIN/kubectl   other users: $D/{root,viewer,lister,none,expired,admin-other-ca}.conf   logs: $D/logs"
  echo "# stop: SLOT=$SLOT $PWD/down.sh"
  echo "export KUBECONFIG=$D/admin.conf"; }
