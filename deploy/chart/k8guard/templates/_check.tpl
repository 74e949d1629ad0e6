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
{{- include "k8guard.checkExposed" . -}}
{{- include "k8guard.checkSecrets" . -}}
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
{{- end }}

{{/* Pages and metrics that others reach: encrypted, and by whom the values name. */}}
{{- define "k8guard.checkExposed" -}}
{{- $v := .Values -}}
{{- $n := $v.networkPolicy -}}
{{- $listen := dig "report" "listen" "" $v.config -}}
{{- if and $listen (not $v.report.expose) (not (regexMatch `^(localhost|127\.[0-9.]+|\[::1\]):` $listen)) -}}
{{- fail (printf "config.report.listen is %s, which others may reach: set report.expose, report.url and report.tlsSecret instead" $listen) -}}
{{- end -}}
{{- if $v.report.expose -}}
{{- if not (or $v.report.tlsSecret $v.report.tlsEndsBefore) -}}
{{- fail "report.expose without TLS: readers' tokens would travel in clear; name a kubernetes.io/tls Secret in report.tlsSecret, or set report.tlsEndsBefore: true if an ingress or a mesh in front of the pods encrypts" -}}
{{- end -}}
{{- if and $v.report.tlsSecret $v.report.tlsEndsBefore -}}
{{- fail "report.tlsSecret and report.tlsEndsBefore contradict each other: leave tlsEndsBefore out, the pods encrypt by themselves" -}}
{{- end -}}
{{- if and $n.enabled (empty $n.from) (empty $v.metrics.from) -}}
{{- fail "report.expose is set, and the NetworkPolicy lets nobody in: name who reads in networkPolicy.from, and who scrapes in metrics.from, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]" -}}
{{- end -}}
{{- end -}}
{{- with $v.metrics.serviceMonitor -}}
{{- if and .enabled $v.report.expose $n.enabled (empty $v.metrics.from) -}}
{{- fail "metrics.serviceMonitor is enabled, and the NetworkPolicy lets no scraper in: name Prometheus in metrics.from, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}, podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}}]" -}}
{{- end -}}
{{- if and .tokenSecret.name (not $v.report.tlsSecret) -}}
{{- fail "metrics.serviceMonitor.tokenSecret wants report.tlsSecret: without it Prometheus's token would travel to the pods in clear" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Secrets: none where everybody reads, and each where a channel wants it. */}}
{{- define "k8guard.checkSecrets" -}}
{{- $v := .Values -}}
{{- $n := (include "k8guard.config" . | fromYaml).notify | default dict -}}
{{- if eq $v.configIn "ConfigMap" -}}
{{- range regexFindAll "(?m)^ *(?:- )?(?:password|token|key):.*$" (toYaml $v.config) -1 -}}
{{- if not (has (regexReplaceAll "^ *(?:- )?(?:password|token|key): *" . "") (list "" "\"\"" "''" "null" "{}" "[]")) -}}
{{- fail "config holds a password, a token or a key, and is kept in a ConfigMap: name a Secret of yours in secrets, or set configIn: Secret" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $v.pod.env -}}
{{- if and .value (or (regexMatch "^K8GUARD_.*(PASSWORD|TOKEN|KEY|WEBHOOK.*URL)$" (upper .name)) (regexMatch "://[^/@]*:[^/@]*@" (toString .value))) -}}
{{- fail (printf "pod.env %s holds a secret in the Deployment, which everybody reads: name a Secret of yours in secrets, or write valueFrom" .name) -}}
{{- end -}}
{{- end -}}
{{- range list (list "slack" "channel") (list "hipchat" "baseURL") -}}
{{- $name := first . -}}
{{- $channel := get $n $name | default dict -}}
{{- $on := get $channel (last .) -}}
{{- if and $on (not $channel.token) (not $channel.tokenFile) -}}
{{- fail (printf "config.notify.%s has no token: name a Secret of yours in secrets.%s" $name $name) -}}
{{- end -}}
{{- if and (not $on) (get $v.secrets $name).name -}}
{{- fail (printf "secrets.%s names a Secret, and config.notify.%s.%s is empty: write it, or leave the Secret out" $name $name (last .)) -}}
{{- end -}}
{{- end -}}
{{- if and $v.secrets.alertmanager.name (not (dig "alertmanager" "url" "" $n)) -}}
{{- fail "secrets.alertmanager names a Secret, and config.notify.alertmanager.url is empty: write it, or leave the Secret out" -}}
{{- end -}}
{{- $webhooks := dict -}}
{{- range $n.webhook -}}
{{- $_ := set $webhooks (toString .name) . -}}
{{- if and .url (eq $v.configIn "ConfigMap") -}}
{{- fail "config.notify.webhook holds an address, which is a secret as a rule, and is kept in a ConfigMap: leave it out and name a Secret in secrets.webhook, write urlFile, or set configIn: Secret" -}}
{{- end -}}
{{- if not (and (or .url .urlFile) (or .key .keyFile)) -}}
{{- fail (printf "config.notify.webhook %s has no address or no key: name a Secret of yours that holds both, secrets.webhook.%s.name" .name .name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $secret := $v.secrets.webhook -}}
{{- if not (hasKey $webhooks $name) -}}
{{- fail (printf "secrets.webhook.%s is of no webhook: write {name: %s} into config.notify.webhook" $name $name) -}}
{{- end -}}
{{- end -}}
{{- end }}
