package httpapi

import "net/http"

// Code is one kind of problem. Its name never changes, so programs can rely on it;
// docs/errors.md has its cause and fix. Only this file makes codes, and only a code
// makes a [Problem]: see [Code.Problem].
type Code struct {
	name   string
	status int
}

// Name is the value of code in a problem document.
func (c Code) Name() string { return c.name }

// Status is the status of all responses with this code.
func (c Code) Status() int { return c.status }

// Codes returns all codes, by status.
func Codes() []Code { return append([]Code(nil), codes...) }

var codes []Code

func newCode(status int, name string) Code {
	c := Code{name, status}
	codes = append(codes, c)
	return c
}

// The codes. A new one needs a section in docs/errors.md.
var (
	InvalidJSON    = newCode(http.StatusBadRequest, "invalid_json")
	InvalidQuery   = newCode(http.StatusBadRequest, "invalid_query")
	IncompleteBody = newCode(http.StatusBadRequest, "incomplete_body")
	InvalidCursor  = newCode(http.StatusBadRequest, "invalid_cursor")

	KeyMissing = newCode(http.StatusUnauthorized, "key_missing")
	KeyUnknown = newCode(http.StatusUnauthorized, "key_unknown")

	RoleNotAllowed = newCode(http.StatusForbidden, "role_not_allowed")
	TenantReserved = newCode(http.StatusForbidden, "tenant_reserved")

	PathNotFound         = newCode(http.StatusNotFound, "path_not_found")
	NotFound             = newCode(http.StatusNotFound, "not_found")
	TenantNotFound       = newCode(http.StatusNotFound, "tenant_not_found")
	TenantNotMade        = newCode(http.StatusNotFound, "tenant_not_made")
	SubscriptionNotFound = newCode(http.StatusNotFound, "subscription_not_found")
	EventNotFound        = newCode(http.StatusNotFound, "event_not_found")
	DeliveryNotFound     = newCode(http.StatusNotFound, "delivery_not_found")
	ProfileNotFound      = newCode(http.StatusNotFound, "profile_not_found")
	AttributeNotFound    = newCode(http.StatusNotFound, "attribute_not_found")
	SegmentNotFound      = newCode(http.StatusNotFound, "segment_not_found")
	CampaignNotFound     = newCode(http.StatusNotFound, "campaign_not_found")
	CapNotFound          = newCode(http.StatusNotFound, "cap_not_found")
	EventTypeNotFound    = newCode(http.StatusNotFound, "event_type_not_found")
	SecretNotFound       = newCode(http.StatusNotFound, "secret_not_found")
	KeyNotFound          = newCode(http.StatusNotFound, "key_not_found")
	StateNotFound        = newCode(http.StatusNotFound, "state_not_found")
	JobNotFound          = newCode(http.StatusNotFound, "job_not_found")

	MethodNotAllowed = newCode(http.StatusMethodNotAllowed, "method_not_allowed")

	BodyTooSlow = newCode(http.StatusRequestTimeout, "body_too_slow")

	SubscriptionExists  = newCode(http.StatusConflict, "subscription_exists")
	SubscriptionDeleted = newCode(http.StatusConflict, "subscription_deleted")
	SigningSecretsFull  = newCode(http.StatusConflict, "signing_secrets_full")
	DeliveryEnded       = newCode(http.StatusConflict, "delivery_ended")
	DataExpunged        = newCode(http.StatusConflict, "data_expunged")
	DataExpired         = newCode(http.StatusConflict, "data_expired")
	NotPulled           = newCode(http.StatusConflict, "not_pulled")
	CannotBeTested      = newCode(http.StatusConflict, "cannot_be_tested")
	CannotBeSent        = newCode(http.StatusConflict, "cannot_be_sent")
	JobNotStoppable     = newCode(http.StatusConflict, "job_not_stoppable")
	RecoverRunning      = newCode(http.StatusConflict, "recover_running")
	TenantDeleting      = newCode(http.StatusConflict, "tenant_deleting")
	SubscriptionsFull   = newCode(http.StatusConflict, "subscriptions_full")
	FiltersFull         = newCode(http.StatusConflict, "filters_full")
	AttributesFull      = newCode(http.StatusConflict, "attributes_full")
	SegmentsFull        = newCode(http.StatusConflict, "segments_full")
	CampaignsFull       = newCode(http.StatusConflict, "campaigns_full")
	CampaignInUse       = newCode(http.StatusConflict, "campaign_in_use")
	CapsFull            = newCode(http.StatusConflict, "caps_full")
	SegmentInUse        = newCode(http.StatusConflict, "segment_in_use")

	RevisionPassed = newCode(http.StatusPreconditionFailed, "revision_passed")

	RequestTooLarge = newCode(http.StatusRequestEntityTooLarge, "request_too_large")
	EventTooLarge   = newCode(http.StatusRequestEntityTooLarge, "event_too_large")

	HostNotServed = newCode(http.StatusMisdirectedRequest, "host_not_served")

	UnsupportedMediaType = newCode(http.StatusUnsupportedMediaType, "unsupported_media_type")
	UnsupportedEncoding  = newCode(http.StatusUnsupportedMediaType, "unsupported_encoding")

	InvalidRequest = newCode(http.StatusUnprocessableEntity, "invalid_request")

	TenantBacklogFull = newCode(http.StatusTooManyRequests, "tenant_backlog_full")
	TenantIntakeFull  = newCode(http.StatusTooManyRequests, "tenant_intake_full")
	TenantTestsFull   = newCode(http.StatusTooManyRequests, "tenant_tests_full")
	TenantPullsFull   = newCode(http.StatusTooManyRequests, "tenant_pulls_full")

	InternalError = newCode(http.StatusInternalServerError, "internal_error")

	Overloaded        = newCode(http.StatusServiceUnavailable, "overloaded")
	BacklogFull       = newCode(http.StatusServiceUnavailable, "backlog_full")
	Unavailable       = newCode(http.StatusServiceUnavailable, "unavailable")
	NotQueued         = newCode(http.StatusServiceUnavailable, "not_queued")
	ChangedMeanwhile  = newCode(http.StatusServiceUnavailable, "changed_meanwhile")
	PartiallyAccepted = newCode(http.StatusServiceUnavailable, "partially_accepted")
)

// page is where each code has a section.
const page = "https://github.com/postino/postino/blob/main/docs/errors.md"

// Problem returns a problem of this kind. A 429 or 503 has a Retry-After of two
// seconds; see [Problem.After].
func (c Code) Problem(detail string, fields ...FieldError) *Problem {
	p := &Problem{
		Type: page + "#" + c.name, Title: http.StatusText(c.status), Status: c.status, Code: c.name,
		Detail: detail, Errors: fields,
	}
	if p.isLater() {
		return p.After(busyAfter)
	}
	return p
}
