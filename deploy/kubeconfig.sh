#!/bin/sh
# Prints a kubeconfig for one of K8Guard's accounts on the cluster of your current context:
#   sh deploy/kubeconfig.sh k8guard-discover > discover.kubeconfig
# The token lives 24 hours (or DURATION=720h, as far as the cluster allows): make it anew before
# it ends, K8Guard reads the file at its start and on SIGHUP. Inside a cluster, use the pod's own account.
set -eu
if [ $# -ne 1 ]; then
	echo "name the account: sh deploy/kubeconfig.sh k8guard-discover > discover.kubeconfig, or k8guard-action > action.kubeconfig" >&2
	exit 2
fi
account=$1
view() { kubectl config view --minify --flatten --raw -o "jsonpath={.clusters[0].cluster.$1}"; }
server=$(view server)
ca=$(view certificate-authority-data)
token=$(kubectl create token "$account" --namespace k8guard --duration "${DURATION:-24h}")
echo "the token of $account ends in ${DURATION:-24h}: make it anew before, and send K8Guard SIGHUP" >&2
cat <<EOF
apiVersion: v1
kind: Config
current-context: k8guard
clusters: [{name: k8guard, cluster: {server: "$server", certificate-authority-data: "$ca"}}]
users: [{name: $account, user: {token: "$token"}}]
contexts: [{name: k8guard, context: {cluster: k8guard, user: $account, namespace: k8guard}}]
EOF
