{{/* The restricted Pod Security Standard, and more than it asks for. The service writes to its store alone, not even to /tmp. */}}
{{- define "oten-bff.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.podSecurity.runAsUser }}
runAsUser: {{ int64 . }}
{{- end }}
{{- with .Values.podSecurity.runAsGroup }}
runAsGroup: {{ int64 . }}
{{- end }}
{{- with .Values.podSecurity.fsGroup }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "oten-bff.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* SIGTERM comes when no proxy sends anything here any more. */}}
{{- define "oten-bff.lifecycle" -}}
preStop:
  sleep:
    seconds: {{ int64 .Values.drain.preStopS }}
{{- end }}

{{- define "oten-bff.container" -}}
name: bff
image: {{ include "oten-bff.image" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "oten-bff.securityContext" . | nindent 2 }}
ports:
  - name: bff
    containerPort: {{ int64 .Values.listen.port }}
    protocol: TCP
  - name: admin
    containerPort: {{ int64 .Values.listen.adminPort }}
    protocol: TCP
envFrom:
  - configMapRef:
      name: {{ include "oten-bff.fullname" . }}
env:
  {{- range include "oten-bff.secretKeys" . | fromJsonArray }}
  - name: {{ . }}_FILE
    value: /etc/oten-bff/secrets/{{ . }}
  {{- end }}
startupProbe:
  httpGet: { path: /health/live, port: admin }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health/live, port: admin }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /health/ready, port: admin }
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
lifecycle:
  {{- include "oten-bff.lifecycle" . | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: secrets
    mountPath: /etc/oten-bff/secrets
    readOnly: true
  {{- if eq .Values.sessionStore.kind "embedded" }}
  - name: sessions
    mountPath: /data
  {{- end }}
  {{- if .Values.caBundle.configMap }}
  - name: ca
    mountPath: /etc/oten-bff/ca
    readOnly: true
  {{- end }}
{{- end }}

{{- define "oten-bff.frontend" -}}
{{- $f := .Values.frontend -}}
name: frontend
image: {{ include "oten-bff.image" (dict "image" $f.image "tag" "") }}
imagePullPolicy: {{ $f.image.pullPolicy }}
securityContext:
  {{- include "oten-bff.securityContext" . | nindent 2 }}
  {{- with $f.runAsUser }}
  runAsUser: {{ int64 . }}
  {{- end }}
ports:
  - name: frontend
    containerPort: {{ int64 $f.port }}
    protocol: TCP
{{- with $f.env }}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- end }}
readinessProbe:
  {{- if $f.readinessPath }}
  httpGet: { path: {{ $f.readinessPath | quote }}, port: frontend }
  {{- else }}
  tcpSocket: { port: frontend }
  {{- end }}
  periodSeconds: 5
  timeoutSeconds: 2
lifecycle:
  {{- include "oten-bff.lifecycle" . | nindent 2 }}
resources:
  {{- toYaml $f.resources | nindent 2 }}
{{- with $f.writablePaths }}
volumeMounts:
  {{- range $index, $path := . }}
  - name: frontend-{{ $index }}
    mountPath: {{ $path }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "oten-bff.volumes" -}}
# As a folder, without subPath: only so do changes arrive in a running pod.
- name: secrets
  secret:
    secretName: {{ include "oten-bff.secretName" . }}
    defaultMode: 288 # 0440, which YAML 1.2 would read as a decimal number.
    items:
      {{- range include "oten-bff.secretKeys" . | fromJsonArray }}
      - { key: {{ . }}, path: {{ . }} }
      {{- end }}
{{- if eq .Values.sessionStore.kind "embedded" }}
- name: sessions
  persistentVolumeClaim:
    claimName: {{ include "oten-bff.claimName" . }}
{{- end }}
{{- with .Values.caBundle }}
{{- if .configMap }}
- name: ca
  configMap:
    name: {{ .configMap }}
    items:
      - { key: {{ .key | quote }}, path: {{ .key | quote }} }
{{- end }}
{{- end }}
{{- if eq .Values.mode "sidecar" }}
{{- range $index, $path := .Values.frontend.writablePaths }}
- name: frontend-{{ $index }}
  emptyDir: { sizeLimit: 256Mi }
{{- end }}
{{- end }}
{{- end }}
