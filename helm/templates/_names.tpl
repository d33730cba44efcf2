{{- define "oten-bff.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "oten-bff.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "oten-bff.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "oten-bff.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "oten-bff.secretName" -}}
{{- .Values.secret.existingSecret | default (printf "%s-secrets" (include "oten-bff.fullname" .)) -}}
{{- end }}

{{- define "oten-bff.claimName" -}}
{{- .Values.sessionStore.embedded.existingClaim | default (printf "%s-sessions" (include "oten-bff.fullname" .)) -}}
{{- end }}

{{- define "oten-bff.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "oten-bff.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* What never changes, since a Deployment's selector cannot. */}}
{{- define "oten-bff.selector" -}}
app.kubernetes.io/name: {{ include "oten-bff.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: bff
{{- end }}

{{- define "oten-bff.testSelector" -}}
app.kubernetes.io/name: {{ include "oten-bff.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end }}

{{- define "oten-bff.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "oten-bff.labels" -}}
{{ include "oten-bff.selector" . }}
{{ include "oten-bff.commonLabels" . }}
{{- end }}

{{- define "oten-bff.testLabels" -}}
{{ include "oten-bff.testSelector" . }}
{{ include "oten-bff.commonLabels" . }}
{{- end }}

{{/* Of {image, tag}: a digest wins over a tag, since it names the content. */}}
{{- define "oten-bff.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .tag) -}}
{{- end -}}
{{- end }}
