package manage

import (
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// maxPause is how long a send may be paused: its events are those of its beginning.
const maxPause = 7 * 24 * time.Hour

// stop ends a send before its time. What it has published goes its way.
func (h *sends) stop(r *httpapi.Request) (httpapi.Response, error) {
	j, err := h.change(r, func(j *webhook.Job) bool {
		if j.Status != webhook.JobRunning && j.Status != webhook.JobPaused {
			return false
		}
		h.end(j, "It was stopped by a request.")
		return true
	})
	return httpapi.OK(viewJob(j)), err
}

// end stops a job. No subject stays in one that is over.
func (h *sends) end(j *webhook.Job, detail string) {
	j.Status, j.Detail, j.EndedAt = webhook.JobStopped, detail, h.now()
	j.Send.Named, j.Send.Subjects, j.Decided, j.Position = len(j.Send.Subjects), nil, nil, ""
}

// pause has a send wait until it is resumed. What it has published goes its way.
func (h *sends) pause(r *httpapi.Request) (httpapi.Response, error) {
	j, err := h.change(r, func(j *webhook.Job) bool {
		if j.Status != webhook.JobRunning {
			return false
		}
		j.Status, j.Detail = webhook.JobPaused, "It was paused by a request."
		return true
	})
	return httpapi.OK(viewJob(j)), err
}

// resume has a paused send go on where it was. A repeat asks for its slice once more,
// in case that whoever resumed it died before.
func (h *sends) resume(r *httpapi.Request) (httpapi.Response, error) {
	j, err := h.change(r, func(j *webhook.Job) bool {
		if j.Status != webhook.JobPaused {
			return false
		}
		if h.now().Sub(j.UpdatedAt) > maxPause {
			h.end(j, "It was paused for more than 7 days.")
			return true
		}
		j.Status, j.Detail = webhook.JobRunning, ""
		return true
	})
	if err != nil || j.Status != webhook.JobRunning {
		return httpapi.OK(viewJob(j)), err
	}
	if err := h.Store.PutDue(r.Context(), message.AuditJob(message.NextSlice(j)).Due(h.now().Add(jobAudit))); err != nil {
		return httpapi.Response{}, fmt.Errorf("arrange audit of job %s: %w", j.ID, err)
	}
	h.jobs.startSlice(r, j)
	return httpapi.OK(viewJob(j)), nil
}

// change changes the send of the path, unless there is nothing to change.
func (h *sends) change(r *httpapi.Request, change func(j *webhook.Job) bool) (j webhook.Job, err error) {
	id := r.PathValue("id")
	if !jobID.MatchString(id) {
		return j, errNoJob
	}
	if err := r.Empty(); err != nil {
		return j, err
	}
	err = retry(r.Context(), func() (err error) {
		if j, err = h.Store.Job(r.Context(), r.Tenant, id); err != nil {
			return err
		}
		if j.Kind != webhook.JobSend {
			return httpapi.JobNotStoppable.Problem("Only a send can be stopped, paused and resumed.")
		}
		if !change(&j) {
			return nil
		}
		j.UpdatedAt = h.now()
		err = h.Store.SaveJob(r.Context(), j)
		j.Rev++
		return err
	})
	if errors.Is(err, webhook.ErrNotFound) {
		err = errNoJob
	}
	return j, err
}
