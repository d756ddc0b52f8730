package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// asked reads {["event","subscription"]} and the subscription that it is about,
// whose sample stands for the event if none is given. Of a stored subscription
// nothing need be said at all. A test may name another url.
func (h *previews) asked(r *httpapi.Request, test bool) (s webhook.Subscription, e previewed, err error) {
	draft := r.PathValue("id") == ""
	read := r.OptionalJSON
	if draft {
		read = r.JSON
	}
	body, err := read()
	if err != nil {
		return s, e, err
	}
	if body.Kind() != strictjson.Object {
		return s, e, httpapi.Invalid(httpapi.FieldError{Field: "body", Detail: "want an object"})
	}
	var faults httpapi.Faults
	given, may := map[string]strictjson.Value{}, []string{"event"}
	if draft {
		may = append(may, "subscription")
	}
	if test {
		may = append(may, "url")
	}
	for name, v := range body.Members() {
		if !slices.Contains(may, name) {
			faults.Unknown("", name, may)
		}
		given[name] = v
	}
	if given["event"] != nil {
		if e, err = h.given(r, given["event"], &faults); err != nil {
			return s, e, err
		}
	}
	if draft && given["subscription"] == nil {
		faults.Add("subscription", "required")
		if given["event"] == nil {
			faults.Add("event", "required")
		}
	}
	if faults.Any() {
		return s, e, faults.Err()
	}
	if draft {
		s, err = h.draft(r, given["subscription"])
	} else {
		s, err = h.versions.current(r.Context(), ref(r))
	}
	if err == nil && given["event"] == nil {
		e.Event, err = h.sample(r.Context(), s)
	}
	if err == nil && given["url"] != nil && given["url"].Kind() != strictjson.Null {
		s.URL, err = h.elsewhere(given["url"])
		e.elsewhere = s.URL
	}
	return s, e, err
}

// elsewhere reads the url to which a test goes, which is judged as a subscription's is.
func (h *previews) elsewhere(v strictjson.Value) (string, error) {
	body := httpapi.Encode(map[string]json.RawMessage{"url": json.RawMessage(v)})
	wish, err := subscription.Read(strictjson.Value(body), subscription.Default(), h.Destinations)
	return wish.Subscription.URL, err
}

// sampleOf returns the sample of a type, nil if it has none.
func (h *previews) sampleOf(ctx context.Context, tenant, typ string) (json.RawMessage, error) {
	if attribute.Type(typ) != "" {
		return nil, nil
	}
	found, err := h.Store.EventTypes(ctx, tenant, []string{typ})
	if err != nil {
		return nil, fmt.Errorf("read an event type: %w", err)
	}
	return found[typ].Sample, nil
}

// sample makes an event of the sample of the one type that s subscribes to.
func (h *previews) sample(ctx context.Context, s webhook.Subscription) (e webhook.Event, err error) {
	var faults httpapi.Faults
	if len(s.Types) == 1 && !strings.HasSuffix(s.Types[0], "*") {
		data, err := h.sampleOf(ctx, s.Tenant, s.Types[0])
		if err != nil {
			return e, err
		}
		if data != nil {
			text := httpapi.Encode(map[string]any{"type": s.Types[0], "data": data})
			return publication.One(text, s.Tenant, h.now(), &faults), faults.Err()
		}
	}
	faults.Add("event", `required, like {"event": {"type": "order.paid", "data": {}}}, unless the subscription has one exact type and that has a sample`)
	return e, faults.Err()
}

// draft reads a subscription that is stored nowhere.
func (h *previews) draft(r *httpapi.Request, v strictjson.Value) (webhook.Subscription, error) {
	if v.Kind() != strictjson.Object {
		return webhook.Subscription{}, httpapi.Invalid(httpapi.FieldError{Field: "subscription", Detail: "want an object"})
	}
	wish, err := subscription.Read(v, subscription.Default(), h.Destinations)
	if err != nil {
		return webhook.Subscription{}, within("subscription", err)
	}
	s := wish.Subscription
	s.Tenant, s.ID = r.Tenant, wish.ID
	if s.ID == "" {
		s.ID = "draft"
	}
	s, _, err = h.wishes.complete(r, webhook.Subscription{}, s, wish)
	return s, within("subscription", err)
}

// within puts the fields of a problem behind that of the object which was read.
func within(field string, err error) error {
	var problem *httpapi.Problem
	if !errors.As(err, &problem) {
		return err
	}
	for i := range problem.Errors {
		problem.Errors[i].Field = field + "." + problem.Errors[i].Field
	}
	return problem
}
