{{/* What the chart says of the configuration: it wins, and k8guard.check refuses a contradiction. */}}
{{- define "k8guard.placed" -}}
{{- $v := .Values -}}
cluster:
  namespace: {{ .Release.Namespace }}
  {{- if $v.enforcement.enabled }}
  actionKubeconfig: /etc/k8guard-action/kubeconfig
  {{- end }}
data:
  dir: /data
report:
  socket: /tmp/k8guard.sock
  {{- if $v.report.expose }}
  listen: {{ printf ":%d" (int $v.report.port) | quote }}
  login: token
  url: {{ required "report.url is empty: write the https:// address by which readers reach the exposed pages" $v.report.url | quote }}
  tls:
    {{- if $v.report.tlsSecret }}
    mode: files
    certFile: /run/secrets/report/tls.crt
    keyFile: /run/secrets/report/tls.key
    {{- else }}
    mode: "off"
    {{- end }}
  {{- if and (or $v.metrics.serviceMonitor.enabled $v.metrics.prometheusRule.enabled) (not $v.metrics.serviceMonitor.tokenSecret.name) }}
  openMetrics: true
  {{- end }}
  {{- end }}
{{- if eq $v.mode "services" }}
bus: {kind: kafka}
ledger: {kind: cassandra}
{{- end }}
{{- end }}

{{/* The same, with the files of the Secrets that the values name. */}}
{{- define "k8guard.own" -}}
{{ mergeOverwrite (include "k8guard.placed" . | fromYaml) (include "k8guard.secretFiles" . | fromYaml) | toYaml }}
{{- end }}

{{/* The configuration in force. */}}
{{- define "k8guard.config" -}}
{{- $c := mergeOverwrite (deepCopy .Values.config) (include "k8guard.own" . | fromYaml) -}}
{{- with include "k8guard.webhooks" . | fromYamlArray -}}{{- $_ := set $c.notify "webhook" . -}}{{- end -}}
{{- if eq .Values.mode "run" -}}
{{- $own := dict "match" (dict "rules" (list "SINGLE_REPLICA") "kinds" (list "Deployment") "namespaces" (list .Release.Namespace)) "name" "k8guard" "reason" "its ledger is one file of one process" "expires" "2099-01-01T00:00:00Z" -}}
{{- $_ := set $c "exemptions" (append (default list $c.exemptions) $own) -}}
{{- end -}}
{{ toYaml $c }}
{{- end }}

