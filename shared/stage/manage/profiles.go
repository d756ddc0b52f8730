package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of profiles.
const (
	profilesPath = tenantPath + "/profiles"
	profilePath  = profilesPath + "/{subject}"
)

// profiles serves what is known of subjects.
type profiles struct {
	*Handler
	Store       Profiles
	definitions *definitions
	jobs        *jobs
}

func (h *profiles) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: profilesPath, Roles: manage, Handle: h.post},
		{Method: get, Pattern: profilesPath, Roles: manage, Query: with(httpapi.PageQuery, "segment"), Handle: h.list},
		{Method: get, Pattern: profilePath, Roles: manage, Handle: h.get},
		{Method: put, Pattern: profilePath, Roles: manage, Handle: h.put},
		{Method: patch, Pattern: profilePath, Roles: manage, Handle: h.patch},
		{Method: del, Pattern: profilePath, Roles: manage, Query: []string{"erase"}, Handle: h.delete},
	}
}

// Profiles keeps profiles.
type Profiles interface {
	// Profiles returns the profiles that exist, consistently, by subject.
	Profiles(ctx context.Context, tenant string, subjects []string) (map[string]webhook.Profile, error)
	// SaveProfile stores a profile in place of the revision before, or returns
	// [webhook.ErrConflict].
	SaveProfile(ctx context.Context, p webhook.Profile) error
	// DeleteProfile removes a profile, or returns [webhook.ErrNotFound].
	DeleteProfile(ctx context.Context, tenant, subject string) error
	// PageProfiles lists profiles in an order of the store's own.
	PageProfiles(ctx context.Context, tenant string, page webhook.Page) (profiles []webhook.Profile, next string, err error)
	// PageProfileShare lists the profiles of one of [webhook.ProfileShares] shares of
	// about the same size: which one a profile is in follows from its subject alone.
	PageProfileShare(ctx context.Context, tenant string, share int, page webhook.Page) (profiles []webhook.Profile, next string, err error)
}

// profileView is what is known of a subject.
type profileView struct {
	Subject    string          `json:"subject"`
	Attributes json.RawMessage `json:"attributes"` // written and computed
	Computed   []string        `json:"computed"`   // the attributes that follow from events
	Full       []string        `json:"full"`       // of these, those from which something was left out
	Segments   []string        `json:"segments"`
	Revision   int64           `json:"revision"`
	UpdatedAt  httpapi.Time    `json:"updated_at"`
}

var errNoProfile = httpapi.ProfileNotFound.Problem("There is no profile of this subject. PUT makes one.")

func viewProfile(d *people.Definitions, p webhook.Profile) (profileView, error) {
	v, err := d.ViewOf(p)
	if err != nil {
		return profileView{}, err
	}
	in, err := d.SegmentsOf(p.Subject, v)
	return profileView{
		Subject: p.Subject, Attributes: v.Attributes, Computed: listOf(v.Computed), Full: listOf(v.Full), Segments: in,
		Revision: p.Revision, UpdatedAt: httpapi.Time(p.UpdatedAt),
	}, err
}

func listOf(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

// etag is the revision of a profile as a header.
func etag(p webhook.Profile) http.Header {
	return http.Header{"Etag": {strconv.Quote(strconv.FormatInt(p.Revision, 10))}}
}

// of reads the profile of a subject; one that does not exist has no revision.
func (h *profiles) of(r *httpapi.Request, subject string) (webhook.Profile, error) {
	found, err := h.Store.Profiles(r.Context(), r.Tenant, []string{subject})
	if err != nil {
		return webhook.Profile{}, fmt.Errorf("read a profile: %w", err)
	}
	if p, ok := found[subject]; ok {
		return p, nil
	}
	return webhook.Profile{Tenant: r.Tenant, Subject: subject}, nil
}

func (h *profiles) get(r *httpapi.Request) (httpapi.Response, error) {
	subject := r.PathValue("subject")
	if attribute.Subject(subject) != "" {
		return httpapi.Response{}, errNoProfile
	}
	p, err := h.of(r, subject)
	if err != nil {
		return httpapi.Response{}, err
	}
	if p.Revision == 0 {
		return httpapi.Response{}, errNoProfile
	}
	return h.answer(r, http.StatusOK, p)
}

// answer answers with a profile and its revision.
func (h *profiles) answer(r *httpapi.Request, status int, p webhook.Profile) (httpapi.Response, error) {
	d, err := h.definitions.compiled(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	view, err := viewProfile(d, p)
	return httpapi.Response{Status: status, Header: etag(p), Body: view}, err
}

// put replaces the attributes that are written by hand.
func (h *profiles) put(r *httpapi.Request) (httpapi.Response, error) {
	return h.write(r, true, func(_, given people.Attributes) people.Attributes {
		replaced := people.Attributes{}
		replaced.Merge(given)
		return replaced
	})
}

// patch merges the attributes that are given into a profile that exists;
// null removes.
func (h *profiles) patch(r *httpapi.Request) (httpapi.Response, error) {
	return h.write(r, false, func(now, given people.Attributes) people.Attributes {
		now.Merge(given)
		return now
	})
}

// profileFields can be written back as they were read.
var profileFields = []string{"attributes", "subject", "computed", "full", "segments", "revision", "updated_at"}

func (h *profiles) write(r *httpapi.Request, whole bool, change func(now, given people.Attributes) people.Attributes) (httpapi.Response, error) {
	subject := r.PathValue("subject")
	if wrong := attribute.Subject(subject); wrong != "" {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "subject", Detail: wrong})
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	given, err := readProfile(body, subject, whole)
	if err != nil {
		return httpapi.Response{}, err
	}
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.definitions.compiled(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	var p webhook.Profile
	err = retry(r.Context(), func() (err error) {
		p, err = h.save(r, d, subject, wishedProfile{"attributes", given, change, !whole})
		return err
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	view, err := viewProfile(d, p)
	response := httpapi.Response{Status: http.StatusOK, Header: etag(p), Body: view}
	if p.Revision == 1 {
		response.Status = http.StatusCreated
		response.Header.Set("Location", "/v1/tenants/"+r.Tenant+"/profiles/"+url.PathEscape(subject))
	}
	return response, err
}

// readProfile returns the attributes of a body, which must have some to be a whole
// profile.
func readProfile(body strictjson.Value, subject string, whole bool) (given strictjson.Value, err error) {
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for name, v := range body.Members() {
		switch {
		case name == "attributes":
			given = v
		case name == "subject":
			if text, _ := v.Text(); text != subject {
				faults.Add(name, "is not the subject of the path")
			}
		default:
			if !slices.Contains(profileFields, name) {
				faults.Unknown("", name, profileFields)
			}
		}
	}
	if given == nil && !whole {
		given = strictjson.Value("{}")
	}
	if given == nil && !faults.Any() {
		faults.Add("attributes", `required, like {"attributes": {"plan": "gold"}}`)
	}
	return given, faults.Err()
}

// wishedProfile is a change of the attributes that are written by hand.
type wishedProfile struct {
	field  string // where the request has it
	given  strictjson.Value
	change func(now, given people.Attributes) people.Attributes
	exists bool // it must
}

// save is one try. Others may change the profile meanwhile: that is a
// conflict.
func (h *profiles) save(r *httpapi.Request, d *people.Definitions, subject string, wish wishedProfile) (p webhook.Profile, err error) {
	if p, err = h.of(r, subject); err != nil {
		return p, err
	}
	if p.Revision == 0 && wish.exists {
		return p, errNoProfile
	}
	if err := unchanged(r, p); err != nil {
		return p, err
	}
	if p, err = h.changed(d, p, wish); err != nil {
		return p, err
	}
	return p, h.Store.SaveProfile(r.Context(), p)
}

// changed returns a profile as it is wished, in its next revision.
func (h *profiles) changed(d *people.Definitions, p webhook.Profile, wish wishedProfile) (webhook.Profile, error) {
	computed, err := d.ComputedOf(p)
	if err != nil {
		return p, err
	}
	given, wrong := people.ReadAttributes(wish.given, wish.field, computed)
	if err := refused(wrong); err != nil {
		return p, err
	}
	now, err := people.Decode(p)
	if err != nil {
		return p, err
	}
	encoded, tooMuch := wish.change(now, given).Encode()
	if tooMuch != "" {
		return p, httpapi.Invalid(httpapi.FieldError{Field: wish.field, Detail: tooMuch})
	}
	p.Attributes, p.UpdatedAt = encoded, h.now()
	p.Revision++
	return p, nil
}

// unchanged refuses a request for another revision than the one that is stored.
func unchanged(r *httpapi.Request, p webhook.Profile) error {
	wanted := r.Header.Get("If-Match")
	if wanted == "" || wanted == "*" && p.Revision > 0 || wanted == etag(p).Get("Etag") {
		return nil
	}
	return httpapi.RevisionPassed.Problem(fmt.Sprintf("The profile has revision %d, which is not that of If-Match. Read it again, and repeat your change.", p.Revision))
}

// delete forgets what is known of a subject.
func (h *profiles) delete(r *httpapi.Request) (httpapi.Response, error) {
	subject := r.PathValue("subject")
	if attribute.Subject(subject) != "" {
		return httpapi.Response{}, errNoProfile
	}
	switch erase := r.Query.Get("erase"); {
	case erase == "true":
		return h.erase(r, subject)
	case r.Query.Has("erase") && erase != "false":
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "erase", Detail: "want true, which also removes what the subject's events and triggers hold, or false"})
	}
	if r.Header.Get("If-Match") != "" {
		p, err := h.of(r, subject)
		if err == nil {
			err = unchanged(r, p)
		}
		if err != nil {
			return httpapi.Response{}, err
		}
	}
	err := h.Store.DeleteProfile(r.Context(), r.Tenant, subject)
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.Response{}, errNoProfile
	}
	return httpapi.NoContent(), err
}

// list lists profiles, or those in a segment.
func (h *profiles) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	d, err := h.definitions.compiled(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	wanted := r.Query.Get("segment")
	if r.Query.Has("segment") && !d.Has(wanted) {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "segment", Detail: "there is no segment of this id: GET /segments lists them"})
	}
	profiles, next, err := h.Store.PageProfiles(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := []profileView{}
	for _, p := range profiles {
		view, err := viewProfile(d, p)
		if err != nil {
			return httpapi.Response{}, err
		}
		if wanted == "" || slices.Contains(view.Segments, wanted) {
			views = append(views, view)
		}
	}
	return httpapi.OK(listing.Next(views, next)), nil
}
