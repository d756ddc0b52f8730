package manage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// Paths of the routes of campaigns.
const (
	campaignsPath = tenantPath + "/campaigns"
	campaignPath  = campaignsPath + "/{id}"
)

// campaigns serves what several subscriptions have in common.
type campaigns struct {
	*Handler
	definitions *definitions
	segments    *segments
}

func (h *campaigns) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: campaignsPath, Roles: manage, Handle: h.list},
		{Method: get, Pattern: campaignPath, Roles: manage, Handle: h.get},
		{Method: put, Pattern: campaignPath, Roles: manage, Handle: h.put},
		{Method: patch, Pattern: campaignPath, Roles: manage, Handle: h.patch},
		{Method: del, Pattern: campaignPath, Roles: manage, Handle: h.delete},
	}
}

// campaignView is a campaign as it was written; what was not is null.
type campaignView struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Tags     []string       `json:"tags"`
	State    campaign.State `json:"state"`
	StartsAt httpapi.Time   `json:"starts_at"`
	EndsAt   httpapi.Time   `json:"ends_at"`
	campaignRules
	CreatedAt httpapi.Time `json:"created_at"`
	UpdatedAt httpapi.Time `json:"updated_at"`
}

// campaignRules are shown as they were written.
type campaignRules struct {
	Audience json.RawMessage `json:"audience"`
	Holdout  json.RawMessage `json:"holdout"`
	Cap      json.RawMessage `json:"cap"`
	Quiet    json.RawMessage `json:"quiet"`
	Goal     json.RawMessage `json:"goal"`
}

func viewCampaign(c webhook.Campaign) (view campaignView, err error) {
	compiled, faults := campaign.Read(c.ID, strictjson.Value(c.Spec))
	if len(faults) > 0 {
		return view, fmt.Errorf("read campaign %s: %s: %s", c.ID, faults[0].Field, faults[0].Detail)
	}
	if err := json.Unmarshal(c.Spec, &view.campaignRules); err != nil {
		return view, fmt.Errorf("read campaign %s: %w", c.ID, err)
	}
	view.ID, view.Name, view.Tags, view.State = c.ID, compiled.Name, listOf(compiled.Tags), compiled.State
	view.StartsAt, view.EndsAt = httpapi.Time(compiled.StartsAt), httpapi.Time(compiled.EndsAt)
	view.CreatedAt, view.UpdatedAt = httpapi.Time(c.CreatedAt), httpapi.Time(c.UpdatedAt)
	return view, nil
}

var errNoCampaign = httpapi.CampaignNotFound.Problem("There is no campaign of this id. GET /campaigns lists them.")

func (h *campaigns) list(r *httpapi.Request) (httpapi.Response, error) {
	all, _, err := h.definitions.campaigns(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	views := []campaignView{}
	for _, c := range all {
		view, err := viewCampaign(c)
		if err != nil {
			return httpapi.Response{}, err
		}
		views = append(views, view)
	}
	return httpapi.OK(httpapi.List{Data: views}), nil
}

// ofPath is the campaign of the path, of revision 0 if there is none, with all
// campaigns and caps.
func (h *campaigns) ofPath(r *httpapi.Request) (c webhook.Campaign, all []webhook.Campaign, caps []webhook.Cap, err error) {
	all, caps, err = h.definitions.campaigns(r)
	if at := slices.IndexFunc(all, func(c webhook.Campaign) bool { return c.ID == r.PathValue("id") }); at >= 0 {
		c = all[at]
	}
	return c, all, caps, err
}

func (h *campaigns) get(r *httpapi.Request) (httpapi.Response, error) {
	c, _, _, err := h.ofPath(r)
	if err != nil {
		return httpapi.Response{}, err
	}
	if c.Revision == 0 {
		return httpapi.Response{}, errNoCampaign
	}
	view, err := viewCampaign(c)
	return httpapi.OK(view), err
}

func (h *campaigns) put(r *httpapi.Request) (httpapi.Response, error)   { return h.write(r, true) }
func (h *campaigns) patch(r *httpapi.Request) (httpapi.Response, error) { return h.write(r, false) }

// write stores what the body says: in place of all fields, or only of those that it
// has.
func (h *campaigns) write(r *httpapi.Request, whole bool) (httpapi.Response, error) {
	id := r.PathValue("id")
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	given, err := givenRules(id, "id", body, campaign.Fields)
	if err != nil {
		return httpapi.Response{}, err
	}
	var next webhook.Campaign
	err = retry(r.Context(), func() error {
		now, all, caps, err := h.ofPath(r)
		if err != nil {
			return err
		}
		if !whole && now.Revision == 0 {
			return errNoCampaign
		}
		if next, err = h.next(r, now, given, whole); err != nil {
			return err
		}
		others := slices.DeleteFunc(all, func(c webhook.Campaign) bool { return c.ID == next.ID })
		if err := campaignsFit(append(others, next), caps); err != nil {
			return err
		}
		return h.definitions.define(r, func() error { return h.Store.SaveCampaign(r.Context(), next) })
	})
	if err != nil {
		return httpapi.Response{}, err
	}
	view, err := viewCampaign(next)
	return created(next.Revision == 1, "/v1/tenants/"+r.Tenant+"/campaigns/"+id, view), err
}

// created is 201 with the place of what was created, or 200.
func created(is bool, location string, body any) httpapi.Response {
	if !is {
		return httpapi.OK(body)
	}
	return httpapi.Response{Status: http.StatusCreated, Header: http.Header{"Location": {location}}, Body: body}
}

// givenRules reads the members of a body that its owner writes; null is nil. What is
// only shown can be sent back.
func givenRules(name, field string, body strictjson.Value, fields []string) (map[string]json.RawMessage, error) {
	var faults httpapi.Faults
	if !subscription.ValidID(name) {
		faults.Add(field, "%s", subscription.IDSyntax)
	}
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
	}
	given := map[string]json.RawMessage{}
	for member, v := range body.Members() {
		switch text, _ := v.Text(); {
		case member == field && text != name:
			faults.Add(field, "is not the %s of the path", field)
		case member == field, member == "created_at", member == "updated_at":
		case !slices.Contains(fields, member):
			faults.Unknown("", member, append(slices.Clone(fields), field))
		case v.Kind() == strictjson.Null:
			given[member] = nil
		default:
			given[member] = json.RawMessage(v.Compact())
		}
	}
	return given, faults.Err()
}

// next is the campaign as it is to be stored, judged.
func (h *campaigns) next(r *httpapi.Request, now webhook.Campaign, given map[string]json.RawMessage, whole bool) (webhook.Campaign, error) {
	next := now
	next.Tenant, next.ID, next.Revision, next.UpdatedAt = r.Tenant, r.PathValue("id"), now.Revision+1, h.now()
	if now.Revision == 0 {
		next.Life, next.CreatedAt = h.newID("life_"), next.UpdatedAt
	}
	spec := map[string]json.RawMessage{}
	if !whole {
		if err := json.Unmarshal(now.Spec, &spec); err != nil {
			return next, fmt.Errorf("read campaign %s: %w", now.ID, err)
		}
	}
	for name, v := range given {
		if spec[name] = v; v == nil {
			delete(spec, name)
		}
	}
	next.Spec = json.RawMessage(httpapi.Encode(spec))
	c, wrong := campaign.Read(next.ID, strictjson.Value(next.Spec))
	var faults httpapi.Faults
	for _, f := range wrong {
		faults.Add(f.Field, "%s", f.Detail)
	}
	if !faults.Any() {
		if err := h.segments.unknownSegments(r, "audience.segment", subscription.Segments(c.AudienceFilter()), &faults); err != nil {
			return next, err
		}
	}
	return next, faults.Err()
}

// campaignsFit refuses more than a tenant may have.
func campaignsFit(all []webhook.Campaign, caps []webhook.Cap) error {
	weight := 0
	compiled, errs := campaign.Compile(all, caps)
	for _, c := range compiled {
		weight += c.Weight()
	}
	switch {
	case len(errs) > 0:
		return errors.Join(errs...)
	case len(all) > campaign.MaxCampaigns:
		return httpapi.CampaignsFull.Problem(fmt.Sprintf("The tenant has %d campaigns. Delete one first.", campaign.MaxCampaigns))
	case len(caps) > campaign.MaxCaps:
		return httpapi.CapsFull.Problem(fmt.Sprintf("The tenant has %d caps. Delete one first.", campaign.MaxCaps))
	case weight > people.MaxWeight:
		return httpapi.FiltersFull.Problem(fmt.Sprintf("The filters of all campaigns would take %d bytes of memory: want at most %d. Use fewer values.", weight, people.MaxWeight))
	}
	if id := campaign.TooMany(all, caps); id != "" {
		detail := fmt.Sprintf("campaign %q would be bounded by more than %d caps beside its own: give it, or the caps, fewer tags", id, campaign.MaxTagCaps)
		return httpapi.Invalid(httpapi.FieldError{Field: "tags", Detail: detail})
	}
	return nil
}

// delete forgets a campaign of which no subscription is a part.
func (h *campaigns) delete(r *httpapi.Request) (httpapi.Response, error) {
	id := r.PathValue("id")
	user, err := h.segments.headWith(r, func(head webhook.Head) bool { return head.Campaign == id })
	if err != nil {
		return httpapi.Response{}, err
	}
	if user != "" {
		return httpapi.Response{}, httpapi.CampaignInUse.Problem("Subscription " + user + " is part of this campaign. Take it out or delete it first, or stop the campaign.")
	}
	err = h.definitions.define(r, func() error {
		err := h.Store.DeleteCampaign(r.Context(), r.Tenant, id)
		if errors.Is(err, webhook.ErrNotFound) {
			return errNoCampaign
		}
		return err
	})
	return httpapi.NoContent(), err
}

// known refuses a subscription of a campaign that does not exist. A portal key may
// choose none.
func (h *campaigns) known(r *httpapi.Request, now, next webhook.Subscription) error {
	var faults httpapi.Faults
	switch {
	case next.Campaign == now.Campaign:
		return nil
	case r.Principal.Role == httpapi.Portal:
		faults.Add("campaign", "a portal key cannot put a subscription into a campaign, nor take it out of one")
		return faults.Err()
	case next.Campaign == "":
		return nil
	}
	all, _, err := h.definitions.campaigns(r)
	if err != nil {
		return err
	}
	ids := make([]string, len(all))
	for i, c := range all {
		ids[i] = c.ID
	}
	if !slices.Contains(ids, next.Campaign) {
		faults.Add("campaign", "there is no campaign %q%s: PUT /campaigns/%s makes one", next.Campaign, suggest.Hint(next.Campaign, ids), next.Campaign)
	}
	return faults.Err()
}
