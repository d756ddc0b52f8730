package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of segments.
const (
	segmentsPath = tenantPath + "/segments"
	segmentPath  = segmentsPath + "/{id}"
)

// segments serves named conditions on profiles.
type segments struct {
	*Handler
	definitions *definitions
}

func (h *segments) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: segmentsPath, Roles: manage, Handle: h.list},
		{Method: get, Pattern: segmentPath, Roles: manage, Handle: h.get},
		{Method: put, Pattern: segmentPath, Roles: manage, Handle: h.put},
		{Method: del, Pattern: segmentPath, Roles: manage, Handle: h.delete},
	}
}

const maxSegmentName = 200 // characters

// segmentView is a segment as it was written.
type segmentView struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Filter    json.RawMessage `json:"filter"`
	UpdatedAt httpapi.Time    `json:"updated_at"`
}

func viewSegment(s webhook.Segment) segmentView {
	return segmentView{s.ID, s.Name, s.Filter, httpapi.Time(s.UpdatedAt)}
}

var errNoSegment = httpapi.SegmentNotFound.Problem("There is no segment of this id. GET /segments lists them.")

func (h *segments) list(r *httpapi.Request) (httpapi.Response, error) {
	segments, err := h.definitions.all(r)
	views := []segmentView{}
	for _, s := range segments {
		views = append(views, viewSegment(s))
	}
	return httpapi.OK(httpapi.List{Data: views}), err
}

func (h *segments) get(r *httpapi.Request) (httpapi.Response, error) {
	segments, err := h.definitions.all(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	for _, s := range segments {
		if s.ID == r.PathValue("id") {
			return httpapi.OK(viewSegment(s)), nil
		}
	}
	return httpapi.Response{}, errNoSegment
}

// put names a condition on profiles.
func (h *segments) put(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	s, err := readSegment(r.PathValue("id"), body)
	if err != nil {
		return httpapi.Response{}, err
	}
	s.Tenant, s.UpdatedAt = r.Tenant, h.now()
	segments, err := h.definitions.all(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	rules, err := h.definitions.rules(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	others := slices.DeleteFunc(slices.Clone(segments), func(other webhook.Segment) bool { return other.ID == s.ID })
	if err := fits(rules, append(others, s)); err != nil {
		return httpapi.Response{}, err
	}
	created := false
	err = h.definitions.define(r, func() (err error) {
		created, err = h.Store.PutSegment(r.Context(), s)
		return err
	})
	if created {
		location := "/v1/tenants/" + r.Tenant + "/segments/" + s.ID
		return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: viewSegment(s)}, err
	}
	return httpapi.OK(viewSegment(s)), err
}

var segmentFields = []string{"name", "filter", "id", "updated_at"}

// readSegment reads {"filter",["name"]}.
func readSegment(id string, body strictjson.Value) (s webhook.Segment, err error) {
	s.ID = id
	var faults httpapi.Faults
	if !subscription.ValidID(id) {
		faults.Add("id", "%s", subscription.IDSyntax)
	}
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	for field, v := range body.Members() {
		text, isText := v.Text()
		switch field {
		case "name":
			if s.Name = text; !isText || utf8.RuneCountInString(text) > maxSegmentName {
				faults.Add(field, "want a string of at most %d characters", maxSegmentName)
			}
		case "filter":
			s.Filter = json.RawMessage(v.Compact())
			judgeGroup(s.Filter, &faults)
		case "id":
			if text != id {
				faults.Add(field, "is not the id of the path")
			}
		case "updated_at":
		default:
			faults.Unknown("", field, segmentFields)
		}
	}
	if s.Filter == nil {
		faults.Add("filter", `required, like {"profile": {"plan": ["gold"]}}`)
	}
	return s, faults.Err()
}

// delete forgets a segment that nothing asks for.
func (h *segments) delete(r *httpapi.Request) (httpapi.Response, error) {
	id := r.PathValue("id")
	user, err := h.userOf(r, id)
	if err != nil {
		return httpapi.Response{}, err
	}
	if user != "" {
		return httpapi.Response{}, httpapi.SegmentInUse.Problem(user + " asks for this segment. Change that first.")
	}
	err = h.definitions.define(r, func() error {
		err := h.Store.DeleteSegment(r.Context(), r.Tenant, id)
		if errors.Is(err, webhook.ErrNotFound) {
			return errNoSegment
		}
		return err
	})
	return httpapi.NoContent(), err
}

// headsPage is how many subscriptions are looked at at once.
const headsPage = 250

// userOf names what asks for a segment, a subscription in its filter or a campaign
// in its audience; "" if nothing does.
func (h *segments) userOf(r *httpapi.Request, segment string) (string, error) {
	all, _, err := h.definitions.campaigns(r)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		spec := struct{ Audience json.RawMessage }{}
		if err := json.Unmarshal(c.Spec, &spec); err != nil {
			return "", fmt.Errorf("read campaign %s: %w", c.ID, err)
		}
		if slices.Contains(subscription.Segments(spec.Audience), segment) {
			return "The audience of campaign " + c.ID, nil
		}
	}
	id, err := h.headWith(r, func(head webhook.Head) bool { return slices.Contains(subscription.Segments(head.Filter), segment) })
	if id == "" || err != nil {
		return "", err
	}
	return "The filter of subscription " + id, nil
}

// headWith returns a subscription whose head is like that; "" if there is none.
func (h *segments) headWith(r *httpapi.Request, like func(webhook.Head) bool) (string, error) {
	page := webhook.Page{Limit: headsPage}
	for {
		heads, next, err := h.Store.PageHeads(r.Context(), r.Tenant, page)
		if err != nil {
			return "", fmt.Errorf("read subscriptions: %w", err)
		}
		for _, head := range heads {
			if like(head) {
				return head.ID, nil
			}
		}
		if page.Position = next; next == "" {
			return "", nil
		}
	}
}

// knownSegments refuses a filter that asks for a segment which does not exist. A
// portal key may ask for none.
func (h *segments) knownSegments(r *httpapi.Request, s webhook.Subscription) error {
	asked := subscription.Segments(s.Filter)
	if len(asked) == 0 || r.Principal.Role == httpapi.Portal {
		return nil
	}
	var faults httpapi.Faults
	if err := h.unknownSegments(r, "filter.segment", asked, &faults); err != nil {
		return err
	}
	return faults.Err()
}

// unknownSegments notes which of the segments do not exist.
func (h *segments) unknownSegments(r *httpapi.Request, field string, asked []string, faults *httpapi.Faults) error {
	segments, err := h.definitions.all(r)
	if err != nil {
		return err
	}
	ids := make([]string, len(segments))
	for i, s := range segments {
		ids[i] = s.ID
	}
	for _, id := range asked {
		if !slices.Contains(ids, id) {
			faults.Add(field, "there is no segment %q%s", id, suggest.Hint(id, ids))
		}
	}
	return nil
}

// judgeGroup notes what is wrong with a filter that selects profiles.
func judgeGroup(filter json.RawMessage, faults *httpapi.Faults) {
	var wrong pattern.Errors
	if _, err := pattern.CompileOver(pattern.OfProfiles, filter, "filter"); errors.As(err, &wrong) {
		for _, f := range wrong {
			faults.Add(f.Field, "%s", f.Detail)
		}
	}
}
