{{/* What the chart says of the configuration: it wins, and k8guard.check refuses a contradiction. */}}
{{- define "k8guard.own" -}}
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
  {{- if or $v.metrics.serviceMonitor.enabled $v.metrics.prometheusRule.enabled }}
  openMetrics: true
  {{- end }}
  {{- end }}
{{- if eq $v.mode "services" }}
bus:
  kind: kafka
  {{- with $v.secrets.kafka }}{{ if .name }}
  kafka: {sasl: {passwordFile: /run/secrets/kafka/{{ .key }}}}
  {{- end }}{{ end }}
ledger:
  kind: cassandra
  {{- with $v.secrets.cassandra }}{{ if .name }}
  cassandra: {passwordFile: /run/secrets/cassandra/{{ .key }}}
  {{- end }}{{ end }}
{{- end }}
{{- with $v.secrets.memcached }}{{ if .name }}
cache:
  memcached: {passwordFile: /run/secrets/memcached/{{ .key }}}
{{- end }}{{ end }}
{{- with $v.secrets.smtp }}{{ if .name }}
notify:
  email: {passwordFile: /run/secrets/smtp/{{ .key }}}
{{- end }}{{ end }}
{{- end }}

{{/* The configuration in force. */}}
{{- define "k8guard.config" -}}
{{- $c := mergeOverwrite (deepCopy .Values.config) (include "k8guard.own" . | fromYaml) -}}
{{- if eq .Values.mode "run" -}}
{{- $own := dict "match" (dict "rules" (list "SINGLE_REPLICA") "kinds" (list "Deployment") "namespaces" (list .Release.Namespace)) "name" "k8guard" "reason" "its ledger is one file of one process" "expires" "2099-01-01T00:00:00Z" -}}
{{- $_ := set $c "exemptions" (append (default list $c.exemptions) $own) -}}
{{- end -}}
{{ toYaml $c }}
{{- end }}

{{/* Fails where two of these lists of keys, as the user wrote them and as the chart has them, differ. */}}
{{- define "k8guard.contradiction" -}}
{{- $path := .path -}}
{{- $own := .own -}}
{{- range $key, $value := .user -}}
{{- if hasKey $own $key -}}
{{- $at := printf "%s.%s" $path $key -}}
{{- if kindIs "map" $value -}}
{{- include "k8guard.contradiction" (dict "path" $at "user" $value "own" (get $own $key)) -}}
{{- else if ne (toString $value) (toString (get $own $key)) -}}
{{- fail (printf "%s is %v, and the chart has it at %v: leave it out, or change the value that says so (mode, enforcement, report, secrets)" $at $value (get $own $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What would render, install, and then not work. */}}
{{- define "k8guard.check" -}}
{{- $c := include "k8guard.config" . | fromYaml -}}
{{- $_ := required "config.cluster.name is empty: write how people call this cluster" $c.cluster.name -}}
{{- include "k8guard.contradiction" (dict "path" "config" "user" .Values.config "own" (include "k8guard.own" . | fromYaml)) -}}
{{- if and .Values.enforcement.enabled (ne .Release.Namespace "k8guard") -}}
{{- fail (printf "enforcement.enabled wants the namespace k8guard, and this is %s: the admission policies hold the account k8guard/k8guard-action; install with --namespace k8guard" .Release.Namespace) -}}
{{- end -}}
{{- if and (eq (dig "enforce" "mode" "safe" $c) "enforce") (not .Values.enforcement.enabled) -}}
{{- fail "config.enforce.mode is enforce, and there is no account that may act: set enforcement.enabled, or leave the mode at safe" -}}
{{- end -}}
{{- if and (or .Values.metrics.serviceMonitor.enabled .Values.metrics.prometheusRule.enabled) (not .Values.report.expose) -}}
{{- fail "metrics want report.expose: on its loopback no Prometheus reaches a pod; set report.expose and report.url, or leave metrics off" -}}
{{- end -}}
{{- if and (eq .Values.mode "run") (or (dig "bus" "kind" "memory" $c | ne "memory") (dig "ledger" "kind" "sqlite" $c | ne "sqlite")) -}}
{{- fail "config.bus and config.ledger name Kafka or Cassandra, and mode is run: set mode: services, or leave their kinds out" -}}
{{- end -}}
{{- if eq .Values.mode "services" -}}
{{- $_ := required "config.bus.kafka.brokers is empty: list some brokers, as host:port" (dig "bus" "kafka" "brokers" list $c | first) -}}
{{- $_ := required "config.ledger.cassandra.hosts is empty: list some nodes of the local data center" (dig "ledger" "cassandra" "hosts" list $c | first) -}}
{{- end -}}
{{- if and (eq .Values.configIn "ConfigMap") (regexMatch "(?m)^ *(- )?(password|token|key): *[^ ]" (toYaml .Values.config)) -}}
{{- fail "config holds a password, a token or a key, and is kept in a ConfigMap: name a Secret of yours in secrets, or set configIn: Secret" -}}
{{- end -}}
{{- range dig "notify" "webhook" list $c -}}
{{- if and .url (eq $.Values.configIn "ConfigMap") -}}
{{- fail "config.notify.webhook holds an address, which is a secret as a rule, and is kept in a ConfigMap: write urlFile, or set configIn: Secret" -}}
{{- end -}}
{{- end -}}
{{- end }}
