package manage

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/webhook"
)

// Sealer keeps secrets from whoever reads the store: see package secret.
type Sealer interface {
	Seal(plain []byte, place ...string) ([]byte, error)
	Open(sealed []byte, place ...string) ([]byte, error)
}

// Backlogs are the queues whose length [Handler] reports.
type Backlogs struct{ Events, Deliveries, Retries Backlog }

// Handler serves every route of the API but publishing. It is safe for
// concurrent use.
type Handler struct {
	Store        Store
	Resend       Resender
	Events       Resender // replays, and operational events; nil publishes none of the latter
	Secrets      Sealer
	Destinations subscription.Destinations
	Tester       Tester
	Auth         httpapi.Authenticator
	Backlogs     Backlogs
	Failed       func() error      // why nothing can be written now, for /healthz; nil knows no such thing
	Intake       *httpapi.Intake   // of bodies in hand; nil bounds nothing
	Retention    webhook.Retention // of what is shown; zero means [webhook.DefaultRetention]
	Quota        webhook.Quota     // of each tenant; zero bounds nothing
	Made         bool              // takes only tenants that were made: none by its first use
	Version      string            // of this build, as /healthz shows it
	Now          func() time.Time  // our clock; nil means time.Now
	Random       io.Reader         // for ids; nil means crypto/rand
	Counter      lifecycle.Counter // of deliveries that it cancels
	Log          *slog.Logger      // one line for each accepted write; nil means none

	once   sync.Once
	router *httpapi.Router
	health health
	trials trials
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(func() {
		h.router = httpapi.NewRouter(h.routes(), h.Auth, h.Log)
		h.router.Intake = h.Intake
		h.router.Refused = func() {
			if h.Counter.Count != nil {
				h.Counter.Count("auth_failures", 1)
			}
		}
		h.router.Failed = func() {
			if h.Counter.Count != nil {
				h.Counter.Count("requests_failed", 1)
			}
		}
	})
	h.router.ServeHTTP(w, r)
}

// Paths of the routes.
const (
	tenantPath        = "/v1/tenants/{tenant}"
	eventsPath        = tenantPath + "/events"
	subscriptionsPath = tenantPath + "/subscriptions"
	subscriptionPath  = subscriptionsPath + "/{id}"
	deliveriesPath    = tenantPath + "/deliveries"
	deliveryPath      = deliveriesPath + "/{id}"
	statePath         = subscriptionPath + "/state/{key}"
	secretsPath       = tenantPath + "/secrets"
	secretPath        = secretsPath + "/{name}"
	keysPath          = tenantPath + "/keys"
	typesPath         = tenantPath + "/event-types"
	statsPath         = tenantPath + "/stats"
	typePath          = typesPath + "/{type}"
	jobsPath          = tenantPath + "/jobs"
	profilesPath      = tenantPath + "/profiles"
	profilePath       = profilesPath + "/{subject}"
	attributesPath    = tenantPath + "/attributes"
	attributePath     = attributesPath + "/{name}"
	segmentsPath      = tenantPath + "/segments"
	segmentPath       = segmentsPath + "/{id}"
)

func (h *Handler) routes() []httpapi.Route {
	const (
		get, put, post, patch, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete
		admin, manage              = httpapi.Admin, httpapi.Manage
		portal                     = httpapi.Manage | httpapi.Portal
	)
	with := func(names []string, more ...string) []string { return append(slices.Clip(names), more...) }
	return h.guarded([]httpapi.Route{
		{Method: get, Pattern: "/healthz", Roles: httpapi.Anyone, Handle: h.healthz},
		{Method: get, Pattern: "/openapi.json", Roles: httpapi.Anyone, Handle: h.document},
		{Method: get, Pattern: "/docs", Roles: httpapi.Anyone, Handle: h.docs},
		{Method: get, Pattern: "/v1/tenants", Roles: admin, Query: httpapi.PageQuery, Handle: h.listTenants},
		{Method: put, Pattern: tenantPath, Roles: admin, Handle: h.putTenant},
		{Method: del, Pattern: tenantPath, Roles: admin, Handle: h.deleteTenant},

		{Method: post, Pattern: eventsPath, Origins: true}, // ingest
		{Method: get, Pattern: eventsPath, Roles: manage, Query: with(httpapi.TimeQuery, "type", "subject"), Handle: h.listEvents},
		{Method: get, Pattern: eventsPath + "/{id}", Roles: manage, Query: []string{"source"}, Handle: h.getEvent},
		{Method: post, Pattern: eventsPath + "/{id}/replay", Roles: manage, Query: []string{"source"}, Handle: h.replayEvent},
		{Method: post, Pattern: eventsPath + "/{id}/expunge", Roles: manage, Query: []string{"source"}, Handle: h.expungeEvent},

		{Method: post, Pattern: subscriptionsPath, Roles: portal, Handle: h.createSubscription},
		{Method: get, Pattern: subscriptionsPath, Roles: portal, Query: httpapi.PageQuery, Handle: h.listSubscriptions},
		{Method: get, Pattern: subscriptionPath, Roles: portal, Handle: h.getSubscription},
		{Method: put, Pattern: subscriptionPath, Roles: portal, Handle: h.putSubscription},
		{Method: patch, Pattern: subscriptionPath, Roles: portal, Handle: h.patchSubscription},
		{Method: del, Pattern: subscriptionPath, Roles: portal, Handle: h.deleteSubscription},
		{Method: post, Pattern: subscriptionPath + "/pause", Roles: portal, Handle: h.pause},
		{Method: post, Pattern: subscriptionPath + "/resume", Roles: portal, Handle: h.resume},
		{Method: get, Pattern: subscriptionPath + "/secret", Roles: portal, Handle: h.getSecret},
		{Method: post, Pattern: subscriptionPath + "/rotate-secret", Roles: portal, Handle: h.rotateSecret},

		{Method: post, Pattern: tenantPath + "/preview", Roles: portal, Handle: h.preview},
		{Method: post, Pattern: subscriptionPath + "/preview", Roles: portal, Handle: h.preview},
		{Method: post, Pattern: subscriptionPath + "/test", Roles: portal, Handle: h.test, Within: httpapi.Longest},
		{Method: get, Pattern: statePath, Roles: manage, Handle: h.getState},
		{Method: del, Pattern: statePath, Roles: manage, Handle: h.deleteState},

		{Method: get, Pattern: secretsPath, Roles: manage, Query: httpapi.PageQuery, Handle: h.listSecrets},
		{Method: put, Pattern: secretPath, Roles: manage, Handle: h.putSecret},
		{Method: get, Pattern: secretPath, Roles: manage, Handle: h.getSecretName},
		{Method: del, Pattern: secretPath, Roles: manage, Handle: h.deleteSecret},

		{Method: get, Pattern: statsPath, Roles: manage, Query: []string{"subscription", "after", "before"}, Handle: h.getStats},

		{Method: get, Pattern: typesPath, Roles: manage, Query: httpapi.PageQuery, Handle: h.listEventTypes},
		{Method: put, Pattern: typePath, Roles: manage, Handle: h.putEventType},
		{Method: get, Pattern: typePath, Roles: manage, Handle: h.getEventType},
		{Method: del, Pattern: typePath, Roles: manage, Handle: h.deleteEventType},

		{Method: post, Pattern: profilesPath, Roles: manage, Handle: h.postProfiles},
		{Method: get, Pattern: profilesPath, Roles: manage, Query: with(httpapi.PageQuery, "segment"), Handle: h.listProfiles},
		{Method: get, Pattern: profilePath, Roles: manage, Handle: h.getProfile},
		{Method: put, Pattern: profilePath, Roles: manage, Handle: h.putProfile},
		{Method: patch, Pattern: profilePath, Roles: manage, Handle: h.patchProfile},
		{Method: del, Pattern: profilePath, Roles: manage, Handle: h.deleteProfile},
		{Method: get, Pattern: attributesPath, Roles: manage, Handle: h.listAttributes},
		{Method: get, Pattern: attributePath, Roles: manage, Handle: h.getAttribute},
		{Method: put, Pattern: attributePath, Roles: manage, Handle: h.putAttribute},
		{Method: del, Pattern: attributePath, Roles: manage, Query: []string{"values"}, Handle: h.deleteAttribute},
		{Method: get, Pattern: segmentsPath, Roles: manage, Handle: h.listSegments},
		{Method: get, Pattern: segmentPath, Roles: manage, Handle: h.getSegment},
		{Method: put, Pattern: segmentPath, Roles: manage, Handle: h.putSegment},
		{Method: del, Pattern: segmentPath, Roles: manage, Handle: h.deleteSegment},

		{Method: post, Pattern: keysPath, Roles: admin, Handle: h.createKey},
		{Method: get, Pattern: keysPath, Roles: admin, Query: httpapi.PageQuery, Handle: h.listKeys},
		{Method: del, Pattern: keysPath + "/{id}", Roles: admin, Handle: h.deleteKey},

		{Method: get, Pattern: deliveriesPath, Roles: portal, Query: with(httpapi.TimeQuery, "subscription", "event", "source", "status", "subject"), Handle: h.listDeliveries},
		{Method: get, Pattern: deliveryPath, Roles: portal, Handle: h.getDelivery},
		{Method: post, Pattern: deliveryPath + "/retry", Roles: portal, Handle: h.retryDelivery},
		{Method: post, Pattern: deliveryPath + "/cancel", Roles: portal, Handle: h.cancelDelivery},

		{Method: post, Pattern: subscriptionPath + "/recover", Roles: portal, Handle: h.recover},
		{Method: post, Pattern: tenantPath + "/recover", Roles: manage, Handle: h.recover},
		{Method: get, Pattern: jobsPath, Roles: portal, Query: httpapi.PageQuery, Handle: h.listJobs},
		{Method: get, Pattern: jobsPath + "/{id}", Roles: portal, Handle: h.getJob},
		{Method: post, Pattern: tenantPath + "/sends", Roles: manage, Handle: h.send},
		{Method: post, Pattern: jobsPath + "/{id}/stop", Roles: manage, Handle: h.stopJob},
	})
}

// now is our clock in the precision that is stored.
func (h *Handler) now() time.Time {
	clock := time.Now
	if h.Now != nil {
		clock = h.Now
	}
	return clock().UTC().Truncate(time.Millisecond)
}

func (h *Handler) log() *slog.Logger {
	if h.Log != nil {
		return h.Log
	}
	return slog.New(slog.DiscardHandler)
}

// maxTries bounds how often a write is tried anew when others were faster.
const maxTries = 20

// retry calls write until nobody else changed what it changes.
func retry(ctx context.Context, write func() error) error {
	err := write()
	for n := 1; n < maxTries && isConflict(err) && ctx.Err() == nil; n++ {
		err = write()
	}
	if isConflict(err) {
		return httpapi.ChangedMeanwhile.Problem("Other requests changed the same object at the same time. Send the request again.").After(time.Second).Because(err)
	}
	return err
}
