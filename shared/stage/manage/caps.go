package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of caps.
const (
	capsPath = tenantPath + "/caps"
	capPath  = capsPath + "/{name}"
)

// caps serves what bounds several campaigns together.
type caps struct {
	*Handler
	definitions *definitions
}

func (h *caps) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: capsPath, Roles: manage, Handle: h.list},
		{Method: get, Pattern: capPath, Roles: manage, Handle: h.get},
		{Method: put, Pattern: capPath, Roles: manage, Handle: h.put},
		{Method: del, Pattern: capPath, Roles: manage, Handle: h.delete},
	}
}

// capView is a cap as it was written.
type capView struct {
	Name      string          `json:"name"`
	Tags      json.RawMessage `json:"tags"`
	Max       json.RawMessage `json:"max"`
	Per       json.RawMessage `json:"per"`
	Key       json.RawMessage `json:"key"` // null: the subject
	CreatedAt httpapi.Time    `json:"created_at"`
	UpdatedAt httpapi.Time    `json:"updated_at"`
}

func viewCap(c webhook.Cap) (view capView, err error) {
	written := struct{ Tags, Max, Per, Key json.RawMessage }{}
	if err := json.Unmarshal(c.Spec, &written); err != nil {
		return view, fmt.Errorf("read cap %s: %w", c.Name, err)
	}
	return capView{c.Name, written.Tags, written.Max, written.Per, written.Key, httpapi.Time(c.CreatedAt), httpapi.Time(c.UpdatedAt)}, nil
}

var errNoCap = httpapi.CapNotFound.Problem("There is no cap of this name. GET /caps lists them.")

func (h *caps) list(r *httpapi.Request) (httpapi.Response, error) {
	_, all, err := h.definitions.campaigns(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	views := []capView{}
	for _, c := range all {
		view, err := viewCap(c)
		if err != nil {
			return httpapi.Response{}, err
		}
		views = append(views, view)
	}
	return httpapi.OK(httpapi.List{Data: views}), nil
}

func (h *caps) get(r *httpapi.Request) (httpapi.Response, error) {
	_, all, err := h.definitions.campaigns(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	for _, c := range all {
		if c.Name == r.PathValue("name") {
			view, err := viewCap(c)
			return httpapi.OK(view), err
		}
	}
	return httpapi.Response{}, errNoCap
}

// put bounds what all campaigns with one of its tags send.
func (h *caps) put(r *httpapi.Request) (httpapi.Response, error) {
	name := r.PathValue("name")
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	given, err := givenRules(name, "name", body, campaign.CapFields)
	if err != nil {
		return httpapi.Response{}, err
	}
	for field, v := range given {
		if v == nil {
			delete(given, field)
		}
	}
	next := webhook.Cap{Tenant: r.Tenant, Name: name, Spec: json.RawMessage(httpapi.Encode(given)), UpdatedAt: h.now()}
	if _, wrong := campaign.ReadCap(name, strictjson.Value(next.Spec)); len(wrong) > 0 {
		var faults httpapi.Faults
		for _, f := range wrong {
			faults.Add(f.Field, "%s", f.Detail)
		}
		return httpapi.Response{}, faults.Err()
	}
	if err := retry(r.Context(), func() error { return h.save(r, &next) }); err != nil {
		return httpapi.Response{}, err
	}
	view, err := viewCap(next)
	return created(next.Revision == 1, "/v1/tenants/"+r.Tenant+"/caps/"+name, view), err
}

// save stores a cap in place of the one that is there.
func (h *caps) save(r *httpapi.Request, next *webhook.Cap) error {
	all, others, err := h.definitions.campaigns(r)
	if err != nil {
		return err
	}
	next.Life, next.Revision, next.CreatedAt = h.newID("life_"), 1, next.UpdatedAt
	if at := slices.IndexFunc(others, func(c webhook.Cap) bool { return c.Name == next.Name }); at >= 0 {
		now := others[at]
		next.Life, next.Revision, next.CreatedAt = now.Life, now.Revision+1, now.CreatedAt
		others = slices.Delete(others, at, at+1)
	}
	if err := campaignsFit(all, append(others, *next)); err != nil {
		return err
	}
	return h.definitions.define(r, func() error { return h.Store.SaveCap(r.Context(), *next) })
}

// delete forgets a cap: from then on it bounds nothing.
func (h *caps) delete(r *httpapi.Request) (httpapi.Response, error) {
	err := h.definitions.define(r, func() error {
		err := h.Store.DeleteCap(r.Context(), r.Tenant, r.PathValue("name"))
		if errors.Is(err, webhook.ErrNotFound) {
			return errNoCap
		}
		return err
	})
	return httpapi.NoContent(), err
}
