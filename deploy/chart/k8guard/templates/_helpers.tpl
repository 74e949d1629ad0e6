{{/* Every object of the chart has these labels. */}}
{{- define "k8guard.labels" -}}
app.kubernetes.io/name: k8guard
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What selects the pods of one component. */}}
{{- define "k8guard.selector" -}}
app.kubernetes.io/name: k8guard
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "k8guard.image" -}}
{{- $repository := required "image.repository is empty: there is no published image yet; build one (make image), push it, and name it" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* What runs in this mode, as a list. */}}
{{- define "k8guard.components" -}}
{{ eq .Values.mode "run" | ternary (list "run") (list "discover" "action" "report") | toJson }}
{{- end }}

{{/* The object's name: the embedded one is k8guard. */}}
{{- define "k8guard.name" -}}
{{ eq .component "run" | ternary "k8guard" (printf "k8guard-%s" .component) }}
{{- end }}

{{/* The account that a component runs as. */}}
{{- define "k8guard.account" -}}
{{ has .component (list "run" "discover") | ternary "k8guard-discover" (printf "k8guard-%s" .component) }}
{{- end }}

{{/* Whether a component asks the API server anything: "yes", or empty. */}}
{{- define "k8guard.asks" -}}
{{- if or (has .component (list "run" "discover")) .root.Values.report.expose (and (eq .component "action") .root.Values.enforcement.enabled) -}}
yes
{{- end -}}
{{- end }}

{{/*
The objects of a shipped manifest, in files/: the same that people apply without Helm. Theirs is
the namespace of the release, and the chart's labels are added. kinds, when given, are the only
ones; accounts, when given, take the place of the subjects.
*/}}
{{- define "k8guard.shipped" -}}
{{- $root := .root -}}
{{- $kinds := .kinds -}}
{{- $accounts := .accounts -}}
{{- range splitList "\n---\n" ($root.Files.Get (printf "files/%s" .file)) -}}
{{- $o := fromYaml . -}}
{{- if and (ne $o.kind "Namespace") (or (not $kinds) (has $o.kind $kinds)) -}}
{{- $_ := set $o.metadata "labels" (include "k8guard.labels" $root | fromYaml) -}}
{{- if $o.metadata.namespace -}}{{- $_ := set $o.metadata "namespace" $root.Release.Namespace -}}{{- end -}}
{{- if and $accounts $o.subjects -}}
{{- $subjects := list -}}
{{- range $accounts -}}{{- $subjects = append $subjects (dict "kind" "ServiceAccount" "name" . "namespace" $root.Release.Namespace) -}}{{- end -}}
{{- $_ := set $o "subjects" $subjects -}}
{{- else -}}
{{- range $o.subjects -}}{{- $_ := set . "namespace" $root.Release.Namespace -}}{{- end -}}
{{- end }}
---
{{ toYaml $o }}
{{- end -}}
{{- end -}}
{{- end }}
