package subscription

// meant says where a field lives whose name people bring along from elsewhere,
// or that stands one level too high. What is only mistyped is not here.
var meant = map[string]string{
	"event_types": "types", "event_type": "types", "events": "types", "enabled_events": "types", "topics": "types",
	"endpoint": "url", "endpoint_url": "url", "target": "url", "target_url": "url", "callback_url": "url", "webhook_url": "url",
	"payload": "request.body", "body": "request.body", "template": "request.body", "data": "request.body",
	"headers": "request.headers", "method": "request.method", "format": "request.format", "content_type": "request.content_type", "require": "request.require",
	"max_attempts": "retry.schedule", "max_retries": "retry.schedule", "attempts": "retry.schedule", "schedule": "retry.schedule", "backoff": "retry.schedule",
	"retries": "retry.schedule", "retry_policy": "retry", "timeout": "retry.timeout", "success": "retry.success", "permanent": "retry.permanent",
	"every": "trigger.every", "at": "trigger.at", "once": "trigger.once", "once_per": "trigger.once_per", "delay": "trigger.delay", "key": "trigger.key",
	"cancel": "trigger.cancel", "cap": "trigger.cap", "within": "trigger.within", "distinct": "trigger.distinct",
	"rps": "rate_limit.per_second", "per_second": "rate_limit.per_second", "throttle": "rate_limit.per_second",
	"enabled": "state", "disabled": "state", "active": "state", "paused": "state", "status": "state",
	"token": "auth.token", "authorization": "auth", "authentication": "auth", "tls": "auth.tls", "signing_secret": "secret",
	"condition": "filter", "conditions": "filter", "pattern": "filter", "ttl": "max_age", "expires_in": "max_age", "labels": "metadata", "tags": "metadata",
}

// unknown notes a field that no subscription has.
func (d *draft) unknown(name string) {
	if at, ok := meant[name]; ok {
		d.faults.Add(name, "unknown field; did you mean %q?", at)
		return
	}
	var known []string
	for _, f := range fields {
		known = append(known, f.name)
	}
	d.faults.Unknown("", name, known)
}
