package manage

import (
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/rfc3339"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// recovers serves jobs that send again what has ended badly.
type recovers struct {
	*Handler
	Store    Jobs
	versions *versions
	jobs     *jobs
}

func (h *recovers) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: subscriptionPath + "/recover", Roles: portal, Handle: h.post},
		{Method: post, Pattern: tenantPath + "/recover", Roles: manage, Handle: h.post},
	}
}

// post starts a job that sends again what has ended badly: of the path's
// subscription, or of the whole tenant.
func (h *recovers) post(r *httpapi.Request) (httpapi.Response, error) {
	id := r.PathValue("id")
	if id != "" && !subscription.ValidID(id) {
		return httpapi.Response{}, errNoSubscription
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	j, err := readRecover(body, h.jobs.begin(webhook.JobRecover))
	if err != nil {
		return httpapi.Response{}, err
	}
	j.Tenant, j.Subscription = r.Tenant, id
	if id != "" {
		head, err := h.versions.head(r, id)
		if err != nil {
			return httpapi.Response{}, err
		}
		if head.Version == 0 {
			return httpapi.Response{}, errNoSubscription
		}
		j.Born = head.Born
	}
	if err := h.claim(r, j); err != nil {
		return httpapi.Response{}, err
	}
	response, err := h.jobs.start(r, j)
	if err != nil {
		_, _ = h.Store.Lease(r.Context(), recovered(j), webhook.RecoverLease, j.ID, j.CreatedAt, j.CreatedAt) // it ends soon by itself
	}
	return response, err
}

// recovered names what a recover holds.
func recovered(j webhook.Job) webhook.SubscriptionRef {
	return webhook.SubscriptionRef{Tenant: j.Tenant, ID: j.Subscription}
}

var recoverFields = []string{"after", "before", "status", "dry_run"}

// readRecover reads {"after",["before","status","dry_run"]} into a new job.
func readRecover(body strictjson.Value, j webhook.Job) (webhook.Job, error) {
	now := j.CreatedAt
	latest := now.Add(time.Millisecond) // what is accepted later has not failed yet
	j.Before, j.Of = latest, webhook.Exhausted
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
		return j, faults.Err()
	}
	for field, v := range body.Members() {
		text, isText := v.Text()
		if v.Kind() == strictjson.Null && slices.Contains(recoverFields, field) {
			continue
		}
		switch field {
		case "after":
			j.After = readTime(field, text, isText, &faults)
		case "before":
			j.Before = readTime(field, text, isText, &faults)
		case "status":
			if j.Of = webhook.Status(text); !isText || j.Of != webhook.Exhausted && j.Of != webhook.Canceled {
				faults.Add(field, `want "exhausted" or "canceled"; what succeeded is sent again by replay, under new ids`)
			}
		case "dry_run":
			if j.DryRun = string(v) == "true"; v.Kind() != strictjson.Bool {
				faults.Add(field, "want true or false")
			}
		default:
			faults.Unknown("", field, recoverFields)
		}
	}
	switch {
	case faults.Any():
	case j.After.IsZero():
		faults.Add("after", "is required: only events accepted after this time")
	case j.After.After(now):
		faults.Add("after", "is in the future")
	case !j.Before.After(j.After):
		faults.Add("before", "is not later than after")
	}
	if j.Before.After(latest) {
		j.Before = latest
	}
	return j, faults.Err()
}

func readTime(field, text string, isText bool, faults *httpapi.Faults) (t time.Time) {
	t, err := rfc3339.Parse(text)
	if !isText || err != nil {
		faults.Add(field, rfc3339.Wanted)
	}
	return t.UTC()
}

// claim is a 409 while another recover is at work: on the same
// subscription, or on all of the tenant's.
func (h *recovers) claim(r *httpapi.Request, j webhook.Job) error {
	conflict := httpapi.RecoverRunning.Problem("Another recover runs for this subscription or tenant. GET /jobs shows it. Wait until it is done.")
	whole, until := webhook.SubscriptionRef{Tenant: j.Tenant}, j.CreatedAt.Add(jobBegun)
	if j.Subscription != "" {
		free, err := h.Store.Lease(r.Context(), whole, webhook.RecoverLease, j.ID, j.CreatedAt, j.CreatedAt)
		if err != nil {
			return fmt.Errorf("lease: %w", err)
		}
		if !free {
			return conflict
		}
	}
	held, err := h.Store.Lease(r.Context(), recovered(j), webhook.RecoverLease, j.ID, j.CreatedAt, until)
	if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	if !held {
		return conflict
	}
	return nil
}
