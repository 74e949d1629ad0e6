package chart

// storyValues are a ladder of seconds, a mail server and a recorder of every other channel on loopback, and limits that do not bind.
const storyValues = `
image: {repository: registry.example.com/k8guard}
enforcement: {enabled: true, apiServer: API}
secrets:
  smtp: {name: k8guard-smtp}
  slack: {name: k8guard-chat, key: slack}
  hipchat: {name: k8guard-chat, key: hipchat}
  alertmanager: {name: k8guard-alertmanager}
  webhook: {audit: {name: k8guard-audit}}
  extra: [{name: k8guard-ca, at: /run/secrets/ca}]
config:
  cluster: {name: stage}
  discover: {resync: 5s}
  rules: {REQUIRED_ENTITIES: ["shop:resourcequota:*:quota"]}
  notify:
    gather: 300ms
    gap: 300ms
    email: {host: 127.0.0.1, port: MAIL, username: k8guard, from: k8guard@stage.example, domains: [stage.example], caFile: /run/secrets/ca/ca.crt}
    slack: {channel: C0123ABCD, baseURL: "CHAT/slack"}
    hipchat: {baseURL: "CHAT/hipchat", room: k8guard}
    alertmanager: {url: "CHAT/alertmanager"}
    webhook: [{name: audit}]
  policies:
    - {name: act, enforce: true, match: {namespaces: [shop]}, ladder: {standing: 500ms, warnings: 2, wait: 1s, lastWait: 1s}}
  enforce:
    mode: enforce
    minimumAge: 1s
    coolOff: 1h
    budget: {round: 500ms, percent: 100, floor: 1000, perHour: 1000, perDay: 1000, perNamespacePerDay: 1000, perOwnerPerDay: 1000, perRulePerDay: 1000}
    breaker: {sharePoints: 0, undosPerHour: 1000}
`

// storyAlone goes on below config: the pages of one pod, on its loopback.
const storyAlone = `  report: {listen: "LISTEN"}
`

// storyServices go on below config.
const storyServices = `  bus: {kafka: {brokers: [%q], partitions: 4, replication: 1}}
  ledger: {cassandra: {hosts: [%q], localDC: datacenter1, replication: 1}}
`

// bad is one root of each kind that is acted on, a webhook, whose Service the gate looks
// up, and a quota, which a rule wants.
const bad = `apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {team/email-ids: shop@stage.example}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: bare, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: bare}}
  template:
    metadata: {labels: {app: bare}}
    spec: {containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: shop}
spec:
  parallelism: 0
  template: {spec: {restartPolicy: Never, containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: catch-all, namespace: shop}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota, namespace: shop}
spec: {hard: {pods: 100}}
---
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: shop}
spec: {selector: {app: hook}, ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: of-nothing}
webhooks:
  - name: nothing.stage.example
    clientConfig: {service: {name: hook, namespace: shop}}
    rules: [{apiGroups: [stage.example], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]
    sideEffects: None
    admissionReviewVersions: [v1]
    failurePolicy: Ignore
`
