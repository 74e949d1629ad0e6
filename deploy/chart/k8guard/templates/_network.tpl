{{/*
The TCP port of an address: a URL, or a host with a port or the default. Empty for the pod's own
loopback, which no NetworkPolicy holds.
*/}}
{{- define "k8guard.port" -}}
{{- $host := .at -}}
{{- $default := .default -}}
{{- if contains "://" .at -}}
{{- $url := urlParse .at -}}
{{- $host = $url.host -}}
{{- $default = eq $url.scheme "http" | ternary 80 443 -}}
{{- end -}}
{{- if regexMatch `^((localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?|::1)$` $host -}}
{{- else if regexMatch `^(\[.*\]|[^:]+):[0-9]+$` $host -}}
{{ regexReplaceAll `^.*:` $host "" }}
{{- else -}}
{{ $default }}
{{- end -}}
{{- end }}

{{/* Whom one component dials, as the configuration has it: addresses, and the ports that hold where they name none. */}}
{{- define "k8guard.dials" -}}
{{- $v := .root.Values -}}
{{- $c := include "k8guard.config" .root | fromYaml -}}
{{- $all := list -}}
{{- if has .component (list "discover" "action" "report") -}}
{{- range dig "bus" "kafka" "brokers" list $c }}{{ $all = append $all (dict "at" . "default" 9092) }}{{ end -}}
{{- end -}}
{{- if has .component (list "action" "report") -}}
{{- range dig "ledger" "cassandra" "hosts" list $c }}{{ $all = append $all (dict "at" . "default" 9042) }}{{ end -}}
{{- end -}}
{{- if and (has .component (list "run" "discover")) (eq (dig "cache" "kind" "memory" $c) "memcached") -}}
{{- range dig "cache" "memcached" "servers" list $c }}{{ $all = append $all (dict "at" . "default" 11211) }}{{ end -}}
{{- end -}}
{{- if has .component (list "run" "action") -}}
{{- $n := $c.notify | default dict -}}
{{- with dig "email" "host" "" $n }}{{ $all = append $all (dict "at" . "default" (int (dig "email" "port" 587 $n))) }}{{ end -}}
{{- if dig "slack" "channel" "" $n }}{{ $all = append $all (dict "at" (dig "slack" "baseURL" "https://slack.com/api" $n) "default" 443) }}{{ end -}}
{{- with dig "hipchat" "baseURL" "" $n }}{{ $all = append $all (dict "at" . "default" 443) }}{{ end -}}
{{- with dig "alertmanager" "url" "" $n }}{{ $all = append $all (dict "at" . "default" 443) }}{{ end -}}
{{- range $n.webhook -}}
{{- $secret := get ($v.secrets.webhook | default dict) (toString .name) | default dict -}}
{{- /* An address in a file is not known here; only https is spoken. */ -}}
{{- $all = append $all (dict "at" (.urlFile | empty | ternary (.url | default "") "") "default" (int ($secret.port | default 443))) -}}
{{- end -}}
{{- if $v.enforcement.enabled }}{{ $all = append $all (dict "at" $v.enforcement.apiServer "default" 443) }}{{ end -}}
{{- end -}}
{{- range $v.pod.env -}}
{{- if and (has (upper .name) (list "HTTPS_PROXY" "HTTP_PROXY")) .value }}{{ $all = append $all (dict "at" .value "default" 80) }}{{ end -}}
{{- end -}}
{{ toYaml $all }}
{{- end }}

{{/* The TCP ports that one component may dial, beside DNS. */}}
{{- define "k8guard.egress" -}}
{{- $n := .root.Values.networkPolicy -}}
{{- $ports := list -}}
{{- if include "k8guard.asks" . }}{{ range $n.apiServerPorts }}{{ $ports = append $ports (int .) }}{{ end }}{{ end -}}
{{- range include "k8guard.dials" . | fromYamlArray -}}
{{- with include "k8guard.port" . }}{{ $ports = append $ports (int .) }}{{ end -}}
{{- end -}}
{{- range $n.egressPorts }}{{ $ports = append $ports (int .) }}{{ end -}}
{{ $ports | uniq | toJson }}
{{- end }}

{{/* Who reaches the exposed port of one component: readers the pages, scrapers every pod. */}}
{{- define "k8guard.ingress" -}}
{{- $v := .root.Values -}}
{{- $from := $v.metrics.from -}}
{{- if has .component (list "run" "report") }}{{ $from = concat $v.networkPolicy.from $from }}{{ end -}}
{{ $v.report.expose | ternary $from list | uniq | toJson }}
{{- end }}

{{/* What the NetworkPolicy cannot know from the values, for people to open. */}}
{{- define "k8guard.unseen" -}}
{{- $root := . -}}
{{- $c := include "k8guard.config" . | fromYaml -}}
{{- $texts := list -}}
{{- range dig "notify" "webhook" list $c -}}
{{- $secret := get ($root.Values.secrets.webhook | default dict) (toString .name) | default dict -}}
{{- if and .urlFile (not $secret.port) -}}
{{- $texts = append $texts (printf "webhook %s: its address lies in a file, and 443 is taken for its port; another: secrets.webhook.%s.port" .name .name) -}}
{{- end -}}
{{- end -}}
{{- if $c.clusters -}}
{{- $texts = append $texts "config.clusters: their API servers stand in kubeconfigs, and only networkPolicy.apiServerPorts are open; others: networkPolicy.egressPorts" -}}
{{- end -}}
{{- if eq .Values.mode "services" -}}
{{- $texts = append $texts "Kafka: the brokers may announce other ports than config.bus.kafka.brokers has; those: networkPolicy.egressPorts" -}}
{{- end -}}
{{- range .Values.pod.env -}}
{{- if hasPrefix "K8GUARD_" (upper .name) -}}
{{- $texts = append $texts (printf "pod.env %s: an address in a variable opens no port; write it in config, or open it: networkPolicy.egressPorts" .name) -}}
{{- else if and (has (upper .name) (list "HTTPS_PROXY" "HTTP_PROXY")) (not .value) -}}
{{- $texts = append $texts (printf "pod.env %s: the proxy's port is not known here: networkPolicy.egressPorts" .name) -}}
{{- end -}}
{{- end -}}
{{ toJson $texts }}
{{- end }}
