{{/*
What the schema cannot say: rules across values, and everything about secrets, since the schema's messages show the value
that they refuse. Every fault is named at once, and none shows a secret. As a JSON list of sentences.
*/}}
{{- define "oten-bff.faults" -}}
{{- $faults := concat
  (include "oten-bff.faultsOfMissing" . | fromJsonArray)
  (include "oten-bff.faultsOfSecrets" . | fromJsonArray)
  (include "oten-bff.faultsOfPlaces" . | fromJsonArray)
-}}
{{- $faults | toJson -}}
{{- end }}

{{- define "oten-bff.faultsOfMissing" -}}
{{- $faults := list -}}
{{- if not .Values.image.repository -}}
{{- $faults = append $faults "image.repository is required: where you push the image that the Dockerfile builds" -}}
{{- end -}}
{{- if not .Values.publicUrl -}}
{{- $faults = append $faults "publicUrl is required: the origin at which browsers reach the service" -}}
{{- end -}}
{{- if not .Values.oten.clientId -}}
{{- $faults = append $faults "oten.clientId is required: the client id that Oten assigned" -}}
{{- end -}}
{{- if eq .Values.mode "sidecar" -}}
{{- if not .Values.frontend.image.repository -}}
{{- $faults = append $faults "frontend.image.repository is required in mode sidecar" -}}
{{- end -}}
{{- if not (or .Values.frontend.image.tag .Values.frontend.image.digest) -}}
{{- $faults = append $faults "frontend.image.tag or frontend.image.digest is required in mode sidecar" -}}
{{- end -}}
{{- end -}}
{{- $faults | toJson -}}
{{- end }}

{{- define "oten-bff.faultsOfSecrets" -}}
{{- $faults := list -}}
{{- $values := .Values.secret.values -}}
{{- $needed := include "oten-bff.secretKeys" . | fromJsonArray -}}
{{- if not .Values.secret.existingSecret -}}
{{- if not $values -}}
{{- $faults = append $faults (printf "secret.existingSecret is required: the name of a Secret with the keys %s (or give them as secret.values)" (join ", " $needed)) -}}
{{- else -}}
{{- range $needed -}}
{{- if not (get $values . | default "" | trim) -}}
{{- $faults = append $faults (printf "secret.values.%s is required with these values" .) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $values -}}
{{- if not (has $name $needed) -}}
{{- $faults = append $faults (printf "secret.values.%s is not used with these values; remove it, or set what uses it" $name) -}}
{{- else if trim $value -}}
{{- $fault := include "oten-bff.faultOfSecret" (dict "name" $name "value" $value "alg" $.Values.requestObject.alg) -}}
{{- if $fault -}}{{- $faults = append $faults (printf "secret.values.%s %s" $name $fault) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $values.JAR_KEYS (eq $values.JAR_KEYS ($values.CLIENT_ASSERTION_KEYS | default "")) -}}
{{- $faults = append $faults "secret.values.CLIENT_ASSERTION_KEYS must not be JAR_KEYS: a key serves one purpose" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.sessionStore.redis.url (ne .Values.sessionStore.kind "redis") -}}
{{- $faults = append $faults "sessionStore.redis.url is not used: set sessionStore.kind to redis, or remove it" -}}
{{- end -}}
{{- $faults | toJson -}}
{{- end }}

{{/* What is wrong with {name, value, alg}: a sentence without the value, or nothing. */}}
{{- define "oten-bff.faultOfSecret" -}}
{{- $text := trimSuffix "\n" .value | trimSuffix "\r" -}}
{{- if regexMatch "(?i)change.?me|replace.?me|place.?holder|^<.*>$|^your[-_ ]|^example|^x{3,}$|^todo" $text -}}
is a placeholder
{{- else if and (eq .name "SESSION_KEYS") (not (regexMatch "^ *[A-Za-z0-9_-]{43} *(, *[A-Za-z0-9_-]{43} *)*$" $text)) -}}
must be keys of 32 random bytes in base64url, 43 characters each, comma-separated (npm run keys -- session)
{{- else if and (has .name (list "JAR_KEYS" "CLIENT_ASSERTION_KEYS")) (not (regexMatch "-----BEGIN PRIVATE KEY-----|\"d\"\\s*:" $text)) -}}
must be a PKCS#8 PEM, a private JWK or a JWK Set (npm run keys -- generate)
{{- else if and (eq .name "OTEN_CLIENT_SECRET") (eq .alg "HS256") (lt (len $text) 16) -}}
must have 16 octets or more for HS256, better 32
{{- else if and (eq .name "ADMIN_TOKEN") (not (regexMatch "^[!-~]{16,}$" $text)) -}}
must be 16 or more visible ASCII characters without spaces
{{- else if and (eq .name "SESSION_STORE") (not (regexMatch "^rediss?://[^ ]+$" $text)) -}}
must be a URL that begins with redis:// or rediss://
{{- end -}}
{{- end }}

{{- define "oten-bff.faultsOfPlaces" -}}
{{- $faults := list -}}
{{- $ports := list (int64 .Values.listen.port) (int64 .Values.listen.adminPort) -}}
{{- if eq .Values.mode "sidecar" -}}{{- $ports = append $ports (int64 .Values.frontend.port) -}}{{- end -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- $faults = append $faults "listen.port, listen.adminPort and frontend.port must differ: they share the pod's address" -}}
{{- end -}}
{{- if and (eq .Values.mode "sidecar") (eq (int64 .Values.service.port) (int64 .Values.service.frontendPort)) -}}
{{- $faults = append $faults "service.port and service.frontendPort must differ" -}}
{{- end -}}
{{- $prefixes := list -}}
{{- range .Values.apiRoutes -}}{{- $prefixes = append $prefixes .prefix -}}{{- end -}}
{{- if ne (len $prefixes) (len (uniq $prefixes)) -}}
{{- $faults = append $faults "apiRoutes must have each prefix once" -}}
{{- end -}}
{{- if gt (int64 .Values.autoscaling.minReplicas) (int64 .Values.autoscaling.maxReplicas) -}}
{{- $faults = append $faults "autoscaling.minReplicas must not be above autoscaling.maxReplicas" -}}
{{- end -}}
{{- $faults | toJson -}}
{{- end }}
