package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

const jobsPath = tenantPath + "/jobs"

// jobs serves what is known of jobs, and begins them.
type jobs struct {
	*Handler
	Store Jobs
}

func (h *jobs) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: jobsPath, Roles: portal, Query: httpapi.PageQuery, Handle: h.list},
		{Method: get, Pattern: jobsPath + "/{id}", Roles: portal, Handle: h.get},
	}
}

// Jobs keeps what is known of each job.
type Jobs interface {
	// Job, SaveJob, PutDue, Lease: see package job's Jobs.
	Job(ctx context.Context, tenant, id string) (webhook.Job, error)
	SaveJob(ctx context.Context, j webhook.Job) error
	PutDue(ctx context.Context, due webhook.Due) error
	Lease(ctx context.Context, sub webhook.SubscriptionRef, work, token string, now, until time.Time) (bool, error)
	// PageJobs lists jobs by id, which is in order of creation.
	PageJobs(ctx context.Context, tenant string, page webhook.Page) (jobs []webhook.Job, next string, err error)
}

// jobView is a job as callers see it.
type jobView struct {
	ID           string            `json:"id"`
	Kind         webhook.JobKind   `json:"kind"`
	Subscription *string           `json:"subscription"` // null for the whole tenant
	Tenant       string            `json:"tenant"`       // whose things it works on
	Status       webhook.JobStatus `json:"status"`
	Detail       *string           `json:"detail"` // why it stopped; null if it did not
	After        httpapi.Time      `json:"after"`
	Before       httpapi.Time      `json:"before"`
	Of           *webhook.Status   `json:"of"` // deliveries that ended so; null but for a recover
	DryRun       bool              `json:"dry_run"`
	Send         *sendView         `json:"send"`              // null but for a send
	Waiting      []webhook.Waiting `json:"waiting,omitempty"` // of a cancel
	Segment      *string           `json:"segment,omitempty"` // of a count
	Erased       *webhook.Erased   `json:"erased,omitempty"`  // of an erasure
	Counts       webhook.JobCounts `json:"counts"`
	Progress     *float64          `json:"progress"` // null where nobody knows how much there is
	Reached      httpapi.Time      `json:"reached"`
	CreatedAt    httpapi.Time      `json:"created_at"`
	UpdatedAt    httpapi.Time      `json:"updated_at"`
	EndedAt      httpapi.Time      `json:"ended_at"`
}

// sendView is to whom a send goes, and what.
type sendView struct {
	Subscription string          `json:"subscription"`
	Segment      *string         `json:"segment"`
	Filter       json.RawMessage `json:"filter"`
	Subjects     *int            `json:"subjects"` // how many were named
	Data         json.RawMessage `json:"data"`
	Rate         *int            `json:"rate"`
	At           httpapi.Time    `json:"at"`
	LocalTime    *string         `json:"local_time"`
	Zone         *string         `json:"zone"`
	DefaultZone  *string         `json:"default_zone"`
}

func viewSend(s *webhook.Send) *sendView {
	if s == nil {
		return nil
	}
	v := &sendView{Subscription: s.Subscription, Segment: present(s.Segment), Filter: s.Filter, Data: s.Data, At: httpapi.Time(s.At),
		LocalTime: present(s.LocalTime), Zone: present(s.Zone), DefaultZone: present(s.DefaultZone)}
	if n := max(len(s.Subjects), s.Named); n > 0 {
		v.Subjects = &n
	}
	if s.Rate > 0 {
		v.Rate = &s.Rate
	}
	return v
}

func viewJob(j webhook.Job) jobView {
	var counted *string
	if j.Kind == webhook.JobCount {
		counted, j.Send = &j.Send.Segment, nil
	}
	return jobView{
		ID: j.ID, Kind: j.Kind, Subscription: present(j.Subscription), Tenant: cmp.Or(j.Target, j.Tenant), Status: j.Status, Detail: present(j.Detail),
		Send: viewSend(j.Send), Waiting: j.Waiting, Segment: counted, Erased: j.Erased, After: httpapi.Time(j.After), Before: httpapi.Time(j.Before), Of: present(j.Of), DryRun: j.DryRun,
		Counts: j.Counts, Progress: progress(j), Reached: httpapi.Time(j.Reached),
		CreatedAt: httpapi.Time(j.CreatedAt), UpdatedAt: httpapi.Time(j.UpdatedAt), EndedAt: httpapi.Time(j.EndedAt),
	}
}

// present returns nil for "".
func present[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// progress is how much of a recover's range of time has been worked through;
// how many deliveries lie in the rest nobody knows without looking.
func progress(j webhook.Job) *float64 {
	share := 0.0
	switch whole := j.Before.Sub(j.After); {
	case j.Status == webhook.JobDone:
		share = 1
	case j.Kind != webhook.JobRecover || whole <= 0:
		return nil
	case j.Reached.After(j.After):
		share = min(1, math.Floor(1000*float64(j.Reached.Sub(j.After))/float64(whole))/1000) // rounded up, it would be done before it is
	}
	return &share
}

var errNoJob = httpapi.JobNotFound.Problem("The job does not exist, or its retention has ended. GET /jobs lists them.")

var jobID = regexp.MustCompile(`^job_[0-9a-z]{26}$`)

func (h *jobs) get(r *httpapi.Request) (httpapi.Response, error) {
	id := r.PathValue("id")
	if !jobID.MatchString(id) {
		return httpapi.Response{}, errNoJob
	}
	j, err := h.Store.Job(r.Context(), r.Tenant, id)
	if err == nil && !maySee(r, j) {
		err = webhook.ErrNotFound
	}
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.Response{}, errNoJob
	}
	return httpapi.OK(viewJob(j)), err
}

// maySee reports whether a job is the caller's business: a portal key's are
// those of one subscription.
func maySee(r *httpapi.Request, j webhook.Job) bool {
	return r.Principal.Role != httpapi.Portal || j.Subscription != ""
}

// list lists the newest first, unless asked otherwise. What is not the
// caller's business is left out, so that a page may be short.
func (h *jobs) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	jobs, next, err := h.Store.PageJobs(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := make([]jobView, 0, len(jobs))
	for _, j := range jobs {
		if maySee(r, j) {
			views = append(views, viewJob(j))
		}
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

// Times of a job that begins. See package job, which keeps them up.
const (
	jobBegun = 2 * time.Minute // how long it is held for a job that never begins
	jobAudit = 5 * time.Minute // when it is looked at whether it began
)

// begin makes a job that runs.
func (h *jobs) begin(kind webhook.JobKind) webhook.Job {
	now := h.now()
	return webhook.Job{ID: h.newID("job_"), Kind: kind, Status: webhook.JobRunning, CreatedAt: now, UpdatedAt: now}
}

// store stores a new job, behind the pointer that finds it should we die
// before it begins.
func (h *jobs) store(r *httpapi.Request, j webhook.Job) error {
	if err := h.Store.PutDue(r.Context(), message.AuditJob(message.NextSlice(j)).Due(j.CreatedAt.Add(jobAudit))); err != nil {
		return fmt.Errorf("arrange audit of job %s: %w", j.ID, err)
	}
	if err := h.Store.SaveJob(r.Context(), j); err != nil && !errors.Is(err, webhook.ErrConflict) { // a repeat of ours whose answer was lost
		return fmt.Errorf("store job %s: %w", j.ID, err)
	}
	r.Note(slog.String("job", j.ID), slog.String("kind", string(j.Kind)))
	return nil
}

// start stores the job, asks for its first slice, and answers with it.
func (h *jobs) start(r *httpapi.Request, j webhook.Job) (httpapi.Response, error) {
	if err := h.store(r, j); err != nil {
		return httpapi.Response{}, err
	}
	h.startSlice(r, j)
	location := "/v1/tenants/" + j.Tenant + "/jobs/" + j.ID
	return httpapi.Response{Status: http.StatusAccepted, Header: http.Header{"Location": {location}}, Body: viewJob(j)}, nil
}

// startSlice asks for a job's first slice. If that fails, the job's audit does.
func (h *jobs) startSlice(r *httpapi.Request, j webhook.Job) {
	if err := h.resend(r.Context(), message.NextSlice(j), 0); err != nil {
		h.log().Warn("start job", "tenant", j.Tenant, "job", j.ID, "cause", err)
	}
}
