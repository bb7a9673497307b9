{{- define "remit.labels" -}}
app.kubernetes.io/name: remit
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- /* Labels of one part: dict "root" . "part" "webhook" */ -}}
{{- define "remit.partLabels" -}}
{{ include "remit.labels" .root }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "remit.selector" -}}
app.kubernetes.io/name: remit
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- /* Image reference of one part: by digest when one is given, otherwise by tag. */ -}}
{{- define "remit.image" -}}
{{- $part := index .root.Values.images .part -}}
{{- $name := printf "%s/%s" (trimSuffix "/" .root.Values.image.prefix) (default .part $part.name) -}}
{{- if $part.digest -}}
{{ $name }}@{{ $part.digest }}
{{- else -}}
{{ $name }}:{{ default .root.Chart.AppVersion .root.Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "remit.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:remit-operator
{{- end -}}

{{- /* Namespaces agents never live in, where names agent-* mean nothing to Remit. */ -}}
{{- define "remit.exemptNamespaces" -}}
{{- append .Values.admission.exemptNamespaces .Release.Namespace | uniq | toJson -}}
{{- end -}}

{{- define "remit.namespaceSelector" -}}
namespaceSelector:
  matchExpressions:
  - {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ include "remit.exemptNamespaces" . }}}
{{- end -}}

{{- /* CEL: the caller is Remit's operator. */ -}}
{{- define "remit.cel.operator" -}}
request.userInfo.username == '{{ include "remit.operatorUser" . }}'
{{- end -}}

{{- /* CEL: the caller is the operator, or the cluster's own garbage collector or namespace deletion. */ -}}
{{- define "remit.cel.machinery" -}}
request.userInfo.username in ['{{ include "remit.operatorUser" . }}', 'system:kube-controller-manager', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:serviceaccount:kube-system:namespace-controller']
{{- end -}}

{{- /*
CEL: an agent's pod may carry the label key `.`: Remit's own, the common ones that clusters add, and those the API
server copies from the node when it binds a pod (Kubernetes 1.35).
*/ -}}
{{- define "remit.cel.carried" -}}
['remit.dev/', 'app.kubernetes.io/', 'topology.kubernetes.io/'].exists(prefix, {{ . }}.startsWith(prefix))
{{- end -}}

{{- /* The binding that makes a policy deny: dict "root" . "name" NAME, optionally "param" (YAML of paramRef). */ -}}
{{- define "remit.binding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels: {{- include "remit.partLabels" (dict "root" .root "part" "admission") | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
  {{- with .param }}
  paramRef: {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "remit.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "remit.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- /*
The roles a part brings along (files/PART-rbac.yaml, the same file as PART/rbac.yaml) and their bindings to its
ServiceAccount: dict "root" . "part" "ledger".
*/ -}}
{{- define "remit.roles" -}}
{{- $root := .root -}}
{{- $part := .part -}}
{{- $text := $root.Files.Get (printf "files/%s-rbac.yaml" $part) | replace "remit-system" $root.Release.Namespace -}}
{{- range splitList "\n---\n" $text }}
{{- $role := fromYaml . }}
{{- if has $role.kind (list "Role" "ClusterRole") }}
---
{{ . | trimPrefix "---\n" | trim }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $role.kind }}Binding
metadata:
  name: {{ $role.metadata.name }}
  {{- with $role.metadata.namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "remit.partLabels" (dict "root" $root "part" $part) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $role.kind }}
  name: {{ $role.metadata.name }}
subjects:
- kind: ServiceAccount
  name: remit-{{ $part }}
  namespace: {{ $root.Release.Namespace }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Fields every pod template of the system shares. */ -}}
{{- define "remit.podCommon" -}}
securityContext: {{- include "remit.podSecurityContext" . | nindent 2 }}
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "remit.probes" -}}
startupProbe: {httpGet: {path: /livez, port: health}, periodSeconds: 1, failureThreshold: 60}
livenessProbe: {httpGet: {path: /livez, port: health}, periodSeconds: 10, timeoutSeconds: 5}
readinessProbe: {httpGet: {path: /readyz, port: health}, periodSeconds: 2, timeoutSeconds: 2}
{{- end -}}

{{- /*
Digests of sidecars that may be created, comma-separated, the current one first. On an upgrade those in force stay: a
pod may be on its way while this changes.
*/ -}}
{{- define "remit.sidecarDigests" -}}
{{- $sidecar := .Values.images.sidecar -}}
{{- $live := dict -}}
{{- if $sidecar.keepPrevious -}}
{{- $live = lookup "v1" "ConfigMap" .Release.Namespace "remit-admission" | default dict -}}
{{- end -}}
{{- $before := list -}}
{{- with dig "data" "sidecarDigests" "" $live -}}
{{- $before = splitList "," . | compact -}}
{{- end -}}
{{- if gt (len $before) 2 -}}
{{- $before = slice $before 0 2 -}}
{{- end -}}
{{- concat (list $sidecar.digest) (default list $sidecar.previousDigests) $before | uniq | join "," -}}
{{- end -}}
