#!/bin/sh
# K8Guard in a Minikube of its own (profile k8guard): tools/minikube.sh up IMAGE HELM, or down.
# CI does not run it: it wants a virtual machine or a container engine.
set -eu
cd "$(dirname "$0")/.."
profile=k8guard

need() {
	missing=""
	for program in "$@"; do command -v "$program" >/dev/null || missing="$missing $program"; done
	[ -z "$missing" ] || {
		echo "missing:$missing" >&2
		echo "make minikube-up needs minikube with a driver (docker, podman or kvm2), kubectl, and buildah, podman or docker for the image;" >&2
		echo "2 processors, 4 GB of memory, and the registries that Minikube pulls from. With none of it: make cluster-up" >&2
		exit 2
	}
}

up() {
	minikube start --profile "$profile" --cpus 2 --memory 4g
	archive=bin/k8guard-image.tar
	rm -f "$archive"
	if command -v buildah >/dev/null; then
		buildah push "$1" "docker-archive:$archive:$1"
	elif command -v podman >/dev/null; then
		podman save -o "$archive" "$1"
	else
		docker save -o "$archive" "$1"
	fi
	minikube image load "$archive" --profile "$profile"
	kubectl --context "$profile" create namespace k8guard --dry-run=client -o yaml | kubectl --context "$profile" apply -f -
	kubectl --context "$profile" annotate --overwrite namespace k8guard team/email-ids=platform@example.com
	kubectl --context "$profile" label --overwrite namespace k8guard pod-security.kubernetes.io/enforce=restricted
	"$2" upgrade --install k8guard deploy/chart/k8guard --kube-context "$profile" --namespace k8guard \
		--set "image.repository=${1%:*}" --set "image.tag=${1##*:}" --set image.pullPolicy=Never --set config.cluster.name=minikube
	kubectl --context "$profile" -n k8guard rollout status deployment/k8guard --timeout 3m
	echo "kubectl --context $profile -n k8guard port-forward deployment/k8guard 8686"
}

case "${1:-}" in
needs) need minikube kubectl ;;
up) need minikube kubectl && up "$2" "$3" ;;
down) need minikube && minikube delete --profile "$profile" ;;
status) need minikube && minikube status --profile "$profile" ;;
*) echo "usage: tools/minikube.sh up IMAGE HELM | down | status" >&2; exit 2 ;;
esac
