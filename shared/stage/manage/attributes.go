package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of computed attributes.
const (
	attributesPath = tenantPath + "/attributes"
	attributePath  = attributesPath + "/{name}"
)

// attributes serves the attributes of profiles that follow from events.
type attributes struct {
	*Handler
	Store       Definitions
	definitions *definitions
}

func (h *attributes) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: attributesPath, Roles: manage, Handle: h.list},
		{Method: get, Pattern: attributePath, Roles: manage, Handle: h.get},
		{Method: put, Pattern: attributePath, Roles: manage, Handle: h.put},
		{Method: del, Pattern: attributePath, Roles: manage, Query: []string{"values"}, Handle: h.delete},
	}
}

var errNoAttribute = httpapi.AttributeNotFound.Problem("No attribute of this name is computed. GET /attributes lists those that are.")

// viewAttribute is a rule as it was written, with its name, whether it was
// deleted and only its values stay, and when it changed.
func viewAttribute(rule webhook.AttributeRule) (httpapi.Encoded, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(rule.Spec, &members); err != nil {
		return nil, fmt.Errorf("read the rule of attribute %s: %w", rule.Name, err)
	}
	members["name"], members["updated_at"] = httpapi.Encode(rule.Name), httpapi.Encode(httpapi.Time(rule.UpdatedAt))
	members["deleted"] = httpapi.Encode(rule.Kept)
	return httpapi.Encode(members), nil
}

// rule is the one of the path; nil if there is none.
func (h *attributes) rule(r *httpapi.Request) (*webhook.AttributeRule, []webhook.AttributeRule, error) {
	rules, err := h.definitions.rules(r)
	at := slices.IndexFunc(rules, func(rule webhook.AttributeRule) bool { return rule.Name == r.PathValue("name") })
	if err != nil || at < 0 {
		return nil, rules, err
	}
	return &rules[at], rules, nil
}

func (h *attributes) list(r *httpapi.Request) (httpapi.Response, error) {
	rules, err := h.definitions.rules(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	views := []httpapi.Encoded{}
	for _, rule := range rules {
		view, err := viewAttribute(rule)
		if err != nil {
			return httpapi.Response{}, err
		}
		views = append(views, view)
	}
	return httpapi.OK(httpapi.List{Data: views}), nil
}

func (h *attributes) get(r *httpapi.Request) (httpapi.Response, error) {
	rule, _, err := h.rule(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if rule == nil {
		return httpapi.Response{}, errNoAttribute
	}
	view, err := viewAttribute(*rule)
	return httpapi.OK(view), err
}

// readBack are the fields that can be written back as they were read.
var readBack = []string{"name", "updated_at", "deleted"}

// put lets an attribute follow from events. If the way changes in which it
// is kept, it begins afresh.
func (h *attributes) put(r *httpapi.Request) (httpapi.Response, error) {
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	name := r.PathValue("name")
	spec := ruleBody(body)
	if _, wrong := people.Read(name, spec); wrong != nil {
		return httpapi.Response{}, refused(wrong)
	}
	now, rules, err := h.rule(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	next := webhook.AttributeRule{Tenant: r.Tenant, Name: name, Spec: json.RawMessage(spec), UpdatedAt: h.now()}
	if next.Generation = h.newID("gen_"); now != nil && !now.Kept && sameKeep(now.Spec, next.Spec) {
		next.Generation = now.Generation
	}
	others := slices.DeleteFunc(slices.Clone(rules), func(rule webhook.AttributeRule) bool { return rule.Name == name })
	segments, err := h.Store.Segments(r.Context(), r.Tenant, people.MaxSegments)
	if err != nil {
		return httpapi.Response{}, fmt.Errorf("read segments: %w", err)
	}
	if err := fits(append(others, next), segments); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.definitions.define(r, func() error { return h.Store.PutAttributeRule(r.Context(), next) }); err != nil {
		return httpapi.Response{}, err
	}
	view, err := viewAttribute(next)
	if now == nil {
		location := "/v1/tenants/" + r.Tenant + "/attributes/" + url.PathEscape(name)
		return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: view}, err
	}
	return httpapi.OK(view), err
}

// ruleBody is the body without what is only shown.
func ruleBody(body strictjson.Value) strictjson.Value {
	if body.Kind() != strictjson.Object {
		return body
	}
	spec := map[string]json.RawMessage{}
	for name, v := range body.Members() {
		if !slices.Contains(readBack, name) && v.Kind() != strictjson.Null {
			spec[name] = json.RawMessage(v)
		}
	}
	return strictjson.Value(httpapi.Encode(spec))
}

// refused is the problem of what is wrong with what was written; nil for nothing.
func refused(wrong []people.Fault) error {
	var faults httpapi.Faults
	for _, f := range wrong {
		faults.Add(f.Field, "%s", f.Detail)
	}
	return faults.Err()
}

// sameKeep reports whether two rules keep alike.
func sameKeep(a, b json.RawMessage) bool {
	var was, is struct{ Keep string }
	return json.Unmarshal(a, &was) == nil && json.Unmarshal(b, &is) == nil && was.Keep == is.Keep
}

// fits refuses more than a tenant may define.
func fits(rules []webhook.AttributeRule, segments []webhook.Segment) error {
	d, err := people.Define(rules, segments)
	switch {
	case err != nil:
		return err
	case len(rules) > people.MaxRules:
		return httpapi.AttributesFull.Problem(fmt.Sprintf("The tenant has %d computed attributes, deleted ones whose values stay included. Delete one with ?values=drop first.", people.MaxRules))
	case len(segments) > people.MaxSegments:
		return httpapi.SegmentsFull.Problem(fmt.Sprintf("The tenant has %d segments. Delete one first.", people.MaxSegments))
	case d.Weight() > people.MaxWeight:
		return httpapi.FiltersFull.Problem(fmt.Sprintf("The filters of all computed attributes and segments would take %d bytes of memory: want at most %d. Use fewer values.", d.Weight(), people.MaxWeight))
	}
	return nil
}

// delete lets an attribute follow from events no more. Its values go too,
// or stay as if they had been written.
func (h *attributes) delete(r *httpapi.Request) (httpapi.Response, error) {
	rule, _, err := h.rule(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if rule == nil {
		return httpapi.Response{}, errNoAttribute
	}
	values := r.Query.Get("values")
	if values != "keep" && values != "drop" {
		return httpapi.Response{}, httpapi.Invalid(httpapi.FieldError{Field: "values", Detail: `required: "keep" leaves the values in the profiles, "drop" removes them`})
	}
	err = h.definitions.define(r, func() error {
		if values == "keep" {
			kept := *rule
			kept.Kept, kept.UpdatedAt = true, h.now()
			return h.Store.PutAttributeRule(r.Context(), kept)
		}
		err := h.Store.DeleteAttributeRule(r.Context(), r.Tenant, rule.Name)
		if errors.Is(err, webhook.ErrNotFound) {
			return errNoAttribute
		}
		return err
	})
	return httpapi.NoContent(), err
}
