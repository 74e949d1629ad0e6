{{/*
The Secrets that the values name: which key of the configuration each fills, and which components
need it. It lies at /run/secrets/NAME in these, and in no other.
*/}}
{{- define "k8guard.secrets" -}}
- {secret: smtp, to: [notify, email, passwordFile], in: [run, action]}
- {secret: slack, to: [notify, slack, tokenFile], in: [run, action]}
- {secret: hipchat, to: [notify, hipchat, tokenFile], in: [run, action]}
- {secret: alertmanager, to: [notify, alertmanager, tokenFile], in: [run, action]}
- {secret: kafka, to: [bus, kafka, sasl, {{ eq (dig "bus" "kafka" "sasl" "mechanism" "" .Values.config) "OAUTHBEARER" | ternary "tokenFile" "passwordFile" }}], in: [discover, action, report]}
- {secret: cassandra, to: [ledger, cassandra, passwordFile], in: [action, report]}
- {secret: memcached, to: [cache, memcached, passwordFile], in: [run, discover]}
{{- end }}

{{/* What these Secrets say of the configuration: paths, never what lies there. */}}
{{- define "k8guard.secretFiles" -}}
{{- $root := . -}}
{{- $components := include "k8guard.components" . | fromJsonArray -}}
{{- $files := dict -}}
{{- range include "k8guard.secrets" . | fromYamlArray -}}
{{- $secret := get $root.Values.secrets .secret -}}
{{- $mounted := false -}}
{{- range .in -}}{{- if has . $components -}}{{- $mounted = true -}}{{- end -}}{{- end -}}
{{- if and $mounted $secret.name -}}
{{- $part := printf "/run/secrets/%s/%s" .secret $secret.key -}}
{{- range reverse .to -}}{{- $part = dict . $part -}}{{- end -}}
{{- $files = mergeOverwrite $files $part -}}
{{- end -}}
{{- end -}}
{{ toYaml $files }}
{{- end }}

{{/*
The webhooks of the configuration, each with the files of its Secret for what it does not say
itself. A webhook's Secret holds its key, and its address, which may hold a token.
*/}}
{{- define "k8guard.webhooks" -}}
{{- $secrets := .Values.secrets.webhook | default dict -}}
{{- $all := list -}}
{{- range dig "notify" "webhook" list .Values.config -}}
{{- $one := deepCopy . -}}
{{- with get $secrets (toString .name) -}}
{{- if not (or $one.url $one.urlFile) -}}{{- $_ := set $one "urlFile" (printf "/run/secrets/webhook-%s/%s" $one.name (.urlKey | default "url")) -}}{{- end -}}
{{- if not (or $one.key $one.keyFile) -}}{{- $_ := set $one "keyFile" (printf "/run/secrets/webhook-%s/%s" $one.name (.keyKey | default "key")) -}}{{- end -}}
{{- end -}}
{{- $all = append $all $one -}}
{{- end -}}
{{ toYaml $all }}
{{- end }}

{{/* The mounts of one component, with the keys that are taken out of each Secret. */}}
{{- define "k8guard.secretMounts" -}}
{{- $v := .root.Values -}}
{{- $component := .component -}}
{{- range include "k8guard.secrets" .root | fromYamlArray }}
{{- $secret := get $v.secrets .secret }}
{{- if and $secret.name (has $component .in) }}
- {name: {{ .secret }}, at: /run/secrets/{{ .secret }}, secret: {{ $secret.name }}, keys: [{{ $secret.key }}]}
{{- end }}
{{- end }}
{{- if has $component (list "run" "action") }}
{{- range include "k8guard.webhooks" .root | fromYamlArray }}
{{- $at := printf "/run/secrets/webhook-%s" .name }}
{{- $keys := list }}
{{- range list .urlFile .keyFile }}{{ if hasPrefix (printf "%s/" $at) (toString .) }}{{ $keys = append $keys (base .) }}{{ end }}{{ end }}
{{- with get ($v.secrets.webhook | default dict) (toString .name) }}
{{- if $keys }}
- {name: {{ base $at }}, at: {{ $at }}, secret: {{ .name }}, keys: {{ toJson $keys }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The Secrets that people make, and the keys that are taken out of them. */}}
{{- define "k8guard.wants" -}}
{{- $root := . -}}
{{- $all := list -}}
{{- range include "k8guard.components" . | fromJsonArray -}}
{{- range include "k8guard.mounts" (dict "root" $root "component" .) | fromYamlArray -}}
{{- if and .secret (ne .secret "k8guard-action-token") -}}
{{- $all = append $all (printf "%s (%s)" .secret (.keys | default (list "all") | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ $all | uniq | sortAlpha | toYaml }}
{{- end }}
