package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// sends serves jobs that publish an event for each profile of a group.
type sends struct {
	*Handler
	Store    Jobs
	versions *versions
	segments *segments
	jobs     *jobs
}

func (h *sends) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: tenantPath + "/sends", Roles: manage, Handle: h.post},
		{Method: post, Pattern: jobsPath + "/{id}/stop", Roles: manage, Handle: h.stop},
		{Method: post, Pattern: jobsPath + "/{id}/pause", Roles: manage, Handle: h.pause},
		{Method: post, Pattern: jobsPath + "/{id}/resume", Roles: manage, Handle: h.resume},
	}
}

// Limits of a send.
const (
	maxSendSubjects = 1000
	maxSubjectBytes = 128 << 10 // of all of them
	maxSendData     = 16 << 10  // bytes
	maxSendRate     = 10_000    // events a second
	maxSendAhead    = 30 * 24 * time.Hour
)

// post starts a job that publishes an event for each profile in a group.
func (h *sends) post(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	j, err := readSend(body, h.jobs.begin(webhook.JobSend))
	if err != nil {
		return httpapi.Response{}, err
	}
	j.Tenant = r.Tenant
	if err := h.check(r, *j.Send); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	return h.jobs.start(r, j)
}

// check refuses a send to a subscription that would not get its events, or to a
// segment that does not exist.
func (h *sends) check(r *httpapi.Request, s webhook.Send) error {
	var faults httpapi.Faults
	sub, err := h.versions.current(r.Context(), webhook.SubscriptionRef{Tenant: r.Tenant, ID: s.Subscription})
	switch {
	case errors.Is(err, errNoSubscription):
		faults.Add("subscription", "there is no subscription of this id: GET /subscriptions lists them")
	case err != nil:
		return err
	case !pattern.TypesMatch(sub.Types, webhook.SendType):
		faults.Add("subscription", "its types do not include %q, which the events of a send have", webhook.SendType)
	}
	if s.Segment != "" {
		if err := h.segments.unknownSegments(r, "segment", []string{s.Segment}, &faults); err != nil {
			return err
		}
	}
	return faults.Err()
}

var sendFields = []string{"subscription", "segment", "filter", "subjects", "data", "rate", "at", "local_time", "zone", "default_zone", "dry_run"}

// readSend reads {"subscription", one of "segment", "filter" and "subjects",
// ["data","rate","at","local_time","zone","default_zone","dry_run"]} into a new job.
func readSend(body strictjson.Value, j webhook.Job) (webhook.Job, error) {
	j.Send = &webhook.Send{}
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
		return j, faults.Err()
	}
	groups := 0
	for field, v := range body.Members() {
		if v.Kind() == strictjson.Null && slices.Contains(sendFields, field) {
			continue
		}
		if field == "segment" || field == "filter" || field == "subjects" {
			groups++
		}
		readSendField(field, v, &j, &faults)
	}
	if j.Send.Subscription == "" && !faults.Any() {
		faults.Add("subscription", "required: the subscription that gets the events")
	}
	if groups != 1 {
		faults.Add("segment", "want exactly one of segment, filter and subjects")
	}
	judgeClock(*j.Send, &faults)
	return j, faults.Err()
}

// judgeClock judges when each person gets it.
func judgeClock(s webhook.Send, faults *httpapi.Faults) {
	if s.LocalTime == "" {
		if s.Zone != "" || s.DefaultZone != "" {
			faults.Add("zone", `needs local_time: the time of the day at which each person gets it, like "10:00"`)
		}
		return
	}
	if s.Zone == "" {
		faults.Add("zone", `required beside local_time: the name of a time zone like "Europe/Rome", or a path like profile.tz`)
		return
	}
	var wrong pattern.Errors
	if _, err := quiet.ReadClock(s.LocalTime, s.Zone, s.DefaultZone); errors.As(err, &wrong) {
		for _, e := range wrong {
			faults.Add(e.Field, "%s", e.Detail)
		}
	}
}

func readSendField(field string, v strictjson.Value, j *webhook.Job, faults *httpapi.Faults) {
	text, isText := v.Text()
	number, isNumber := v.Int()
	switch field {
	case "subscription":
		if j.Send.Subscription = text; !isText || text == "" {
			faults.Add(field, "want the id of a subscription")
		}
	case "segment":
		if j.Send.Segment = text; !isText || text == "" {
			faults.Add(field, "want the id of a segment")
		}
	case "filter":
		j.Send.Filter = json.RawMessage(v.Compact())
		judgeGroup(j.Send.Filter, faults)
	case "subjects":
		j.Send.Subjects = readSubjects(v, faults)
	case "data":
		if j.Send.Data = json.RawMessage(v.Compact()); len(j.Send.Data) > maxSendData {
			faults.Add(field, "want at most %d bytes", maxSendData)
		}
	case "rate":
		if j.Send.Rate = int(number); !isNumber || number < 1 || number > maxSendRate {
			faults.Add(field, "want a number of events a second from 1 to %d", maxSendRate)
		}
	case "at":
		j.Send.At = readTime(field, text, isText, faults).Truncate(time.Millisecond)
		if j.Send.At.Sub(j.CreatedAt) > maxSendAhead {
			faults.Add(field, "want a time within the next 30 days")
		}
	case "local_time", "zone", "default_zone":
		into := map[string]*string{"local_time": &j.Send.LocalTime, "zone": &j.Send.Zone, "default_zone": &j.Send.DefaultZone}
		if *into[field] = text; !isText || text == "" {
			faults.Add(field, "want a string that is not empty")
		}
	case "dry_run":
		if j.DryRun = string(v) == "true"; v.Kind() != strictjson.Bool {
			faults.Add(field, "want true or false")
		}
	default:
		faults.Unknown("", field, sendFields)
	}
}

func readSubjects(v strictjson.Value, faults *httpapi.Faults) (subjects []string) {
	if n := v.Len(maxSendSubjects + 1); v.Kind() != strictjson.Array || n == 0 || n > maxSendSubjects || len(v) > maxSubjectBytes {
		faults.Add("subjects", "want a list of 1 to %d subjects, of at most %d bytes", maxSendSubjects, maxSubjectBytes)
		return nil
	}
	for i, element := range v.Elements() {
		subject, _ := element.Text()
		field := fmt.Sprintf("subjects[%d]", i)
		if wrong := attribute.Subject(subject); wrong != "" {
			faults.Add(field, "%s", wrong)
		} else if slices.Contains(subjects, subject) {
			faults.Add(field, "is there twice")
		}
		subjects = append(subjects, subject)
	}
	return subjects
}
