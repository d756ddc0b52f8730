package manage

import (
	"fmt"
	"slices"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// endless refuses a subscription that would lead in a circle: its events lead to
// others that lead back to it, and no filter and no trigger on the way says when that
// ends. What it cannot see ends after [webhook.MaxDepth] events.
func (h *wishes) endless(r *httpapi.Request, s webhook.Subscription) error {
	if s.Emit == nil || s.Filter != nil || s.Trigger != nil {
		return nil
	}
	others, err := h.chained(r, s)
	if err != nil {
		return fmt.Errorf("read subscriptions: %w", err)
	}
	if way := circle(s, others); way != "" {
		return httpapi.Invalid(httpapi.FieldError{Field: "emit.type", Detail: "leads in a circle without end, through " + way + ": give one of them a filter or a trigger"})
	}
	return nil
}

// chained are all other subscriptions of the tenant that make an event of whatever
// they select by type alone.
func (h *wishes) chained(r *httpapi.Request, s webhook.Subscription) (others []webhook.Subscription, err error) {
	for page := (webhook.Page{Limit: headsPage}); ; {
		heads, next, err := h.Store.PageHeads(r.Context(), s.Tenant, page)
		if err != nil {
			return nil, err
		}
		var refs []webhook.VersionRef
		for _, head := range heads {
			if head.ID != s.ID && head.Filter == nil {
				refs = append(refs, webhook.VersionRef{Tenant: s.Tenant, ID: head.ID, Version: head.Version})
			}
		}
		some, err := h.Store.Versions(r.Context(), refs)
		if err != nil {
			return nil, err
		}
		for _, o := range some {
			if o.Emit != nil && o.Trigger == nil {
				others = append(others, o)
			}
		}
		if page.Position = next; next == "" {
			return others, nil
		}
	}
}

// circle names the subscriptions through which what s emits comes back to it; "" if
// it does not.
func circle(s webhook.Subscription, others []webhook.Subscription) string {
	type step struct{ emits, way string }
	seen := []string{s.Emit.Type}
	for next := []step{{s.Emit.Type, ""}}; len(next) > 0; next = next[1:] {
		for _, o := range others {
			if !pattern.TypesMatch(o.Types, next[0].emits) {
				continue
			}
			way := o.ID
			if next[0].way != "" {
				way = next[0].way + ", " + o.ID
			}
			if pattern.TypesMatch(s.Types, o.Emit.Type) {
				return way
			}
			if !slices.Contains(seen, o.Emit.Type) {
				seen, next = append(seen, o.Emit.Type), append(next, step{o.Emit.Type, way})
			}
		}
	}
	return ""
}
