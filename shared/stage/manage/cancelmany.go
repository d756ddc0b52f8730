package manage

import (
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// cancelsOfMany serves jobs that cancel what waits for a subscription.
type cancelsOfMany struct {
	*Handler
	versions *versions
	jobs     *jobs
}

func (h *cancelsOfMany) routes() []httpapi.Route {
	return []httpapi.Route{{Method: post, Pattern: deliveriesPath + "/cancel", Roles: manage, Handle: h.post}}
}

// post starts a job that cancels the deliveries of a subscription that wait.
func (h *cancelsOfMany) post(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	j, err := readCancel(body, h.jobs.begin(webhook.JobCancel))
	if err != nil {
		return httpapi.Response{}, err
	}
	head, err := h.versions.head(r, j.Subscription)
	if err != nil {
		return httpapi.Response{}, err
	}
	if head.Version == 0 {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "subscription", Detail: "there is no subscription of this id: GET /subscriptions lists them"})
	}
	j.Tenant, j.Born = r.Tenant, head.Born
	return h.jobs.start(r, j)
}

var cancelFields = []string{"subscription", "waiting", "after", "before", "dry_run"}

// cancelable is what deliveries can wait for.
var cancelable = []webhook.Waiting{
	webhook.WaitTimer, webhook.WaitQuiet, webhook.WaitRetry, webhook.WaitPaused, webhook.WaitDisabled, webhook.WaitBreaker, webhook.WaitRateLimit, webhook.WaitPull,
}

// readCancel reads {"subscription",["waiting","after","before","dry_run"]} into a new
// job.
func readCancel(body strictjson.Value, j webhook.Job) (webhook.Job, error) {
	latest := j.CreatedAt.Add(time.Millisecond) // what comes later is not meant
	j.Before = latest
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
		return j, faults.Err()
	}
	for field, v := range body.Members() {
		text, isText := v.Text()
		if v.Kind() == strictjson.Null && slices.Contains(cancelFields, field) {
			continue
		}
		switch field {
		case "subscription":
			if j.Subscription = text; !isText || !subscription.ValidID(text) {
				faults.Add(field, subscription.IDSyntax)
			}
		case "waiting":
			j.Waiting = readWaiting(v, &faults)
		case "after":
			j.After = readTime(field, text, isText, &faults)
		case "before":
			j.Before = readTime(field, text, isText, &faults)
		case "dry_run":
			if j.DryRun = string(v) == "true"; v.Kind() != strictjson.Bool {
				faults.Add(field, "want true or false")
			}
		default:
			faults.Unknown("", field, cancelFields)
		}
	}
	switch {
	case faults.Any():
	case j.Subscription == "":
		faults.Add("subscription", "required: the subscription whose deliveries are canceled")
	case !j.Before.After(j.After):
		faults.Add("before", "is not later than after")
	}
	if j.Before.After(latest) {
		j.Before = latest
	}
	return j, faults.Err()
}

// readWaiting reads a list of what deliveries wait for.
func readWaiting(v strictjson.Value, faults *httpapi.Faults) (list []webhook.Waiting) {
	if n := v.Len(len(cancelable) + 1); v.Kind() != strictjson.Array || n == 0 || n > len(cancelable) {
		faults.Add("waiting", `want a list like ["timer", "paused"]`)
		return nil
	}
	for i, element := range v.Elements() {
		text, _ := element.Text()
		if !slices.Contains(cancelable, webhook.Waiting(text)) {
			faults.Add(fmt.Sprintf("waiting[%d]", i), "want one of timer, quiet, retry, paused, disabled, breaker, rate_limit, pull")
		}
		list = append(list, webhook.Waiting(text))
	}
	return list
}
