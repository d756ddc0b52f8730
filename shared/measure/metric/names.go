package metric

// Kind says how a metric is to be read.
type Kind string

// The kinds. A counter is a sum, a histogram durations in seconds, a gauge a
// figure of the moment, which only local mode has: on AWS, SQS tells it.
const (
	Counter   Kind = "counter"
	Histogram Kind = "histogram"
	GaugeKind Kind = "gauge"
)

// Metric is one name and what stands behind it.
type Metric struct {
	Name   string
	Kind   Kind
	Stages string // who counts it, separated by spaces: the same words as folders and functions
	Help   string
}

// All is every metric there is, the same locally and on AWS. Package metric
// registers nothing by itself: that each name which a stage uses stands here,
// and the other way round, is tested, and so is docs/metrics.md.
var All = []Metric{
	{"publishes", Counter, "ingest", "publish requests that were accepted"},
	{"events_accepted", Counter, "ingest", "events in accepted publish requests"},
	{"publishes_refused", Counter, "ingest", "publish requests refused with 429 or 503 because of overload"},
	{"auth_failures", Counter, "ingest manage", "requests whose key was missing, unknown, or not allowed to do this"},
	{"requests_failed", Counter, "ingest manage", "requests answered with 500, because of a fault in Postino"},
	{"messages_failed", Counter, "fanout delivery", "messages, or deliveries in them, that failed and come again; not those that another worker already handles"},
	{"events_stored", Counter, "fanout", "events stored after fan-out, without duplicates"},
	{"events_emitted", Counter, "fanout delivery", "events that subscriptions made, repeats included"},
	{"chains_cut", Counter, "fanout delivery", "events that were not made because five had followed from each other"},
	{"emits_failed", Counter, "delivery", "callbacks that succeeded and of which no event could be made"},
	{"events_duplicate", Counter, "fanout", "events dropped because their identity was known"},
	{"events_conflicting", Counter, "fanout", "duplicates whose content differs from the stored event"},
	{"events_skipped", Counter, "fanout", "matches for which a trigger did not fire"},
	{"events_replayed", Counter, "fanout", "events sent again by replay"},
	{"deliveries_planned", Counter, "fanout", "first attempts queued"},
	{"attempts", Counter, "delivery", "requests made"},
	{"retries", Counter, "delivery", "attempts that were not the delivery's first"},
	{"attempt_errors_status", Counter, "delivery", "attempts whose answer was not a success"},
	{"attempt_errors_dns", Counter, "delivery", "attempts whose host name could not be resolved"},
	{"attempt_errors_connect", Counter, "delivery", "attempts that could not connect"},
	{"attempt_errors_tls", Counter, "delivery", "attempts whose TLS handshake failed"},
	{"attempt_errors_timeout", Counter, "delivery", "attempts without a complete answer in time"},
	{"attempt_errors_reset", Counter, "delivery", "attempts whose connection broke"},
	{"attempt_errors_refused_address", Counter, "delivery", "attempts to an address that is not allowed"},
	{"attempt_errors_auth", Counter, "delivery", "attempts that got no access token"},
	{"deliveries_offered", Counter, "delivery", "deliveries that can now be pulled"},
	{"deliveries_succeeded", Counter, "delivery", "deliveries that succeeded"},
	{"deliveries_exhausted", Counter, "delivery", "deliveries that ended as exhausted"},
	{"deliveries_canceled", Counter, "fanout delivery manage", "deliveries that were canceled"},
	{"deliveries_parked", Counter, "delivery", "deliveries that entered a waiting line: paused, disabled, circuit breaker, or a rate limit far exceeded"},
	{"deliveries_paced", Counter, "delivery", "deliveries delayed by a rate limit"},
	{"breaker_opened", Counter, "delivery", "circuit breakers that opened"},
	{"breaker_probes", Counter, "delivery", "probes of open circuit breakers"},
	{"breaker_closed", Counter, "delivery", "circuit breakers that closed, after probes or because nothing waits"},
	{"subscriptions_disabled", Counter, "delivery", "subscriptions that Postino disabled"},
	{"due_swept", Counter, "sweep", "due pointers that a sweep turned into messages"},
	{"attempt", Histogram, "delivery", "duration of an attempt, from the connection to the last byte of the answer"},
	{"end_to_end", Histogram, "delivery", "time from an event's acceptance, or from the request for a replay, to the answer, for deliveries whose first attempt succeeded"},
	{"sweep_lag", Histogram, "sweep", "how late the latest due pointer of a sweep was; 0 if there was none"},
	{"goroutines", GaugeKind, "local", "goroutines of the process; growth over hours is a leak"},
	{"backlog", GaugeKind, "local", "messages in a queue (label queue), including delayed and in-flight ones"},
}
