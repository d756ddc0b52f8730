package manage

import (
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

// erase begins a job that removes what is known of a subject: its profile, what
// triggers keep for it, and the payloads of its events. There need be no profile.
func (h *profiles) erase(r *httpapi.Request, subject string) (httpapi.Response, error) {
	if r.Header.Get("If-Match") != "" {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "If-Match", Detail: "cannot be used with erase=true, which removes more than the profile"})
	}
	j := h.jobs.begin(webhook.JobErase)
	j.Tenant, j.Subject, j.Erased = r.Tenant, subject, &webhook.Erased{}
	return h.jobs.start(r, j)
}
