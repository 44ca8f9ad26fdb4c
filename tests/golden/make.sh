#!/usr/bin/env bash
# Makes the pages of one Kubernetes minor that the tests read (tests/apiserver_board.rs, tests/dumps.rs):
#   tests/golden/make.sh v1.34.4        kube-apiserver-1.34.prom and apf-1.34/{levels,queues,requests,details}.txt
# A kube-apiserver of that version is built as a Go module outside the repository ($WORK, some minutes the first time) and
# started on the loopback address with etcd from the tests' control plane. Of /metrics only what the board and the dumps'
# twins read is kept, and a few other families, line for line as the server wrote them; the dumps are kept whole.
# What happens before: writes and lists by three users, two webhooks nobody answers, an API that is deprecated, watches, and
# a level of one seat with one queue of five: one request executes, five wait, one is turned away.
set -euo pipefail
KV=${1:?a version, such as v1.34.4}
MINOR=${KV#v}; MINOR=${MINOR%.*}
HERE=$(cd "$(dirname "$0")" && pwd)
BIN=$("$HERE/../controlplane/build.sh")
WORK=${WORK:-/tmp/golden}; D=$WORK/run-$KV; API=$WORK/bin-$KV/kube-apiserver
ETCD_PORT=21779 PEER_PORT=21780 PORT=21843

build() (
  export GOTOOLCHAIN=local GOSUMDB=off CGO_ENABLED=0 GOFLAGS="-mod=mod -p=1"
  mkdir -p "$WORK/k8s-$KV" && cd "$WORK/k8s-$KV" && rm -f go.mod go.sum
  go mod init golden/k8s && go mod edit -go=1.26.0 -godebug=default=go1.26
  mapfile -t replaces < <(awk -v v="v0.${KV#v1.}" '$1 ~ /^k8s\.io\// && $2=="v0.0.0"{printf "-replace=%s=%s@%s\n",$1,$1,v}' \
    "$(go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@$KV")")
  go mod edit "${replaces[@]}" && go get -tool "k8s.io/kubernetes/cmd/kube-apiserver@$KV"
  P=k8s.io/component-base/version
  go build -trimpath -o "$API" -ldflags "-s -w -X $P.gitVersion=$KV -X $P.gitMajor=1 -X $P.gitMinor=${MINOR#1.}" \
    k8s.io/kubernetes/cmd/kube-apiserver
)
[ -x "$API" ] || nice -n 15 build

rm -rf "$D"; mkdir -p "$D"
pids=()
stop() { # etcd goes last, and an API server that waits for held requests does not wait for long
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
  for _ in $(seq 100); do kill -0 "${pids[1]}" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL "${pids[1]}"
}
trap stop EXIT
openssl ecparam -name prime256v1 -genkey -noout -out "$D/sa.key"
openssl ec -in "$D/sa.key" -pubout -out "$D/sa.pub" 2>/dev/null
echo 'root,root,u1,"system:masters"' >"$D/tokens.csv"
"$BIN/etcd" --data-dir="$D/etcd" --listen-client-urls=http://127.0.0.1:$ETCD_PORT --advertise-client-urls=http://127.0.0.1:$ETCD_PORT \
  --listen-peer-urls=http://127.0.0.1:$PEER_PORT --log-level=warn >"$D/etcd.log" 2>&1 & pids+=($!)
"$API" --etcd-servers=http://127.0.0.1:$ETCD_PORT --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port=$PORT \
  --cert-dir="$D/tls" --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$D/sa.pub" \
  --service-account-signing-key-file="$D/sa.key" --token-auth-file="$D/tokens.csv" --authorization-mode=Node,RBAC \
  --endpoint-reconciler-type=none --service-cluster-ip-range=10.96.0.0/16 \
  --disable-admission-plugins=ServiceAccount,TaintNodesByCondition \
  --etcd-count-metric-poll-period=5s --max-requests-inflight=100 --max-mutating-requests-inflight=50 >"$D/kube-apiserver.log" 2>&1 & pids+=($!)

call() { curl -sk --max-time 60 -H "Authorization: Bearer root" "$@"; }
at() { echo "https://127.0.0.1:$PORT$1"; }
make() { call -o /dev/null -w '%{http_code}\n' -X POST -H 'Content-Type: application/json' -d "$2" "$(at "$1")" | grep -q '^201$'; }
ready() { [ "$(call "$(at /readyz)")" = ok ]; }
for _ in $(seq 300); do ready && break; sleep 0.2; done; ready

FLOW=/apis/flowcontrol.apiserver.k8s.io/v1 RBAC=/apis/rbac.authorization.k8s.io/v1 HOOKS=/apis/admissionregistration.k8s.io/v1
ALL='"verbs":["*"],"apiGroups":["*"],"resources":["*"]'
make $FLOW/prioritylevelconfigurations '{"metadata":{"name":"narrow"},"spec":{"type":"Limited","limited":{"nominalConcurrencyShares":1,
  "lendablePercent":0,"borrowingLimitPercent":0,"limitResponse":{"type":"Queue","queuing":{"queues":1,"handSize":1,"queueLengthLimit":5}}}}}'
make $FLOW/flowschemas '{"metadata":{"name":"narrow"},"spec":{"matchingPrecedence":50,"priorityLevelConfiguration":{"name":"narrow"},
  "distinguisherMethod":{"type":"ByUser"},"rules":[{"subjects":[{"kind":"User","user":{"name":"greedy"}},
  {"kind":"User","user":{"name":"CN=ann,O=dev"}}],"resourceRules":[{'"$ALL"',"namespaces":["*"],"clusterScope":true}]}]}}'
make $RBAC/clusterrolebindings '{"metadata":{"name":"lab"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole",
  "name":"cluster-admin"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"greedy"},
  {"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"CN=ann,O=dev"},{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"bob"}]}'
for policy in Ignore Fail; do
  make $HOOKS/validatingwebhookconfigurations '{"metadata":{"name":"'${policy,,}'"},"webhooks":[{"name":"'${policy,,}'.lab.test",
    "clientConfig":{"url":"https://127.0.0.1:9/"},"failurePolicy":"'$policy'","timeoutSeconds":1,"sideEffects":"None",
    "admissionReviewVersions":["v1"],"rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["secrets"]}],
    "matchConditions":[{"name":"mine","expression":"object.metadata.name.startsWith(\"'${policy,,}'\")"}]}]}'
done
uid=$(call "$(at $FLOW/flowschemas/narrow)" | sed -n 's/^ *"uid": "\(.*\)".*/\1/p')
inforce() { call -o /dev/null -D - -H 'Impersonate-User: greedy' "$(at /api/v1/namespaces)" | grep -qi "flowschema-uid: $uid"; }
for _ in $(seq 150); do inforce && break; sleep 0.2; done; inforce

# Traffic.
for kind in pods configmaps; do
  call -N --max-time 100 "$(at "/api/v1/$kind?watch=1")" >/dev/null & pids+=($!)
done
for i in $(seq 120); do
  make /api/v1/namespaces/default/configmaps '{"metadata":{"name":"m'$i'"},"data":{"k":"'$i'"}}'
done
for i in $(seq 25); do
  make /api/v1/namespaces/default/pods '{"metadata":{"name":"p'$i'"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  make /api/v1/namespaces/default/events '{"metadata":{"name":"e'$i'"},"involvedObject":{"namespace":"default"},"reason":"Test"}'
  call -o /dev/null -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{"data":{"k":"new"}}' "$(at /api/v1/namespaces/default/configmaps/m$i)"
  call -o /dev/null -X DELETE "$(at /api/v1/namespaces/default/configmaps/m$((i + 60)))"
  for path in /api/v1/pods /api/v1/namespaces/default/configmaps /api/v1/nodes /api/v1/namespaces/default/pods/p$i; do
    call -o /dev/null -H 'Impersonate-User: bob' "$(at $path)"
  done
done
for name in ignored failed failing; do
  call -o /dev/null -X POST -H 'Content-Type: application/json' -d '{"metadata":{"name":"'$name'"}}' "$(at /api/v1/namespaces/default/secrets)"
done
call -o /dev/null "$(at /api/v1/componentstatuses)"; call -o /dev/null "$(at /api/v1/endpoints)"
# Objects are counted every 5 to 11 s (--etcd-count-metric-poll-period, with a jitter).
counted() { call "$(at /metrics)" | grep -cE '^apiserver_(resource|storage)_objects\{.*resource="configmaps"\} [1-9]' >/dev/null; }
for _ in $(seq 40); do counted && break; sleep 1; done; counted

# One holds the seat: its body does not come. The others wait, and the last finds the queue full.
hold() { sleep 50 | curl -sk -N --max-time 50 -o /dev/null -X POST -T - -H "Authorization: Bearer root" -H "Impersonate-User: $1" \
  -H 'Content-Type: application/json' "$(at /api/v1/namespaces/default/configmaps)" & pids+=($!); }
waiting() { call "$(at /debug/api_priority_and_fairness/dump_priority_levels)" | awk -F, '$1=="narrow"{print $5+$6}'; }
n=0
for user in greedy greedy greedy greedy 'CN=ann,O=dev' 'CN=ann,O=dev'; do
  hold "$user"; n=$((n + 1))
  for _ in $(seq 50); do [ "$(waiting)" = $n ] && break; sleep 0.1; done
done
test "$(call -o /dev/null -w '%{http_code}' -H 'Impersonate-User: greedy' "$(at /api/v1/namespaces)")" = 429
mkdir -p "$HERE/apf-$MINOR"
APF=/debug/api_priority_and_fairness
for page in levels:dump_priority_levels queues:dump_queues requests:dump_requests 'details:dump_requests?includeRequestDetails=1'; do
  call -f "$(at "$APF/${page#*:}")" >"$HERE/apf-$MINOR/${page%%:*}.txt"
done
call -f "$(at /metrics)" >"$D/metrics.txt"
test "$(waiting)" = 6
# Of the large histograms a few resources are kept; of what is not wanted, three families.
awk '
  function family(name) { sub(/_(bucket|sum|count)$/, "", name); return name }
  BEGIN {
    split("apiserver_request_total apiserver_current_inflight_requests apiserver_current_inqueue_requests " \
      "apiserver_longrunning_requests apiserver_longrunning_gauge apiserver_request_terminations_total apiserver_watch_events_total " \
      "apiserver_watch_cache_consistent_read_total apiserver_watch_cache_initializations_total " \
      "apiserver_admission_webhook_admission_duration_seconds apiserver_admission_webhook_rejection_count " \
      "apiserver_admission_webhook_fail_open_count apiserver_resource_objects apiserver_storage_objects etcd_object_counts " \
      "apiserver_resource_size_estimate_bytes apiserver_storage_size_bytes apiserver_storage_db_total_size_in_bytes " \
      "etcd_request_errors_total etcd_bookmark_total etcd_bookmark_counts etcd_lease_object_counts apiserver_requested_deprecated_apis " \
      "apiserver_flowcontrol_nominal_limit_seats apiserver_flowcontrol_current_limit_seats apiserver_flowcontrol_current_executing_seats " \
      "apiserver_flowcontrol_current_executing_requests apiserver_flowcontrol_current_inqueue_requests " \
      "apiserver_flowcontrol_dispatched_requests_total apiserver_flowcontrol_rejected_requests_total " \
      "apiserver_watch_cache_events_received_total apiserver_watch_cache_events_dispatched_total apiserver_init_events_total " \
      "process_start_time_seconds process_resident_memory_bytes go_goroutines workqueue_depth kubernetes_build_info " \
      "apiserver_storage_list_total", names, " ")
    for (i in names) keep[names[i]] = 1
  }
  { name = $1 == "#" ? $3 : $1; sub(/\{.*/, "", name); of = family(name) }
  keep[name] || keep[of] { print; next }
  of == "apiserver_request_duration_seconds" && ($1 == "#" || /resource="(pods|configmaps|componentstatuses)"/) { print; next }
  of ~ /^(etcd_request_duration|apiserver_watch_cache_read_wait)_seconds$/ && ($1 == "#" || /(resource|type)="[^"]*(pods|configmaps)"/) { print; next }
  of ~ /^apiserver_flowcontrol_request_wait_duration_seconds/ && ($1 == "#" || /priority_level="(narrow|exempt|global-default)"/) { print }
' "$D/metrics.txt" >"$HERE/kube-apiserver-$MINOR.prom"
ls -l "$HERE"/kube-apiserver-"$MINOR".prom "$HERE"/apf-"$MINOR"/
