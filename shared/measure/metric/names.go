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
	{"events_accepted", Counter, "ingest", "events in them"},
	{"publishes_refused", Counter, "ingest", "publish requests answered with 429 or 503, so that work already accepted goes on"},
	{"auth_failures", Counter, "ingest manage", "requests whose key was missing, unknown, or not one that may do this"},
	{"events_stored", Counter, "fanout", "events decided for the first time"},
	{"events_duplicate", Counter, "fanout", "events dropped since their identity was there already"},
	{"events_conflicting", Counter, "fanout", "of these, those that say something else than what is kept"},
	{"events_skipped", Counter, "fanout", "matches that a trigger made nothing of"},
	{"events_replayed", Counter, "fanout", "events sent again by replay"},
	{"deliveries_planned", Counter, "fanout", "first attempts queued"},
	{"attempts", Counter, "delivery", "requests made"},
	{"retries", Counter, "delivery", "those among them that were not the delivery's first"},
	{"attempt_errors_status", Counter, "delivery", "attempts answered with a status that is no success"},
	{"attempt_errors_dns", Counter, "delivery", "attempts whose host has no address"},
	{"attempt_errors_connect", Counter, "delivery", "attempts that reached nobody"},
	{"attempt_errors_tls", Counter, "delivery", "attempts without a trusted connection"},
	{"attempt_errors_timeout", Counter, "delivery", "attempts without a complete answer in time"},
	{"attempt_errors_reset", Counter, "delivery", "attempts whose connection broke"},
	{"attempt_errors_refused_address", Counter, "delivery", "attempts to an address that is not allowed"},
	{"attempt_errors_auth", Counter, "delivery", "attempts that got no token"},
	{"deliveries_succeeded", Counter, "delivery", "deliveries that ended well"},
	{"deliveries_exhausted", Counter, "delivery", "deliveries whose schedule is spent, or that ended badly otherwise"},
	{"deliveries_canceled", Counter, "fanout delivery manage", "deliveries that were canceled"},
	{"deliveries_parked", Counter, "delivery", "deliveries that entered a waiting line"},
	{"deliveries_paced", Counter, "delivery", "deliveries put off until their turn under a rate limit"},
	{"breaker_opened", Counter, "delivery", "circuit breakers that opened"},
	{"breaker_probes", Counter, "delivery", "probes of open breakers"},
	{"breaker_closed", Counter, "delivery", "breakers that probes, or an empty line, closed"},
	{"subscriptions_disabled", Counter, "delivery", "subscriptions that we disabled"},
	{"due_swept", Counter, "sweep", "due pointers turned into messages"},
	{"attempt", Histogram, "delivery", "time that an attempt took, from connecting to the answer's last byte"},
	{"end_to_end", Histogram, "delivery", "time from an event's acceptance to the answer, for deliveries whose first attempt succeeded"},
	{"sweep_lag", Histogram, "sweep", "how late the latest pointer of a sweep was; 0 if none was"},
	{"goroutines", GaugeKind, "local", "goroutines of the process: what grows for hours leaks"},
	{"backlog", GaugeKind, "local", "messages in a queue, by label queue, delayed and in flight included"},
}
