{{/* The names of the secrets that the other values ask for, as a JSON list. */}}
{{- define "oten-bff.secretKeys" -}}
{{- $hmac := eq .Values.requestObject.alg "HS256" -}}
{{- $assertion := eq .Values.oten.tokenAuth "private_key_jwt" -}}
{{- $keys := list "SESSION_KEYS" -}}
{{- if not $hmac -}}{{- $keys = append $keys "JAR_KEYS" -}}{{- end -}}
{{- if or $hmac (not $assertion) -}}{{- $keys = append $keys "OTEN_CLIENT_SECRET" -}}{{- end -}}
{{- if $assertion -}}{{- $keys = append $keys "CLIENT_ASSERTION_KEYS" -}}{{- end -}}
{{- if and (eq .Values.sessionStore.kind "redis") (not .Values.sessionStore.redis.url) -}}
{{- $keys = append $keys "SESSION_STORE" -}}
{{- end -}}
{{- if .Values.adminApi.enabled -}}{{- $keys = append $keys "ADMIN_TOKEN" -}}{{- end -}}
{{- $keys | toJson -}}
{{- end }}

{{/* `GET|HEAD /api/prices=https://prices.internal`, comma-separated. */}}
{{- define "oten-bff.apiRoutes" -}}
{{- $routes := list -}}
{{- range .Values.apiRoutes -}}
{{- $methods := .methods | default list -}}
{{- $routes = append $routes (printf "%s%s=%s" (ternary (printf "%s " (join "|" $methods)) "" (gt (len $methods) 0)) .prefix .upstream) -}}
{{- end -}}
{{- join "," $routes -}}
{{- end }}

{{- define "oten-bff.apps" -}}
{{- $apps := list -}}
{{- range $id, $link := .Values.apps -}}{{- $apps = append $apps (printf "%s=%s" $id $link) -}}{{- end -}}
{{- join "," $apps -}}
{{- end }}

{{/* Empty where the address comes from the Secret. */}}
{{- define "oten-bff.sessionStore" -}}
{{- if eq .Values.sessionStore.kind "embedded" -}}
file:/data/sessions.db
{{- else if eq .Values.sessionStore.kind "memory" -}}
memory:
{{- else -}}
{{- .Values.sessionStore.redis.url -}}
{{- end -}}
{{- end }}

{{/* Every variable that is no secret. What is empty is left out: it means unset. */}}
{{- define "oten-bff.environment" -}}
{{- $v := .Values -}}
{{- $all := dict
  "PUBLIC_URL" $v.publicUrl
  "HOST" $v.listen.host
  "PORT" $v.listen.port
  "ADMIN_HOST" $v.listen.host
  "ADMIN_PORT" $v.listen.adminPort
  "TRUSTED_PROXIES" (join "," $v.trustedProxies)
  "RATE_LIMIT_PER_MINUTE" $v.rateLimitPerMinute
  "OTEN_ISSUER" $v.oten.issuer
  "OTEN_CLIENT_ID" $v.oten.clientId
  "OTEN_TOKEN_AUTH" $v.oten.tokenAuth
  "OTEN_SCOPE" $v.oten.scope
  "POST_LOGOUT_REDIRECT_URI" $v.oten.postLogoutRedirectUri
  "BACKCHANNEL_LOGOUT" $v.oten.backchannelLogout
  "JAR_ALG" $v.requestObject.alg
  "JAR_KEY_ID" $v.requestObject.keyId
  "JAR_TTL_S" $v.requestObject.ttlS
  "JAR_BACKDATE_S" $v.requestObject.backdateS
  "JAR_TYP" $v.requestObject.typ
  "JAR_AUDIENCE" $v.requestObject.audience
  "SESSION_STORE" (include "oten-bff.sessionStore" .)
  "SESSION_IDLE_S" $v.session.idleS
  "SESSION_MAX_S" $v.session.maxS
  "APP_SESSION_IDLE_S" $v.session.appIdleS
  "APP_SESSION_MAX_S" $v.session.appMaxS
  "SESSION_SAME_SITE" $v.session.sameSite
  "SESSION_CLAIMS" (join "," $v.session.claims)
  "ALLOWED_ORIGINS" (join "," $v.allowedOrigins)
  "APPS" (include "oten-bff.apps" .)
  "API_ROUTES" (include "oten-bff.apiRoutes" .)
  "LOG_LEVEL" $v.logLevel
  "OTEL_EXPORTER_OTLP_ENDPOINT" $v.otlpEndpoint
-}}
{{- if $v.caBundle.configMap -}}
{{- $_ := set $all "NODE_EXTRA_CA_CERTS" (printf "/etc/oten-bff/ca/%s" $v.caBundle.key) -}}
{{- end -}}
{{- range $name, $value := merge $all $v.extraEnv -}}
{{- $text := kindIs "float64" $value | ternary (int64 $value | toString) (toString $value) -}}
{{- if $text }}
{{ $name }}: {{ $text | quote }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The port of a URL, as text: the one it names, or that of its scheme. */}}
{{- define "oten-bff.portOf" -}}
{{- $url := urlParse . -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end }}

{{- define "oten-bff.hostname" -}}
{{- (urlParse .Values.publicUrl).hostname -}}
{{- end }}
