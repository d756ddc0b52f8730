package manage

import (
	"fmt"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

const segmentCountPath = segmentPath + "/count"

// segmentCounts serves how many profiles are in a segment.
type segmentCounts struct {
	*Handler
	profiles    *profiles
	definitions *definitions
	jobs        *jobs
}

func (h *segmentCounts) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: segmentCountPath, Roles: manage, Handle: h.get},
		{Method: post, Pattern: segmentCountPath, Roles: manage, Handle: h.post},
	}
}

// enoughProfiles is how many are looked at at once: a share of a sixteenth is looked
// through to its end.
const enoughProfiles = 5000

// countView is how many profiles are in a segment.
type countView struct {
	Segment  string `json:"segment"`
	Count    int    `json:"count"`
	Profiles int    `json:"profiles"` // of the tenant
	Exact    bool   `json:"exact"`    // false: both are estimated
	Looked   int    `json:"looked"`   // at so many profiles
}

// get counts at once: all profiles if they are few, or else those of some shares,
// which stand for all.
func (h *segmentCounts) get(r *httpapi.Request) (httpapi.Response, error) {
	d, err := h.defined(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, share := countView{Segment: r.PathValue("id")}, 0
	for view.Looked < enoughProfiles && share < webhook.ProfileShares {
		if err := h.countShare(r, d, share, &view); err != nil {
			return httpapi.Response{}, err
		}
		share++
	}
	view.Exact, view.Profiles = share == webhook.ProfileShares, view.Looked
	if !view.Exact {
		view.Count, view.Profiles = scaled(view.Count, share), scaled(view.Profiles, share)
	}
	return httpapi.OK(view), nil
}

// scaled is what a number of some shares says of all.
func scaled(n, shares int) int { return (n*webhook.ProfileShares + shares/2) / shares }

// defined is what the tenant has defined, with the segment of the path.
func (h *segmentCounts) defined(r *httpapi.Request) (*people.Definitions, error) {
	d, err := h.definitions.compiled(r)
	if err == nil && !d.Has(r.PathValue("id")) {
		err = errNoSegment
	}
	return d, err
}

func (h *segmentCounts) countShare(r *httpapi.Request, d *people.Definitions, share int, view *countView) error {
	for page := (webhook.Page{Limit: headsPage}); ; {
		profiles, next, err := h.profiles.Store.PageProfileShare(r.Context(), r.Tenant, share, page)
		if err != nil {
			return fmt.Errorf("list profiles: %w", err)
		}
		for _, p := range profiles {
			known, err := d.ViewOf(p)
			if err != nil {
				return err
			}
			in, err := d.SegmentsOf(p.Subject, known)
			if err != nil {
				return err
			}
			if view.Looked++; slices.Contains(in, view.Segment) {
				view.Count++
			}
		}
		if page.Position = next; next == "" {
			return nil
		}
	}
}

// post starts a job that counts exactly.
func (h *segmentCounts) post(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.Empty(); err != nil {
		return httpapi.Response{}, err
	}
	if _, err := h.defined(r); err != nil {
		return httpapi.Response{}, err
	}
	j := h.jobs.begin(webhook.JobCount)
	j.Tenant, j.DryRun, j.Send = r.Tenant, true, &webhook.Send{Segment: r.PathValue("id")}
	return h.jobs.start(r, j)
}
