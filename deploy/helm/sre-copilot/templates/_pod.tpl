{{- /* What the pods of all services and of the migration have in common. */}}

{{- define "sre-copilot.labels" -}}
app.kubernetes.io/name: sre-copilot
app.kubernetes.io/instance: {{ .release }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "sre-copilot.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary .Release.Name "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "sre-copilot.pod" -}}
automountServiceAccountToken: false
# Otherwise every service of the namespace would be in the environment, under names that look like settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "sre-copilot.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - secretRef: {name: {{ .Values.existingSecret | quote }}}
  {{- with .Values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  - {name: SRE_COPILOT_PUBLIC_URL, value: {{ .Values.publicUrl | quote }}}
  - {name: SRE_COPILOT_TRUSTED_PROXIES, value: {{ .Values.trustedProxies | quote }}}
  - {name: SRE_COPILOT_DATABASE_CONNECTIONS, value: {{ .Values.databaseConnections | quote }}}
  {{- range $name, $its := .Values.services }}
  {{- if ne $name "gateway" }}
  - {name: SRE_COPILOT_{{ upper $name }}_URL, value: "http://{{ $.Release.Name }}-{{ $name }}:{{ $its.port }}"}
  {{- end }}
  {{- end }}
  {{- range $key, $value := .Values.env }}
  - {name: {{ $key }}, value: {{ $value | quote }}}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "sre-copilot.volumes" -}}
- {name: tmp, emptyDir: {sizeLimit: {{ .Values.emptyDirLimit }}}}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
