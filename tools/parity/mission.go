package main

import "strings"

// section is a table of the page: its heading, and the names that it has to have.
type section struct {
	heading string
	names   []string
}

// sections are all that the first system's users know, and what this one promised beside.
func sections() []section {
	return []section{
		{"What it does", []string{"violations", "entities", "discover, messaging mode", "discover, API mode", "action, notifies", "action, chat", "action, records", "action, hard actions",
			"safe mode", "dry run", "report", "metrics", "dashboards", "configuration", "cache", "try it", "try it, in a cluster"}},
		{"What nobody had", []string{"a violation is a case", "the ladder is data", "owners are resolved with evidence", "actions are reversible and bounded",
			"one engine, every entry", "one engine, at admission", "one binary, laptop to fleet", "measured"}},
		{"Entities", strings.Fields("namespaces deployments pods jobs cronjobs ingresses daemonsets others")},
		{"Violations", strings.Fields(`IMAGE_SIZE IMAGE_REPO CAPABILITIES PRIVILEGED SINGLE_REPLICA INGRESS_HOST_INVALID HOST_VOLUMES NO_OWNER_ANNOTATION
			REQUIRED_NAMESPACES REQUIRED_DEPLOYMENTS REQUIRED_DAEMONSETS REQUIRED_PODS REQUIRED_RESOURCE_QUOTA REQUIRED_NAMESPACE_ANNOTATIONS
			REQUIRED_NAMESPACE_LABELS REQUIRED_DEPLOYMENT_ANNOTATIONS REQUIRED_DEPLOYMENT_LABELS REQUIRED_DAEMONSET_ANNOTATIONS
			REQUIRED_DAEMONSET_LABELS REQUIRED_POD_ANNOTATIONS REQUIRED_POD_LABELS`)},
		{"Routes", strings.Fields("/namespaces /deploys /daemonsets /podswo /ingresses /jobs /cronjobs /config /version /metrics")},
		{"Metrics", strings.Fields(`k8guard_all_namespace_count k8guard_all_deployment_count k8guard_all_daemonset_count k8guard_all_pod_count
			k8guard_all_image_count k8guard_all_ingresses_count k8guard_all_job_count k8guard_all_cronjob_count k8guard_bad_namespace_count
			k8guard_bad_deployment_count k8guard_bad_daemonset_count k8guard_bad_pod_count k8guard_bad_pod_wo_owner_count k8guard_bad_ingresses_count
			k8guard_bad_job_count k8guard_bad_job_wo_owner_count k8guard_bad_cronjob_count fn_get_bad_namespaces_duration fn_get_bad_deploys_duration
			fn_get_bad_daemonsets_duration fn_get_bad_pods_duration fn_get_bad_ingresses_duration fn_get_bad_jobs_duration fn_get_bad_cronjobs_duration
			fn_cache_all_images_duration`)},
		{"Annotations", strings.Fields("team/email-ids team/hipchat-ids")},
		{"Variables", prefixed("K8GUARD_", `CLUSTER_NAME NAMESPACE IGNORE_NAMESPACES IGNORE_PODS_PREFIX IGNORE_DEPLOYMENTS IGNORE_DAEMONSETS IGNORE_JOBS
			IGNORE_CRONJOBS APPROVED_IMAGE_REPOS APPROVED_IMAGE_SIZE APPROVED_INGRESS_SUFFIXES INGRESS_MUST_CONTAIN INGRESS_MUST_NOT_CONTAIN
			IGNORED_VIOLATIONS REQUIRED_ENTITIES REQUIRED_ANNOTATIONS REQUIRED_LABELS CACHE_TYPE MEMCACHED_HOSTNAME KAFKA_BROKERS KAFKA_ACTION_TOPIC
			LOG_LEVEL ACTION_CASSANDRA_HOSTS ACTION_CASSANDRA_KEYSPACE ACTION_CASSANDRA_USERNAME ACTION_CASSANDRA_PASSWORD ACTION_CASSANDRA_CAPATH
			ACTION_CASSANDRA_SSL_HOST_VALIDATION CASSANDRA_CREATE_KEYSPACE CASSANDRA_CREATE_TABLES ACTION_HIPCHAT_TOKEN ACTION_HIPCHAT_ROOM_ID
			ACTION_HIPCHAT_BASE_URL ACTION_HIPCHAT_TAG_NAMESPACE_OWNER ACTION_SLACK_TOKEN ACTION_SLACK_CHANNEL
			ACTION_ANNOTATION_FORMAT_FOR_CHAT_IDS ACTION_ANNOTATION_FORMAT_FOR_EMAILS ACTION_DURATION_BETWEEN_CHAT_NOTIFICATIONS
			ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN ACTION_DURATION_VIOLATION_EXPIRES ACTION_DRY_RUN ACTION_SAFE_MODE
			ACTION_WARNING_COUNT_BEFORE_ACTION ACTION_SMTP_SERVER ACTION_SMTP_PORT ACTION_SMTP_USERNAME ACTION_SMTP_PASSWORD ACTION_SMTP_SEND_FROM
			ACTION_SMTP_FALLBACK_SEND_TO ACTION_SMTP_SEND_TO_NAMESAPCE_OWNER ACTION_VIOLATION_EMAIL_FOOTER OUTPUT_PODS_TO_FILE INCLUDE_ALPHA
			MESSAGE_BROKER KAFKA_CERT_FILE_PATH KAFKA_KEY_FILE_PATH KAFKA_KEY_PASSWORD KAFKA_EVENT_TOPIC RMQ_* CACHE_EXPIRATION_SECONDS
			ACTION_DURATION_BETWEEN_CONSUMING_VIOLATIONS`)},
	}
}

func prefixed(prefix, names string) (all []string) {
	for name := range strings.FieldsSeq(names) {
		all = append(all, prefix+name)
	}
	return all
}
