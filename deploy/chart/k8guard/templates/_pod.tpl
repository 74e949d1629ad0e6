{{/* The pod of one component, one that the restricted level of Pod Security admits. */}}
{{- define "k8guard.pod" -}}
{{- $v := .root.Values -}}
{{- $asks := include "k8guard.asks" . -}}
metadata:
  labels:
    {{- include "k8guard.selector" . | nindent 4 }}
    {{- with $v.pod.labels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $v.pod.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "k8guard.account" . }}
  automountServiceAccountToken: {{ eq $asks "yes" }}
  # A Service called k8guard would put K8GUARD_… into the environment, where they mean something.
  enableServiceLinks: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  terminationGracePeriodSeconds: 60
  {{- with $v.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $v.pod.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with get $v.pod $key }}
  {{ $key }}: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- if ne .component "run" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "k8guard.selector" . | nindent 10 }}
  {{- end }}
  containers:
    - name: k8guard
      image: {{ include "k8guard.image" .root }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      args: [{{ .component }}, --config, /etc/k8guard/k8guard.yaml]
      env:
        - {name: K8GUARD_CONFIG, value: /etc/k8guard/k8guard.yaml}
        {{- with $v.pod.env }}{{ toYaml . | nindent 8 }}{{ end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      {{- include "k8guard.probes" . | nindent 6 }}
      {{- if $v.report.expose }}
      ports:
        - {name: report, containerPort: {{ int $v.report.port }}}
      {{- end }}
      resources: {{- toYaml (eq .component "run" | ternary $v.run.resources (dig .component "resources" dict $v.services)) | nindent 8 }}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
        - {name: config, mountPath: /etc/k8guard, readOnly: true}
        {{- range include "k8guard.mounts" . | fromYamlArray }}
        - {name: {{ .name }}, mountPath: {{ .at }}, readOnly: true}
        {{- end }}
  volumes:
    - name: data
      {{- if eq .component "run" }}
      persistentVolumeClaim: {claimName: {{ $v.persistence.existingClaim | default "k8guard" }}}
      {{- else }}
      emptyDir: {}
      {{- end }}
    - name: tmp
      emptyDir: {}
    - name: config
      {{- if eq $v.configIn "Secret" }}
      secret: {secretName: k8guard}
      {{- else }}
      configMap: {name: k8guard}
      {{- end }}
    {{- range include "k8guard.mounts" . | fromYamlArray }}
    - name: {{ .name }}
      {{- if .secret }}
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        {{- with .keys }}
        items:
          {{- range . }}
          - {key: {{ . }}, path: {{ . }}}
          {{- end }}
        {{- end }}
      {{- else }}
      configMap: {name: {{ .configMap }}}
      {{- end }}
    {{- end }}
{{- end }}

{{/* What a component mounts beside its data: Secrets, and the kubeconfig of the account that acts. */}}
{{- define "k8guard.mounts" -}}
{{- $v := .root.Values -}}
{{- $component := .component -}}
{{- include "k8guard.secretMounts" . }}
{{- range $i, $extra := $v.secrets.extra }}
- {name: extra-{{ $i }}, at: {{ $extra.at }}, secret: {{ $extra.name }}}
{{- end }}
{{- if and $v.report.expose $v.report.tlsSecret }}
- {name: report, at: /run/secrets/report, secret: {{ $v.report.tlsSecret }}}
{{- end }}
{{- if and $v.enforcement.enabled (has $component (list "run" "action")) }}
- {name: action, at: /etc/k8guard-action, configMap: k8guard-action}
{{- if eq $component "run" }}
- {name: action-token, at: /run/secrets/k8guard-action, secret: {{ $v.enforcement.tokenSecret | default "k8guard-action-token" }}}
{{- end }}
{{- end }}
{{- end }}

{{/*
run is asked over its socket, which also answers while an audit is not complete: then the pages
matter most. A listener on loopback is out of the kubelet's reach; the program asks it.
*/}}
{{- define "k8guard.probes" -}}
{{- $v := .root.Values -}}
{{- $scheme := empty $v.report.tlsSecret | ternary "HTTP" "HTTPS" -}}
readinessProbe:
  {{- if eq .component "run" }}
  exec: {command: [/k8guard, cases, --limit, "1"]}
  {{- else if $v.report.expose }}
  httpGet: {path: /readyz, port: report, scheme: {{ $scheme }}}
  {{- else }}
  {{- $r := dig "report" dict (include "k8guard.config" .root | fromYaml) }}
  exec: {command: [/k8guard, probe, "{{ dig "tls" "certFile" "" $r | empty | ternary "http" "https" }}://{{ $r.listen | default "127.0.0.1:8686" }}/readyz"]}
  {{- end }}
  periodSeconds: 30
  timeoutSeconds: 10
{{- if $v.report.expose }}
livenessProbe: # says that the process lives, also while it waits for a server
  httpGet: {path: /healthz, port: report, scheme: {{ $scheme }}}
  periodSeconds: 60
  timeoutSeconds: 10
  failureThreshold: 5
{{- end }}
{{- end }}
